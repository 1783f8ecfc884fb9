#!/usr/bin/python3
"""Who oomtop says dies next is who the kernel kills: on the host, in nested cgroups, group by group.

VICTIMS=20 in the machine's environment judges that many kills of each kind instead of the few that there is time for in CI."""
# vm: --mem 512M
# kernels: 6.12
import os
import random
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from members import Member, Victims, document, scores
from vmlab import CG, check, enable_memory, finish, make_cgroup, mlockall, protect, read, rm_cgroup, say, write

KILLS = int(os.environ.get("VICTIMS", 5))
protect()
mlockall()
release = read("/proc/sys/kernel/osrelease").strip()
seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
chance = random.Random(seed)
say("seed", seed, "kernel", release)
doc = document()
say(doc["backend"], doc["host"]["rules"])
enable_memory("/")


def adj():
    """Near 0 mostly, so that sizes matter too; sometimes far."""
    return chance.choice([0, chance.randint(-40, 40), chance.randint(-40, 40), chance.randint(-900, 1000)])


# Cgroups: a tree, the leaker in a leaf of the group that is full.
inside = Victims()
rounds = 0
while len(inside.all) < KILLS:
    rounds += 1
    for path in ("/k", "/k/a"):
        make_cgroup(path)
        enable_memory(path)
    leaves = ["/k/a/x", "/k/a/y", "/k/b"]
    for path in leaves:
        make_cgroup(path)
    for path in ["/k", "/k/a", *leaves]:
        write(CG + path + "/memory.oom.group", int(chance.random() < 0.25))
    members = []
    for at in range(chance.randint(5, 8)):
        home = chance.choice(leaves)
        members.append(Member("m%d" % at, chance.randint(500, 9000), adj(), home))
    full = chance.choice(["/k", "/k", "/k/a", "/k/a/x"])
    leaker = Member("leaker", 100, -1000, "/k/b" if full == "/k" else "/k/a/x")
    within = [m for m in members if (read("/proc/%d/cgroup" % m.pid).strip().partition("::")[2] + "/").startswith(full + "/")]
    if os.path.exists(CG + full + "/memory.swap.max"):
        write(CG + full + "/memory.swap.max", 0)
    write(CG + full + "/memory.max", int(read(CG + full + "/memory.current")) + (1 << 20))
    for path in ("/k", "/k/a"):
        if path != full:
            write(CG + path + "/memory.max", 300 << 20)
    living = within
    while len(living) > 1 and len(inside.all) < KILLS:
        living = inside.kill(living, leaker, full)
    for member in members + [leaker]:
        member.stop()
    for path in [*leaves, "/k/a", "/k"]:
        rm_cgroup(path)
inside.report("victims in cgroups v2 on %s" % release)

# Equal badness: the process that joined the group last dies, not the youngest.
make_cgroup("/tie")
ties = []
for at in range(4):
    write(CG + "/tie/memory.max", "max")
    alike = [Member("tie%d" % n, 100, 0) for n in range(4)]
    chance.shuffle(alike)
    for member in alike:
        write(CG + "/tie/cgroup.procs", member.pid)
        member.home = "/tie"
        # Only now: memory taken earlier stays charged to the old group.
        member.grow()
    leaker = Member("leaker", 100, -1000, "/tie")
    write(CG + "/tie/memory.max", int(read(CG + "/tie/memory.current")) + (1 << 20))
    rows = [row for row in document()["processes"] if row["pid"] in [m.pid for m in alike]]
    joined = [m.pid for m in alike]
    first = Victims()
    first.kill(alike, leaker, "/tie")
    if len({row["badness"] for row in rows}) == 1:
        ties.append(first.all == [True])
        say("joined", joined, "right" if first.all == [True] else first.misses)
    for member in alike + [leaker]:
        member.stop()
rm_cgroup("/tie")
if ties:
    say("MEASURED: victims among equals on %s: %d of %d by the order they joined" % (release, sum(ties), len(ties)))
else:
    say("SKIPPED: victims among equals on %s because no four had equal points" % release)
check(all(ties), "the last of equals to join is the one")

# The host, from full to full. One fill can kill several on some kernels: then there are new ones.
outside = Victims()
never = Member("never", 30000, -1000)
members, living, leaker = [never], [never], None
while len(outside.all) < KILLS and outside.void < 8:
    if len(living) < 6:
        if leaker:
            leaker.stop()
        fresh = [Member("h%d" % at, chance.randint(1000, 14000), adj()) for at in range(24)]
        members, living = members + fresh, living + fresh
        leaker = Member("leaker", 100, -1000)
        if len(outside.all) == 0:
            for how, exact in ((), 0), (("--backend", "proc-all"), 0.97):
                doc = document(*how)
                equal, total, worst = scores(doc)
                say("MEASURED: computed oom_score (%s) equals the kernel's for %d of %d on %s, largest difference %d" % (
                    doc["backend"], equal, total, release, worst))
                check(worst <= 1 and equal >= total * exact, "scores")
            say("rules", doc["host"]["rules"])
    living = outside.kill(living, leaker)
outside.report("victims of the host on %s" % release)
check(never in living, "the one with -1000 lives")
for member in members + [leaker]:
    member.stop()
for victims in (inside, outside):
    check(all(victims.clear), "every clear one is right")
    check(sum(victims.all) >= 0.97 * len(victims.all) or sum(victims.all) == len(victims.all) - 1, "nearly all are right")
    check(all(victims.groups), "groups are announced as groups")
finish()
