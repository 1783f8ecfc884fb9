#!/usr/bin/python3
"""The .deb installs, runs, takes the place of an older one and goes: manual pages, completions, services that start when asked
to and not before and go on after an upgrade, settings that stay until a purge, and nothing left behind."""
# vm: --mem 512M
# long: it needs the packages that assets/package/build makes; .ci/package makes them and runs it
import glob
import os
import shutil
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import check, finish, say

# Of a version 0.0.1, if it was handed over, and the one to try.
OLD = next(iter(glob.glob(os.environ["VMLAB_FILES"] + "/oomtop_0.0.1*.deb")), None)
PACKAGE = next((path for path in glob.glob(os.environ["VMLAB_FILES"] + "/oomtop_*.deb") if path != OLD), None)
if not PACKAGE:
    say("SKIPPED: the .deb because none was handed to this machine; .ci/package does")
    finish()
from packaged import ended, go_on, gone, has, is_idle, run_some, sh, tree, works


def upgrade():
    """From an older version to this one."""
    status, told = sh("dpkg", "-i", OLD)
    check(status == 0 and sh("dpkg-query", "-W", "-f", "${Version}", "oomtop")[1].startswith("0.0.1"), "an older version is there")
    old = run_some()
    status, told = sh("dpkg", "-i", PACKAGE)
    say(told)
    check(status == 0 and "warning" not in told, "dpkg -i over the older version")
    go_on(old)
    status, told = sh("dpkg", "-r", "oomtop")
    check(status == 0, "dpkg -r")
    ended()
    status, told = sh("dpkg", "-P", "oomtop")
    check(status == 0 and "warning" not in told, "dpkg -P of what was removed")
    gone(before)


before = tree()
if OLD:
    upgrade()
else:
    say("SKIPPED: the upgrade because no older .deb was handed to this machine")
status, told = sh("dpkg", "-i", PACKAGE)
say(told)
check(status == 0, "dpkg -i")
is_idle()
# This image's dpkg leaves out documentation.
lacks = has("/usr/share/zsh/vendor-completions/_oomtop")
check(not [path for path in lacks if "/man/" not in path], "what it lacks here: %s" % lacks)
works()
status, told = sh("dpkg", "-P", "oomtop")
say(told)
check(status == 0 and "warning" not in told, "dpkg -P without a warning")
check(not sh("pgrep", "-x", "oomtop")[1], "no service is left")
shutil.rmtree("/var/lib/prometheus/node-exporter")
gone(before)
finish()
