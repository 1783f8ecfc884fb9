#!/usr/bin/python3
"""The .deb installs, runs and goes: manual pages, completions, services that start when asked to and not before, and nothing
left behind."""
# vm: --mem 512M
# long: it needs the packages that assets/package/build makes; .ci/package makes them and runs it
import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, until
from vmlab import Hog, check, finish, read, say

PACKAGE = next(iter(glob.glob(os.environ["VMLAB_FILES"] + "/*.deb")), None)
if not PACKAGE:
    say("SKIPPED: the .deb because none was handed to this machine; .ci/package does")
    finish()
PROGRAM = "/usr/bin/oomtop"


def sh(*command, user=None):
    if user:
        command = ("runuser", "-u", user, "--", *command)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout.strip()


def tree():
    """Every file of the system but those of the kernel, of dpkg and of what logs."""
    found = set()
    for top, dirs, files in os.walk("/"):
        dirs[:] = [d for d in dirs if os.path.join(top, d) not in (
            "/proc", "/sys", "/dev", "/run", "/tmp", "/vmlab", "/var/lib/dpkg", "/var/log/journal", "/var/cache", "/var/tmp", "/var/lib/systemd")]
        found |= {os.path.join(top, name) for name in dirs + files}
    return found


before = tree()
status, told = sh("dpkg", "-i", PACKAGE)
say(told)
check(status == 0, "dpkg -i")
enabled = sh("systemctl", "list-unit-files", "--no-legend", "oomtop-*")[1]
states = [line.split()[1] for line in enabled.splitlines()]
check(states == ["disabled"] * 5, "five services, none enabled: %s" % states)
check(not sh("pgrep", "-x", "oomtop")[1], "nothing was started")
status, told = sh(PROGRAM, "--version")
check(status == 0 and told.startswith("oomtop "), told)
wanted = ["/usr/share/man/man1/oomtop.1.gz", "/usr/share/bash-completion/completions/oomtop",
          "/usr/share/doc/oomtop/copyright"] + ["/usr/share/man/man5/oomtop-%s.5.gz" % page for page in ("config", "rules", "recording")]
lacks = [path for path in wanted if not os.path.exists(path)]
# This image's dpkg leaves out documentation.
check(not [path for path in lacks if "/doc/" not in path and "/man/" not in path], "what it lacks here: %s" % lacks)
os.environ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ["PATH"]
tui = Tui()
check("Mem " in tui.text() and "OOM events" in tui.text(), "the screen")
tui.quit()

# Services, each started by hand.
os.makedirs("/etc/oomtop", exist_ok=True)
with open("/etc/oomtop/rules.toml", "w") as rules:
    rules.write('[[rule]]\nname = "ruled"\nuser = "root"\nlevel = "high"\n')
os.makedirs("/var/lib/prometheus/node-exporter", exist_ok=True)
for unit in ("protect", "record", "metrics", "textfile", "watch"):
    status, told = sh("systemctl", "start", "oomtop-%s.service" % unit)
    check(status == 0 and until(lambda: sh("systemctl", "is-active", "oomtop-%s" % unit)[1] == "active"), "oomtop-%s runs %s" % (unit, told))
ruled = Hog("ruled", mb=4, adj=0)
check(until(lambda: read("/proc/%d/oom_score_adj" % ruled.pid).strip() == "-500"), "oomtop-protect applies a rule")
check(until(lambda: os.path.exists("/var/log/oomtop/last.oomrec")), "oomtop-record records")
for unit in ("protect", "record", "metrics", "textfile", "watch"):
    told = sh("systemctl", "is-active", "oomtop-%s" % unit)[1]
    check(told == "active", "oomtop-%s still runs (%s) %s" % (unit, told, sh("journalctl", "-q", "-n3", "-u", "oomtop-%s" % unit)[1] if told != "active" else ""))

ruled.stop()

os.unlink("/etc/oomtop/rules.toml")
status, told = sh("dpkg", "-P", "oomtop")
say(told)
check(status == 0 and "warning" not in told, "dpkg -P without a warning")
check(until(lambda: not sh("pgrep", "-x", "oomtop")[1]), "no service is left")
shutil.rmtree("/var/lib/prometheus/node-exporter")
left = {path for path in tree() - before if "__pycache__" not in path and path not in ("/var/lib/prometheus", "/var/log/dpkg.log")}
check(not left, "nothing is left: %s" % sorted(left)[:10])
check("oomtop" not in sh("systemctl", "list-unit-files", "--no-legend")[1], "systemd knows no unit of it")
finish()
