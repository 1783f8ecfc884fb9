#!/usr/bin/python3
"""900 new processes while memory is short: kills become rows, the back end stays, the threads between the kernel and the
screen run before all others and go back. How old samples got in the storm, and how late kills, is measured; how busy the
host is decides that too: the sleeps of a thread that runs before all of them say so, and are taken off."""
# vm: --mem 512M
# long: it measures how late rows and samples get, which needs a host to itself
# kernels: 6.1
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import until
from terminal import Terminal, Watch, kernel_clock
from vmlab import Hog, Kmsg, check, finish, mlockall, protect, say

SECONDS, MOST, KIDS = 30, 150, 900
# A process of its own: this one is locked in memory, and would be copied each time.
FORKS = """
import os, sys, time
open("/proc/self/oom_score_adj", "w").write("-900")
for n in range(%d):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    if n %% 25 == 24:
        print(n + 1, flush=True)
        time.sleep(.1)
time.sleep(600)
""" % KIDS
protect()
go, forked = os.pipe(), os.pipe()


def storm():
    """Makes the storm until the driver closes its end. The driver starts nothing while it measures: a fork holds up all
    threads of an interpreter until the child has its memory."""
    if os.read(go[0], 1) == b"":
        return
    os.set_blocking(go[0], False)
    edge = Hog("edge", mb=4, adj=-500, until_avail="60")
    leaks, count = [], 0
    forks = subprocess.Popen([sys.executable, "-S", "-E", "-c", FORKS], stdout=subprocess.PIPE, bufsize=0, start_new_session=True)
    stress = [subprocess.Popen(["stress-ng", "--quiet", "--fork", "1", "--clone", "1", "--bigheap", "1", "-t", str(MOST)])]
    os.set_blocking(forks.stdout.fileno(), False)
    while True:
        os.write(forked[1], forks.stdout.read() or b"")
        try:
            if os.read(go[0], 1) == b"":
                break
        except BlockingIOError:
            pass
        leaks = [hog for hog in leaks if hog.killed() is None]
        if len(leaks) < 2:
            leaks.append(Hog("leak%d" % count, mb=2, adj=800, leak=60, wait=False))
            leaks[-1].go()
            count += 1
        time.sleep(0.1)
    os.killpg(forks.pid, 9)
    for process in stress:
        process.kill()
        process.wait()
    for hog in leaks + [edge]:
        hog.stop()


maker = os.fork()
if maker == 0:
    os.close(go[1])
    storm()
    os._exit(0)
os.close(go[0])
mlockall()
# What Python takes while it measures is there already.
held = [bytearray(400) for _ in range(40000)]
held = held[::640]
# Unprotected itself, as the child of a driver that is: oomtop lowers only a value of 0.
tty = Terminal("choom", "-n", "0", "--", "oomtop", "-d", "1", cols=200)
tty.wait("the dashboard", lambda t: "via " in t and "procs" in t)


def backend():
    """Named where the title has room for it: not while it says how old the sample is."""
    name = r"via (/proc|bpf task \w+)"
    return re.search(name, tty.wait("the back end", lambda t: re.search(name, t)))[1]


def policies():
    """The scheduling policy of each thread, by name."""
    found = {}
    for tid in os.listdir("/proc/%d/task" % tty.pid):
        try:
            with open("/proc/%d/task/%s/comm" % (tty.pid, tid)) as comm:
                found[comm.read().strip()] = os.sched_getscheduler(int(tid)) & ~os.SCHED_RESET_ON_FORK
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


# Before all others, with memory of its own: when it oversleeps, its processor stood still.
HEART = """
import ctypes, os, sys, time
ctypes.CDLL(None).mlockall(3)
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(50))
os.sched_setaffinity(0, {int(sys.argv[1])})
last = time.monotonic()
while True:
    time.sleep(.05)
    now = time.monotonic()
    print("%.3f %.3f" % (last + .05, now), flush=True)
    last = now
"""
begun = backend()
log, watch = Kmsg(), Watch(tty)
shift = kernel_clock(log)
killed = {}
hearts = [
    subprocess.Popen([sys.executable, "-S", "-E", "-c", HEART, str(cpu)], stdout=open("/run/heart%d" % cpu, "w"))
    for cpu in os.sched_getaffinity(0)
]
os.write(go[1], b"g")
begin = time.monotonic()
# What it said before is not of the storm.
watch.ages = []
os.set_blocking(forked[0], False)
kids, told, urgent = 0, b"", set()


def collect():
    for record in log.read():
        found = re.search(r"Killed process (\d+) ", record)
        if found:
            killed.setdefault(int(found[1]), int(record.split(",")[2]) / 1e6 + shift)


# Until all are there, and for a while at least: a busy host makes this machine slow.
while time.monotonic() - begin < MOST and (kids < KIDS or time.monotonic() - begin < SECONDS):
    try:
        told += os.read(forked[0], 4096)
    except BlockingIOError:
        pass
    kids = max([0] + [int(n) for n in told.split()])
    collect()
    urgent |= {name for name, policy in policies().items() if policy == os.SCHED_RR}
    time.sleep(0.1)
collect()
beats = []
for cpu, heart in enumerate(hearts):
    heart.kill()
    heart.wait()
    with open("/run/heart%d" % cpu) as told_by:
        beats += [tuple(float(n) for n in beat.split()) for beat in told_by.read().splitlines()[:-1]]
halts = []
for since, to in sorted(beats):
    if halts and since <= halts[-1][1]:
        halts[-1][1] = max(halts[-1][1], to)
    else:
        halts.append([since, to])
asleep = max([0.0] + [to - since for since, to in halts])


def awake(since, to):
    """The part of a time in which no processor stood still."""
    return to - since - sum(max(0.0, min(to, e) - max(since, b)) for b, e in halts)


most = max([0] + [int(n) for n in re.findall(r"(\d+) procs", tty.lines()[0])])
# A kill of the last moment is still on its way to the screen.
judged = {pid: at for pid, at in killed.items() if at < time.monotonic() - 3}
time.sleep(4)
shown = backend()
watch.stop = True
os.close(go[1])
os.waitpid(maker, 0)
late = sorted(watch.rows[pid] - at for pid, at in judged.items() if pid in watch.rows)
own_late = max([0.0] + [awake(at, watch.rows[pid]) for pid, at in judged.items() if pid in watch.rows])
oldest = max([0.0] + [age for _, age in watch.ages])
own_oldest = max([0.0] + [awake(at - age, at) for at, age in watch.ages])
say(tty.lines()[0])
say("%d kids, %d processes on the screen, %d kills, %d of them seen as rows" % (kids, most, len(killed), len(late)))
say("MEASURED: %d new processes and %d kills on %s: oldest sample %.1f s%s, kill row late by %.2f s at most (median %.2f), via %s; a processor "
    "of the machine stood still for %.2f s; without such times %.2f and %.2f s" % (
    kids, len(killed), os.uname().release, oldest, "" if oldest else " (never over 2)",
    late[-1] if late else -1, late[len(late) // 2] if late else -1, shown, asleep, own_oldest, own_late))
if kids < KIDS:
    say("SKIPPED: %d of %d processes on %s because this machine was too slow to start more" % (kids, KIDS, os.uname().release))
check(len(killed) > 3, "there are kills (%d)" % len(killed))
check(shown == begun, "the back end is still, or again, %s (%s)" % (begun, shown))
check(most >= min(kids, KIDS), "all of them are on the screen (%d of %d)" % (most, kids))
check({"sampler", "oom-log", "oom-kmsg", "oomtop"} <= urgent, "who stands between kernel and screen ran first (%s)" % " ".join(sorted(urgent)))
check(not {"writer", "oom-journal"} & urgent, "who may take long did not")
check(until(lambda: os.SCHED_RR not in policies().values(), 60), "they are as others again (%s)" % policies())
# Twice what is promised, and more: the host may be busy in ways that no sleeper sees.
check(own_oldest <= 4 and own_late <= 3, "samples and rows came in time but for halts of the machine (%.2f and %.2f s)" % (own_oldest, own_late))
missing = set(judged) - set(watch.rows)
# The pane shows the newest: some of a burst may have been pushed out between two looks.
check(len(missing) <= len(judged) // 10, "the kills became rows (%d of %d)" % (len(judged) - len(missing), len(judged)))
tty.quit()
finish()
