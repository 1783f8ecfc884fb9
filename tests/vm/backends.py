#!/usr/bin/python3
"""The BPF task walk works on this kernel and gives the rows that plain /proc gives."""
# vm: --mem 512M
# kernels: 6.12 7.3
import os
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from members import Member, document, scores
from vmlab import check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say

protect()
release = read("/proc/sys/kernel/osrelease").strip()
enable_memory("/")
make_cgroup("/rows", memory_max=200 << 20)
members = [Member("row%d" % at, 300 + 2777 * at, adj, "/rows" if at % 2 else None)
           for at, adj in enumerate((0, 0, -1000, -999, -300, -1, 1, 300, 1000))]
SAME = ("ppid", "uid", "comm", "kernel_thread", "oom_score_adj", "immune", "page_tables", "cgroup")
cpus = os.cpu_count()
bound = cpus * max(32, 2 * cpus)
compared, worst, differ, seen = set(), 0, [], 0


def rows(how):
    doc = document("--backend", how)
    return doc, {(row["pid"], row["start_ticks"]): row for row in doc["processes"]}


for attempt in range(3):
    _, before = rows("proc-all")
    doc, walked = rows("bpf")
    _, after = rows("proc-all")
    check(doc["backend"] == "bpf task walk", "the back end is the task walk: %s" % doc["backend"])
    for key, row in before.items():
        if any(before[key][f] != after.get(key, {}).get(f) for f in (*SAME, "rss", "swap", "state")):
            continue  # It does not rest.
        other = walked.get(key)
        if other is None:
            differ.append("the walk misses %s %s" % (key, row["comm"]))
            continue
        # To the name of a kernel worker the files add what it works on.
        same = [f for f in SAME if not (f == "comm" and row["kernel_thread"])]
        differ += ["%s %s %s: %s, %s" % (key, row["comm"], f, row[f], other[f])
                   for f in same if row[f] != other[f]]
        off = abs((row["rss"] or 0) - (other["rss"] or 0)) // 4096
        worst = max(worst, off)
        if (row["rss"] is None) != (other["rss"] is None) or off > 3 * bound:
            differ.append("%s %s rss: %s, %s" % (key, row["comm"], row["rss"], other["rss"]))
        compared.add(key)
for line in sorted(set(differ)):
    say(line)
say("rules:", doc["host"]["rules"])
say("MEASURED: rows of the task walk and of /proc on %s: %d of %d equal, rss at most %d pages apart (bound %d)" % (
    release, len(compared) - len({line.partition(")")[0] for line in differ}), len(compared), worst, 3 * bound))
check(not differ, "all rows are equal")
check(all(any(key[0] == m.pid for key in compared) for m in members), "the own processes are among them")
for how in ("bpf", "proc-all"):
    equal, total, most = scores(document("--backend", how))
    say("MEASURED: computed oom_score by %s equals the kernel's for %d of %d on %s, largest difference %d" % (
        how, equal, total, release, most))
    check(most <= 1, "scores by %s" % how)
for member in members:
    member.stop()
rm_cgroup("/rows")
finish()
