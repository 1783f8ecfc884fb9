#!/usr/bin/python3
"""An exit, a crash, SIGKILL by a person, a limit's OOM and systemd's stop after one, in a service, a scope and a
container's scope: what oomtop says in the details of the process, and afterwards by pid, by unit and by container.
No answer is wrong; the unknown ones are counted."""
# vm: --mem 512M --swap 128M
# kernels: 6.1
# long: each death is waited for on the screen and asked for afterwards: a minute or more
import os
import re
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from dier import WHERES, Dier, comm, is_kind, is_oom, judge, sh, total, until, verdict, watched
from screen import Tui
from vmlab import check, finish, mlockall, protect, say


def killed_by_me(dier):
    return lambda: os.kill(dier.pid, 9)


protect()
mlockall()
say(sh("systemctl", "--version").splitlines()[0])
for program in ("earlyoom.service", "systemd-oomd.service", "systemd-oomd.socket"):
    sh("systemctl", "stop", program)

tui = Tui("-d", "0.5", cols=140, rows=40)
tui.wait("logs and tracepoints", lambda t: re.search(r"live from .*journal.*tracepoint", t))
asked = []
# Before the first OOM kill: the kernel counts none.
for kind, action, wanted, said in (("exit", "exit3", is_kind("exit", status=3), "unknown"),
                                   ("crash", "crash", is_kind("crash", signal=11), "unknown"),
                                   ("kill", "stay", is_kind("signal", signal=9), "signal")):
    for where in WHERES:
        dier = Dier(kind, where, action)
        watched(tui, dier, killed_by_me(dier) if kind == "kill" else dier.go, said)
        asked.append((dier, wanted))

for where in WHERES:
    dier = Dier("memcg", where, "leak", "MemoryMax=60M", "MemorySwapMax=0")
    watched(tui, dier, dier.go, "kernel_oom")
    asked.append((dier, is_oom("memcg")))

# The kernel kills one, systemd stops the others.
dier = Dier("policy", "service", "leaky", "MemoryMax=80M", "MemorySwapMax=0")
until(lambda: len(dier.members()) == 3)
others = [pid for pid in dier.members() if pid != dier.pid]
until(lambda: any(comm(pid).endswith("-l") for pid in others))
leaker = next(pid for pid in others if comm(pid).endswith("-l"))
watched(tui, dier, dier.go, "oom_policy")
check(until(lambda: not dier.members()), "systemd stopped the unit")
policy = dier

tui.quit()
total(asked)
judge("policy service", policy.unit, is_kind("oom_policy", victim=leaker))
judge("policy main", policy.pid, is_kind("oom_policy"))
judge("policy victim", leaker, is_oom("memcg"))
judge("policy other", next(pid for pid in others if pid != leaker), is_kind("oom_policy"))

# An ordinary user: what cannot be read is said.
done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "oomtop", "why", "memcg-service"],
                      stdout=subprocess.PIPE, text=True)
say(done.stdout)
check(done.returncode == 2 and "Not readable" in done.stdout, "without the logs: status %d" % done.returncode)
say(sh("oomtop", "why", "memcg-service"))
say(sh("oomtop", "why", "kill-service.service", "--since", "10 min ago"))
say(sh("oomtop", "why", "1"))
verdict()
finish()
