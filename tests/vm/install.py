#!/usr/bin/python3
"""The .deb installs, runs, takes the place of an older one and goes: manual pages, completions, services that start when asked
to and not before and go on after an upgrade, settings that stay until a purge, and nothing left behind."""
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

# Of a version 0.0.1, if it was handed over, and the one to try.
OLD = next(iter(glob.glob(os.environ["VMLAB_FILES"] + "/oomtop_0.0.1*.deb")), None)
PACKAGE = next((path for path in glob.glob(os.environ["VMLAB_FILES"] + "/*.deb") if path != OLD), None)
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


UNITS = ("protect", "record", "metrics", "textfile", "watch")


def state(unit):
    """Whether a service runs, is enabled, and as which process."""
    words = sh("systemctl", "show", "-p", "ActiveState,UnitFileState,MainPID", "--value", "oomtop-" + unit)[1].split()
    return {"active": "active" in words, "enabled": "enabled" in words, "pid": next(word for word in words if word.isdigit())}


def upgrade():
    """From an older version to this one: what runs goes on with the new program, what does not stays as it is."""
    status, told = sh("dpkg", "-i", OLD)
    check(status == 0 and sh("dpkg-query", "-W", "-f", "${Version}", "oomtop")[1].startswith("0.0.1"), "an older version is there")
    os.makedirs("/etc/oomtop", exist_ok=True)
    with open("/etc/oomtop/rules.toml", "w") as rules:
        rules.write('[[rule]]\nname = "ruled"\nuser = "root"\nlevel = "high"\n')
    sh("systemctl", "start", "oomtop-protect")
    sh("systemctl", "enable", "--now", "oomtop-record")
    sh("systemctl", "enable", "oomtop-watch")
    check(until(lambda: state("record")["active"] and state("protect")["active"]), "two services of the old version run")
    check(until(lambda: os.path.exists("/var/log/oomtop/last.oomrec")), "and one records")
    old = {unit: state(unit) for unit in UNITS}
    status, told = sh("dpkg", "-i", PACKAGE)
    say(told)
    check(status == 0 and "warning" not in told, "dpkg -i over the older version")
    new = {unit: state(unit) for unit in UNITS}
    for unit in UNITS:
        same = [new[unit][what] == old[unit][what] for what in ("active", "enabled")]
        check(all(same), "oomtop-%s is as it was: %s" % (unit, new[unit]))
        if old[unit]["active"]:
            check(new[unit]["pid"] != old[unit]["pid"], "oomtop-%s runs the new program" % unit)
    check(not sh("systemctl", "--failed", "--no-legend", "oomtop-*")[1], "no service failed")
    status, told = sh("dpkg", "-r", "oomtop")
    check(status == 0 and not os.path.exists(PROGRAM), "dpkg -r takes the program")
    check(until(lambda: not sh("pgrep", "-x", "oomtop")[1]), "and ends its services")
    kept = [path for path in ("/etc/oomtop/rules.toml", "/var/log/oomtop/last.oomrec") if os.path.exists(path)]
    check(len(kept) == 2, "settings and recordings stay: %s" % kept)
    status, told = sh("dpkg", "-P", "oomtop")
    check(status == 0 and "warning" not in told, "dpkg -P of what was removed")
    gone()


def gone():
    """Nothing of the package is left."""
    left = {path for path in tree() - before if "__pycache__" not in path and path not in ("/var/lib/prometheus", "/var/log/dpkg.log")}
    check(not left, "nothing is left: %s" % sorted(left)[:10])
    check("oomtop" not in sh("systemctl", "list-unit-files", "--no-legend")[1], "systemd knows no unit of it")


before = tree()
if OLD:
    upgrade()
else:
    say("SKIPPED: the upgrade because no older .deb was handed to this machine")
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
for unit in UNITS:
    status, told = sh("systemctl", "start", "oomtop-%s.service" % unit)
    check(status == 0 and until(lambda: sh("systemctl", "is-active", "oomtop-%s" % unit)[1] == "active"), "oomtop-%s runs %s" % (unit, told))
ruled = Hog("ruled", mb=4, adj=0)
check(until(lambda: read("/proc/%d/oom_score_adj" % ruled.pid).strip() == "-500"), "oomtop-protect applies a rule")
check(until(lambda: os.path.exists("/var/log/oomtop/last.oomrec")), "oomtop-record records")
for unit in UNITS:
    told = sh("systemctl", "is-active", "oomtop-%s" % unit)[1]
    check(told == "active", "oomtop-%s still runs (%s) %s" % (unit, told, sh("journalctl", "-q", "-n3", "-u", "oomtop-%s" % unit)[1] if told != "active" else ""))

ruled.stop()

status, told = sh("dpkg", "-P", "oomtop")
say(told)
check(status == 0 and "warning" not in told, "dpkg -P without a warning")
check(until(lambda: not sh("pgrep", "-x", "oomtop")[1]), "no service is left")
shutil.rmtree("/var/lib/prometheus/node-exporter")
gone()
finish()
