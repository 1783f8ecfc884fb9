#!/usr/bin/python3
"""A storm of global OOM kills: oomtop survives it and lists every kill that the kernel logged."""
# vm: --mem 512M
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, runs
from vmlab import Hog, Kmsg, check, finish, mlockall, protect, say

KILLS = 8
protect()
mlockall()
tui = Tui(cols=120, rows=45)
# Kills of an earlier scenario may be in the log, too.
logged = re.compile(r"kills: (\d+) logged")
tui.wait("a log that is read", lambda t: "live from" in t)
time.sleep(1)
found = logged.search(tui.text())
earlier = int(found.group(1)) if found else 0
oomtop = next(int(pid) for pid in os.listdir("/proc") if pid.isdigit()
              and open("/proc/%s/comm" % pid).read().strip() == "oomtop")
with open("/proc/%d/oom_score_adj" % oomtop) as adj:
    say("oomtop's own oom_score_adj:", adj.read().strip())
for pid in subprocess.run(["pgrep", "-x", "tmux: server"], capture_output=True, text=True).stdout.split():
    with open("/proc/%s/oom_score_adj" % pid, "w") as adj:
        adj.write("-999")
log, killed, hogs, begun = Kmsg(), [], [], 0
end = time.monotonic() + 150
while len(killed) < KILLS and time.monotonic() < end:
    hogs = [hog for hog in hogs if not hog.killed()]
    while len(hogs) < 4:
        begun += 1
        hog = Hog("storm%d" % begun, mb=4, adj=300, leak=200)
        hog.go()
        hogs.append(hog)
    for record in log.read():
        killed += re.findall(r"Killed process (\d+) \(([^)]*)\)", record)
    time.sleep(0.01)
for hog in hogs:
    hog.stop()
time.sleep(3)
for record in log.read():
    killed += re.findall(r"Killed process (\d+) \(([^)]*)\)", record)
dead = dict(killed)
say("the kernel logged %d kills of %d processes" % (len(killed), len(dead)))
check(len(dead) >= KILLS, "at least %d kills" % KILLS)
check(runs(oomtop), "oomtop is alive")
check(str(oomtop) not in dead, "oomtop was never chosen")
screen = tui.wait("the count of all kills", lambda t: logged.search(t) and int(logged.search(t).group(1)) == earlier + len(dead))
say(next(line for line in screen.splitlines() if "OOM events" in line))
tui.keys("e")
seen = set()
for _ in range(len(dead)):
    seen |= set(re.findall(r"killed (\d+) ", tui.text()))
    tui.keys("PageDown")
    time.sleep(0.2)
    if len(seen) >= len(dead):
        break
check(seen >= set(dead), "every kill is a row (%d of %d)" % (len(seen & set(dead)), len(dead)))
tui.quit()
finish()
