#!/usr/bin/python3
"""A real global OOM on cgroup v2: every kill is a row, and a row opens to the complete report."""
# vm: --mem 512M
import os
import re
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, events
from vmlab import Hog, Kmsg, check, finish, mlockall, protect, say

protect()
mlockall()
hogs = [Hog("shielded", mb=110, adj=-500), Hog("neutral", mb=70, adj=0),
        Hog("preferred", mb=20, adj=600), Hog("likely", mb=40, adj=250)]
leaker = Hog("leaker", mb=8, adj=-900, leak=60)
tui = Tui(cols=150, rows=45)
# The kernel must not choose the tool that watches.
for pid in os.listdir("/proc"):
    try:
        with open("/proc/%s/comm" % pid) as comm:
            if comm.read().strip() in ("oomtop", "tmux: server"):
                with open("/proc/%s/oom_score_adj" % pid, "w") as adj:
                    adj.write("-999")
    except OSError:
        pass
time.sleep(2)
log = Kmsg()
killed, screen_before = [], tui.text()
leaker.go()
end = time.monotonic() + 120
while len(killed) < 3 and time.monotonic() < end:
    for record in log.read():
        killed += re.findall(r"Killed process (\d+) \(([^)]*)\)", record)
    time.sleep(0.02)
leaker.stop()
say("killed:", *["%s %s" % kill for kill in killed])
check(len(killed) >= 3, "the kernel killed three or more")
screen = tui.wait("a row for every kill", lambda t: all(
    any("killed %s " % pid in ln for ln in events(t)) for pid, _ in killed))
check(killed[0][0] == (re.search(r"Next victim (\d+)", screen_before) or ["", ""])[1],
      "the first to die was announced as the next victim")
tui.keys("e")
# The log may hold kills of an earlier scenario.
tui.type("/pid:%s" % killed[0][0])
tui.keys("Enter")
tui.keys("End")
tui.keys("Enter")
summary = tui.wait("the summary", lambda t: "[Summary]" in t)
say(summary)
for words in ("The host ran out of memory; it has no swap", "Asked by", "RAM was full of programs", "Memory was held by",
              "Killed %s %s" % killed[0], "What to do now"):
    check(words in summary, "the summary says: " + words)
check("first by badness; its adj offered it" in " ".join(summary.replace("│", " ").split()), "the summary says why this one")
tui.keys("Tab")
memory = tui.wait("the memory page", lambda t: "[Memory]" in t)
check("Zones: free against the watermarks" in memory and "Free blocks by size" in memory, "zones and blocks are there")
tui.keys("Tab")
tasks = tui.wait("the tasks", lambda t: "[Tasks]" in t)
first = next(ln for ln in tasks.splitlines() if " x " in ln)
check(killed[0][1] in first, "the victim is marked and first in the kernel's own table")
tui.keys("Tab")
raw = tui.wait("the lines", lambda t: "[Raw]" in t)
check("invoked oom-killer" in raw, "the raw lines begin with the kernel's first")
tui.quit()
for hog in hogs:
    hog.stop()
finish()
