#!/usr/bin/python3
"""oomtop run on cgroup v2: the numbers equal the files of the group, and the advised limit does while nine tenths of it do not,
N of N."""
# vm: --mem 512M
# kernels: 6.12
# kernels when named: 5.10 6.1
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import until
from vmlab import CG, check, finish, protect, read, say

# Each is three runs in an emulated machine; ten of ten have held in a longer trial.
ROUNDS = 3
HOG = """
import ctypes, mmap, sys, time
held = []
for mb in map(int, sys.argv[1:]):
    area = mmap.mmap(-1, mb << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(area)), 1, len(area))
    held.append(area)
    time.sleep(0.02)
"""
HIT = 86


SCOPE = ["systemd-run", "--scope", "--quiet", "-p", "Delegate=yes"]


def run(*options, command=None, mb=(30, 30, 30), within=SCOPE):
    """Runs a hog, or a command; the status and the report."""
    command = command or [sys.executable, "-c", HOG, *map(str, mb)]
    done = subprocess.run([*within, "oomtop", "run", "--no-tui", "--json", *(() if "--adj" in options else ("--adj", "0")), *options, "--", *command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text = done.stderr.decode()
    at = text.find("{")
    return done.returncode, json.loads(text[at:]) if at >= 0 else text


def events(group, key):
    return int(re.search(r"^%s (\d+)$" % key, read(CG + group + "/memory.events"), re.M)[1])


protect()
SEEN = "cat /proc/self/cgroup; systemctl show -p Slice -p Delegate -p ActiveState $(basename $(dirname $(sed s/^0::// /proc/self/cgroup)))"
def scope(who, within, slice_, user=""):
    """Outside a place that was delegated systemd gives a scope."""
    show = SEEN.replace("systemctl", "systemctl " + user)
    done = subprocess.run([*within, "oomtop", "run", "--no-tui", "--limit", "64M", "--", "sh", "-c", show], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    group = done.stdout.partition("::")[2].partition("\n")[0]
    name = group.rpartition("/")[2]
    check(done.returncode == 0 and "/%s/%s.scope/%s" % (slice_, name, name) in group, "%s is in a scope: %s %s %s" % (who, done.returncode, group, done.stderr))
    facts = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    check(re.search(r"^oomtop: leaves \S+ for %s.scope$" % re.escape(name), done.stderr, re.M), "it says which unit it leaves: %s" % done.stderr)
    check(facts == {"Slice": slice_, "Delegate": "yes", "ActiveState": "active"}, "as it should be: %s" % facts)
    check("limit 64" in done.stderr and until(lambda: not os.path.exists(CG + os.path.dirname(group))), "the scope ends with the run")


scope("root", [], "system.slice")
subprocess.run(["systemctl", "start", "user@1000"], check=True)
USER = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "XDG_RUNTIME_DIR=/run/user/1000"]
scope("a user", USER, "app.slice", "--user")
LIMITED = ["systemd-run", "--scope", "--quiet", "-p", "MemoryMax=200M", "sh", "-c", '"$@"; true', "sh"]
status, said = run(within=LIMITED)
check("systemd-run --scope -p Delegate=yes oomtop run" in said, "oomtop leaves no limit, and says what to type: %s" % said)
subprocess.run(["systemctl", "stop", "user@1000"])
status, said = run(within=USER)
check(status == 125 and "cannot be reached over D-Bus" in said and "systemd-run --user" in said, "without a manager of the user: %s" % said)
status, report = run()
say(json.dumps(report, indent=1))
check(status == 0, "the hog runs without a limit (%s)" % status)

# What is left keeps the group, so that its files can be read after the report.
KEEP = 'sleep 1000 </dev/null >/dev/null 2>&1 & "$@"; true'
for limit, mb, hit in (("200M", "60", False), ("40M", "80", True)):
    status, report = run("--limit", limit, "--fail-on-oom", command=["sh", "-c", KEEP, "sh", sys.executable, "-c", HOG, mb])
    group, counters = report["group"], report["counters"]
    peak = read(CG + group + "/memory.peak", "").strip()
    check(not peak or counters["peak"] == int(peak), "memory.peak: %s, file %s" % (counters["peak"], peak))
    for ours, key in (("kills", "oom_kill"), ("ooms", "oom"), ("at_limit", "max")):
        check(counters[ours] == events(group, key), "%s: %s, file %s" % (key, counters[ours], events(group, key)))
    check(read(CG + group + "/memory.max").strip() == str(report["limit"]), "memory.max is %s" % report["limit"])
    check(read(CG + group + "/memory.swap.max", "0").strip() == "0", "no swap")
    check(report["hit"] == hit and (status == HIT) == hit, "hit %s, status %s" % (report["hit"], status))
    named = len(report["victims"])
    check(report["unnamed_kills"] == 0 and (named > 0) == hit, "the log names all %s of %s" % (named, counters["kills"]))
    pressure = read(CG + group + "/memory.pressure", "")
    if pressure:
        total = int(re.search(r"some .*total=(\d+)", pressure)[1])
        check(report["pressure"]["of_group"] and report["pressure"]["some_micros"] == total,
              "some: %s us, file %s" % (report["pressure"]["some_micros"], total))
    for pid in read(CG + group + "/cgroup.procs").split():
        os.kill(int(pid), 9)
    until(lambda: not read(CG + group + "/cgroup.procs", "").strip())
    run(command=["true"])
    check(not os.path.exists(CG + group), "the next run removes %s" % group)

# What the command has left holds no memory control for those who come after it.
BESIDE = """
own=/sys/fs/cgroup$(sed s/^0::// /proc/self/cgroup); mkdir $own/mine; echo $$ >$own/mine/cgroup.procs; cat $own/cgroup.subtree_control
%s
echo left: $(cat $own/cgroup.subtree_control)
"""
done = subprocess.run([*SCOPE, "sh", "-c", BESIDE % "oomtop run --no-tui --limit 64M -- true"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
check("left:" in done.stdout and "memory" not in done.stdout and "limit 64" in done.stderr,
      "memory control is switched off again: %s, %s" % (done.stdout, done.stderr))
KILLED = """
oomtop run --no-tui -- sleep 1000 & sleep 3; echo on: $(cat $own/cgroup.subtree_control); kill -9 $!; wait $!
for group in $own/oomtop-run-*; do echo 1 >$group/cgroup.kill 2>/dev/null || kill $(cat $group/cgroup.procs); done; sleep 1
mkdir $own/other; echo 99M >$own/other/memory.max; oomtop run --no-tui -- true; echo kept: $(cat $own/cgroup.subtree_control)
rmdir $own/other; oomtop run --no-tui -- true
"""
done = subprocess.run([*SCOPE, "sh", "-c", BESIDE % KILLED], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
lines = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
check("memory" in lines.get("on", "") and "memory" in lines.get("kept", "") and "memory" not in lines.get("left", "memory"),
      "after a kill -9 it is switched off where nobody uses it: %s %s" % (lines, done.stderr))

# The host runs out, not the command's limit.
status, report = run("--fail-on-oom", "--adj", "1000", mb=(60,) * 12)
check(report["counters"]["kills"] == 1 and report["counters"]["ooms"] == 0, "the kernel counts the kill: %s" % report["counters"])
check(status == 137 and not report["hit"], "an OOM of the host is no hit of the group's limit: %s" % status)
check([victim["of"] for victim in report["victims"]] == ["host"] and report["advice"]["kind"] == "cut_short",
      "the report says whose memory ran out: %s %s" % (report["victims"], report["advice"]))

enough = short = 0
for number in range(ROUNDS):
    mb = (20 + 3 * number, 30)
    status, report = run(mb=mb)
    advised = report["advice"]["bytes"]
    ran = run("--limit", str(advised), "--fail-on-oom", mb=mb)[0]
    died = run("--limit", str(advised * 9 // 10), "--fail-on-oom", mb=mb)[0]
    enough += ran == 0
    short += died == HIT
    if ran or died != HIT:
        say("%s MB: advised %s, status %s there and %s at nine tenths" % (mb, advised, ran, died))
check(enough == ROUNDS, "it ran at the advised limit, %d of %d" % (enough, ROUNDS))
check(short == ROUNDS, "it died at nine tenths of it, %d of %d" % (short, ROUNDS))
groups = [path for path, _, _ in os.walk(CG) if "oomtop-run-" in path]
check(not groups, "no group is left: %s" % groups)
finish()
