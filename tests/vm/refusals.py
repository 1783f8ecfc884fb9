#!/usr/bin/python3
"""An ordinary user goes through every action that writes, on cgroup v2 with systemd, with a manager of the own and without: what is
refused names the right that is missing, the command that does it with that right, and a command that is allowed, which is run."""
# vm: --mem 768M
# long: some thirty dialogs, each of them tried until it is refused, in two dashboards
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
import judge
from screen import Tui, flat, runs, until
from vmlab import check, finish, protect, say

protect()
UID = 1000
FOREIGN = "t-foreign.service"
HOME = "/tmp/refusals"
AUDIT = HOME + "/audit"
USER = ["setpriv", "--reuid=%d" % UID, "--regid=%d" % UID, "--clear-groups", "env", "-u", "XDG_RUNTIME_DIR", "HOME=" + HOME]
WITH = [*USER, "XDG_RUNTIME_DIR=/run/user/%d" % UID]
WITHOUT = USER


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return (done.stdout + done.stderr).strip()


def main_pid(unit, *how):
    return int(sh(*how, "systemctl", *(["--user"] if how else []), "show", unit, "-p", "MainPID", "--value"))


def ended():
    """How many writes have ended, and how many of them failed."""
    try:
        with open(AUDIT) as file:
            ends = [line for line in map(json.loads, file) if line["event"] == "end"]
    except (FileNotFoundError, ValueError):
        return 0, 0
    return len(ends), sum(line["failed"] != 0 for line in ends)


class Walk:
    def __init__(self, user):
        self.user = user
        self.tui = Tui("--audit", AUDIT, rows=50, command=user)
        self.faults = []
        self.actions = 0

    def settled(self):
        last = self.tui.text()
        for _ in range(50):
            time.sleep(0.25)
            now = self.tui.text()
            # The clock and what it draws go on.
            if flat(now.partition("┌─")[2]) == flat(last.partition("┌─")[2]):
                return now
            last = now
        return last

    def judge(self, name, before):
        self.actions += 1
        end = time.monotonic() + 5
        while True:
            text = self.tui.text()
            fault = judge.fault(judge.news(before, text), self.user)
            if not fault or time.monotonic() > end:
                break
            time.sleep(0.2)
        if fault:
            self.faults.append("%s: %s\n%s" % (name, fault, text))

    def open(self, pid, keys, title):
        if pid:
            self.tui.only(pid)
        for key in keys:
            self.tui.keys(key)
        self.tui.wait(title, lambda t: title in t)

    def act(self, name, pid, keys, title, then=(), typed="", after=()):
        """Opens a dialog, types what makes it ask, says yes until a write was tried and failed, and judges what is said since."""
        self.open(pid, keys, title)
        for key in then:
            self.tui.keys(key)
            self.settled()
        self.tui.type(typed) if typed else None
        for key in after:
            self.settled()
            self.tui.keys(key)
        self.confirm(name)
        self.leave()

    def confirm(self, name):
        failed = ended()[1]
        for _ in range(4):
            before = self.settled()
            self.tui.keys("Enter")
            if until(lambda: ended()[1] > failed, limit=4):
                return self.judge(name, before)
            # Some are refused before a write.
            if not judge.fault(judge.news("", self.tui.text()), self.user):
                self.actions += 1
                return None
        self.faults.append("%s: nothing was tried that failed\n%s" % (name, self.tui.text()))
        return None

    def leave(self):
        for _ in range(4):
            if "└─" not in self.tui.text():
                break
            self.tui.keys("Escape")
            time.sleep(0.2)
        self.tui.wait("the table", lambda t: "└─" not in t)

    def on_somebody_elses(self, pid, is_service):
        limits = ("Tab", "Tab")
        self.act("a, lower", pid, "a", "Adjust", typed="-500")
        self.act("a, higher", pid, "a", "Adjust", typed="700")
        self.act("k", pid, "k", "Send a signal")
        self.act("c, a scope or a group", pid, "c", "Cgroup of", typed="100M")
        self.act("c, an existing group", pid, "c", "Cgroup of", then=("Tab",), typed="/")
        self.act("c, limits", pid, "c", "Cgroup of", then=limits, typed="100M")
        if is_service:
            self.act("a, for later", pid, "a", "Adjust", typed="-500", after=("BTab",))
            self.act("c, limits for good", pid, "c", "Cgroup of", then=limits, typed="100M", after=("BTab",))
            self.act("c, limits past systemd", pid, "c", "Cgroup of", then=limits, typed="100M", after=("BTab", "BTab"))
            self.act("c, systemd-oomd", pid, "c", "Cgroup of", then=(*limits, "Tab"), typed="kill")
        for name, keys in (("freeze", "f"), ("raise", "r300M"), ("reclaim", "c"), ("expose", "e"), ("stop", "s"), ("kill", "k"), ("kill all", "x")):
            self.act("i, " + name, pid, "i", "Incident", typed=keys)

    def ends(self, what):
        self.tui.quit()
        say("%s: %d actions" % (what, self.actions))
        for fault in self.faults:
            say(fault)
        check(not self.faults, "%s: every refusal helps, but for %d of %d" % (what, len(self.faults), self.actions))


def said(what, user, *command):
    """What a command without a screen says when it is refused."""
    done = subprocess.run([*user, *command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    text = done.stdout + done.stderr
    fault = judge.fault(judge.news("", text), user)
    check(done.returncode != 0 and not fault, "%s: %s: %s" % (what, fault, text))


check(judge.is_not_fooled(), "the judge is not fooled")
os.makedirs(HOME)
os.chown(HOME, UID, UID)
sh("systemd-run", "--unit", FOREIGN, "-p", "MemoryMax=200M", "sleep", "1000")
with open("/etc/systemd/system/t-later.service", "w") as file:
    file.write("[Service]\nExecStart=/usr/bin/sleep 1000\nMemoryMax=200M\n")
sh("systemctl", "daemon-reload")
sh("systemctl", "start", "t-later.service", "user@%d" % UID)
foreign = main_pid("t-later.service")
say(sh("systemctl", "--version").splitlines()[0])

walk = Walk(WITH)
walk.on_somebody_elses(foreign, True)
check(runs(foreign), "nothing has come of it")
# What is allowed is allowed: a limit of an own unit, by the own manager, and its undo.
sh(*WITH, "systemd-run", "--user", "--unit", "t-own", "sleep", "1000")
own = main_pid("t-own", *WITH)
walk.act("a, an own process lower", own, "a", "Adjust", typed="-500")
walk.ends("with an own manager")

sh("systemctl", "stop", "user@%d" % UID)
own = subprocess.Popen([*WITHOUT, "sleep", "1000"])
until(lambda: os.path.exists("/proc/%d" % own.pid))
# What root writes is the lowest that others may write (fs/proc/base.c `__set_oom_adj`); until then that of this protected scenario.
with open("/proc/%d/oom_score_adj" % own.pid, "w") as file:
    file.write("0")
walk = Walk(WITHOUT)
walk.on_somebody_elses(main_pid(FOREIGN), False)
walk.act("a, an own process lower", own.pid, "a", "Adjust", typed="-500")
walk.act("c, an own process", own.pid, "c", "Cgroup of", typed="100M")
walk.ends("without one")
own.kill()
said("run without a manager", WITHOUT, "oomtop", "run", "--no-tui", "--limit", "64M", "--", "true")
finish()
