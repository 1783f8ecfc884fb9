#!/usr/bin/python3
"""Two `oomtop run` at once where systemd gives each a scope: one is killed with SIGKILL, the other keeps its group and its
limit, and the next start says what lives on of the dead one and removes it when nothing does."""
# vm: --mem 512M
# kernels: 6.1
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import until
from vmlab import check, finish, say

LIMIT = 64 << 20


def start():
    """A run whose command waits: the run, the pid of the command and its group."""
    run = subprocess.Popen(["oomtop", "run", "--no-tui", "--limit", "64M", "--", "sh", "-c", "echo $$; exec sleep 1000"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = run.stdout.readline()
    if not line:
        said = run.stderr.read()
        # A machine that has just started has other things to do; nothing was written.
        if "has not answered within" in said:
            return start()
        say(said)
        check(False, "a run starts (%s)" % run.wait())
        finish()
        sys.exit()
    pid = int(line)
    with open("/proc/%d/cgroup" % pid) as groups:
        return run, pid, "/sys/fs/cgroup" + groups.read().strip().split("::")[1]


def next_start():
    """What the next start says."""
    return subprocess.run(["oomtop", "run", "--no-tui", "--", "true"], capture_output=True, text=True).stderr


dead, orphan, dead_group = start()
other, pid, group = start()


def is_whole():
    with open(group + "/memory.max") as limit, open(group + "/cgroup.procs") as inside:
        return (int(limit.read()), inside.read().split()) == (LIMIT, [str(pid)])


check(os.path.dirname(dead_group) != os.path.dirname(group), "each has a scope of its own")
check(is_whole(), "both run")
dead.kill()
dead.wait()
check(is_whole(), "the other one is as it was")
said = next_start()
check("still in " + dead_group.removeprefix("/sys/fs/cgroup") in said, "the next start says what lives on (%s)" % said.splitlines()[0])
check(is_whole(), "and leaves the other one alone")
os.kill(orphan, signal.SIGKILL)


def is_gone():
    next_start()
    return not os.path.exists(dead_group)


check(until(is_gone), "what is dead is removed")
check(is_whole(), "and nothing else")
os.kill(pid, signal.SIGKILL)
other.wait()
check(until(lambda: not os.path.exists(group)), "the other one removes its own group")
finish()
