#!/usr/bin/python3
"""Root with CAP_SYS_RESOURCE: levels below 0 are written in the dialog, read back and undone."""
# vm: --mem 512M
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, until
from vmlab import Hog, check, finish, protect, read, say

protect()
hog = Hog("levels-hog", mb=24, adj=0)


def adj():
    return int(read("/proc/%d/oom_score_adj" % hog.pid))


tui = Tui()
tui.only(hog.pid)
for wanted, keys in ((-400, "-400"), (-1000, "-1000"), (250, "250")):
    before = adj()
    tui.adjust(hog.pid)
    tui.type(keys)
    say(tui.wait("the preview", lambda t: "write %s to" % keys in t))
    tui.keys("Enter")
    if not until(lambda: adj() == wanted, 3):
        tui.keys("Enter")           # a dangerous value is asked about once more
    check(until(lambda: adj() == wanted), "%s is in /proc/%d/oom_score_adj (%d)" % (wanted, hog.pid, adj()))
    tui.wait("the value in the row", lambda _: " %+d " % wanted in tui.row(hog.pid))
    say(tui.row(hog.pid))
    tui.undo()
    check(until(lambda: adj() == before), "u took it back to %d (%d)" % (before, adj()))
tui.quit()
hog.stop()
finish()
