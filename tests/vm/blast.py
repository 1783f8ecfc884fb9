#!/usr/bin/python3
"""The kernel kills one process: who else ends is who oomtop said. Units of the system and of a user with each OOMPolicy, a
main process, a scope, memory.oom.group, shared memory, the first process of a PID namespace."""
# vm: --mem 512M
# kernels: 6.1
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

from vmlab import CG, check, enable_memory, finish, make_cgroup, mlockall, protect, read, say

HOG = "/usr/bin/python3 -S -E /vmlab/lib/hog"
SHARER = ("import ctypes, mmap, signal, time; libc = ctypes.CDLL(None); stack = mmap.mmap(-1, 65536); "
          "top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + 65536 - 64; "
          "libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]; "
          "libc.clone(ctypes.cast(libc.sleep, ctypes.c_void_p), top, 0x100 | signal.SIGCHLD, 1000); "
          "held = [bytearray(8 << 20)]\n"
          "open('%s').readline()\n"
          "while True: held.append(bytearray(1 << 20)); time.sleep(0.01)")
ROUNDS = {"right": 0, "all": 0}


def sh(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()


def as_user(*command):
    return sh("runuser", "-u", "tester", "--", "env", "XDG_RUNTIME_DIR=/run/user/1000", *command)


def until(what, limit=20):
    end = time.monotonic() + limit
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def members(cgroup):
    """The processes of a group and of those below it."""
    found = []
    for directory, _, _ in os.walk(CG + cgroup):
        found += [int(pid) for pid in read(directory + "/cgroup.procs", "").split()]
    return found


def ended(pid):
    stat = read("/proc/%d/stat" % pid, "x) Z")
    return stat.rsplit(")", 1)[1].split()[0] in "ZX"


def name(pid):
    return read("/proc/%d/comm" % pid, "?").strip()


def three(trigger, by_main=False):
    """A shell with two that hold still and one that leaks when told to; or the leaker takes the place of the shell."""
    still = HOG + " --name still --mb 4 --adj 0"
    leaker = "%s --name leaker --mb 8 --adj 500 --leak 60 <> %s" % (HOG, trigger)
    if by_main:
        return "%s & %s & exec %s" % (still, still, leaker)
    return "%s & %s & %s & wait; sleep 1000" % (still, still, leaker)


def fifo(trigger):
    os.mkfifo(trigger)
    os.chmod(trigger, 0o666)
    return trigger


def judge(what, cgroup, trigger, least=4):
    """Asks oomtop who dies and who goes along, lets the leaker go, and looks who has ended."""
    if not until(lambda: len(members(cgroup)) >= least):
        say("SKIP  %s does not start: %s" % (what, members(cgroup)))
        return
    time.sleep(1)
    asked = json.loads(sh("oomtop", "--once", "--json"))
    domain = next(one for one in asked["domains"] if one["cgroup"] == cgroup)
    victim = domain["next_victim"]["pid"]
    along = {one["pid"]: one["why"] for one in domain["dies_along"]}
    before = set(members(cgroup))
    names = {pid: name(pid) for pid in before}
    with open(trigger, "w") as go:
        go.write("go\n")

    def struck():
        events = read(CG + cgroup + "/memory.events", "")
        return "oom_kill 0" not in events or ended(victim)
    check(until(struck, 40), "%s: the kernel killed in it" % what)
    announced = {victim, *along}
    until(lambda: all(ended(pid) for pid in announced), 15)
    time.sleep(2)
    dead = {pid for pid in before if ended(pid)}
    shown = lambda pids: sorted("%d %s %s" % (pid, names.get(pid, "?"), along.get(pid, "")) for pid in pids)
    ROUNDS["all"] += 1
    ROUNDS["right"] += dead == announced
    check(dead == announced, "%s: announced %s; ended besides: %s; lives: %s"
          % (what, shown(announced), shown(dead - announced), shown(announced - dead)))


def start(unit, kind, policy, script, user=False):
    limits = ["-p", "MemoryMax=90M", "-p", "MemorySwapMax=0"]
    if policy:
        limits += ["-p", "OOMPolicy=" + policy]
    command = ["systemd-run", "--unit=" + unit, *limits, "/bin/sh", "-c", script]
    if user:
        command.insert(1, "--user")
        command = ["runuser", "-u", "tester", "--", "env", "XDG_RUNTIME_DIR=/run/user/1000", *command]
    if kind == "scope":
        command.insert(command.index("systemd-run") + 1, "--scope")
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def try_unit(unit, kind, policy, user=False, by_main=False):
    trigger = fifo("/run/go-" + unit)
    start(unit, kind, policy, three(trigger, by_main), user)
    below = "/user.slice/user-1000.slice/user@1000.service/app.slice" if user else "/system.slice"
    what = "%s%s OOMPolicy=%s%s" % ("user's " if user else "", kind, policy, ", main process" if by_main else "")
    judge(what, "%s/%s.%s" % (below, unit, kind), trigger, least=3 if by_main else 4)
    end = as_user if user else sh
    end(*["systemctl"] + ["--user"] * user + ["stop", "%s.%s" % (unit, kind)])
    end(*["systemctl"] + ["--user"] * user + ["reset-failed", "%s.%s" % (unit, kind)])


protect()
mlockall()
say(sh("systemctl", "--version").splitlines()[0])
for policy in (None, "stop", "continue", "kill"):
    try_unit("pol-%s" % policy, "service", policy)
try_unit("main", "service", "continue", by_main=True)
try_unit("scope", "scope", None)
sh("loginctl", "enable-linger", "tester")
if until(lambda: os.path.exists("/run/user/1000/systemd/private")):
    for policy in ("stop", "continue"):
        try_unit("user-%s" % policy, "service", policy, user=True)
    try_unit("user-main", "service", "continue", user=True, by_main=True)
else:
    say("SKIP  units of a user: no manager of a user starts here")

# Groups of no unit.
enable_memory("/")
for what, group, flags, script, least in (
        ("memory.oom.group", "/whole", {"memory.oom.group": "1"}, None, 4),
        ("no memory.oom.group", "/single", {}, None, 4),
        ("shared memory", "/shared", {}, SHARER, 2),
        ("first process of a PID namespace", "/inside", {}, "unshare", 3)):
    trigger = fifo("/run/go" + group.replace("/", "-"))
    make_cgroup(group, **{"memory.max": "60M", "memory.swap.max": "0", **flags})
    command = ["/bin/sh", "-c", three(trigger)]
    if script == SHARER:
        command = ["/usr/bin/python3", "-S", "-E", "-c", SHARER % trigger]
    elif script == "unshare":
        command = ["unshare", "--pid", "--fork", "/bin/sh", "-c", three(trigger, by_main=True)]
    pid = os.fork()
    if pid == 0:
        with open(CG + group + "/cgroup.procs", "w") as file:
            file.write("0")
        if script == SHARER:
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("300")
        os.execvp(command[0], command)
    judge(what, group, trigger, least=least)
    for left in members(group):
        os.kill(left, signal.SIGKILL)
    os.waitpid(pid, 0)
say("MEASURED: who ended was who had been announced in %(right)d of %(all)d kills" % ROUNDS)
finish()
