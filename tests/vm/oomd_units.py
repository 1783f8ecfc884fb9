#!/usr/bin/python3
"""What systemd-oomd does with a running unit, set through the limits dialog: systemd has it, keeps it over a restart, tells
systemd-oomd at once, and the undo leaves nothing. It is said where systemd-oomd does not run. The default machine has systemd 252; one
with 257: build --suite trixie --cache DIR, run --cache DIR."""
# vm: --mem 512M
# long: two restarts of a service and a start of systemd-oomd
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, until
from vmlab import CG, check, finish, protect, say

protect()
UNIT = "t-oomd.service"
GROUP = CG + "/system.slice/" + UNIT
RUN = "/run/systemd/system.control/%s.d" % UNIT
ETC = "/etc/systemd/system.control/%s.d" % UNIT


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def show(what):
    return sh("systemctl", "show", UNIT, "-p", what, "--value")


def all_of_it():
    return [show("ManagedOOM" + name) for name in ("MemoryPressure", "MemoryPressureLimit", "Swap", "Preference")]


def attributes():
    return [name for name in os.listxattr(GROUP) if "oomd" in name]


say(sh("systemctl", "--version").splitlines()[0])
with open("/etc/systemd/system/" + UNIT, "w") as file:
    file.write("[Service]\nExecStart=/usr/bin/sleep 1000\n")
sh("systemctl", "stop", "systemd-oomd.socket", "systemd-oomd.service")
sh("systemctl", "daemon-reload")
sh("systemctl", "start", UNIT)
unset = all_of_it()
say("unset: %s %s" % (unset, attributes()))
tui = Tui(rows=50)


def page():
    """The page about systemd-oomd of the unit's limits."""
    tui.only(int(show("MainPID")))
    tui.keys("c")
    tui.wait("the cgroup dialog", lambda t: "Cgroup of" in t)
    tui.keys("Tab", "Tab")
    tui.wait("the limits", lambda t: "Limits of" in t and "by whom" in t)
    tui.keys("Tab")
    return tui.wait("the present values", lambda t: "systemd-oomd and" in t and "now auto" in t)


# It does not run: that is said, and the values are set all the same.
text = page()
say(text)
check("systemd-oomd does not run" in flat(text), "it is said that systemd-oomd does not run")
tui.type("kill")
tui.keys("Down")
tui.type("12.5%")
tui.keys("Down")
tui.type("kill")
say(tui.wait("the plan", lambda t: "ManagedOOMMemoryPressureLimit=12.5%" in flat(t) and "ManagedOOMSwap=kill" in flat(t)))
tui.keys("Enter")
say(tui.wait("the result", lambda t: flat(t).count("done let systemd set") == 3))
check(all_of_it()[0] == "kill" and all_of_it()[2] == "kill" and all_of_it()[1] != unset[1], "systemd has it: %s" % all_of_it())
say("the limit on the bus: %s" % sh("busctl", "get-property", "org.freedesktop.systemd1", "/org/freedesktop/systemd1/unit/t_2doomd_2eservice",
                                     "org.freedesktop.systemd1.Service", "ManagedOOMMemoryPressureLimit"))
tui.keys("Enter")
now = all_of_it()
check(sorted(os.listdir(RUN)) == ["50-ManagedOOM%s.conf" % name for name in ("MemoryPressure", "MemoryPressureLimit", "Swap")], "it is kept: %s" % os.listdir(RUN))
sh("systemctl", "daemon-reload")
sh("systemctl", "restart", UNIT)
check(all_of_it() == now, "it survives daemon-reload and restart: %s" % all_of_it())

# systemd-oomd hears of it.
say(sh("systemctl", "start", "systemd-oomd"))
heard = until(lambda: UNIT in sh("oomctl", "dump"), limit=15)
check(heard and "12.50%" in sh("oomctl", "dump"), "systemd-oomd watches it: %s" % sh("oomctl", "dump"))
tui.undo()
check(until(lambda: all_of_it() == unset), "one undo gives all back: %s" % all_of_it())
check(until(lambda: not os.path.exists(RUN)), "and leaves no file")
check(until(lambda: UNIT not in sh("oomctl", "dump")), "systemd-oomd watches it no longer")
sh("systemctl", "restart", UNIT)
check(all_of_it() == unset, "nor does it come back")

# What somebody has written past systemd stays. First what this systemd does when it is told alone, then what is left after oomtop.
HIGH = GROUP + "/memory.high"


def past_systemd(reloads):
    with open(HIGH, "w") as file:
        file.write("314572800")
    if reloads:
        sh("systemctl", "daemon-reload")
    return open(HIGH).read().strip()


for reloads in (False, True):
    was = past_systemd(reloads)
    sh("systemctl", "set-property", "--runtime", UNIT, "ManagedOOMSwap=kill")
    alone = open(HIGH).read().strip()
    sh("systemctl", "revert", UNIT)
    say("%s: memory.high was %s; systemd told alone leaves %s" % ("after daemon-reload" if reloads else "at once", was, alone))
    was = past_systemd(reloads)
    page()
    tui.keys("Down", "Down")
    tui.type("kill")
    tui.keys("Enter")
    tui.wait("the result", lambda t: "done let systemd set ManagedOOMSwap=kill" in flat(t))
    tui.keys("Enter")
    left = open(HIGH).read().strip()
    check(left == was, "oomtop leaves what was written past systemd: %s" % left)
    tui.undo()
    check(until(lambda: all_of_it() == unset), "taken back")
    check(open(HIGH).read().strip() == was, "and the undo leaves it, too: %s" % open(HIGH).read().strip())
sh("systemctl", "restart", UNIT)

# Whom it spares is an attribute of the group: whether systemd writes it at once is said.
text = page()
check("systemd-oomd does not run" not in flat(text), "now it runs")
tui.keys("Down", "Down", "Down")
tui.type("omit")
tui.keys("BTab")
tui.keys("Enter")
text = flat(tui.wait("the result", lambda t: "done let systemd set ManagedOOMPreference=omit" in flat(t)))
pending = "when the unit starts again" in text
say("ManagedOOMPreference=omit: attributes %s, the dialog: %s" % (attributes(), "from the next start" if pending else "at once"))
check(pending == (not attributes()), "the dialog says what the group says")
check(os.listdir(ETC) == ["50-ManagedOOMPreference.conf"], "for good: %s" % os.listdir(ETC))
tui.keys("Enter")
sh("systemctl", "restart", UNIT)
check("user.oomd_omit" in attributes(), "after a restart the group says it: %s" % attributes())
tui.undo()
check(until(lambda: show("ManagedOOMPreference") == "none"), "taken back")
check(until(lambda: not os.path.exists(ETC)), "no file is left")

# An admin's file that comes later would win at the next daemon-reload.
os.makedirs("/etc/systemd/system/%s.d" % UNIT)
with open("/etc/systemd/system/%s.d/90-admin.conf" % UNIT, "w") as file:
    file.write("[Service]\nManagedOOMSwap=auto\n")
page()
tui.keys("Down", "Down")
tui.type("kill")
tui.keys("Enter")
say(tui.wait("the file that wins", lambda t: "90-admin.conf sets ManagedOOMSwap=" in flat(t)))
check(show("ManagedOOMSwap") == "auto", "nothing was written")
tui.quit()

# Who may not is told, with the command and what is allowed.
user = Tui(rows=50, command=["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"])
tui = user
page()
tui.type("kill")
tui.keys("Enter")
text = flat(tui.wait("the refusal", lambda t: "failed let systemd set" in flat(t)))
say(text)
check("sudo systemctl set-property --runtime %s ManagedOOMMemoryPressure=kill" % UNIT in text, "the command is named")
check("Without root" in text, "and what is allowed instead")
tui.quit()
sh("systemctl", "stop", UNIT)
finish()
