#!/usr/bin/python3
"""One process of a unit is OOM-killed: who else ends is who oomtop said, whatever OOMPolicy says."""
# vm: --mem 512M
# kernels: 6.1
import json
import os
import subprocess
import time

from vmlab import check, finish, mlockall, protect, say

HOG = "/usr/bin/python3 -S -E /vmlab/lib/hog"


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def until(what, limit=20):
    end = time.monotonic() + limit
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def members(cgroup):
    try:
        with open("/sys/fs/cgroup" + cgroup + "/cgroup.procs") as file:
            return [int(line) for line in file]
    except OSError:
        return []


def ended(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def domain_of(cgroup):
    document = json.loads(subprocess.run(["oomtop", "--once", "--json"], stdout=subprocess.PIPE, check=True).stdout)
    return next((domain for domain in document["domains"] if domain["cgroup"] == cgroup), None)


def try_policy(name, kind, policy):
    """A unit of three: two that hold still and one that leaks on a signal into the unit's limit."""
    trigger = "/run/go-" + name
    script = ("%s --name still --mb 4 & %s --name still --mb 4 & "
              "(while [ ! -e %s ]; do sleep 0.1; done; exec %s --name leaker --mb 4 --adj 500 --leak 60 --now) & "
              "wait; sleep 1000" % (HOG, HOG, trigger, HOG))
    limits = ["-p", "MemoryMax=90M", "-p", "MemorySwapMax=0"]
    if policy:
        limits += ["-p", "OOMPolicy=" + policy]
    command = ["systemd-run", "--unit=" + name, *limits, "/bin/sh", "-c", script]
    if kind == "scope":
        command.insert(1, "--scope")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    unit = "%s.%s" % (name, kind)
    cgroup = "/system.slice/" + unit
    if not until(lambda: len(members(cgroup)) >= 4):
        say("SKIP  %s: %s" % (unit, process.stderr.read() if process.poll() else "it does not start"))
        return
    time.sleep(1)
    before = members(cgroup)
    domain = domain_of(cgroup)
    stop, group = domain["unit_stop"], domain["group_kill"]
    announced = bool(stop or group)
    say("      %s %s: unit_stop %s, group_kill %s" % (unit, policy, stop, group))
    open(trigger, "w").close()
    killed = lambda: "oom_kill 0" not in open("/sys/fs/cgroup" + cgroup + "/memory.events").read()

    def has_struck():
        try:
            return killed()
        except OSError:
            return True
    check(until(has_struck), "%s: the kernel killed in it" % unit)
    # Those who go along go at once; those who stay are still there after as long as a stop may take.
    gone = lambda: all(ended(pid) for pid in before)
    dead = until(gone, 15 if announced else 5)
    check(dead == announced, "%s OOMPolicy=%s: announced %s, all %d of it ended: %s"
          % (unit, policy, "all" if announced else "one", len(before), dead))
    if stop:
        # The shell that waits for the trigger becomes the leaker: no process joins between.
        check(abs(stop["processes"] - len(before)) <= 1, "%s: %d processes announced, %d were in it"
              % (unit, stop["processes"], len(before)))
    sh("systemctl", "stop", unit)
    sh("systemctl", "reset-failed", unit)


protect()
mlockall()
say(sh("systemctl", "--version").splitlines()[0])
for policy in (None, "stop", "continue", "kill"):
    try_policy("pol-%s" % policy, "service", policy)
try_policy("pol-scope", "scope", None)
finish()
