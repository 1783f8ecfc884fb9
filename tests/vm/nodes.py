#!/usr/bin/python3
"""A cpuset holds processes to one memory node: that node is an OOM domain, and its victim is foretold."""
# vm: --mem 512M --numa
import os
import random
import re
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from members import Member, Victims, document, domain
from screen import runs
from vmlab import CG, check, finish, mlockall, protect, read, say, write

KILLS = 6
protect()
mlockall()
seed = time.time_ns() % 1000000
chance = random.Random(seed)
say("seed", seed, "nodes", read("/sys/devices/system/node/has_memory"))
write(CG + "/cgroup.subtree_control", "+memory +cpuset")
for name, mems in (("first", "0"), ("second", "1")):
    os.mkdir(CG + "/" + name)
    write(CG + "/%s/cpuset.mems" % name, mems)


def members(home, count):
    """Near one adj, so that sizes matter; those of the first node would die first if they competed."""
    return [Member("%s%d" % (home[:3], at), chance.randint(1000, 9000),
                   chance.randint(-30, 30) + (500 if home == "first" else 0), "/" + home) for at in range(count)]


elsewhere = members("first", 3)
everywhere = [Member("any%d" % at, chance.randint(1000, 9000), chance.randint(-30, 30)) for at in range(3)]
inside = members("second", 16)
leaker = Member("leaker", 100, -1000, "/second")
doc = document()
said = domain(doc, nodes="1")
present = sum(int(n) for n in re.findall(r"^ +present +(\d+)", read("/proc/zoneinfo").partition("Node 1")[2], re.M))
check(said["total_pages"] == present, "total %d is what node 1 has: %d pages" % (said["total_pages"], present))
check([d["nodes"] for d in doc["domains"] if d["nodes"]] == ["0", "1"], "each node held to is a domain")
victims = Victims()
living = inside + everywhere
while len(victims.all) < KILLS and len(living) > 3 and victims.void < 5:
    living = victims.kill(living, leaker, nodes="1")
victims.report("victims of a cpuset on %s" % read("/proc/sys/kernel/osrelease").strip())
log = os.popen("dmesg").read()
check("CONSTRAINT_CPUSET" in log, "the kernel calls it a cpuset's")
check(all(victims.clear) and len(victims.clear) >= 2, "every clear one is right")
check(sum(victims.all) >= len(victims.all) - 1, "nearly all are right")
check(all(runs(m.pid) for m in elsewhere), "nobody of the other node died")
for member in elsewhere + everywhere + inside + [leaker]:
    member.stop()
finish()
