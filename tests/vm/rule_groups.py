#!/usr/bin/python3
"""Rules with a group on cgroup v2, with systemd and without: who is moved into it with which limit, who stays in a unit of systemd, and
what the rules view and the metrics say of who is elsewhere and of a limit that is not held."""
# vm: --mem 512M
# kernels: 6.1
# kernels when named: 6.12
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, until
from vmlab import CG, check, finish, protect, read, say

protect()
os.makedirs("/etc/oomtop", exist_ok=True)
RULES = "/etc/oomtop/rules.toml"


def rules(text):
    with open(RULES, "w") as file:
        file.write(text)


def rule(group, name="ruled-job", limits='memory_max = "64M"\nmemory_high = "48M"\n'):
    return '[[rule]]\ntitle = "batch"\ncommand = "*%s*"\nadj = 300\nmove_to = "%s"\n%s' % (name, group, limits)


def group(pid):
    return read("/proc/%d/cgroup" % pid, "").strip().rpartition(":")[2]


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def job(name="ruled-job"):
    """A process with a child, outside of every unit: at the top of the tree."""
    child = subprocess.Popen(["sh", "-c", "sleep 1001 & exec sleep 1000", name], stdin=subprocess.DEVNULL)
    return child


def family(top):
    return [top.pid] + [int(pid) for pid in sh("pgrep", "-P", str(top.pid))[1].split()]


WITHOUT = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /run/systemd && exec "$@"', "sh"]
for where, within in (("with systemd", []), ("without systemd", WITHOUT)):
    path = "/ruled-%s" % ("with" if not within else "without")
    rules(rule(path))
    top = subprocess.Popen(["sh", "-c", "sleep 1001 & read line", "ruled-job"], stdin=subprocess.PIPE)
    until(lambda: len(family(top)) == 2)
    # Its own group would be a unit: out of it, as a process that no unit started.
    os.makedirs(CG + "/free", exist_ok=True)
    for pid in family(top):
        with open(CG + "/free/cgroup.procs", "w") as file:
            file.write(str(pid))
    status, said = sh(*within, "oomtop", "protect", "--check")
    check(status == 1 and said.count("would move from") == 2, "%s: --check names both moves: %s" % (where, said))
    check(not os.path.exists(CG + path), "and makes nothing")
    status, said = sh(*within, "oomtop", "protect", "--once")
    check(status == 0 and "2 processes moved" in said, "%s: both are moved: %s" % (where, said))
    check(all(group(pid) == path for pid in family(top)), "they are there: %s" % [group(pid) for pid in family(top)])
    check(read(CG + path + "/memory.max").strip() == str(64 << 20), "memory.max: %s" % read(CG + path + "/memory.max"))
    check(read(CG + path + "/memory.high").strip() == str(48 << 20), "memory.high: %s" % read(CG + path + "/memory.high"))
    check("memory" in read(CG + "/cgroup.subtree_control"), "memory control is on above it")
    check(sh(*within, "oomtop", "protect", "--check")[0] == 0, "then nothing is left to do")
    # A child that starts later is born there; one that somebody takes out is told.
    stray = family(top)[1]
    with open(CG + "/free/cgroup.procs", "w") as file:
        file.write(str(stray))
    with open(CG + path + "/memory.max", "w") as file:
        file.write("max")
    tui = Tui("--filter", "pid:%d" % stray, rows=50, command=within)
    tui.keys("R")
    text = flat(tui.wait("the rules", lambda t: "batch" in t and "is in /free" in flat(t)))
    say(text)
    check("1 of them is not in %s: %d sleep is in /free" % (path, stray) in text, "%s: the view names who is elsewhere" % where)
    check("memory.max of %s is no limit, not 64M" % path in text, "and the limit that is not held, with both values")
    tui.quit()
    metrics = "/tmp/metrics.prom"
    scraped = subprocess.Popen([*within, "oomtop", "metrics", "--textfile", metrics, "--every", "1"], stdin=subprocess.DEVNULL)
    wanted = ['oomtop_protection_drift_%s{rule="batch",number="1"} 1' % what for what in ("processes", "limits")]
    told = until(lambda: all(line in read(metrics, "").splitlines() for line in wanted), limit=40)
    check(told, "%s: so do the metrics: %s" % (where, [line for line in read(metrics, "").splitlines() if "_drift_" in line]))
    scraped.terminate()
    scraped.wait()
    top.stdin.close()
    top.wait()
    for pid in read(CG + path + "/cgroup.procs", "").split() + read(CG + "/free/cgroup.procs", "").split():
        os.kill(int(pid), 9)
    check(until(lambda: not read(CG + path + "/cgroup.procs", "").strip()), "it is empty")
    until(lambda: not read(CG + "/free/cgroup.procs", "").strip())
    os.rmdir(CG + path)

# Nothing is taken out of a unit of systemd; without systemd nobody would know of one.
rules(rule("/ruled-unit", "ruled-unit"))
sh("systemd-run", "--unit", "t-ruled", "sh", "-c", "sleep 1000; : ruled-unit")
pid = int(sh("systemctl", "show", "-P", "MainPID", "t-ruled.service")[1])
status, said = sh("oomtop", "protect", "--once")
check(status == 1 and "it is in t-ruled.service, and a rule takes nothing out of a unit" in said, "the unit keeps it: %s" % said)
check(group(pid) == "/system.slice/t-ruled.service" and not os.path.exists(CG + "/ruled-unit"), "nothing was made")
status, said = sh("oomtop", "protect", "--why", str(pid))
check("takes nothing out of a unit" in said, "--why says so: %s" % said)
sh("systemctl", "stop", "t-ruled.service")

# Below a group that holds processes itself the kernel takes no limit (cgroup v2 rule): a sentence, and nothing half done.
os.makedirs(CG + "/full", exist_ok=True)
inside = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
with open(CG + "/full/cgroup.procs", "w") as file:
    file.write(str(inside.pid))
rules(rule("/full/below"))
top = subprocess.Popen(["sh", "-c", "read line", "ruled-job"], stdin=subprocess.PIPE)
with open(CG + "/free/cgroup.procs", "w") as file:
    file.write(str(top.pid))
status, said = sh("oomtop", "protect", "--once")
check(status == 1 and "/full holds processes itself" in said, "it is told: %s" % said)
check(group(top.pid) == "/free" and not os.path.exists(CG + "/full/below"), "nothing is left of it")
top.stdin.close()
inside.kill()
inside.wait()
finish()
