#!/usr/bin/python3
"""The ledger: each fill of memory that a process does not hold privately is in the row it belongs to, the rows add up to
what is used, and the verdict is there before the kernel's. STUCK: over memory.high without swap, all immune; a cache
load is not."""
# vm: --mem 768M
# kernels: 6.1
import ctypes
import mmap
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from members import document, domain
from screen import Tui, flat, until
from vmlab import CG, Hog, Kmsg, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say, write

MIB = 1 << 20
FILL = 40
protect()
enable_memory("/")
libc = ctypes.CDLL(None, use_errno=True)
BLOCK = bytes(range(256)) * 4096


def ledger(place=None):
    """The ledger of the host or of a group; its rows must add up to what is used."""
    doc = document()
    known = domain(doc, place)["ledger"] if place else doc["ledger"]
    rows = {entry["kind"]: entry["bytes"] for entry in known["entries"]}
    used, sum_ = known["used"], sum(rows.values())
    check(known["excess"] <= used / 50, "the rows are within 2 %% of used: %d of %d" % (sum_, used))
    check(sum_ + known["uncounted"] - known["excess"] == used, "and with the uncounted rest they are used")
    return known, rows


class Child:
    """Does something and waits to be ended: what it holds goes with it."""

    def __init__(self, work, cgroup=None, adj=0):
        ready, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                write("/proc/self/oom_score_adj", adj)
                if cgroup:
                    write(CG + cgroup + "/cgroup.procs", os.getpid())
                work()
                os.write(told, b"1")
                while True:
                    signal.pause()
            finally:
                os._exit(3)
        os.close(told)
        check(os.read(ready, 1) == b"1", "it is filled")
        os.close(ready)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def tmpfs():
    with open("/dev/shm/fill", "wb") as file:
        for _ in range(FILL):
            file.write(BLOCK)
    return lambda: os.unlink("/dev/shm/fill")


def sysv():
    segment = libc.shmget(0, FILL * MIB, 0o600 | 0o1000)
    libc.shmat.restype = ctypes.c_void_p
    at = libc.shmat(segment, None, 0)
    ctypes.memset(at, 1, FILL * MIB)
    libc.shmdt(ctypes.c_void_p(at))
    return lambda: libc.shmctl(segment, 0, None)


def memfd():
    def work():
        fd = os.memfd_create("filler")
        for _ in range(FILL):
            os.write(fd, BLOCK)
    return Child(work).end


def mlock():
    def work():
        keep = mmap.mmap(-1, FILL * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        at = ctypes.addressof(ctypes.c_char.from_buffer(keep))
        check(libc.mlock(ctypes.c_void_p(at), ctypes.c_size_t(FILL * MIB)) == 0, "it may lock so much")
        globals()["kept"] = keep
    return Child(work).end


def slab():
    """Letters of one byte: the kernel keeps each in two objects of its slab."""
    def work():
        pairs, globals()["kept"] = [], []
        while slab_bytes() < begin + FILL * MIB:
            a, b = socket.socketpair()
            a.setblocking(False)
            pairs.append((a, b))
            try:
                while True:
                    a.send(b"x")
            except BlockingIOError:
                pass
        globals()["kept"] = pairs
    begin = slab_bytes()
    return Child(work).end


def slab_bytes():
    return int(re.search(r"^SUnreclaim: *(\d+) kB", read("/proc/meminfo"), re.M)[1]) << 10


def tcp_bytes():
    return int(re.search(r"^TCP: .* mem (\d+)", read("/proc/net/sockstat"), re.M)[1]) * 4096


def sockets():
    def work():
        server = socket.create_server(("127.0.0.1", 0))
        pairs = []
        while tcp_bytes() < FILL * MIB // 2 and len(pairs) < 64:
            a = socket.create_connection(server.getsockname())
            pairs.append((a, server.accept()[0]))
            a.setblocking(False)
            try:
                while True:
                    a.send(BLOCK)
            except BlockingIOError:
                pass
        globals()["kept"] = pairs
    return Child(work).end


base, before = ledger()
say("at rest:", {kind: "%.1fM" % (size / MIB) for kind, size in before.items()}, "uncounted", base["uncounted"] // MIB)
for fill, kind, size, held in ((tmpfs, "tmpfs", FILL, "hand"), (sysv, "sys_v", FILL, "hand"),
                               (memfd, "shared", FILL, "last_user"), (mlock, "locked", FILL, "kill"),
                               (slab, "slab_unreclaimable", FILL, "hand"),
                               (sockets, "sockets", FILL // 2, "last_user")):
    drop = fill()
    known, rows = ledger()
    grown = (rows.get(kind, 0) - before.get(kind, 0)) / MIB
    check(abs(grown - size) <= size / 8 + 1, "%s: %s grew by %.1f MiB of %d" % (fill.__name__, kind, grown, size))
    lost = abs(known["uncounted"] - base["uncounted"])
    check(lost <= known["used"] / 50, "and little of it is uncounted: %.1f MiB" % (lost / MIB))
    how = next(entry["freed_by"] for entry in known["entries"] if entry["kind"] == kind)
    check(how == held, "%s is freed by: %s" % (kind, how))
    stays = (known["prospect"]["stays"] - base["prospect"]["stays"]) / MIB
    if held == "hand":
        check(stays > size * 0.5, "no kill frees it: %.1f MiB more stay" % stays)
    elif kind in ("shared", "locked"):
        check(stays < size * 0.5, "a kill frees it: %.1f MiB more stay" % stays)
    if kind == "tmpfs":
        mount = next(m for m in known["mounts"] if m["point"] == "/dev/shm")
        check(("/fill", FILL * MIB) in [(f["name"], f["bytes"]) for f in mount["files"]], "the file is named")
    if kind == "sys_v":
        first = known["segments"][0]
        check((first["attached"], first["resident"]) == (0, FILL * MIB), "the segment without users comes first")
    if kind == "shared":
        check(any(f["name"] == "filler" and f["bytes"] == FILL * MIB for f in known["open"]), "the memfd is named")
    if kind == "slab_unreclaimable":
        names = [cache["name"] for cache in known["caches"]]
        check(any(re.search("skb|kmalloc", name) for name in names[:2]), "the caches are named: %s" % names[:5])
    drop()

# A group that no kill can help, announced before the kernel finds out.
LIMIT = 64
group = make_cgroup("/full", memory_max=LIMIT * MIB)
write(group + "/memory.swap.max", 0)


def files():
    with open("/dev/shm/group", "wb") as file:
        for _ in range(LIMIT - 2):
            file.write(BLOCK)


Child(files, "/full").end()
victim = Child(lambda: None, "/full")


def oom(path, key="oom"):
    return int(re.search(r"^%s (\d+)" % key, read("%s%s/memory.events" % (CG, path)), re.M)[1])


known, rows = ledger("/full")
say("the full group:", rows, known["prospect"])
check(rows["shmem"] >= (LIMIT - 2) * MIB * 0.98, "its files are in the row of shared memory")
check(known["prospect"]["outlook"] == "hopeless", "a kill frees %d of %d" % (
    known["prospect"]["by_kill"], known["used"]))
tui = Tui(cols=120, rows=36)
say(tui.wait("the verdict on the main screen", lambda t: "no kill can end this" in t and "/full" in t))
check(oom("/full") == 0, "the kernel has not found out yet")



def row_of(path):
    """The domains view with this row alone, selected."""
    if "OOM domains by" not in tui.text():
        tui.type("d")
    tui.wait("the view", lambda t: "OOM domains by" in t)
    tui.keys("Escape")
    tui.wait("no filter", lambda t: "filter: /" not in t)
    time.sleep(1)                       # without a filter it has closed the view
    if "OOM domains by" not in tui.text():
        tui.type("d")
    tui.type("/" + path)
    tui.keys("Enter")
    tui.wait("its row", lambda t: "filter: %s" % path in t and re.search(r"^%s " % path, t, re.M))
    tui.keys("Home")


# The page says where it is.
row_of("/full")
tui.type("m")
text = tui.wait("the page", lambda t: "Where the memory is: /full" in t and "No kill frees" in t)
say(text)
check("tmpfs, shared memory" in text, "with its row")
check("/dev/shm" in tui.wait("the files in sight", lambda t: "/group" in t), "and the file")
tui.keys("Escape")

log = Kmsg()
hog = Hog("immune-hog", mb=0, adj=-1000, cgroup="/full", leak=20)
hog.go()
seen = []


def hopeless():
    seen.extend(log.read())
    return any("no killable processes" in record for record in seen)


check(until(hopeless, 20), "then the kernel finds nobody to kill")
victim.end()
begin = time.monotonic()
say(tui.wait("STUCK in its row", lambda t: re.search(r"^/full +STUCK", t, re.M), 12))
say("MEASURED: all immune: flagged after %.1f s" % (time.monotonic() - begin))
tui.keys("Enter")
text = flat(tui.wait("its details", lambda t: "What frees it" in t))
check("every process in it is immune" in text, "the details say why")
tui.keys("Escape")
hog.stop()
os.unlink("/dev/shm/group")

# Over memory.high with nothing to reclaim, beside a group full of cache at its high.
cache = make_cgroup("/cache")
write(cache + "/memory.high", 24 * MIB)
write(cache + "/memory.swap.max", 0)
# What is written there is charged there, and so is what is read again.
load = subprocess.Popen(["sh", "-c", "echo $$ >%s/cgroup.procs; dd if=/dev/zero of=/var/tmp/load bs=1M count=72 2>/dev/null;"
                         "while cat /var/tmp/load >/dev/null; do :; done" % cache], start_new_session=True)
slow = make_cgroup("/slow")
write(slow + "/memory.high", 24 * MIB)
write(slow + "/memory.swap.max", 0)
hog = Hog("slowed", mb=20, adj=0, cgroup="/slow", leak=40)
hog.go()
over = until(lambda: int(read(slow + "/memory.current")) > 24 * MIB, 30)
begin = time.monotonic()
check(over, "it is over its high")
text = tui.wait("STUCK above the table", lambda t: re.search(r"STUCK .*/slow over memory.high", t), 20)
took = time.monotonic() - begin
say(text)
say("MEASURED: over memory.high: flagged after %.1f s" % took)
check(took <= 10, "flagged within 10 s: %.1f" % took)
check(oom("/slow") == 0, "nobody is killed there")
# The load has run all the while, and it runs on.
for _ in range(4):
    check("/cache" not in "".join(ln for ln in tui.text().splitlines() if "STUCK" in ln), "the cache load is not stuck")
    time.sleep(1)
check(oom("/cache", "high") > 10, "though it was over its high %d times" % oom("/cache", "high"))
row_of("/slow")
say(tui.wait("its state", lambda t: re.search(r"^/slow +STUCK", t, re.M)))
tui.keys("Enter")
text = tui.wait("the details", lambda t: "What frees it" in t)
say(text)
check("raise memory.high" in flat(text), "what frees it")
say(tui.wait("who waits", lambda t: "over_high" in flat(t) or re.search(r"slowed", flat(t))))
tui.keys("Escape")
write(slow + "/memory.high", "max")
tui.wait("it is free again", lambda t: "STUCK" not in t, 20)
tui.quit()
os.killpg(load.pid, signal.SIGKILL)
load.wait()
hog.stop()
os.unlink("/var/tmp/load")
for path in ("/slow", "/cache", "/full"):
    rm_cgroup(path)
finish()
