#!/usr/bin/python3
"""systemd-oomd and earlyoom write to the journal alone: their kills are rows all the same, each once, with the reason,
and what an ordinary user writes under their names is none."""
# vm: --mem 512M --swap 128M
# kernels: 6.1
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, events, runs, until
from vmlab import check, finish, mlockall, protect, say


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def rows(text, what):
    """The rows of the pane that begin with a time and hold this."""
    return [line for line in events(text) if re.match(r"\d\d:\d\d:\d\d ", line) and what in line]


protect()
mlockall()
if not os.path.exists("/lib/systemd/systemd-oomd"):
    say("SKIP  systemd-oomd is not in this image")
    finish()
os.makedirs("/etc/systemd/oomd.conf.d", exist_ok=True)
with open("/etc/systemd/oomd.conf.d/t.conf", "w") as conf:
    conf.write("[OOM]\nDefaultMemoryPressureDurationSec=3s\n")
with open("/run/systemd/system/pressure.slice", "w") as unit:
    unit.write("[Slice]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=5%\nMemoryHigh=50M\n")
sh("systemctl", "daemon-reload")
sh("systemctl", "stop", "earlyoom.service")
sh("systemctl", "restart", "systemd-oomd.service")
tui = Tui(cols=150, rows=45)
tui.keys("e")
tui.wait("both logs in the title", lambda t: re.search(r"OOM events.*live from /dev/kmsg \+ journal", t))
check(not rows(tui.text(), "systemd-oomd"), "no row of it before")

# A user's word, which nothing proves, comes before the true one.
sh("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "logger", "-t", "systemd-oomd",
   "Killed /forged.slice due to memory pressure for /forged.slice being 99.99% > 5.00% for > 3s")
check("forged.slice" in sh("journalctl", "-b", "--no-pager", "-t", "systemd-oomd"), "the journal holds the forged line")

for unit, preference in (("kept", "omit"), ("late", "avoid")):
    sh("systemd-run", "--unit=" + unit, "--slice=pressure.slice", "-p", "ManagedOOMPreference=" + preference, "sleep", "98765")
wanted = [["/pressure.slice/kept.service", "omit"], ["/pressure.slice/late.service", "avoid"]]
spared = lambda: next((one["spared"] for one in json.loads(sh("oomtop", "--once", "--json"))["killers"]
                       if one["killer"] == "systemd-oomd"), None)
until(lambda: spared() == wanted, 15)
check(spared() == wanted, "whom it spares is known: %s" % spared())

hog = "for i in 1 2 3; do /usr/bin/python3 -S -E /vmlab/lib/hog --name pv$i --mb 40 --touch 0.01 & done; wait"
sh("systemd-run", "--unit=pvictim", "--slice=pressure.slice", "-p", "OOMPolicy=continue", "/bin/sh", "-c", hog)
killed = until(lambda: "illed /pressure" in sh("journalctl", "-b", "--no-pager", "-u", "systemd-oomd"), 60)
check(killed, "systemd-oomd killed")
screen = tui.wait("its row", lambda t: rows(t, "systemd-oomd killed /pressure.slice"))
say(*rows(screen, "systemd-oomd"))
check("memory pressure for /pressure.slice being" in rows(screen, "systemd-oomd killed")[0], "with its reason")
counted = until(lambda: "systemd-oomd killed" in sh("journalctl", "-b", "--no-pager", "_PID=1"), 30)
check(counted, "systemd counted its dead, or said that there are some")
# A second row would come now.
kills = len(rows(tui.text(), "systemd-oomd killed"))
until(lambda: len(rows(tui.text(), "systemd-oomd killed")) != kills, 3)
same = tui.text()
kills = len(rows(same, "systemd-oomd killed"))
check(kills == 1, "one kill, one row: %d" % kills)
check(not rows(same, "forged.slice"), "a user's word is no row")
userspace = json.loads(sh("oomtop", "--json"))["events"]["userspace"]
check(len(userspace) == kills, "as many in --json: %d" % len(userspace))
check(all(kill["killer"] == "systemd-oomd" and kill["reason"] for kill in userspace), "with killer and reason")
sh("systemctl", "stop", "systemd-oomd.service", "systemd-oomd.socket", "pvictim.service", "kept.service", "late.service")

if shutil.which("earlyoom"):
    sh("systemd-run", "--unit=eoom", "earlyoom", "-m", "30", "-s", "100", "-r", "3600")
    sh("systemd-run", "--unit=ehog", "/usr/bin/python3", "-S", "-E", "/vmlab/lib/hog", "--name", "ehog", "--mb", "60",
       "--leak", "40", "--now")
    until(lambda: "sending SIGTERM to process" in sh("journalctl", "-b", "--no-pager", "-u", "eoom"), 40)
    line = re.search(r'sending SIGTERM to process (\d+) uid \d+ "([^"]*)"', sh("journalctl", "-b", "--no-pager", "-u", "eoom"))
    check(line, "earlyoom killed")
    screen = tui.wait("its row", lambda t: rows(t, "earlyoom killed %s %s" % line.groups()))
    say(*rows(screen, "earlyoom"))
    check("mem" in rows(screen, "earlyoom killed")[0].partition("ehog")[2], "with its reason")

# It ends with the screen, and so does what it read from.
oomtop = sh("pgrep", "-x", "oomtop").split()
readers = [pid for parent in oomtop for pid in sh("pgrep", "-P", parent).split()]
check(readers, "a journalctl is read from")
tui.keys("q")
left = lambda: [pid for pid in oomtop + readers if runs(pid)]
check(until(lambda: not left(), 20), "nothing is left behind")
tui.quit()
sh("systemctl", "stop", "eoom.service", "ehog.service")
finish()
