#!/usr/bin/python3
"""Settings that change the outcome: the header says what the kernel will do, and it does that."""
# vm: --mem 512M
import os
import re
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, until
from vmlab import CG, Hog, check, enable_memory, finish, make_cgroup, mlockall, protect, rm_cgroup, say


def set_vm(name, value):
    with open("/proc/sys/vm/" + name, "w") as file:
        file.write(str(value))


def dmesg():
    return subprocess.run(["dmesg"], capture_output=True, text=True).stdout


protect()
mlockall()
enable_memory("/")
tui = Tui()

set_vm("panic_on_oom", 1)
text = tui.wait("a kernel that panics", lambda t: "nobody: the kernel panics" in t)
check("(panic_on_oom 1)" in text and "NEXT VICTIM" not in text, "panic_on_oom 1: nobody is marked")
make_cgroup("/small", memory_max=str(40 << 20))
hog = Hog("small-hog", mb=10, leak=40, cgroup="/small")
hog.go()
check(until(hog.killed, 20),
      "a cgroup's limit kills nevertheless, and the machine lives")
hog.stop()
set_vm("panic_on_oom", 0)

set_vm("oom_kill_allocating_task", 1)
tui.wait("a kernel that kills the asker", lambda t: "whoever asks for memory" in t)
tui.keys("S")
tui.wait("the sentence in the panel", lambda t: "on the host whoever asks for memory dies" in t)
tui.keys("Escape")
big = Hog("big-idle", mb=150)
# An asker with -1000 (the terminal, say) is spared and the largest dies after all: then once more. This one never
# pauses, so that it is mostly the one who asks.
for _ in range(12):
    leak = Hog("asker", mb=20, leak=100000)
    leak.go()
    until(leak.killed, 20)
    leak.stop()
    if "(oom_kill_allocating_task)" in dmesg():
        break
check("(oom_kill_allocating_task)" in dmesg(), "a global OOM killed by asking")
log = dmesg()
say("\n".join(line for line in log.splitlines() if "invoked oom-killer" in line or "Killed process" in line))
check(big.killed() is None, "the big one lives")
reports = [part for part in log.split("invoked oom-killer") if "(oom_kill_allocating_task)" in part]
pattern = re.compile(r"PID: (\d+) Comm.*?\(oom_kill_allocating_task\): Killed process (\d+)", re.S)
pairs = [found.groups() for found in map(pattern.search, reports) if found]
check(pairs and all(who == dead for who, dead in pairs), "each asker died itself: %s" % (pairs,))
set_vm("oom_kill_allocating_task", 0)
tui.wait("the ordinary rule again", lambda t: "whoever asks" not in t)
big.stop()
tui.quit()
rm_cgroup("/small")
finish()
