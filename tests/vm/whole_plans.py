#!/usr/bin/python3
"""cgroup v2: a plan whose process dies while Enter is pressed, and one that the kernel refuses half way, leave nothing
behind. A journalctl that hangs neither holds up the dashboard nor stays behind."""
# vm: --mem 512M
# kernels: 6.12
import os
import re
import signal
import stat
import sys
import threading
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, runs, until
from vmlab import CG, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say

TRIES = 3
protect()
enable_memory("/")


def child(name):
    """A process that sleeps."""
    pid = os.fork()
    if pid == 0:
        with open("/proc/self/comm", "w") as comm:
            comm.write(name)
        while True:
            signal.pause()
    return pid


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def plan(tui, pid, group, limit):
    """Fills in the dialog, up to the plan that Enter carries out."""
    tui.new_group(pid)
    tui.keys("Up", "C-u")
    tui.type(group)
    tui.keys("Down")
    tui.type(limit)
    tui.wait("the plan", lambda t: "%s/memory.max" % group in flat(t).replace(" ", "") and "cgroup.procs" in t)


def control(path):
    return read(CG + path + "/cgroup.subtree_control").split()


def answered(pid):
    """What the dialog says after Enter; the process may have been gone before."""
    return lambda t: "done  " in t or "failed" in t or "ended" in t or "no longer" in t or "Cgroup of %d" % pid not in t


def leave(tui):
    """Closes whatever is open."""
    for _ in range(3):
        tui.keys("Escape")
        time.sleep(0.1)
    tui.wait("the table", lambda t: "┌─" not in t)


make_cgroup("/plans")
tui = Tui(cols=150, rows=45)
left, moved, said = [], 0, []
for n in range(TRIES):
    pid, group = child("doomed%d" % n), "/plans/doomed%d" % n
    tui.wait("its row", lambda t: "procs" in t)
    plan(tui, pid, group, "32M")
    before = control("/plans")
    # From well before the key to well after it.
    wait = (n - TRIES // 3) * 0.08
    if wait < 0:
        end(pid)
        time.sleep(-wait)
        tui.keys("Enter")
    else:
        killer = threading.Timer(wait, end, [pid])
        killer.start()
        tui.keys("Enter")
        killer.join()
    text = flat(tui.wait("an answer", answered(pid)))
    time.sleep(0.3)
    if os.path.exists(CG + group):
        # It had moved before it died: that is a plan done, and one key takes it back.
        if "done write %d to %s/cgroup.procs" % (pid, group) in text:
            moved += 1
            leave(tui)
            tui.undo()
            until(lambda: not os.path.exists(CG + group))
            # An undo leaves memory control, which others may use by then. The next try finds it off again.
            with open(CG + "/plans/cgroup.subtree_control", "w") as file:
                file.write("-memory")
    else:
        found = re.search(r"has ended[^─┌└]{0,80}|[Nn]othing was written[^─┌└]{0,80}", text)
        said.append(found[0].strip() if found else text[:300])
    if os.path.exists(CG + group) or control("/plans") != before:
        left.append((n, os.path.exists(CG + group), control("/plans"), text[:600]))
    leave(tui)
say("%d of %d had moved; of the others was said:" % (moved, TRIES), *("\n      " + one for one in sorted(set(said))))
check(not left, "no group and no memory control is left behind (%d of %d): %s" % (len(left), TRIES, left))

# The kernel refuses the second step: the first is taken back.
make_cgroup("/full")
with open(CG + "/full/cgroup.max.descendants", "w") as most:
    most.write("0")
pid = child("refused")
home = read("/proc/%d/cgroup" % pid)
plan(tui, pid, "/full/one", "32M")
tui.keys("Enter")
text = flat(tui.wait("the refusal", lambda t: "failed" in t or "taken back" in flat(t)))
say(text[text.find("Cgroup of"):][:900])
check("memory" not in control("/full"), "memory control is as before (%s)" % control("/full"))
check(read("/proc/%d/cgroup" % pid) == home, "the process is where it was")
check("descendants" in text, "the file that forbids it is named")
leave(tui)

# A group that is there already, in use, is not taken for a new one.
make_cgroup("/shares", **{"memory.max": "200M"})
tui.new_group(pid)
tui.keys("Up", "C-u")
tui.type("/shares")
tui.keys("Down")
tui.type("64M")
text = flat(tui.wait("an outlook", lambda t: "/shares" in t))
tui.keys("Enter")
time.sleep(1)
text = flat(tui.text())
say(text[text.find("Cgroup of"):][:900])
check(read(CG + "/shares/memory.max").strip() == str(200 << 20), "memory.max is as before")
check(read("/proc/%d/cgroup" % pid) == home, "the process is where it was")
leave(tui)
tui.quit()
end(pid)
for path in ("/plans", "/full", "/shares"):
    rm_cgroup(path)

# A journalctl that hangs, and that has a child which ignores what a terminal sends.
fake = "/run/fake"
os.makedirs(fake)
with open(fake + "/journalctl", "w") as script:
    script.write("#!/bin/sh\necho $$ >>/run/fake/pids\n(trap '' TERM INT HUP; exec sleep 97531) &\necho $! >>/run/fake/pids\nwait\n")
os.chmod(fake + "/journalctl", 0o755)


def fakes():
    """The fake ones that live."""
    return [pid for pid in read(fake + "/pids", "").split()
            if re.search(r"sh|sleep", read("/proc/%s/comm" % pid, "")) and "Z" not in read("/proc/%s/stat" % pid, "Z").split()[2]]


def clock(text):
    return text.splitlines()[0].split()[-1]


tui = Tui("-d", "1", env=("PATH=%s:%s" % (fake, os.environ["PATH"]),))
check(until(fakes, 20), "the fake journalctl is started")
first, shown = clock(tui.text()), set()
end_of_look = time.monotonic() + 8
while time.monotonic() < end_of_look:
    shown.add(clock(tui.text()))
    time.sleep(0.1)
check(len(shown) >= 6, "the clock goes on (%d seconds of 8)" % len(shown))
for _ in range(4):
    tui.keys("e")
    tui.keys("o")
pressed = time.monotonic()
tui.keys("S")
tui.wait("the settings panel", lambda t: "swappiness" in t)
took = time.monotonic() - pressed
check(took < 2, "a key is answered (%.2f s)" % took)
tui.keys("Escape")
pid = child("adjusted")
tui.only(pid)
tui.adjust(pid)
tui.type("300")
tui.wait("the value", lambda t: "write 300 to" in t)
tui.keys("Enter")
check(until(lambda: read("/proc/%d/oom_score_adj" % pid).strip() == "300"), "a write is carried out meanwhile")
leave(tui)
oomtop = [name for name in os.listdir("/proc") if name.isdigit() and read("/proc/%s/comm" % name, "").strip() == "oomtop"]
begun = time.monotonic()
tui.keys("q")
check(until(lambda: not any(runs(pid) for pid in oomtop), 20), "q ends it")
say("MEASURED: with a hanging journalctl, a key is answered in %.2f s, q in %.2f s" % (took, time.monotonic() - begun))
check(until(lambda: not fakes(), 20), "no journalctl stays behind, nor its child: %s" % fakes())
tui.quit()
end(pid)
finish()
