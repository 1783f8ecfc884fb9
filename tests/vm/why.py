#!/usr/bin/python3
"""Eight kinds of death in a service, a scope and a container's scope: what oomtop says about each afterwards, by pid, by
unit and by the container's id. No answer is wrong; the unknown ones are counted."""
# vm: --mem 512M --swap 128M
# kernels: 6.1
# long: systemd-oomd and earlyoom take their time, 24 times over: two minutes
import hashlib
import json
import os
import shutil
import subprocess
import time

from vmlab import check, finish, mlockall, protect, say

DIER = "/run/dier.py"
with open(DIER, "w") as script:
    script.write('''
import ctypes, mmap, os, sys, time
name, action = sys.argv[1:3]
for file, text in (("comm", name), ("oom_score_adj", "900" if action in ("leak", "press") else "0")):
    with open("/proc/self/" + file, "w") as target:
        target.write(text)
if action == "leaky":
    # A child leaks, two processes stay.
    if os.fork() == 0:
        name, action = name[:13] + "-l", "leak"
        with open("/proc/self/comm", "w") as target:
            target.write(name)
        with open("/proc/self/oom_score_adj", "w") as target:
            target.write("900")
    elif os.fork() == 0:
        action = "stay"
while action != "stay" and not os.path.exists("/run/go-" + sys.argv[1]):
    time.sleep(0.05)
if action == "leak":
    held = []
    while True:
        held.append(mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(held[-1])), 1, 1 << 20)
        time.sleep(0.004)
if action == "press":
    held = mmap.mmap(-1, 120 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    while True:
        for at in range(0, len(held), 4096):
            held[at] = 1
if action == "crash":
    ctypes.string_at(0)
if action.startswith("exit"):
    os._exit(int(action[4:]))
time.sleep(1000)
''')
WHERES = ("service", "scope", "container")
counts = {"right": 0, "unknown": 0, "wrong": 0}


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def until(what, limit=20):
    end = time.monotonic() + limit
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def comm(pid):
    try:
        with open("/proc/%d/comm" % pid) as file:
            return file.read().strip()
    except OSError:
        return ""


class Dier:
    """A process that dies in its own way once it is told."""

    def __init__(self, kind, where, action, *props):
        self.kind, self.where, self.action = kind, where, action
        self.name = ("%s-%s" % (kind, where))[:15]
        container = hashlib.sha256(self.name.encode()).hexdigest()
        self.unit = {"service": self.name + ".service", "scope": self.name + ".scope",
                     "container": "docker-%s.scope" % container}[where]
        self.id = container[:12] if where == "container" else None
        options = []
        for prop in props:
            options += [prop] if prop.startswith("--") else ["-p", prop]
        program = ["/usr/bin/python3", "-S", "-E", DIER, self.name, action]
        if where == "service":
            sh("systemd-run", "--unit=" + self.unit, *options, *program)
            self.pid = int(sh("systemctl", "show", self.unit, "-p", "MainPID").partition("=")[2])
            self.child = None
        else:
            self.child = subprocess.Popen(["systemd-run", "--scope", "--unit=" + self.unit, *options, *program],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.pid = self.child.pid
        check(until(lambda: comm(self.pid) == self.name), "%s is there as %d" % (self.name, self.pid))

    def go(self):
        open("/run/go-" + self.name, "w").close()

    def ended(self):
        return self.child.poll() is not None if self.child else not os.path.exists("/proc/%d" % self.pid)

    def members(self):
        try:
            with open("/sys/fs/cgroup/system.slice/%s/cgroup.procs" % self.unit) as file:
                return [int(line) for line in file]
        except OSError:
            return []


def why(who):
    done = subprocess.run(["oomtop", "why", str(who), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    document = json.loads(done.stdout)
    newest = document["deaths"][0] if document["deaths"] else None
    known = newest is not None and newest["cause"]["kind"] != "unknown"
    check(done.returncode == (0 if known else 1), "why %s: exit status %d" % (who, done.returncode))
    return newest


def judge(what, who, wanted):
    death = why(who)
    cause = death["cause"] if death else {"kind": "unknown"}
    verdict = "unknown" if cause["kind"] == "unknown" else "right" if wanted(cause) else "wrong"
    counts[verdict] += 1
    doubts = death["doubts"] if death else "no record"
    say("%-8s %-26s %-28s %s" % (verdict, what, who, cause if verdict != "unknown" else doubts))
    if verdict == "wrong":
        say(sh("oomtop", "why", str(who)))
    return verdict


def ask(dier, wanted, pids=()):
    sh("journalctl", "--sync")
    what = "%s %s" % (dier.kind, dier.where)
    judge(what, dier.pid, wanted)
    judge(what, dier.unit, wanted)
    judge(what, dier.id or dier.name, wanted)
    for pid in pids:
        judge(what + " other", pid, wanted)


def is_kind(kind, **more):
    def holds(cause):
        return cause["kind"] == kind and all(cause.get(key) == value for key, value in more.items())
    return holds


def is_oom(what):
    return lambda cause: cause["kind"] == "kernel_oom" and cause["shortage"]["what"] == what


protect()
mlockall()
say(sh("systemctl", "--version").splitlines()[0])
for program in ("earlyoom.service", "systemd-oomd.service", "systemd-oomd.socket"):
    sh("systemctl", "stop", program)

# Before the first OOM kill: the kernel counts none.
for kind, action, wanted in (("exit", "exit3", is_kind("exit", status=3)), ("ok", "exit0", is_kind("exit")),
                             ("crash", "crash", is_kind("crash", signal=11)), ("kill", "stay", is_kind("signal", signal=9))):
    diers = [Dier(kind, where, action) for where in WHERES]
    for dier in diers:
        if kind == "kill":
            os.kill(dier.pid, 9)
        dier.go()
    for dier in diers:
        check(until(dier.ended), "%s ended" % dier.name)
    time.sleep(0.5)
    for dier in diers:
        ask(dier, wanted)

for where in WHERES:
    dier = Dier("memcg", where, "leak", "MemoryMax=60M", "MemorySwapMax=0")
    dier.go()
    check(until(dier.ended), "%s ended" % dier.name)
    time.sleep(0.5)
    ask(dier, is_oom("memcg"))

# Killed by a person right beside the kernel's kills.
late = [Dier("kil2", where, "stay") for where in WHERES]
for dier in late:
    os.kill(dier.pid, 9)
for dier in late:
    until(dier.ended)
time.sleep(0.5)
for dier in late:
    ask(dier, is_kind("signal", signal=9))

dier = Dier("policy", "service", "leaky", "MemoryMax=80M", "MemorySwapMax=0")
until(lambda: len(dier.members()) == 3)
others = [pid for pid in dier.members() if pid != dier.pid]
leaker = next(pid for pid in others if comm(pid).endswith("-l"))
dier.go()
check(until(lambda: not dier.members()), "systemd stopped the unit")
time.sleep(0.5)
sh("journalctl", "--sync")
judge("policy service", dier.unit, is_kind("oom_policy", victim=leaker))
judge("policy main", dier.pid, is_kind("oom_policy"))
judge("policy victim", leaker, is_oom("memcg"))
judge("policy other", next(pid for pid in others if pid != leaker), is_kind("oom_policy"))

for where in WHERES:
    dier = Dier("host", where, "leak", "MemorySwapMax=0")
    dier.go()
    check(until(dier.ended, 40), "%s ended" % dier.name)
    time.sleep(0.5)
    ask(dier, is_oom("host"))

if shutil.which("earlyoom"):
    sh("systemd-run", "--unit=eoom", "earlyoom", "-m", "45,30", "-s", "100,100", "-r", "3600")
    for where in WHERES:
        dier = Dier("early", where, "leak")
        dier.go()
        check(until(dier.ended, 40), "%s ended" % dier.name)
        time.sleep(0.5)
        ask(dier, is_kind("program", killer="earlyoom"))
    sh("systemctl", "stop", "eoom")

if os.path.exists("/lib/systemd/systemd-oomd"):
    os.makedirs("/etc/systemd/oomd.conf.d", exist_ok=True)
    with open("/etc/systemd/oomd.conf.d/t.conf", "w") as conf:
        conf.write("[OOM]\nDefaultMemoryPressureDurationSec=3s\n")
    with open("/run/systemd/system/pressed.slice", "w") as unit:
        unit.write("[Slice]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=5%\nMemoryHigh=50M\n")
    sh("systemctl", "daemon-reload")
    sh("systemctl", "restart", "systemd-oomd.service")
    for where in WHERES:
        dier = Dier("oomd", where, "press", "--slice=pressed.slice")
        dier.go()
        check(until(dier.ended, 60), "%s ended" % dier.name)
        time.sleep(1.5)
        ask(dier, is_kind("program", killer="systemd-oomd"))

# An ordinary user: what cannot be read is said.
done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "oomtop", "why", "memcg-service"],
                      stdout=subprocess.PIPE, text=True)
say(done.stdout)
check(done.returncode == 2 and "Not readable" in done.stdout, "without the logs: status %d" % done.returncode)
say(sh("oomtop", "why", "memcg-service"))
say(sh("oomtop", "why", "kill-service.service", "--since", "10 min ago"))
say(sh("oomtop", "why", "1"))
say("MEASURED: after the fact: %(right)d right, %(unknown)d unknown, %(wrong)d wrong" % counts)
check(counts["wrong"] == 0, "no cause is wrong")
check(counts["right"] > 2 * counts["unknown"], "most are known")
finish()
