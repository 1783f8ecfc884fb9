#!/usr/bin/python3
"""cgroup v2: a group with a limit is made in the dialog, the process moves, both are read back and undone."""
# vm: --mem 512M
import os
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, until
from vmlab import CG, Hog, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say

protect()
enable_memory("/")
make_cgroup("/fences")
hog = Hog("fence-hog", mb=24, adj=0)


def group():
    return read("/proc/%d/cgroup" % hog.pid).strip().partition("::")[2]


home = group()
tui = Tui()
tui.only(hog.pid)
tui.keys("c")
tui.wait("the cgroup dialog", lambda t: "Cgroup of" in t and "new group" in t)
tui.keys("Up", "C-u")
tui.type("/fences/one")
tui.keys("Down")
tui.type("96M")
say(tui.wait("the plan", lambda t: "memory.max" in t and "cgroup.procs" in t))
tui.keys("Enter")
check(until(lambda: group() == "/fences/one"), "the process is in /fences/one (%s)" % group())
check(read(CG + "/fences/one/memory.max", "").strip() == str(96 << 20), "memory.max is 96 MiB")
say(tui.wait("the steps read back", lambda t: t.count("done  ") >= 3))
tui.keys("Enter")
tui.keys("u")
check(until(lambda: group() == home), "u moved it back to %s (%s)" % (home, group()))
check(until(lambda: not os.path.exists(CG + "/fences/one")), "the empty group is gone")
tui.quit()
hog.stop()
rm_cgroup("/fences")
finish()
