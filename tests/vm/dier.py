"""Processes that die in one of eight ways, in a service, a scope or a container's scope, and what oomtop says of each."""
import hashlib
import json
import os
import re
import subprocess
import time

from screen import flat
from vmlab import check, say

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
    done = subprocess.run(["oomtop", "why", str(who), "--json"], stdout=subprocess.PIPE, text=True)
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


def ask(dier, wanted):
    what = "%s %s" % (dier.kind, dier.where)
    judge(what, dier.pid, wanted)
    if dier.where != "scope":
        judge(what, dier.id or dier.unit, wanted)


live = {"right": 0, "unknown": 0, "wrong": 0}
# What the details say of each cause.
SAID = {"kernel_oom": r"The kernel's OOM killer killed it", "oom_policy": r"\(OOMPolicy=\)",
        "signal": r"SIGKILL ended it: (\d+) \S+ \(uid 0\) sent it",
        "program": r"(systemd-oomd|earlyoom|nohang) killed it", "stopped": r"systemd stopped the unit"}


def watched(tui, dier, die, wanted):
    """Opens the details of the process, lets it die, and reads what they say then."""
    tui.only(dier.pid)
    tui.keys("Enter")
    tui.wait("the details", lambda t: "Details of %d" % dier.pid in t)
    time.sleep(0.3)
    die()
    if not until(dier.ended, 60):
        check(False, "%s ended" % dier.name)
    tui.wait("its end", lambda t: "This process has ended" in t)
    time.sleep(1.2)                     # what the logs tell comes a little later
    text = flat(tui.text())
    kind = next((kind for kind, words in SAID.items() if re.search(words, text)), "unknown")
    verdict = "unknown" if kind == "unknown" else "right" if kind == wanted else "wrong"
    live[verdict] += 1
    at = text.find("This process has ended")
    say("%-8s details %-20s %s" % (verdict, dier.name, text[at:at + 200]))
    tui.keys("Escape")


def is_kind(kind, **more):
    def holds(cause):
        return cause["kind"] == kind and all(cause.get(key) == value for key, value in more.items())
    return holds


def is_oom(what):
    return lambda cause: cause["kind"] == "kernel_oom" and cause["shortage"]["what"] == what


def total(asked):
    """Asks for all of them afterwards."""
    say("MEASURED: in the details while it runs: %(right)d right, %(unknown)d unknown, %(wrong)d wrong" % live)
    check(live["wrong"] == 0, "no cause in the details is wrong")
    sh("journalctl", "--sync")
    for dier, wanted in asked:
        ask(dier, wanted)


def verdict():
    say("MEASURED: after the fact: %(right)d right, %(unknown)d unknown, %(wrong)d wrong" % counts)
    check(counts["wrong"] == 0, "no cause is wrong")
    check(counts["right"] > counts["unknown"] // 2 and live["right"] > live["unknown"] // 2, "many are known")
