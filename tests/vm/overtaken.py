#!/usr/bin/python3
"""stress-ng takes memory as fast as it can: whoever dies although another one was named had been announced by "or"."""
# vm: --mem 512M
# kernels: 6.1
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from terminal import Terminal, Watch, kernel_clock
from vmlab import Kmsg, check, finish, mlockall, protect, say

WANTED, SECONDS = 50, 150
SHAPES = (["--bigheap", "4"], ["--brk", "4"], ["--vm", "4", "--vm-bytes", "400M", "--vm-method", "write64"])
protect()
mlockall()
tty = Terminal("choom", "-n", "0", "--", "oomtop", "-d", "1")
tty.wait("the dashboard", lambda t: "Next victim" in t)
log, watch = Kmsg(), Watch(tty)
shift = kernel_clock(log)
born, kills = {}, []
begun = time.monotonic()
judged = 0


def look():
    """Notes when each process was first there, and who was killed."""
    now = time.monotonic()
    for name in os.listdir("/proc"):
        if name.isdigit():
            born.setdefault(int(name), now)
    for record in log.read():
        found = re.search(r"Killed process (\d+) \(([^)]*)\)", record)
        if found:
            kills.append((int(record.split(",")[2]) / 1e6 + shift, int(found[1]), found[2], shape))


def judge():
    """Each kill whose victim was there when the last verdict before it was drawn: right, and with an or."""
    out = []
    for at, pid, comm, of in kills:
        drawn = [when for when, _ in watch.named if when <= at]
        said = watch.at(at)
        if said and drawn and born.get(pid, at) < drawn[-1] - 0.1:
            out.append((pid == said[0], said[1] is not None, pid == said[1], pid, comm, said, of, at - drawn[-1]))
    return out


rounds = 0
while time.monotonic() - begun < SECONDS and len(judge()) < WANTED:
    shape = SHAPES[rounds % len(SHAPES)]
    rounds += 1
    stress = subprocess.Popen(["choom", "-n", "0", "--", "stress-ng", "--quiet", "--oomable", "-t", "12", *shape],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while stress.poll() is None:
        look()
        time.sleep(0.05)
    look()
watch.stop = True
all_of = judge()
right = [j for j in all_of if j[0]]
wrong = [j for j in all_of if not j[0]]
silent = [j for j in wrong if not j[1]]
say("MEASURED: %d kills of stress-ng, %d with a victim that was in the sample, on %s: %d named, %d not; an or beside "
    "%d of those named and %d of those not (%d times it was the one)" % (
        len(kills), len(all_of), os.uname().release, len(right), len(wrong), sum(j[1] for j in right),
        sum(j[1] for j in wrong), sum(j[2] for j in wrong)))
for miss in silent:
    say("without an or:", *miss[3:])
check(len(all_of) >= 10, "enough kills to judge (%d)" % len(all_of))
check(not silent, "every wrong name was marked by an or")
tty.quit()

# Where one process leads for certain, nothing is marked.
calm = Terminal("choom", "-n", "0", "--", "oomtop", "-d", "1")
calm.wait("the dashboard", lambda t: "Next victim" in t)
from vmlab import Hog
clear = Hog("clear", mb=120, adj=0)
text = calm.wait("the clear one", lambda t: re.search(r"Next victim +%d clear" % clear.pid, t))
time.sleep(3)
line = next(ln for ln in calm.lines() if ln.startswith("Next victim"))
check(" or " not in line.partition("score")[0], "nobody is named beside a clear victim: %s" % line)
clear.stop()
calm.quit()
finish()
