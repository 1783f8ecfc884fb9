#!/usr/bin/python3
"""Units of systemd: a limit by the dialog and a value for later survive a restart of the service and a daemon-reload,
their undo leaves no file, what was written past systemd beside it survives both, and a bus that is dead or silent is said
while the keyboard works. The default machine has
systemd 252; one with 257: build --suite trixie --cache DIR, run --cache DIR."""
# vm: --mem 512M
# long: four restarts of a service, each with what was set on it
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, flat, until
from vmlab import CG, check, finish, protect, read, say

protect()
UNIT = "t-later.service"
ETC, CONTROL, RUN = "/etc/systemd/system/", "/etc/systemd/system.control/", "/run/systemd/system.control/"


def sh(*command, ok=True):
    done = subprocess.run(command, capture_output=True, text=True)
    if ok and done.returncode:
        say("$ %s: %d %s" % (" ".join(command), done.returncode, done.stderr.strip()))
    return done.stdout.strip()


def show(what):
    return sh("systemctl", "show", UNIT, "-p", what, "--value")


def pid():
    return int(show("MainPID"))


def adj():
    return read("/proc/%d/oom_score_adj" % pid()).strip()


def limit():
    return read(CG + "/system.slice/" + UNIT + "/memory.max").strip()


def traces():
    """What there is of the unit besides its own file."""
    found = []
    for place in (ETC, CONTROL, RUN, "/run/systemd/system/"):
        for where, _, files in os.walk(place + UNIT + ".d"):
            found += [where] + [where + "/" + name for name in files]
    return found


GROUP = CG + "/system.slice/" + UNIT + "/"


def put(name, text):
    """Writes a file of the group past systemd."""
    with open(GROUP + name, "w") as file:
        file.write(text)


def raw(names):
    return {name: read(GROUP + name).strip() for name in names}


def again():
    """A daemon-reload and a restart."""
    sh("systemctl", "daemon-reload")
    sh("systemctl", "restart", UNIT)


def back(tui, seen):
    """Takes the newest write back; once more if systemd was slower than its dialog waits."""
    tui.undo()
    for _ in range(3):
        if until(seen, limit=40):
            return True
        if "has not answered" not in flat(tui.text()):
            return False
        tui.keys("Enter")
    return False


def limits(tui, of=None):
    """The dialog on the limits of the unit; where systemctl reaches nobody, the caller knows the process."""
    tui.only(of or pid())
    tui.keys("c")
    tui.wait("the cgroup dialog", lambda t: "Cgroup of" in t)
    tui.keys("Tab", "Tab")
    tui.wait("the limits", lambda t: "by whom" in t and "now no limit" in t)


say(sh("systemctl", "--version").splitlines()[0])
with open(ETC + UNIT, "w") as file:
    file.write("[Service]\nExecStart=/usr/bin/sleep 1000\nOOMScoreAdjust=100\n")
sh("systemctl", "daemon-reload")
sh("systemctl", "start", UNIT)
check(adj() == "100" and limit() == "max", "it starts with 100 and without a limit")
tui = Tui()

# A value for now and for later.
tui.only(pid())
tui.adjust(pid())
tui.type("-600")
tui.keys("BTab")
say(tui.wait("the drop-in", lambda t: "+ OOMScoreAdjust=-600" in t and ETC + UNIT + ".d/50-oomtop.conf" in t))
first = pid()
tui.keys("Enter")
check(until(lambda: adj() == "-600"), "the running process has -600 (%s)" % adj())
check(until(lambda: show("OOMScoreAdjust") == "-600"), "systemd has loaded it (%s)" % show("OOMScoreAdjust"))
tui.wait("the end of the dialog", lambda t: "oom_score_adj -" not in t)
again()
check(pid() != first and adj() == "-600", "the restarted process has it, too (%s)" % adj())
check(back(tui, lambda: traces() == []), "u leaves no file (%s)" % traces())
check(until(lambda: show("OOMScoreAdjust") == "100"), "systemd has loaded its own file (%s)" % show("OOMScoreAdjust"))
sh("systemctl", "restart", UNIT)
check(adj() == "100", "the next process has 100 again (%s)" % adj())

# An admin's drop-in stays, whatever oomtop does beside it.
os.makedirs(ETC + UNIT + ".d")
with open(ETC + UNIT + ".d/10-admin.conf", "w") as file:
    file.write("[Service]\nNice=3\n")
sh("systemctl", "daemon-reload")
before = traces()
tui.only(pid())
tui.adjust(pid())
tui.type("-300")
tui.keys("BTab")
tui.wait("the drop-in", lambda t: "+ OOMScoreAdjust=-300" in t)
tui.keys("Enter")
check(until(lambda: show("OOMScoreAdjust") == "-300"), "written beside the admin's (%s)" % show("OOMScoreAdjust"))
tui.wait("the end of the dialog", lambda t: "oom_score_adj -" not in t)
check(back(tui, lambda: traces() == before), "only the own file went (%s)" % traces())
check(until(lambda: adj() == "100"), "and the process has its value back (%s)" % adj())

# A limit until the next boot, and one for good.
for place, keys, size in ((RUN, [], 128), (CONTROL, ["BTab"], 96)):
    limits(tui)
    tui.type("%dM" % size)
    if keys:
        tui.keys(*keys)
    say(tui.wait("the plan", lambda t: "let systemd set MemoryMax=%d" % (size << 20) in t))
    tui.keys("Enter")
    check(until(lambda: limit() == str(size << 20)), "memory.max is %d MiB (%s)" % (size, limit()))
    check(until(lambda: show("MemoryMax") == str(size << 20)), "systemd knows of it (%s)" % show("MemoryMax"))
    tui.wait("the limit read back", lambda t: "done  " in t)
    tui.keys("Enter")
    again()
    check(limit() == str(size << 20), "it survives daemon-reload and restart (%s)" % limit())
    check(os.path.exists(place + UNIT + ".d/50-MemoryMax.conf"), "kept in " + place)
    check(back(tui, lambda: limit() == "max" and traces() == before), "u lifts it and leaves no file (%s, %s)" % (limit(), traces()))
    again()
    check(limit() == "max", "it does not come back (%s)" % limit())

# What was written past systemd beside the limit: systemd writes all of it anew at each call.
past = {"memory.high": str(200 << 20), "memory.low": "8192", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "77"}
before_past = raw(past)
for name, text in past.items():
    put(name, text)
sh("systemctl", "set-property", "--runtime", UNIT, "MemoryMin=4096")
say("systemd alone, asked for MemoryMin=, leaves of %s: %s" % (past, raw(past)))
sh("systemctl", "set-property", "--runtime", UNIT, "MemoryMin=0")
for name, text in past.items():
    put(name, text)
sh("systemctl", "daemon-reload")
say("a daemon-reload leaves %s" % raw(past))
sh("rm", "-rf", RUN + UNIT + ".d")
sh("systemctl", "daemon-reload")
for name, text in past.items():
    put(name, text)
limits(tui)
tui.type("128M")
tui.keys("Enter")
check(until(lambda: limit() == str(128 << 20)), "set beside them (%s)" % limit())
tui.wait("the limit read back", lambda t: "done  " in t)
check(raw(past) == past, "what was set past systemd is as it was (%s)" % raw(past))
tui.keys("Enter")
check(back(tui, lambda: limit() == "max" and traces() == before), "taken back (%s, %s)" % (limit(), traces()))
check(until(lambda: raw(past) == past), "and that is as it was after the undo (%s)" % raw(past))
for name, text in before_past.items():
    put(name, text)

# A service that was stopped since: its undo still has something to take back.
limits(tui)
tui.type("128M")
tui.keys("Enter")
check(until(lambda: limit() == str(128 << 20)), "set once more (%s)" % limit())
tui.wait("the limit read back", lambda t: "done  " in t)
tui.keys("Enter")
sh("systemctl", "stop", UNIT)
check(back(tui, lambda: traces() == before), "no file is left of a stopped one (%s)" % traces())
check(until(lambda: show("MemoryMax") == "infinity"), "nor a property (%s)" % show("MemoryMax"))
sh("systemctl", "start", UNIT)
check(limit() == "max", "it starts without (%s)" % limit())

# An admin's file that comes later would win at the next daemon-reload.
with open(ETC + UNIT + ".d/override.conf", "w") as file:
    file.write("[Service]\nMemoryMax=512M\n")
limits(tui)
tui.type("128M")
tui.keys("Enter")
say(tui.wait("the file that wins", lambda t: "override.conf sets MemoryMax=" in flat(t)))
check(limit() == "max", "nothing is written (%s)" % limit())
tui.keys("Escape")
os.remove(ETC + UNIT + ".d/override.conf")

# A limit of before systemd 231 counts only as long as no newer one is set.
with open(ETC + UNIT + ".d/20-old.conf", "w") as file:
    file.write("[Service]\nMemoryLimit=300M\n")
again()
say("MemoryLimit=300M makes memory.max %s" % limit())
if limit() != "max":
    tui.only(pid())
    tui.keys("c")
    tui.wait("the cgroup dialog", lambda t: "Cgroup of" in t)
    tui.keys("Tab", "Tab")
    tui.wait("the limits", lambda t: "by whom" in t)
    tui.keys("Down")
    tui.type("128M")
    tui.keys("Enter")
    say(tui.wait("the old setting", lambda t: "has MemoryLimit=" in flat(t)))
    check(limit() == str(300 << 20), "it is not lifted (%s)" % limit())
    tui.keys("Escape")
os.remove(ETC + UNIT + ".d/20-old.conf")
again()

# A transient service has no later start.
sh("systemd-run", "--unit", "t-once", "--service-type=exec", "sleep", "1000")
once = int(sh("systemctl", "show", "t-once.service", "-p", "MainPID", "--value"))
tui.only(once)
tui.adjust(once)
tui.type("-300")
tui.keys("BTab")
say(tui.wait("the reason", lambda t: "t-once.service is transient" in flat(t)))
tui.keys("Escape")
sh("systemctl", "stop", "t-once")

# Without a bus the manager's own socket does. Without that, too, it is said.
main = pid()
BUS, PRIVATE = "/run/dbus/system_bus_socket", "/run/systemd/private"
os.rename(BUS, BUS + ".away")
limits(tui, main)
tui.type("64M")
tui.keys("Enter")
check(until(lambda: limit() == str(64 << 20)), "a bus that is gone does not matter to root (%s)" % limit())
tui.wait("the limit read back", lambda t: "done  " in t)
tui.keys("Enter")
check(back(tui, lambda: limit() == "max"), "nor to its undo (%s)" % limit())
os.rename(PRIVATE, PRIVATE + ".away")
limits(tui, main)
tui.type("64M")
tui.keys("Enter")
say(tui.wait("the reason", lambda t: "cannot be reached over D-Bus" in t))
check(limit() == "max", "and nothing is written (%s)" % limit())
tui.keys("Escape")
os.rename(PRIVATE + ".away", PRIVATE)

# A manager that does not answer: pid 1 cannot be stopped, so somebody else takes its place.
silent = subprocess.Popen([sys.executable, "-c", """
import os, socket, time
s = socket.socket(socket.AF_UNIX)
os.rename("/run/systemd/private", "/run/systemd/private.away")
s.bind("/run/systemd/private")
s.listen(8)
print(flush=True)
time.sleep(600)
"""], stdout=subprocess.PIPE)
silent.stdout.readline()
limits(tui, main)
tui.type("64M")
begin = time.monotonic()
tui.keys("Enter")
say(tui.wait("the dialog says that it waits", lambda t: "No answer of systemd or the kernel after" in flat(t) and "stops waiting" in flat(t)))
begin = time.monotonic()
tui.keys("Escape")
tui.wait("the table", lambda t: "Limits of" not in t)
say("the keyboard answered after %.1f s" % (time.monotonic() - begin))
tui.wait("the reason", lambda t: "had not answered when you stopped waiting" in flat(t))
check(time.monotonic() - begin < 10, "the reason came after %.1f s" % (time.monotonic() - begin))
check(limit() == "max", "and nothing is written (%s)" % limit())
silent.send_signal(signal.SIGKILL)
os.rename(PRIVATE + ".away", PRIVATE)
os.rename(BUS + ".away", BUS)
tui.quit()
sh("systemctl", "stop", UNIT)
finish()
