#!/usr/bin/python3
"""cgroup v2: a group with a limit is made in the dialog, the process moves, both are read back and undone.
Then the limit of a group with two processes is raised, undone, and lowered below what is in use: the dialog names
the victim, asks once more, and that one dies."""
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
tui.new_group(hog.pid)
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
tui.undo()
check(until(lambda: group() == home), "u moved it back to %s (%s)" % (home, group()))
check(until(lambda: not os.path.exists(CG + "/fences/one")), "the empty group is gone")
hog.stop()

enable_memory("/fences")
make_cgroup("/fences/shop", **{"memory.max": "200M", "memory.swap.max": "0"})
small = Hog("shop-small", mb=20, adj=0, cgroup="/fences/shop")
large = Hog("shop-large", mb=60, adj=0, cgroup="/fences/shop")
MAX = CG + "/fences/shop/memory.max"


def limit():
    return read(MAX, "").strip()


def limits_dialog():
    """The dialog on the limits of the group of the small one."""
    tui.only(small.pid)
    tui.keys("c")
    tui.wait("the cgroup dialog", lambda t: "Cgroup of" in t)
    tui.keys("Tab", "Tab")
    tui.wait("the limits as they are", lambda t: "limits of /fences/shop" in t and "now 200 MiB" in t)


limits_dialog()
tui.type("300M")
tui.wait("the plan", lambda t: "(300 MiB) to /fences/shop/memory.max" in t)
tui.keys("Enter")
check(until(lambda: limit() == str(300 << 20)), "memory.max is 300 MiB (%s)" % limit())
tui.wait("the limit read back", lambda t: "done  " in t)
tui.keys("Enter")
tui.undo()
check(until(lambda: limit() == str(200 << 20)), "u wrote 200 MiB back (%s)" % limit())

limits_dialog()
tui.type("40M")
say(tui.wait("the victim in the preview", lambda t: "kills as soon as it is written" in t
             and "%d shop-large dies" % large.pid in t))
tui.keys("Enter")
say(tui.wait("the question", lambda t: "This kills %d shop-large at once" % large.pid in t))
check(limit() == str(200 << 20), "the first Enter wrote nothing (%s)" % limit())
check(large.killed() is None and small.killed() is None, "nobody has died yet")
tui.keys("Enter")
check(until(large.killed), "the named one is dead")
check(until(lambda: limit() == str(40 << 20)), "memory.max is 40 MiB (%s)" % limit())
# What is left fits, but the write goes on killing until it is seen to fit (mm/memcontrol.c memory_max_write):
# while the first victim's memory is being given back, the kernel may take another.
say("the other one %s" % ("lives" if small.killed() is None else "died too"))
tui.quit()
small.stop()
rm_cgroup("/fences/shop")
rm_cgroup("/fences")
finish()
