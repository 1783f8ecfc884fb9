#!/usr/bin/python3
"""kill -9 of the recorder in a storm of kills: all but the last second is in the file, and the rest is said. A
clock that is set loses nothing."""
# vm: --mem 512M
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import Hog, Kmsg, check, finish, mlockall, protect, say

KILLS = 5
FILE = "/var/tmp/storm.oomrec"


def replay(*options):
    return subprocess.run(["oomtop", "replay", *options, FILE], capture_output=True, text=True)


protect()
mlockall()
log = Kmsg()
log.read()
recorder = subprocess.Popen(["oomtop", "record", "-o", FILE])
with open("/proc/%d/oom_score_adj" % recorder.pid, "w") as adj:
    adj.write("-999")
end = time.monotonic() + 10
while time.monotonic() < end and not (os.path.exists(FILE) and os.path.getsize(FILE) > 2000):
    time.sleep(0.05)
time.sleep(2)
killed, hogs, begun = {}, [], 0
end = time.monotonic() + 60
while len(killed) < KILLS and time.monotonic() < end:
    hogs = [hog for hog in hogs if not hog.killed()]
    while len(hogs) < 3:
        begun += 1
        hog = Hog("storm%d" % begun, mb=4, adj=300, leak=200)
        hog.go()
        hogs.append(hog)
    for record in log.read():
        for pid in re.findall(r"Killed process (\d+) ", record):
            killed.setdefault(pid, time.time())
    time.sleep(0.01)
# In the middle of it.
at = time.time()
os.kill(recorder.pid, signal.SIGKILL)
recorder.wait()
for hog in hogs:
    hog.stop()
check(len(killed) >= KILLS, "%d kills" % len(killed))
shown = replay("--json")
check(shown.returncode == 0, "it opens: %s" % shown.stderr.strip())
say("said to be missing:", shown.stderr.strip() or "nothing")
document = json.loads(shown.stdout)
behind = at - document["unix_micros"] / 1e6
say("MEASURED: the last sample was taken %.2f s before kill -9, %d kills before it" % (behind, len(killed)))
# A sample each second, unless one costs more than a tenth of that: then ten times what it costs, 5 s at most.
took = document["took_micros"] / 1e6
allowed = 1.5 + took + max(0, min(5, 10 * took) - 1)
check(behind < allowed, "the last sample is of the last period (%.2f s; a sample takes %.2f s)" % (behind, took))
events = json.dumps(document["events"])
due = [pid for pid, when in killed.items() if when < at - 1.5]
lost = [pid for pid in due if '"pid": %s,' % pid not in events]
check(due and not lost, "%d kills older than that are in it (missing: %s)" % (len(due), lost))
table = replay("--at", "-1s")
check(table.returncode == 0 and "next victim" in table.stdout, "a moment of it can be printed")
# A tail that was torn off at any place.
size = os.path.getsize(FILE)
with open(FILE, "rb+") as file:
    file.truncate(size - 7)
torn = replay("--json")
check(torn.returncode == 0 and "bytes are incomplete" in torn.stderr, torn.stderr.strip())
os.remove(FILE)

# The clock is set while it records: no sample is lost, and a replay says so.
clock = time.CLOCK_REALTIME
recorder = subprocess.Popen(["oomtop", "record", "-o", FILE, "--every", "250ms"])


def size():
    return os.path.getsize(FILE) if os.path.exists(FILE) else 0


for hours in (None, -1, 3, -2):
    if hours:
        time.clock_settime(clock, time.clock_gettime(clock) + hours * 3600)
    # One that was on its way may have the time of before: the third is of the new one.
    end, last, written = time.monotonic() + 20, size(), 0
    while time.monotonic() < end and written < 3:
        time.sleep(0.02)
        now = size()
        written += now > last
        last = now
recorder.terminate()
check(recorder.wait() == 0, "the recorder ends cleanly")
shown = replay("--json")
said = shown.stderr.strip().splitlines()
check(shown.returncode == 0 and len(said) == 3, "three sentences, nothing is missing: %s" % said)
for sentence, way in zip(said, ("set back by 1h", "set forward by 3h", "set back by 2h")):
    check(way in sentence, sentence)
os.remove(FILE)
finish()
