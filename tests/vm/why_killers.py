#!/usr/bin/python3
"""The host's OOM, earlyoom and systemd-oomd kill in a service, a scope and a container's scope: what oomtop says in the
details of the process, and afterwards by pid, by unit and by container.
No answer is wrong; the unknown ones are counted."""
# vm: --mem 512M --swap 128M
# kernels: 6.1
# long: each death is waited for on the screen and asked for afterwards: a minute or more
import os
import re
import shutil
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from dier import WHERES, Dier, is_kind, is_oom, sh, total, verdict, watched
from screen import Tui
from vmlab import finish, mlockall, protect, say


protect()
mlockall()
say(sh("systemctl", "--version").splitlines()[0])
for program in ("earlyoom.service", "systemd-oomd.service", "systemd-oomd.socket", "eoom.service"):
    sh("systemctl", "stop", program)

tui = Tui("-d", "0.5", cols=140, rows=40)
tui.wait("logs and tracepoints", lambda t: re.search(r"live from .*journal.*tracepoint", t))
asked = []
for where in WHERES:
    dier = Dier("host", where, "leak", "MemorySwapMax=0")
    watched(tui, dier, dier.go, "kernel_oom")
    asked.append((dier, is_oom("host")))

if shutil.which("earlyoom"):
    sh("systemd-run", "--unit=eoom", "earlyoom", "-m", "45,30", "-s", "100,100", "-r", "3600")
    for where in WHERES:
        dier = Dier("early", where, "leak")
        watched(tui, dier, dier.go, "program")
        asked.append((dier, is_kind("program", killer="earlyoom")))
    sh("systemctl", "stop", "eoom")

if os.path.exists("/lib/systemd/systemd-oomd"):
    os.makedirs("/etc/systemd/oomd.conf.d", exist_ok=True)
    with open("/etc/systemd/oomd.conf.d/t.conf", "w") as conf:
        conf.write("[OOM]\nDefaultMemoryPressureDurationSec=3s\n")
    with open("/run/systemd/system/pressed.slice", "w") as unit:
        unit.write("[Slice]\nManagedOOMMemoryPressure=kill\nManagedOOMMemoryPressureLimit=5%\nMemoryHigh=50M\n")
    sh("systemctl", "daemon-reload")
    sh("systemctl", "restart", "systemd-oomd.service")
    for where in WHERES:
        dier = Dier("oomd", where, "press", "--slice=pressed.slice")
        watched(tui, dier, dier.go, "program")
        asked.append((dier, is_kind("program", killer="systemd-oomd")))

tui.quit()
total(asked)
verdict()
finish()
