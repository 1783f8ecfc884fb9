#!/usr/bin/python3
"""stress-ng takes memory as fast as it can: whoever dies although another one was named had been announced by "or".

OVERTAKEN=50 judges that many kills instead of the few that there is time for in CI, and takes the time for it."""
# vm: --mem 512M
# long: a kill that can be judged takes ten seconds
# kernels: 6.1
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from terminal import Terminal, Watch, kernel_clock
from vmlab import Kmsg, check, finish, mlockall, protect, say

WANTED = int(os.environ.get("OVERTAKEN", 15))
# A kill that can be judged takes some 10 s on a slow machine.
SECONDS = 15 * WANTED
# With the seconds that each is given to fill this machine.
SHAPES = ((12, "--bigheap", "4"), (40, "--brk", "4"), (20, "--vm", "4", "--vm-bytes", "700M", "--vm-method", "write64"))
protect()
go, over = os.pipe(), os.pipe()


def load():
    """Runs the shapes whose numbers the driver sends, until that closes its end. A process of its own: a fork of the driver
    would hold up the threads that look at the screen until the child has a copy of its memory."""
    while number := os.read(go[0], 1):
        shape = SHAPES[number[0]]
        subprocess.run(["choom", "-n", "0", "--", "stress-ng", "--quiet", "--oomable", "-t", str(shape[0]), *shape[1:]],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.write(over[1], number)


loader = os.fork()
if loader == 0:
    os.close(go[1])
    load()
    os._exit(0)
os.close(go[0])
os.set_blocking(over[0], False)
mlockall()
tty = Terminal("choom", "-n", "0", "--", "oomtop", "-d", "1")
tty.wait("the dashboard", lambda t: "Next victim" in t)
log, watch = Kmsg(), Watch(tty)
shift = kernel_clock(log)
born, kills, chosen = {}, [], []
begun = time.monotonic()


def look():
    """Notes when each process was first there, and who was killed.

    The kernel has chosen when it writes "invoked oom-killer". At "Killed process" the dashboard may know of the kill already
    and name the next."""
    now = time.monotonic()
    for name in os.listdir("/proc"):
        if name.isdigit():
            born.setdefault(int(name), now)
    for record in log.read():
        when = int(record.split(",")[2]) / 1e6 + shift if "," in record else 0
        if "invoked oom-killer" in record:
            chosen.append(when)
        found = re.search(r"Killed process (\d+) \(([^)]*)\)", record)
        if found:
            # Only ten reports in five seconds are written.
            at = chosen.pop() if chosen else when
            chosen.clear()
            kills.append((at, int(found[1]), found[2], shape))


def judge():
    """Each kill whose victim was in the last sample before it: right, with an or, and named by the or.

    A verdict that changes is that of a sample just taken; a frame with a new clock shows one of the last second."""
    out = []
    for at, pid, comm, of in kills:
        drawn = max([when for when, _ in watch.named if when <= at], default=0)
        shown = max([when for when in watch.frames if when <= at], default=0)
        said, seen = watch.at(at), born.get(pid, at)
        if said and (seen < drawn - 0.1 or seen < shown - 1.3):
            out.append((pid == said[0], said[1] is not None, pid == said[1], pid, comm, said, of, at - max(drawn, shown), at))
    return out


def time_with_or():
    """The share of the time, in which somebody was named, that the line had an or."""
    spans = zip(watch.named, watch.named[1:])
    spans = [(until - since, said[1] is not None) for (since, said), (until, _) in spans if said]
    return sum(took for took, marked in spans if marked) / max(sum(took for took, _ in spans), 1e-9)


def is_over():
    """Whether the load that was asked for has ended."""
    try:
        return os.read(over[0], 1) != b""
    except BlockingIOError:
        return False


rounds = 0
while time.monotonic() - begun < SECONDS and len(judge()) < WANTED:
    shape = SHAPES[rounds % len(SHAPES)]
    os.write(go[1], bytes([rounds % len(SHAPES)]))
    while not is_over():
        look()
        time.sleep(0.05)
    rounds += 1
    look()
watch.stop = True
os.close(go[1])
os.waitpid(loader, 0)
all_of = judge()
wrong = [j for j in all_of if not j[0]]
silent = [j for j in wrong if not j[1]]


def count(of):
    """What came of the kills of one shape, as one row."""
    right, wrong = [j for j in of if j[0]], [j for j in of if not j[0]]
    return "%3d judged: %3d named (%d of them with an or), %2d not: %d by the or, %d beside another or, %d without" % (
        len(of), len(right), sum(j[1] for j in right), len(wrong), sum(j[2] for j in wrong),
        sum(j[1] and not j[2] for j in wrong), sum(not j[1] for j in wrong))


for shape in SHAPES:
    say("      %-9s %s" % (shape[1], count([j for j in all_of if j[6] is shape])))
say("MEASURED: %d kills of stress-ng on %s, %s; an or stood there for %d %% of the time" % (
    len(kills), os.uname().release, " ".join(count(all_of).split()), 100 * time_with_or()))
right = [j for j in all_of if j[0]]
say("MEASURED: %d %% of the right names stood without an or" % (100 * sum(not j[1] for j in right) / max(len(right), 1)))
for miss in silent:
    say("without an or:", *miss[3:8])
    near = [(kind, when - miss[8], what) for kind, events in (
        ("named", watch.named), ("killed", [(k[0], k[1]) for k in kills]), ("frame", [(f, "") for f in watch.frames]))
        for when, what in events if -3 < when - miss[8] < 0.5]
    for kind, when, what in sorted(near, key=lambda event: event[1]):
        say("      %+.2f s  %s %s" % (when, kind, what))
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
