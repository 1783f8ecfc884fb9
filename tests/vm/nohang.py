#!/usr/bin/python3
"""nohang itself, of Debian's package, kills for want of memory: the panel says when it acts, it acts there and not before,
and the events, the details and `why` say that it was nohang."""
# vm: --mem 512M
# kernels: 6.1
# packages: nohang
# long: the package is fetched, and the kill waited for
import glob
import os
import re
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from dier import Dier, is_kind, sh, total, verdict, watched
from screen import Tui, events, flat
from vmlab import check, finish, mlockall, protect, say

HOME = "/opt/nohang"
CONFIG = "/etc/nohang.conf"

protect()
mlockall()
debs = glob.glob(os.path.join(os.environ["VMLAB_FILES"], "nohang*.deb"))
if not debs:
    say("SKIP  the package nohang could not be had")
    finish()
sh("dpkg-deb", "-x", debs[0], HOME)
say(sh(HOME + "/usr/sbin/nohang", "--version"))
for program in ("earlyoom.service", "systemd-oomd.service", "systemd-oomd.socket"):
    sh("systemctl", "stop", program)
# Debian's own configuration, but for the level: so much is left of a small machine.
found = glob.glob(HOME + "/**/nohang.conf", recursive=True)
with open(found[0]) as file:
    text = file.read()
for key, value in (("soft_threshold_min_mem", "35 %"), ("hard_threshold_min_mem", "15 %")):
    text, times = re.subn(r"(?m)^%s *=.*$" % key, "%s = %s" % (key, value), text)
    check(times == 1, "%s is set in %s" % (key, found[0]))
with open(CONFIG, "w") as file:
    file.write(text)
sh("systemd-run", "--unit=nohang", HOME + "/usr/sbin/nohang", "--monitor", "--config", CONFIG)

tui = Tui("-d", "0.5", cols=140, rows=44)
tui.wait("who acts first, in the header", lambda t: "nohang acts first" in t)
tui.keys("S")
panel = flat(tui.wait("nohang in the panel", lambda t: "SIGTERM when" in t and "SIGKILL when" in t))
say(panel)
check("set by " + CONFIG in panel, "its file is the one it was started with")
check("SIGTERM when available ≤ 35% " in panel, "SIGTERM at 35%")
check("SIGKILL when available ≤ 15% " in panel, "SIGKILL at 15%")
check("nohang acts before the kernel" in panel, "nohang is the first to act")
tui.keys("Escape")

dier = Dier("nohang", "service", "leak")
watched(tui, dier, dier.go, "program")
journal = sh("journalctl", "-b", "--no-pager", "-u", "nohang")
said = re.search(r"MemAvailable \[\d+ MiB, ([\d.]+) %\] <= (soft|hard)_threshold_min_mem", journal)
say(said and said.group(0))
check(said and float(said.group(1)) <= 35.0, "it acted at its level and not before")
check("Sending SIGTERM to the victim" in journal, "nohang sent SIGTERM")
tui.wait("its row", lambda t: any("nohang killed %d" % dier.pid in row for row in events(t)))
tui.quit()
with open("/tmp/nohang.log", "w") as file:
    file.write(journal)
explained = sh("oomtop", "explain", "/tmp/nohang.log")
say(explained)
check(re.search(r"nohang +%d %s" % (dier.pid, dier.name), explained), "explain knows its kill by its own words")
check("Out of memory: Killed" not in sh("dmesg"), "the kernel did not have to kill")
total([(dier, is_kind("program", killer="nohang"))])
verdict()
finish()
