#!/usr/bin/python3
"""cgroup v2, in an incident: a group thrashes and slows its neighbour down. It is frozen (the neighbour recovers),
thawed, given more, made smaller and killed, all by keys; what can be taken back is taken back. One process is stopped,
runs on, and is killed and reaped. Nobody can freeze or kill what oomtop hangs from."""
# vm: --mem 512M --swap 128M
# kernels: 6.1
# kernels when named: 6.12
import mmap
import os
import struct
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, runs, until
from vmlab import CG, check, enable_memory, finish, make_cgroup, mlockall, protect, read, rm_cgroup, say

MIB = 1 << 20
protect()
mlockall()
enable_memory("/")
kernel = ".".join(os.uname().release.split(".")[:2])


class Worker:
    """Goes round its memory for ever and counts the pages."""

    def __init__(self, name, group, mib):
        self.name, self.group = name, group
        self.count = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        self.pid = os.fork()
        if self.pid == 0:
            with open(CG + group + "/cgroup.procs", "w") as procs:
                procs.write("0")
            with open("/proc/self/oom_score_adj", "w") as adj:
                adj.write("0")
            with open("/proc/self/comm", "w") as comm:
                comm.write(name)
            area = mmap.mmap(-1, mib * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            area.madvise(15)
            done = 0
            while True:
                for at in range(0, len(area), 4096):
                    area[at] = done & 255
                    done += 1
                    struct.pack_into("Q", self.count, 0, done)

    def pages(self):
        return struct.unpack_from("Q", self.count, 0)[0]

    def state(self):
        stat = read("/proc/%d/stat" % self.pid, "")
        return stat.rpartition(") ")[2][:1] or "-"

    def end(self):
        try:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def has_ended(self):
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
        except ChildProcessError:
            return True


def rate(worker, seconds=2):
    """Pages a second."""
    before, begun = worker.pages(), time.monotonic()
    time.sleep(seconds)
    return (worker.pages() - before) / (time.monotonic() - begun)


def frozen(group):
    return "frozen 1" in read(CG + group + "/cgroup.events", "")


def number(group, file):
    return int(read(CG + group + "/" + file).strip())


def opened(tui, pid):
    """The dialog on the domain of this process."""
    tui.only(pid)
    tui.keys("i")
    tui.wait("the incident dialog", lambda t: "Incident in" in t and "looking at it" not in t)


def done(tui, what):
    """Enter, and the receipt."""
    tui.wait("the plan", lambda t: what in flat(t))
    time.sleep(0.1)
    tui.keys("Enter")
    return flat(tui.wait("the receipt", lambda t: "done  " in t or "failed" in t))


make_cgroup("/thrash", **{"memory.max": "48M"})
make_cgroup("/neighbour", **{"memory.max": "24M"})
noisy = [Worker("noisy%d" % n, "/thrash", 28) for n in range(3)]
neighbour = Worker("neighbour", "/neighbour", 28)
tui = Tui(cols=120, rows=40)
before = rate(neighbour)
usage = number("/thrash", "memory.current")

opened(tui, noisy[0].pid)
tui.keys("f")
text = done(tui, "freeze /thrash with all its processes")
say(text[text.find("Incident in"):][:700])
check(until(lambda: frozen("/thrash")), "the group is frozen")
stood = [worker.pages() for worker in noisy]
after = rate(neighbour)
say("MEASURED: %s: a neighbour of a thrashing group: %.0f pages/s before the freeze, %.0f after" % (kernel, before, after))
check(after > 1.3 * before, "the neighbour recovers (%.0f -> %.0f pages a second)" % (before, after))
check(stood == [worker.pages() for worker in noisy], "nothing in the group moved")
check(number("/thrash", "memory.current") > usage // 2, "its memory stays")
tui.keys("Escape")
tui.wait("the banner", lambda t: "FROZEN by oomtop" in t)

# Frozen memory can be taken out, and does not come back by itself.
opened(tui, noisy[0].pid)
tui.keys("c")
used = number("/thrash", "memory.current")
text = done(tui, "memory.reclaim")
back = used - number("/thrash", "memory.current")
say(text[text.find("done"):][:300])
say("MEASURED: %s: reclaim of 10 %%: %.1f of %.1f MiB came back" % (kernel, back / MIB, used / 10 / MIB))
check(back > 0, "memory came back (%d bytes)" % back)
check("reclaimed" in text, "and the dialog says how much")

# More room.
tui.keys("r", "Tab")
text = done(tui, "write 62914560 (60 MiB) to /thrash/memory.max")
check(number("/thrash", "memory.max") == 60 * MIB, "the limit is 25 % higher")
tui.keys("Escape")
tui.undo()
check(until(lambda: number("/thrash", "memory.max") == 48 * MIB), "u takes the raise back")

# The way back of the freeze is below it in the same list.
tui.wait("the notice of it", lambda t: "restored" in t)
tui.undo()
check(until(lambda: not frozen("/thrash")), "u thaws")
tui.wait("no banner", lambda t: "FROZEN" not in t)
check(until(lambda: all(worker.pages() > old for worker, old in zip(noisy, stood))), "all of them run again")

# Frozen, then thawed by somebody else.
opened(tui, noisy[0].pid)
tui.keys("f")
done(tui, "freeze /thrash")
tui.keys("Escape")
tui.wait("the banner", lambda t: "FROZEN by oomtop" in t)
with open(CG + "/thrash/cgroup.freeze", "w") as switch:
    switch.write("0")
tui.wait("it goes", lambda t: "FROZEN" not in t)

# One process of it.
opened(tui, noisy[1].pid)
tui.keys("s")
done(tui, "send SIGSTOP to %d" % noisy[1].pid)
check(until(lambda: noisy[1].state() == "T"), "one process is stopped")
tui.keys("Escape")
tui.undo()
check(until(lambda: noisy[1].state() != "T"), "u lets it run on")
opened(tui, noisy[1].pid)
tui.keys("k")
text = done(tui, "process_mrelease")
say(text[text.find("done"):][:200])
check(until(noisy[1].has_ended), "killed")
check("its memory is free" in text, "and its memory is free")
tui.keys("Escape")

# All of it, asked twice.
opened(tui, noisy[0].pid)
tui.keys("x")
tui.wait("whom it hits", lambda t: "Ends " in t and "noisy2" in t)
time.sleep(0.1)
tui.keys("Enter")
tui.wait("the question", lambda t: "again to kill all of /thrash" in flat(t))
check(noisy[0].state() not in "-Z", "the first Enter kills nobody")
time.sleep(0.1)
tui.keys("Enter")
text = flat(tui.wait("the receipt", lambda t: "the group is empty" in flat(t) or "failed" in t))
check(until(lambda: all(worker.has_ended() for worker in noisy)), "all of the group are dead")
check(neighbour.state() not in "-Z", "and nobody else")
tui.keys("Escape")

# A group that its memory.high slows down.
make_cgroup("/slow", **{"memory.high": "8M", "memory.swap.max": "0"})
slow = Worker("slowed", "/slow", 24)
until(lambda: int(dict(line.split() for line in read(CG + "/slow/memory.events").splitlines())["high"]) > 20)
opened(tui, slow.pid)
begun = time.monotonic()
tui.keys("f")
text = done(tui, "freeze /slow")
said = "freezing" if "freezing:" in text else "frozen"
check(until(lambda: frozen("/slow"), 20), "it is frozen in the end")
say("MEASURED: %s: a group throttled at memory.high is frozen %.1f s after the key; said at once: %s"
    % (kernel, time.monotonic() - begun, said))
# Nothing of it can go: the kernel says EAGAIN.
tui.keys("c")
text = done(tui, "memory.reclaim")
say(text[text.find("done"):][:300])
check("could be reclaimed" in text, "what could not be had is said")
tui.keys("Escape")
slow.end()
tui.wait("the banner goes with the processes or the thaw", lambda t: "FROZEN" in t or "FREEZING" in t)
tui.undo()
tui.wait("no banner", lambda t: "FROZEN" not in t and "FREEZING" not in t)

# What oomtop hangs from.
own = next(int(pid) for pid in os.listdir("/proc") if pid.isdigit() and read("/proc/%s/comm" % pid, "").strip() == "oomtop")
opened(tui, own)
text = flat(tui.text())
say(text[text.find("not here"):][:400])
check("oomtop itself" in text, "it says who is in there")
tui.keys("f", "Enter", "x", "Enter", "Enter")
time.sleep(1)
check(runs(own) and not frozen(read("/proc/%d/cgroup" % own).strip().partition("::")[2]),
      "oomtop is neither frozen nor killed")
tui.keys("Escape")
tui.quit()
neighbour.end()
for group in ("/thrash", "/neighbour", "/slow"):
    rm_cgroup(group)
finish()
