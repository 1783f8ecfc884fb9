#!/usr/bin/python3
"""An ordinary user: no kernel log, no writes to others. The program says so and goes on."""
# vm: --user tester --mem 512M
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, until
from vmlab import Hog, check, finish, read, say

check(os.getuid() != 0, "runs as an ordinary user")
hog = Hog("own-hog", mb=24, adj=0)


def adj(pid):
    return int(read("/proc/%d/oom_score_adj" % pid))


tui = Tui()
pane = tui.wait("the events pane's source", lambda t: "kernel log" in t or "kmsg" in t).partition("OOM events")[2]
say(pane)
check(any(word in pane for word in ("journal", "counter")), "the pane says what it uses instead of the kernel log")

# Upwards is allowed on an own process, back to 0 too.
tui.only(hog.pid)
tui.keys("a")
tui.wait("the adjust dialog", lambda t: "Adjust" in t)
tui.type("300")
tui.keys("Enter")
check(until(lambda: adj(hog.pid) == 300), "an own process may be made more expendable (%d)" % adj(hog.pid))

# Below the floor it is refused with a sentence that names what is missing.
tui.keys("a")
tui.wait("the adjust dialog", lambda t: "Adjust" in t)
tui.type("-500")
screen = tui.wait("the value", lambda t: "-500" in t)
tui.keys("Enter")
screen = tui.wait("the refusal", lambda t: "CAP_SYS_RESOURCE" in t)
say(screen)
check(adj(hog.pid) == 300, "nothing was written")
tui.keys("Escape")

# Somebody else's process: process 1.
before = adj(1)
tui.only(1)
tui.keys("a")
tui.wait("the adjust dialog", lambda t: "Adjust" in t)
tui.type("100")
tui.keys("Enter")
screen = tui.wait("the refusal", lambda t: "ermission" in t or "allowed" in t or "denied" in t.lower() or "root" in t)
say(screen)
check(adj(1) == before, "process 1 is untouched")
tui.quit()
hog.stop()
finish()
