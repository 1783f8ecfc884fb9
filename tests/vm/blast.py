#!/usr/bin/python3
"""The kernel kills one process: who else ends is who oomtop said. Units of the system and of a user with each OOMPolicy, a
main process, a scope, memory.oom.group, shared memory, the first process of a PID namespace."""
# vm: --mem 512M
# kernels: 6.1
import json
import os
import subprocess
import time

from vmlab import CG, check, enable_memory, finish, make_cgroup, mlockall, protect, read, say

HOG = "/usr/bin/python3 -S -E /vmlab/lib/hog"
SHARER = ("import ctypes, mmap, signal, time; libc = ctypes.CDLL(None); stack = mmap.mmap(-1, 65536); "
          "top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + 65536 - 64; "
          "libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]; "
          "libc.clone(ctypes.cast(libc.sleep, ctypes.c_void_p), top, 0x100 | signal.SIGCHLD, 1000); "
          "held = [bytearray(4 << 20)]\n"
          "open('%s').readline()\n"
          "while True: held.append(bytearray(1 << 20)); time.sleep(0.01)")


def sh(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()


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


def three(trigger, adj=500, by_main=False):
    """A shell with two that hold still and one that leaks when told to; or the leaker takes the place of the shell."""
    still = "sleep 98765"
    leaker = "%s --name leaker --mb 4 --adj %d --leak 60 <> %s" % (HOG, adj, trigger)
    if by_main:
        return "%s & %s & exec %s" % (still, still, leaker)
    return "%s & %s & %s & wait; sleep 1000" % (still, still, leaker)


class Case:
    """Something with a limit of its own, in which one process can be told to leak."""

    all = []

    def __init__(self, what, cgroup, trigger, least=4):
        self.what, self.cgroup, self.trigger, self.least = what, cgroup, trigger, least
        os.mkfifo(trigger)
        os.chmod(trigger, 0o666)
        Case.all.append(self)

    def runs(self):
        names = [name(pid) for pid in members(self.cgroup)]
        return len(names) >= self.least and {"leaker", "python3"} & set(names) and "sh" not in names[self.least:]

    def announce(self, domains):
        """Who dies and who goes along, as oomtop says."""
        domain = domains[self.cgroup]
        self.victim = domain["next_victim"]["pid"]
        self.along = {one["pid"]: one["why"] for one in domain["dies_along"]}
        # unshare(1) waits for the first process, and ends by itself.
        self.before = {pid: name(pid) for pid in members(self.cgroup) if name(pid) != "unshare"}

    def strike(self):
        with open(self.trigger, "w") as go:
            go.write("go\n")

        def struck():
            return "oom_kill 0" not in read(CG + self.cgroup + "/memory.events", "") or ended(self.victim)
        check(until(struck, 40), "%s: the kernel killed in it" % self.what)

    def announced(self):
        return {self.victim, *self.along}

    def judge(self):
        dead = {pid for pid in self.before if ended(pid)}
        announced = self.announced()
        shown = lambda pids: sorted("%d %s %s" % (pid, self.before.get(pid, "?"), self.along.get(pid, "")) for pid in pids)
        check(dead == announced, "%s: announced %s; ended besides: %s; lives: %s"
              % (self.what, shown(announced), shown(dead - announced), shown(announced - dead)))
        return dead == announced


def unit(name, kind, policy, user=False, by_main=False):
    trigger = "/run/go-" + name
    below = "/user.slice/user-1000.slice/user@1000.service/app.slice" if user else "/system.slice"
    what = "%s%s OOMPolicy=%s%s" % ("user's " if user else "", kind, policy, ", main process" if by_main else "")
    Case(what, "%s/%s.%s" % (below, name, kind), trigger, least=3 if by_main else 4)
    limits = ["-p", "MemoryMax=60M", "-p", "MemorySwapMax=0"]
    if policy:
        limits += ["-p", "OOMPolicy=" + policy]
    script = three(trigger, 800 if user else 500, by_main)
    command = ["systemd-run", "--unit=" + name, *limits, "/bin/sh", "-c", script]
    if user:
        command.insert(1, "--user")
        command = ["runuser", "-u", "tester", "--", "env", "XDG_RUNTIME_DIR=/run/user/1000", *command]
    if kind == "scope":
        command.insert(command.index("systemd-run") + 1, "--scope")
    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def group(what, path, command, least=4, **flags):
    trigger = "/run/go" + path.replace("/", "-")
    Case(what, path, trigger, least)
    make_cgroup(path, **{"memory.max": "60M", "memory.swap.max": "0", **flags})
    if os.fork() == 0:
        with open(CG + path + "/cgroup.procs", "w") as file:
            file.write("0")
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("100")
        command = command(trigger)
        os.execvp(command[0], command)


protect()
mlockall()
say(sh("systemctl", "--version").splitlines()[0])
sh("loginctl", "enable-linger", "tester")
for policy in (None, "stop", "continue", "kill"):
    unit("pol-%s" % policy, "service", policy)
unit("main", "service", "continue", by_main=True)
unit("scope", "scope", None)
if until(lambda: os.path.exists("/run/user/1000/systemd/private")):
    for policy in ("stop", "continue", "kill"):
        unit("user-%s" % policy, "service", policy, user=True)
    unit("user-main", "service", "continue", user=True, by_main=True)
    unit("user-scope", "scope", None, user=True)
else:
    say("SKIP  units of a user: no manager of a user starts here")
enable_memory("/")
shell = lambda trigger: ["/bin/sh", "-c", three(trigger)]
group("memory.oom.group", "/whole", shell, **{"memory.oom.group": "1"})
group("no memory.oom.group", "/single", shell)
group("shared memory", "/shared", lambda trigger: ["/usr/bin/python3", "-S", "-E", "-c", SHARER % trigger], least=2)
group("first process of a PID namespace", "/inside",
      lambda trigger: ["unshare", "--pid", "--fork", "/bin/sh", "-c", three(trigger, by_main=True)])

cases = [case for case in Case.all if until(case.runs) or say("SKIP  %s does not start: %s"
                                                             % (case.what, [name(pid) for pid in members(case.cgroup)]))]
time.sleep(1)
asked = json.loads(sh("oomtop", "--once", "--json"))
domains = {one["cgroup"]: one for one in asked["domains"]}
for case in cases:
    case.announce(domains)
for case in cases:
    case.strike()
until(lambda: all(ended(pid) for case in cases for pid in case.announced()))
# Whoever oomtop did not name has had this long to end after all.
time.sleep(4)
right = sum([case.judge() for case in cases])
say("MEASURED: who ended was who had been announced in %d of %d kills" % (right, len(cases)))
check(len(cases) >= 12, "most of them ran (%d)" % len(cases))
finish()
