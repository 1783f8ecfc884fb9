#!/usr/bin/python3
"""An ordinary user: no kernel log, no writes to others. The program says so and goes on."""
# vm: --mem 512M
# user: tester
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
import judge
from screen import Tui, flat, until
from vmlab import Hog, check, finish, read, say

check(os.getuid() != 0, "runs as an ordinary user")
check(judge.is_not_fooled(), "the judge is not fooled")
hog = Hog("own-hog", mb=24, adj=0)


def adj(pid):
    return int(read("/proc/%d/oom_score_adj" % pid))


tui = Tui()
def pane(text):
    return text.partition("OOM events")[2]


# The header and the footer name neither.
say(pane(tui.wait("what the events pane uses instead of the kernel log", lambda t: any(
    word in pane(t).splitlines()[0] for word in ("the journal, incomplete", "counters only, incomplete")) if pane(t) else False)))

# Upwards is allowed on an own process, back to 0 too.
tui.only(hog.pid)
tui.adjust(hog.pid)
tui.type("300")
tui.wait("the value", lambda t: "write 300 to" in t)
tui.keys("Enter")
check(until(lambda: adj(hog.pid) == 300), "an own process may be made more expendable (%d)" % adj(hog.pid))
tui.wait("the table", lambda t: "Adjust %d " % hog.pid not in t)


def refused(pid, value, sentence):
    """Writes it, a second time where the dialog asks, and waits for the kernel's refusal: a dialog warns of it
    before anything is written."""
    tui.adjust(pid)
    tui.type(value)
    before = tui.wait("the value", lambda t: "write %s to" % value in t)
    check(sentence not in flat(before), "nothing is refused before it is tried")
    tui.keys("Enter")
    asked = tui.wait("the refusal, or a question", lambda t: sentence in flat(t) or "Press Enter again" in t)
    if sentence not in flat(asked):
        tui.keys("Enter")
    text = tui.wait("the refusal", lambda t: sentence in flat(t))
    say(text)
    fault = judge.fault(judge.news(before, text))
    check(not fault, "the refusal helps: %s" % fault)
    tui.keys("Escape")
    tui.wait("the table", lambda t: "Adjust %d " % pid not in t)


# Below the floor it is refused with a sentence that names what is missing.
refused(hog.pid, "-500", "-500 is below the lowest value process %d" % hog.pid)
check(adj(hog.pid) == 300, "nothing was written")

# Somebody else's process: process 1.
before = adj(1)
tui.only(1)
refused(1, "100", "Process 1 belongs to another user; only root may change it")
check(adj(1) == before, "process 1 is untouched")
tui.quit()
hog.stop()
finish()
