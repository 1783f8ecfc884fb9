#!/usr/bin/python3
"""The kernel's log is closed to oomtop: the tracepoints tell of every kill, N of N, also of those that the log lacks."""
# vm: --mem 512M
# kernels: 5.10 7.3
# kernels when named: 6.1 6.12
import ctypes
import mmap
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, until
from vmlab import CG, Kmsg, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say, write

BATCHES, BATCH = 2, 6
STORM = BATCHES * BATCH
CLONE_VM = 0x100
TRACE = "/sys/kernel/tracing"
ORACLE = TRACE + "/instances/oracle"
libc = ctypes.CDLL(None, use_errno=True)


def take(mb):
    area = mmap.mmap(-1, mb << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(area)), 1, len(area))
    return area


def sharer():
    """A process that sleeps in the memory of this one; its pid."""
    stack = mmap.mmap(-1, 65536)
    sharer.stacks.append(stack)
    top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + 65536 - 64
    sleep = ctypes.cast(libc.sleep, ctypes.c_void_p)
    libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    return libc.clone(sleep, top, CLONE_VM | signal.SIGCHLD, 1000)


sharer.stacks = []


class Member:
    """Waits in a group, alone or with processes that share its memory; told to, it takes memory until somebody dies."""

    def __init__(self, group, sharers=0, mb=1):
        self.orders, orders = os.pipe()
        answers, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                write(CG + group + "/cgroup.procs", 0)
                write("/proc/self/oom_score_adj", 500)
                held = [take(mb)]
                os.write(told, (" ".join(str(sharer()) for _ in range(sharers)) + "\n").encode())
                os.close(orders)
                os.read(self.orders, 1)
                while True:
                    held.append(take(1))
            finally:
                os._exit(3)
        os.close(self.orders)
        os.close(told)
        self.go = orders
        with os.fdopen(answers) as file:
            self.sharers = [int(pid) for pid in file.readline().split()]

    def fill(self):
        try:
            os.write(self.go, b"!")
        except BrokenPipeError:
            pass                        # the filling of others has killed it

    def wait(self):
        os.waitpid(self.pid, 0)
        os.close(self.go)


def counted():
    return int(re.search(r"^oom_kill (\d+)$", read("/proc/vmstat"), re.M)[1])


def marked():
    """The pids that the kernel's own tracer has seen at the same tracepoint."""
    return [int(pid) for pid in re.findall(r"mark_victim: pid=(\d+)", read(ORACLE + "/trace"))]


def rows(tui, least):
    """Pids of the rows of the pane that has the keyboard, by their verb; and all lines that were seen."""
    found, lines = {}, set()
    tui.keys("Home")
    for _ in range(60):
        time.sleep(0.15)
        pane = tui.text().partition("OOM events")[2]
        lines |= set(pane.splitlines()[1:])
        for verb, pid in re.findall(r"(killed|ending) (\d+) ", pane):
            found[int(pid)] = verb
        if len(found) >= least:
            break
        tui.keys("PageDown")
    return found, sorted(lines)


def title(tui):
    return next((ln for ln in tui.text().splitlines() if "OOM events" in ln), "")


def storm(group, members):
    for member in members:
        member.fill()
    for member in members:
        member.wait()
    return [pid for member in members for pid in [member.pid, *member.sharers]]


protect()
enable_memory("/")
write("/proc/sys/kernel/dmesg_restrict", 1)
if not os.path.exists(TRACE + "/instances"):
    os.system("mount -t tracefs tracefs " + TRACE)
os.makedirs(ORACLE, exist_ok=True)
write(ORACLE + "/events/oom/mark_victim/enable", 1)
for name in ("storm", "group"):
    make_cgroup("/" + name, memory_max=24 << 20)
    if os.path.exists(CG + "/%s/memory.swap.max" % name):
        write(CG + "/%s/memory.swap.max" % name, 0)
write(CG + "/group/memory.oom.group", 1)

# No journal either: the path has only what is needed.
home = "/run/mark_victim"
os.makedirs(home, exist_ok=True)
for name in ("oomtop", "setpriv"):
    if not os.path.exists(home + "/" + name):
        os.symlink(os.popen("command -v " + name).read().strip(), home + "/" + name)
tui = Tui("-d", "0.5", cols=140, rows=60, env=("PATH=" + home, "setpriv", "--bounding-set=-syslog,-sys_admin"))
tui.wait("the tracepoint", lambda t: "live from tracepoint" in t)
say(title(tui))
note = tui.text().partition("OOM events")[2].splitlines()[1].strip()
say(note)
check("no permission" in note and "not explained" in note, "the pane says that the log is closed")
time.sleep(1.5)                         # two samples: the counters are compared from here on
before = counted()

log = Kmsg()
begun = time.monotonic()
alone = []
for _ in range(BATCHES):
    alone += storm("/storm", [Member("/storm") for _ in range(BATCH)])
reports = sum("invoked oom-killer" in record for record in log.read())
say("%d kills in %.1f s, of which the log reports %d" % (len(marked()), time.monotonic() - begun, reports))
shared = Member("/storm", sharers=2)
sharing = storm("/storm", [shared])
for pid in shared.sharers:
    until(lambda: not os.path.exists("/proc/%d" % pid))
group = [Member("/group") for _ in range(3)]
group[0].fill()
for member in group:
    member.wait()
together = [member.pid for member in group]
rose, oracle = counted() - before, marked()
say("the kernel counts %d kills and marks %d" % (rose, len(oracle)))
check(len(oracle) >= STORM + 1 + 3, "it marks at least those of the storm, one that shares, and the group")

known = set(oracle) | set(sharing) | set(together) | set(alone)
tui.keys("e")
tui.wait("all kills in the title", lambda t: re.search(r"kills: (\d+) traced", t)
         and int(re.search(r"kills: (\d+) traced", t)[1]) >= len(known))
found, lines = rows(tui, len(known))
missing = sorted(known - set(found))
say("MEASURED: log closed: %d of %d marked, %d of %d that share memory, %d counted by the kernel" % (
    len(set(oracle) & set(found)), len(set(oracle)), len(set(sharing) & set(found)), len(sharing), rose))
check(not missing, "every pid has a row (missing: %s)" % missing)
killed = [pid for pid, verb in found.items() if verb == "killed" and pid in oracle]
# The first victim of a group is counted twice; who only shares the memory is not counted.
check(len(killed) + 1 == rose, "as many kills as the kernel counts: %d and 1 = %d" % (len(killed), rose))
time.sleep(2.5)                         # a kill that nobody told of would have its row by now
check("unlogged" not in title(tui) and "no line in the log" not in tui.text(), "none is only counted: " + title(tui).strip())
along = [ln for ln in lines if "shares the memory of" in ln]
check(len(along) >= 2, "the pane says who shares the memory")
say(*along[:1])
homes = [sum(name in ln for ln in lines) for name in ("in storm", "in group")]
check(homes[0] >= STORM and homes[1] == 3, "rows name the victim's group: %s" % homes)
tui.keys("Home", "Enter")
dialog = flat(tui.wait("the details", lambda t: "Told by the tracepoints" in flat(t)))
size = re.search(r"(\d+) instructions", dialog)
check(size and int(size[1]) > 0, "the details name the size of the checked programs")
say("MEASURED: programs at the tracepoints on %s: %s instructions checked by the verifier" % (os.uname().release, size and size[1]))
check("oom_score_adj 500" in dialog and "the tracepoint, at the kill" in dialog, "adj comes from the tracepoint")
tui.keys("Escape")

# Somebody sends SIGKILL to a large process.
large = os.fork()
if large == 0:
    held = take(60)
    time.sleep(1000)
tui.wait("the large process in a sample", lambda t: " %d " % large in t)
time.sleep(1)
os.kill(large, signal.SIGKILL)
os.waitpid(large, 0)
seen = tui.wait("the SIGKILL", lambda t: "SIGKILL %d" % large in t)
row = next(ln for ln in seen.splitlines() if "SIGKILL %d" % large in ln)
say(row.strip())
check("from %d " % os.getpid() in row and "(uid 0)" in row, "the row names the sender")
tui.quit()

# With the log the same kills are one row each, and the report explains them.
tui = Tui("-d", "0.5", cols=140, rows=60, env=("PATH=" + home,))
tui.wait("log and tracepoint", lambda t: re.search(r"live from .*kmsg.*tracepoint", t))
tui.keys("e")
time.sleep(1.5)
earlier = int(re.search(r"kills: (\d+) logged", title(tui))[1])
again = storm("/storm", [Member("/storm") for _ in range(3)])
tui.wait("the kills", lambda t: re.search(r"kills: (\d+) logged", t)
         and int(re.search(r"kills: (\d+) logged", t)[1]) == earlier + 3)
time.sleep(2.5)
check("traced" not in title(tui) and "unlogged" not in title(tui), "each is one row: " + title(tui).strip())
pane = tui.text().partition("OOM events")[2]
twice = [ln for ln in pane.splitlines() for pid in again if "killed %d " % pid in ln and "anon" in ln]
check(len(twice) == len(again), "no row is there twice, and none is missing: %s" % "\n".join(twice))
tui.keys("Home", "Enter")
dialog = flat(tui.wait("the report", lambda t: "[Summary]" in t))
tui.keys("End")
dialog = flat(tui.wait("what was told beside the log", lambda t: "beside the log" in t))
check("the tracepoint, at the kill" in dialog, "the report has the facts of the tracepoint, with their source")
tui.quit()
for name in ("storm", "group"):
    rm_cgroup("/" + name)
write(ORACLE + "/events/oom/mark_victim/enable", 0)
os.rmdir(ORACLE)
finish()
