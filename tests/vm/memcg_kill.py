#!/usr/bin/python3
"""cgroup v2: the kill of a group with a limit is in the pane as soon as the kernel's line is there."""
# vm: --mem 512M
import os
import re
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, events
from vmlab import Hog, Kmsg, check, enable_memory, finish, make_cgroup, protect, rm_cgroup, say, write

protect()
enable_memory("/")
group = make_cgroup("/shop", memory_max=96 << 20)
if os.path.exists(group + "/memory.swap.max"):
    write(group + "/memory.swap.max", 0)
hogs = [Hog("shop-%s" % name, mb=mb, adj=adj, cgroup="/shop")
        for name, mb, adj in (("web", 10, 0), ("batch", 12, 700), ("db", 24, 0), ("cache", 8, 100))]
leaker = Hog("shop-leak", mb=6, adj=0, cgroup="/shop", leak=40)
# The decoy is the host's next victim, so the mark in the group is for the group's victim.
decoy = Hog("decoy", mb=1, adj=900)
tui = Tui(cols=150)
tui.type("/cgroup:shop")
tui.keys("Enter")
tui.wait("the five", lambda t: all(tui.row(h.pid) for h in hogs + [leaker]))
rows = [tui.row(h.pid) for h in hogs + [leaker]]
marked = [row for row in rows if row.lstrip().startswith("*") and "group victim" in row]
say("marked before:", *marked)
log = Kmsg()
leaker.go()
line, seen = None, None
end = time.monotonic() + 60
while line is None and time.monotonic() < end:
    for record in log.read():
        found = re.search(r"Killed process (\d+) \(([^)]*)\).*anon-rss:(\d+)kB", record)
        # The kernel may kill another before the first has let go of its memory.
        if found and line is None:
            line, seen = found, time.monotonic()
    time.sleep(0.01)
check(line is not None, "the kernel killed one")
pid, name, anon = int(line[1]), line[2], int(line[3])
say("the kernel's line:", line[0])
screen = tui.wait("the row of the kill", lambda t: any(
    "killed %d %s" % (pid, name[:8]) in ln for ln in events(t)))
delay = time.monotonic() - seen
say("MEASURED: v2 kill on the screen %d ms after the kernel's line" % (delay * 1000))
row = next(ln for ln in events(screen) if "killed %d " % pid in ln)
say(row)
check("/shop" in row, "the row names the group")
shown = re.search(r"([\d.]+)M anon", row)
check(shown and abs(float(shown[1]) - anon / 1024) < 0.6, "the row has anon-rss %d kB" % anon)
check(len(marked) == 1 and str(pid) in marked[0], "the marked one is the one that died")
tui.quit()
for hog in hogs + [leaker, decoy]:
    hog.stop()
rm_cgroup("/shop")
finish()
