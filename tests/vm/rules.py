#!/usr/bin/python3
"""Rules under systemd: the hardened unit of assets/ starts, notices starts under each way, lowers values, keeps a service
at its value over a restart, reads rules again at a reload, and ends cleanly."""
# vm: --mem 512M
# kernels: 6.1
# kernels when named: 6.12
# long: systemd starts the unit three times, and its analysis is slow in an emulator: a minute or more
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import check, finish, say

UNIT = "oomtop-protect.service"
SERVICE = "/etc/systemd/system/" + UNIT
RULES = """[[rule]]
title = "web"
unit = "ruled-web.service"
level = "high"

[[rule]]
title = "CI"
command = "*ruled-supervisor*"
adj = -600
children = "sacrifice"
"""


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def adj(pid):
    try:
        with open("/proc/%d/oom_score_adj" % pid) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def rules(text):
    with open("/etc/oomtop/rules.toml", "w") as file:
        file.write(text)


def main_pid(unit):
    return int(sh("systemctl", "show", "-P", "MainPID", unit).strip() or 0)


def journal():
    return sh("journalctl", "-u", UNIT, "-o", "cat", "--no-pager")


class Supervisor:
    """A shell that makes children."""

    def __init__(self):
        script = "while read n; do i=0; while [ $i -lt $n ]; do sleep 1000 & i=$((i+1)); done; echo made; done"
        self.shell = subprocess.Popen(["sh", "-c", script, "ruled-supervisor"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, start_new_session=True)

    def make(self, count):
        self.shell.stdin.write("%d\n" % count)
        self.shell.stdin.flush()
        assert self.shell.stdout.readline() == "made\n"

    def children(self):
        return [int(pid) for pid in sh("pgrep", "-P", str(self.shell.pid)).split()]

    def end(self):
        os.killpg(self.shell.pid, 9)
        self.shell.wait()


os.makedirs("/etc/oomtop", exist_ok=True)
rules(RULES)
if os.path.realpath(shutil.which("oomtop")) != "/usr/bin/oomtop":
    shutil.copy(shutil.which("oomtop"), "/usr/bin/oomtop")
shutil.copy(os.path.join(os.environ["VMLAB_FILES"], UNIT), SERVICE)
sh("systemctl", "daemon-reload")
said = sh("systemd-analyze", "verify", SERVICE)
check(UNIT not in said, "systemd-analyze verify finds nothing wrong: " + said)
exposure = re.search(r"exposure level.*: ([0-9.]+)", sh("systemd-analyze", "security", "--no-pager", UNIT))
check(exposure and float(exposure.group(1)) < 4.5, "exposure %s" % (exposure and exposure.group(1)))

for way in ("auto", "connector", "scan"):
    drop_in = SERVICE + ".d"
    os.makedirs(drop_in, exist_ok=True)
    with open(drop_in + "/way.conf", "w") as file:
        file.write("[Service]\nExecStart=\nExecStart=/usr/bin/oomtop protect --starts %s\n" % way)
    sh("systemctl", "daemon-reload")
    before = journal().count("in force")
    sh("systemctl", "restart", UNIT)
    check(until(lambda: journal().count("in force") > before), "%s: it runs: %s" % (way, journal()[-400:]))
    say([line for line in journal().splitlines() if "in force" in line][-1])
    supervisor = Supervisor()
    supervisor.make(100)
    children = supervisor.children()
    begin = time.monotonic()
    check(until(lambda: all(adj(pid) == 300 for pid in children)), "%s: %d children are sacrificed" % (way, len(children)))
    say("%s: all after %.2f s" % (way, time.monotonic() - begin))
    check(until(lambda: adj(supervisor.shell.pid) == -600), "%s: the supervisor is kept" % way)
    supervisor.end()

web = "ruled-web.service"
sh("systemd-run", "--unit", web, "--property", "Restart=always", "sleep", "1000")
first = main_pid(web)
check(until(lambda: adj(first) == -500), "a service gets its value")
sh("systemctl", "restart", web)
second = main_pid(web)
check(second != first and until(lambda: adj(second) == -500), "and has it after a restart")
rules("[[rule]]\nunit = \"%s\"\nlevle = \"high\"\n" % web)
sh("systemctl", "reload", UNIT)
check(until(lambda: "did you mean level?" in journal()), "wrong rules are told")
check(adj(second) == -500 and sh("systemctl", "is-active", UNIT).strip() == "active", "and change nothing")
rules("[[rule]]\nunit = \"%s\"\nadj = -250\n" % web)
sh("systemctl", "reload", UNIT)
check(until(lambda: adj(second) == -250), "other rules are in force after a reload")
sh("systemctl", "stop", web, UNIT)
result = sh("systemctl", "show", "-P", "Result", UNIT).strip()
check(result == "success", "it ends cleanly: " + result)
shutil.rmtree(SERVICE + ".d")
os.unlink(SERVICE)
sh("systemctl", "daemon-reload")
finish()
