#!/usr/bin/python3
"""The kernel wakes oomtop: with an hour between two samples, what happens in a group is on the screen in under 100 ms,
beside what an emulated machine takes to read its processes and to draw a screen."""
# vm: --mem 512M
# kernels: 6.12
# kernels when named: 6.1
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
from vmlab import CG, check, finish, make_cgroup, protect, read, say, write

ROUNDS = 6
# From the write to the bytes on the terminal, without the share of an emulated processor.
WITHIN = 0.1
# A clock that moves is fewer bytes, a frame of a new sample with a kill is more.
FRAME = 300

protect()


class Screen:
    """oomtop on a pseudo terminal, and when its output came."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(LC_ALL="C.UTF-8", TERM="xterm-256color")
            os.execvp("oomtop", ["oomtop", *args])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

    def read(self, seconds):
        """What comes until this time is over."""
        seen, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                seen += os.read(self.fd, 65536)
        return seen

    def await_text(self, text, limit=30):
        seen, end = b"", time.monotonic() + limit
        while text not in seen and time.monotonic() < end:
            seen += self.read(0.1)
        return text in seen

    def frame(self, begin):
        """Seconds from begin until a frame came."""
        seen = 0
        while select.select([self.fd], [], [], 5)[0]:
            seen += len(os.read(self.fd, 65536))
            if seen >= FRAME:
                return time.monotonic() - begin
        return 60.0

    def keys(self, text):
        os.write(self.fd, text)

    def cpu(self):
        fields = read("/proc/%d/stat" % self.pid).rsplit(")")[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


groups = ["/woken-%d" % at for at in range(ROUNDS)]
for group in groups:
    make_cgroup(group, **{"memory.max": "200M", "memory.swap.max": "0"})
hogs = [Member("wokenhog", 24 << 10, 0, group) for group in groups]

# No log tells: only the kernel's events do.
open("/tmp/nolog", "w").close()
screen = Screen("-d", "3600", "--kmsg", "/tmp/nolog")
check(screen.await_text(b"COMMAND"), "the dashboard")
# The kernel checks the programs of the tracepoints first.
screen.read(5)
fds = "\n".join(os.readlink("/proc/%d/fd/%s" % (screen.pid, fd)) for fd in os.listdir("/proc/%d/fd" % screen.pid))
check("inotify" in fds and "pressure/memory" in fds, "inotify and a PSI trigger are open")
drawn = []
for _ in range(3):
    screen.read(0.5)
    begin = time.monotonic()
    screen.keys(b"r")
    drawn.append(screen.frame(begin))
    screen.read(0.5)
share = 5 * statistics.median(drawn)
say("MEASURED: a frame on a key, without a sample, takes %.0f ms" % (statistics.median(drawn) * 1000))
took = []
for group, hog in zip(groups, hogs):
    screen.read(1)
    begin = time.monotonic()
    # No room below what is in use: the kernel kills within the write (mm/memcontrol.c memory_max_write).
    write(CG + group + "/memory.max", 4 << 20)
    took.append(screen.frame(begin))
    check(os.waitpid(hog.pid, 0)[1] == 9, "it was killed")
say("MEASURED: from the write to the frame, in ms: %s" % ", ".join("%.0f" % (one * 1000) for one in took))
most = WITHIN + share
check(statistics.median(took) <= most, "half of them within %.0f ms: %s" % (most * 1000, took))
check(max(took) < 5, "none waits for the clock: %s" % took)

# A storm of events is no storm of samples: page cache at its limit.
write(CG + "/woken-0/memory.max", 8 << 20)
write_it = "dd if=/dev/zero of=/var/tmp/load bs=1M count=24 2>/dev/null"
load = subprocess.Popen(["sh", "-c", "echo $$ >%s/woken-0/cgroup.procs; while :; do %s; done" % (CG, write_it)],
                        start_new_session=True)
screen.read(1)
events = lambda: dict(line.split() for line in read(CG + "/woken-0/memory.events").splitlines())
begin, before = screen.cpu(), events()
screen.read(5)
spent, after = (screen.cpu() - begin) / 5, events()
say("MEASURED: %.1f %% of a processor while the limit was reached %d times a second"
    % (spent * 100, (int(after["max"]) - int(before["max"])) / 5))
check(int(after["max"]) - int(before["max"]) > 50, "there was a storm")
check(spent < 0.4, "it costs little: %.3f" % spent)
os.killpg(load.pid, 9)
load.wait()
os.unlink("/var/tmp/load")
os.kill(screen.pid, 9)
finish()
