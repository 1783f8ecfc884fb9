#!/usr/bin/python3
"""Hundreds of memory cgroups with limits, usage and counters: the walk inside the kernel counts them as their files do."""
# vm: --mem 512M
# kernels: 7.3
# kernels when named: 6.1
# kernels when named: 5.10 6.12
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import until
from vmlab import CG, Hog, check, enable_memory, events, finish, make_cgroup, protect, read, rm_cgroup, say, write

MANY = 300
KERNEL = tuple(int(number) for number in os.uname().release.split("-")[0].split(".")[:2])


def sample(backend):
    """The document of this back end; None where the kernel has no such back end."""
    for _ in range(5):
        done = subprocess.run(["oomtop", "--once", "--json", "--backend", backend], capture_output=True, text=True)
        if done.returncode == 0:
            return json.loads(done.stdout)
        say(done.stderr.strip())
        # A busy machine may take its time to check a program.
        if "still checking" not in done.stderr:
            break
    return None


def number(text):
    text = text.strip()
    return None if text in ("", "max") else int(text)


def kept(text):
    """What is kept from reclaim: 0 is nothing, and so is everything."""
    return number(text) or None


def files(group):
    """What the files of a group say, in the words of the document."""
    at = CG + group + "/"
    counted = events(group)
    return {
        "usage": number(read(at + "memory.current")),
        "max": number(read(at + "memory.max")),
        "high": number(read(at + "memory.high")),
        "low": kept(read(at + "memory.low")),
        "min": kept(read(at + "memory.min")),
        "swap_max": number(read(at + "memory.swap.max", "max")),
        "oom_group": read(at + "memory.oom.group").strip() == "1",
        "own_oom": events(group, "memory.events.local").get("oom"),
        **{key: counted.get(key) for key in ("oom", "oom_kill", "oom_group_kill")},
        "counted_high": counted.get("high"),
        "counted_max": counted.get("max"),
    }


def told(domain):
    limits, counters = domain["limits"], domain["counters"]
    return {
        "usage": domain["usage"],
        **{key: limits[key] for key in ("max", "high", "low", "min", "swap_max", "oom_group")},
        **{key: counters[key] for key in ("own_oom", "oom", "oom_kill", "oom_group_kill")},
        "counted_high": counters["high"],
        "counted_max": counters["max"],
    }


def compare(backend, groups):
    """Every field of every group; groups that move meanwhile are looked at again."""
    wrong, document = {}, None
    for _ in range(4):
        before = {group: files(group) for group in groups}
        document = sample(backend)
        if document is None:
            return None
        domains = {domain["cgroup"]: told(domain) for domain in document["domains"] if domain["cgroup"]}
        rest = [group for group in groups if files(group) == before[group]]
        wrong = {group: (before[group], domains.get(group)) for group in rest if before[group] != domains.get(group)}
        if not wrong and len(rest) > len(groups) - 10:
            break
    for group, pair in list(wrong.items())[:3]:
        say(group, *pair)
    check(not wrong, "%s (%s): %d groups are as their files say, %d are not"
          % (backend, document["groups_backend"], len(rest) - len(wrong), len(wrong)))
    say("MEASURED: a sample of %d groups by %s took %d us" % (MANY, document["groups_backend"], document["took_micros"]))
    return document["groups_backend"]


def main():
    """The program walks by itself since 6.7; the kernel calls it for each group since 6.1."""
    protect()
    enable_memory("/")
    make_cgroup("/many")
    enable_memory("/many")
    groups = ["/many/g%03d" % n for n in range(MANY)]
    for n, group in enumerate(groups):
        make_cgroup(group, **{
            "memory.max": (n + 20) << 20,
            "memory.high": "max" if n % 2 else (n + 20) << 19,
            "memory.low": n << 12,
            "memory.min": "max" if n % 7 == 0 else n << 13,
            "memory.oom.group": n % 2,
        })
    hogs = [Hog("holder-%d" % n, mb=8, adj=0, cgroup=groups[n]) for n in range(100, MANY, 100)]
    victims = []
    for n in (6, 7):
        # One dies alone, one with its whole group.
        write(CG + groups[n] + "/memory.high", "max")
        victims.append(Hog("victim-%d" % n, adj=0, cgroup=groups[n], leak=200))
        victims[-1].go()
    # This one is slowed down, a little.
    write(CG + groups[14] + "/memory.high", 5 << 20)
    hogs.append(Hog("slow", mb=3, adj=0, cgroup=groups[14]))
    check(until(lambda: all(victim.killed() for victim in victims)), "the kernel has killed in two groups")
    say("events", *(events(groups[n]) for n in (6, 7, 14)))
    check(compare("proc", groups) == "files", "--backend proc reads files")
    best = "bpf cgroup walk" if KERNEL >= (6, 7) else "bpf cgroup iterator" if KERNEL >= (6, 1) else "files"
    for backend, wanted in (("bpf", best), ("bpf-iterator", best if best == "files" else "bpf cgroup iterator")):
        name = compare(backend, groups)
        check(name == wanted, "--backend %s: groups by %s" % (backend, name))
    for hog in hogs:
        hog.stop()
    for group in groups + ["/many"]:
        rm_cgroup(group)
    finish()


main()
