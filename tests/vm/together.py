#!/usr/bin/python3
"""All processes of a session's group are moved by one answer of the cgroup dialog into one scope with a limit: the list before,
the result after, one undo that moves each back; what starts meanwhile is said."""
# vm: --mem 512M
# long: a move and its undo through systemd, with a dashboard
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, until
from vmlab import CG, check, finish, protect, read, say

protect()


def group(pid):
    return read("/proc/%d/cgroup" % pid, "").strip().rpartition(":")[2]


def members(path):
    return [int(pid) for pid in read(CG + path + "/cgroup.procs", "").split()]


say(subprocess.run(["systemctl", "--version"], capture_output=True, text=True).stdout.splitlines()[0])
crew = subprocess.Popen(["systemd-run", "--scope", "--quiet", "--slice=user-1000.slice", "--unit=session-8",
                         "sh", "-c", "sleep 1001 & sleep 1002 & exec sleep 1000"], stdin=subprocess.DEVNULL)
until(lambda: group(crew.pid).endswith("session-8.scope") and len(members(group(crew.pid))) == 3)
home = group(crew.pid)
all_three = members(home)
check(len(all_three) == 3, "three processes in %s" % home)
tui = Tui(rows=50)


def whole():
    """The sets in their order: this process, its descendants, its group."""
    for name in ("[with descendants", "[same cgroup"):
        tui.keys("F5")
        tui.wait(name, lambda t: name in t)


def answer(seen):
    """Says yes to the question that stands; a slow machine takes its time, and the dialog waits."""
    tui.keys("Enter")
    text = flat(tui.wait("an answer", lambda t: "done let" in flat(t) or "failed let" in flat(t), limit=60))
    check("not answered" not in text, "systemd was waited for")
    return tui.wait("the result", seen)


def offer():
    tui.only(crew.pid)
    tui.keys("c")
    tui.wait("the cgroup dialog", lambda t: "new scope" in t)
    tui.type("100M")
    whole()
    return tui.wait("the plan", lambda t: "[same cgroup" in t and "let systemd start" in flat(t))


text = offer()
say(text)
for pid in all_three:
    check("%d sleep" % pid in text, "%d is in the list" % pid)
check("3 processes leave their unit session-8.scope" in flat(text), "it says what they leave")
late = subprocess.Popen(["sleep", "1003"])
with open(CG + home + "/cgroup.procs", "w") as file:
    file.write(str(late.pid))
tui.wait("who has come since", lambda t: "Started since this list was made: %d sleep" % late.pid in flat(t))
tui.keys("Enter")
tui.wait("the question", lambda t: "This takes 3 processes" in flat(t))
say(answer(lambda t: "3 of 3 have come" in flat(t)))
to = group(crew.pid)
check("/user-1000.slice/oomtop-sleep-" in to, "they are in a scope: %s" % to)
check(sorted(members(to)) == sorted(all_three), "all three and nobody else: %s" % members(to))
check(group(late.pid) == home, "who came late has stayed")
check(read(CG + to + "/memory.max").strip() == str(100 << 20), "the scope has the limit")
tui.keys("Enter")
tui.undo()
check(until(lambda: sorted(members(home)) == sorted(all_three + [late.pid])), "one undo moves all back: %s" % members(home))
check(until(lambda: not os.path.exists(CG + to)), "and the scope ends")

tui.quit()
late.kill()
for pid in all_three:
    os.kill(pid, 9)
finish()
