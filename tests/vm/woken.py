#!/usr/bin/python3
"""The kernel wakes oomtop: with an hour between two samples, what happens in a group is on the screen in under 100 ms."""
# vm: --mem 512M
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from members import Member
from vmlab import CG, check, finish, protect, read, say, write

ROUNDS = 5
# From the write to the bytes on the terminal, the processor being shared with the emulator.
WITHIN = 0.1

protect()


class Screen:
    """oomtop on a pseudo terminal; each piece of output with the time at which it came."""

    def __init__(self, *args):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ.update(LC_ALL="C.UTF-8", TERM="xterm-256color")
            os.execvp("oomtop", ["oomtop", *args])
        self.pid = pid
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.seen = b""

    def wait(self, what, text, limit=20):
        """Reads until this text came; when it did."""
        end = time.monotonic() + limit
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                say("waited for %s: %r" % (what, self.seen[-3000:]))
                check(False, "%s did not come" % what)
                finish()
            self.seen += os.read(self.fd, 65536)
        return time.monotonic()

    def drain(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                os.read(self.fd, 65536)
        self.seen = b""

    def keys(self, text):
        os.write(self.fd, text)


if os.path.exists(CG + "/cgroup.subtree_control"):
    write(CG + "/cgroup.subtree_control", "+memory")
for at in range(ROUNDS):
    group = "%s/woken-%d" % (CG, at)
    os.mkdir(group)
    write(group + "/memory.max", 200 << 20)
    write(group + "/memory.swap.max", 0) if os.path.exists(group + "/memory.swap.max") else None
hogs = [Member("wokenhog%d" % at, 24 << 10, 0, "/woken-%d" % at) for at in range(ROUNDS)]

# No log: only tracepoints and events of groups can tell.
open("/tmp/nolog", "w").close()
screen = Screen("-d", "3600", "--kmsg", "/tmp/nolog")
screen.wait("the dashboard", b"COMMAND")
screen.drain(2)
screen.keys(b"S")
screen.wait("what wakes oomtop", b"When oomtop looks")
screen.drain(0.5)
text = subprocess.run(["ls", "-l", "/proc/%d/fd" % screen.pid], capture_output=True, text=True).stdout
check("inotify" in text and "pressure/memory" in text, "inotify and a PSI trigger are open: %s" % text)
screen.keys(b"\x1bd")
screen.drain(1)
took = []
for at, hog in enumerate(hogs):
    screen.drain(1.2)
    begin = time.monotonic()
    # No room below what is in use: the kernel kills within the write (mm/memcontrol.c `memory_max_write`).
    write("%s/woken-%d/memory.max" % (CG, at), 4 << 20)
    took.append(screen.wait("the kill of %s" % hog.name, b"KILLED" if at == 0 else hog.name.encode()) - begin)
say("MEASURED: event to frame in ms: %s" % ", ".join("%.0f" % (one * 1000) for one in took))
check(statistics.median(took) <= WITHIN, "half of them within %.0f ms: %s" % (WITHIN * 1000, took))
check(max(took) <= 3 * WITHIN, "and none much later: %s" % took)

# A storm of events: no more than four samples a second beyond the clock's.
write(CG + "/woken-0/memory.max", 200 << 20)
write(CG + "/woken-0/memory.high", 2 << 20)
load = subprocess.Popen(["sh", "-c", "echo $$ >%s/woken-0/cgroup.procs; while :; do head -c 30000000 /dev/zero | tail -c 1 >/dev/null; done" % CG])
before = [int(line.split()[1]) for line in read("/proc/%d/schedstat" % screen.pid).splitlines()] if False else None
cpu = lambda: sum(int(n) for n in read("/proc/%d/stat" % screen.pid).rsplit(")")[1].split()[11:13])
was, high = cpu(), read(CG + "/woken-0/memory.events")
screen.drain(5)
spent = (cpu() - was) / os.sysconf("SC_CLK_TCK") / 5
say("MEASURED: in the storm %.1f %% of a processor; %s became %s" % (spent * 100, high.split(), read(CG + "/woken-0/memory.events").split()))
check(spent < 0.25, "the storm of events is no storm of samples: %.2f" % spent)
load.kill()
subprocess.run(["sh", "-c", "cat %s/woken-0/cgroup.procs | xargs -r kill -9" % CG])
os.kill(screen.pid, 9)
finish()
