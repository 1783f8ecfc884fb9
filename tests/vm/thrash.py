#!/usr/bin/python3
"""A host whose memory goes round through a slow swap is STUCK within ten seconds; a load of page cache larger than RAM
is not."""
# vm: --mem 512M --swap 384M --disk-iops 200
# long: it needs a machine of its own with a slow swap
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui
from vmlab import Hog, check, finish, protect, read, say

protect()
tui = Tui(cols=120, rows=36)
subprocess.run(["dd", "if=/dev/zero", "of=/var/tmp/load", "bs=1M", "count=420"], check=True, capture_output=True)
load = subprocess.Popen(["sh", "-c", "while cat /var/tmp/load >/dev/null; do :; done"])
flagged, end = [], time.monotonic() + 25
while time.monotonic() < end:
    flagged += [line for line in tui.text().splitlines() if "STUCK" in line]
    time.sleep(0.5)
say("under the load:", read("/proc/pressure/memory"))
check(not flagged, "a load of page cache is not stuck: %s" % flagged[:1])
load.kill()
load.wait()
os.unlink("/var/tmp/load")

# One for each processor, so that all tasks wait at a time.
hogs = [Hog("round-%d" % at, mb=280, adj=0, touch=0.01) for at in range(2)]
begin = time.monotonic()
say(tui.wait("STUCK above the table", lambda t: "the host thrashes" in t, 60))
took = time.monotonic() - begin
say("MEASURED: a host that thrashes: flagged after %.1f s" % took)
check(took <= 10, "flagged within 10 s of the last page: %.1f" % took)
check(all(hog.p.poll() is None for hog in hogs), "nobody is killed")
for hog in hogs:
    hog.stop()
tui.wait("it is over", lambda t: "STUCK" not in t, 60)
tui.quit()
finish()
