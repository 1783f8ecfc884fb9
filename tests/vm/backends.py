#!/usr/bin/python3
"""Every back end makes the same table on this kernel, and its numbers are those that badness compares."""
# vm: --mem 512M
# kernels: 5.10 7.3
# kernels when named: 6.1 6.12
import json
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import Hog, check, finish, protect, say

SAME = ("ppid", "uid", "threads", "oom_score_adj", "page_tables", "cgroup", "rss", "swap", "badness", "oom_score")
# Threads that each touch memory leave parts of the counters with both CPUs.
THREADS = """
import threading, time
def work(n):
    held = bytearray(b"x") * ((3 + n) << 20)
    time.sleep(1000)
for n in range(6):
    threading.Thread(target=work, args=(n,)).start()
print("ready", flush=True)
"""


def table(backend):
    """The rows by pid and start, and the name of the back end; None where it is not to be had."""
    done = subprocess.run(["oomtop", "--once", "--json", "--backend", backend], capture_output=True, text=True)
    if done.returncode != 0:
        say(done.stderr.strip())
        return None, None, None
    document = json.loads(done.stdout)
    return {(p["pid"], p["start_ticks"]): p for p in document["processes"]}, document["backend"], document["host"]


def facts(row):
    if row["kernel_thread"]:
        # The files append a kernel worker's current work to its name.
        return (row["ppid"], row["uid"])
    return (row["comm"], *(row.get(key) for key in SAME))


def compare(backend, wanted):
    """Rows that rest must be equal to the digit; `wanted` must be among them."""
    compared, wrong = set(), {}
    for _ in range(6):
        before = table("proc-all")[0]
        walked, name, host = table(backend)
        if walked is None:
            return None
        after = table("proc-all")[0]
        for key, row in before.items():
            if key in after and facts(after[key]) == facts(row):
                mine = walked.get(key)
                if mine is not None and facts(mine) == facts(row):
                    compared.add(key)
                    wrong.pop(key, None)
                elif key not in compared:
                    wrong[key] = (facts(row), mine and facts(mine))
        if not wrong and wanted <= {pid for pid, _ in compared}:
            break
    for key, pair in wrong.items():
        say(key, *pair)
    check(not wrong, "%s: %d rows are those of /proc" % (name, len(compared)))
    check(wanted <= {pid for pid, _ in compared}, "%s: the hogs are among them" % name)
    say("rules", host["release"], host["rules"])
    return name


def main():
    """The task walk is there since 6.7, the task iterator since 5.8. Before 6.2 the counters have no
    per-CPU parts; since 7.0 badness sums those parts, and so do the rows of every back end."""
    kernel = tuple(int(number) for number in os.uname().release.split("-")[0].split(".")[:2])
    walk, iterator = kernel >= (6, 7), kernel >= (5, 8)
    protect()
    hogs = [Hog("hog-%d" % n, mb=5 + n, adj=100 * n - 100) for n in range(4)]
    many = subprocess.Popen([sys.executable, "-c", THREADS], stdout=subprocess.PIPE, text=True)
    many.stdout.readline()
    wanted = {hog.pid for hog in hogs} | {many.pid}
    name = compare("bpf", wanted)
    best = "bpf task walk" if walk else "bpf task iterator" if iterator else None
    check(name == best, "--backend bpf is %s (%s)" % (best, name))
    name = compare("bpf-iterator", wanted)
    check((name is not None) == iterator, "--backend bpf-iterator: %s" % name)
    compare("proc", wanted)
    many.kill()
    for hog in hogs:
        hog.stop()
    finish()


main()
