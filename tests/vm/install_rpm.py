#!/usr/bin/python3
"""The .rpm installs, runs, takes the place of an older one and goes, by Debian's rpm beside a real systemd. What Fedora's helper
does for units is not here (.ci/package tries it with one that takes notes): the scripts of the package speak to systemd
themselves. Dependencies are not looked at: no package of Debian is in the database of rpm."""
# vm: --mem 512M
# long: it needs the packages that assets/package/build makes; .ci/package makes them and runs it
import glob
import os
import shutil
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import check, finish, say

FILES = os.environ["VMLAB_FILES"]
OLD = next(iter(glob.glob(FILES + "/older.rpm")), None)
PACKAGE = next((path for path in glob.glob(FILES + "/oomtop-*.rpm")), None)
TOOLS = [path for path in glob.glob(FILES + "/*.deb") if not os.path.basename(path).startswith("oomtop_")]
if not PACKAGE or not TOOLS:
    say("SKIPPED: the .rpm because it or rpm was not handed to this machine; .ci/package does")
    finish()
from packaged import RULES, ended, go_on, gone, has, is_idle, run_some, sh, tree, works

status, told = sh("dpkg", "--force-depends", "-i", *TOOLS)
check(sh("rpm", "--version")[0] == 0, "rpm is there")
# Debian's rpm asks for --force-debian where it is not in a root of its own.
RPM = ("rpm", "--force-debian", "--nodeps")


def rpm(*words):
    status, told = sh(*RPM, *words)
    say(told)
    check(status == 0 and "warning" not in told and "failed" not in told, "rpm %s" % " ".join(os.path.basename(word) for word in words))


# Every system with rpm has these, of its package "filesystem"; this image has no page.
FILESYSTEM = ("/usr/share/licenses", "/usr/share/man/man1", "/usr/share/man/man5")


def clear():
    """rpm has no purge."""
    for path in (os.path.dirname(RULES), "/var/log/oomtop"):
        shutil.rmtree(path, ignore_errors=True)


before = tree()
if OLD:
    rpm("-i", OLD)
    check(sh("rpm", "-q", "oomtop")[1].startswith("oomtop-0.0.1"), "an older version is there")
    old = run_some()
    rpm("-U", PACKAGE)
    check(len(sh("rpm", "-q", "oomtop")[1].splitlines()) == 1, "one version is there")
    go_on(old)
    rpm("-e", "oomtop")
    ended()
    clear()
    gone(before, FILESYSTEM)
else:
    say("SKIPPED: the upgrade because no older .rpm was handed to this machine")
rpm("-i", PACKAGE)
is_idle()
check(not has("/usr/share/zsh/site-functions/_oomtop"), "pages and completions: %s" % has("/usr/share/zsh/site-functions/_oomtop"))
works()
status, told = sh("rpm", "-V", "--nodeps", "oomtop")
check(status == 0 and not told, "rpm -V: %s" % told)
rpm("-e", "oomtop")
ended()
clear()
shutil.rmtree("/var/lib/prometheus/node-exporter")
gone(before, FILESYSTEM)
finish()
