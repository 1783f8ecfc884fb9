#!/usr/bin/python3
"""systemd-oomd and earlyoom run: the panel says when each acts, and each acts there and not before."""
# vm: --mem 512M --swap 256M
# long: both programs are waited for, in a machine of its own; oomd.py has their kills
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, events, flat
from vmlab import check, finish, mlockall, protect, say

HOG = ["/usr/bin/python3", "-S", "-E", "/vmlab/lib/hog"]


def sh(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def leak_until_killed(unit, mb, leak, limit):
    """Runs a leaking hog as a unit until somebody kills it; whether somebody did within so many seconds."""
    sh("systemd-run", "--unit=" + unit, "--slice=swappy.slice", *HOG, "--name", unit, "--mb", str(mb),
       "--leak", str(leak), "--now")
    pid = sh("systemctl", "show", unit, "-p", "MainPID").partition("=")[2]
    end = time.monotonic() + limit
    while os.path.exists("/proc/" + pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


protect()
mlockall()
if not os.path.exists("/lib/systemd/systemd-oomd") or not shutil.which("earlyoom"):
    say("SKIP  systemd-oomd or earlyoom is not in this image")
    finish()
os.makedirs("/etc/systemd/oomd.conf.d", exist_ok=True)
with open("/etc/systemd/oomd.conf.d/t.conf", "w") as conf:
    conf.write("[OOM]\nSwapUsedLimit=55%\nDefaultMemoryPressureLimit=35%\nDefaultMemoryPressureDurationSec=70s\n")
with open("/run/systemd/system/swappy.slice", "w") as unit:
    unit.write("[Slice]\nManagedOOMSwap=kill\n")
with open("/run/systemd/system/pressed.slice", "w") as unit:
    unit.write("[Slice]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=85%\n")
sh("systemctl", "daemon-reload")
say(sh("systemctl", "start", "systemd-oomd.service"))
# The image may have it running already, as its package sets it.
sh("systemctl", "stop", "earlyoom.service")
sh("systemd-run", "--unit=eoom", "earlyoom", "-m", "9,6", "-s", "20,15", "-r", "3600")
sh("systemd-run", "--unit=calm", "--slice=swappy.slice", "/bin/sleep", "600")
sh("systemd-run", "--unit=still", "--slice=pressed.slice", "/bin/sleep", "600")

tui = Tui()
tui.wait("who acts first, in the header", lambda t: "acts first" in t)
tui.keys("S")
text = tui.wait("both killers in the panel", lambda t: "earlyoom" in t and "SIGTERM" in t and "oomd" in t)
say(text)
panel = flat(text)
check("available ≤ 45% " in panel and "free swap ≤ 45% " in panel, "oomd: both below 45% (SwapUsedLimit=55%)")
check("/pressed.slice (full avg10) > 85.0% for 1m10s" in panel, "oomd: pressure above 85% for 70 s")
check("SIGTERM when available ≤ 9% " in panel and "free swap ≤ 20% " in panel, "earlyoom: SIGTERM at 9% and 20%")
check("SIGKILL when available ≤ 6% " in panel and "free swap ≤ 15% " in panel, "earlyoom: SIGKILL at 6% and 15%")
check("systemd-oomd acts before the kernel" in panel, "systemd-oomd is the first to act")
tui.keys("Escape")

killed = leak_until_killed("sbig", 60, 40, 40)
journal = sh("journalctl", "-b", "--no-pager", "-u", "systemd-oomd")
by_oomd = [line for line in journal.splitlines() if "sbig.service" in line and ("Killed" in line or "Marked" in line)]
say(by_oomd)
check(killed and by_oomd, "systemd-oomd killed the group that leaked")
tui.wait("its row", lambda t: any("systemd-oomd killed" in row and "sbig.service" in row for row in events(t)))
# What each measured when it acted is in its own words: a look from outside comes too late.
used = [[int(n) for n in found] for found in re.findall(
    r"memory used \((\d+)\) / total \((\d+)\) and swap used \((\d+)\) / total \((\d+)\)", "\n".join(by_oomd))]
left = [(100 - 100 * memory / total, 100 - 100 * swap / room) for memory, total, swap, room in used]
check(left and all(max(one) < 45.0 for one in left),
      "it waited until both were below 45%: " + ", ".join("%.1f%% and %.1f%%" % one for one in left))
eoom = sh("journalctl", "-b", "--no-pager", "-u", "eoom")
check("to process" not in eoom, "earlyoom had not acted")

sh("systemctl", "stop", "systemd-oomd.service", "systemd-oomd.socket")
tui.keys("S")
text = tui.wait("earlyoom as the first to act", lambda t: "earlyoom acts before the kernel" in flat(t))
check("pressed.slice" not in text, "systemd-oomd is gone from the panel")
tui.keys("Escape")
killed = leak_until_killed("ebig", 60, 40, 90)
eoom = sh("journalctl", "-b", "--no-pager", "-u", "eoom")
say([line for line in eoom.splitlines() if "to process" in line or "avail" in line])
check(killed and "sending SIGTERM to process" in eoom, "earlyoom sent SIGTERM")
check("sending SIGKILL to process" not in eoom.split("sending SIGTERM to process")[0], "SIGTERM came first")
before = eoom.split("sending SIGTERM to process")[0]
left = re.findall(r"mem avail:.*?\( *([\d.]+)%\), swap free:.*?\( *([\d.]+)%\)", before)
check(left and float(left[-1][0]) <= 9.0 and float(left[-1][1]) <= 20.0, "at its level and not before: %s" % left[-1:])
with open("/tmp/eoom.log", "w") as file:
    file.write(eoom)
explained = sh("oomtop", "explain", "/tmp/eoom.log")
say(explained)
victim = re.search(r'sending SIGTERM to process (\d+) uid \d+ "([^"]*)"', eoom)
check(victim and re.search(r"earlyoom +%s %s" % victim.groups(), explained), "explain knows its kill by its own words")
dmesg = sh("dmesg")
check("Out of memory: Killed" not in dmesg, "the kernel did not have to kill")
row = victim and "earlyoom killed %s %s" % victim.groups()
tui.wait("its row", lambda t: row and any(row in line for line in events(t)))
tui.quit()
finish()
