#!/usr/bin/python3
"""A process of a session is moved through the dialog into a scope that systemd starts, with a limit: it dies there at the limit and
the pane shows it; the undo of another one moves it back, and the scope ends. Also as an ordinary user, by the own manager. The
default machine has systemd 252; one with 257: build --suite trixie --cache DIR, run --cache DIR."""
# vm: --mem 512M
# long: a dashboard as root and one as a user, a leak to its limit, an undo
import os
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import Tui, events, flat, until
from vmlab import CG, check, finish, protect, read, say

protect()


def killable():
    """The scenario's own adj is -1000."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")


def session(user, name, *command):
    """A process of a session scope, as logind makes them."""
    done = ["systemd-run", "--scope", "--quiet", "--slice=user-1000.slice", "--unit=" + name, "--uid=" + user, *command]
    process = subprocess.Popen(done, stdin=subprocess.PIPE, preexec_fn=killable)
    until(lambda: group(process.pid).endswith(name + ".scope") and read("/proc/%d/comm" % process.pid).strip() in ("sleep", "python3"))
    return process


def group(pid):
    return read("/proc/%d/cgroup" % pid, "").strip().rpartition(":")[2]


def move(tui, pid, limit):
    tui.only(pid)
    tui.keys("c")
    tui.wait("the cgroup dialog", lambda t: "new scope" in t)
    tui.type(limit)
    say(tui.wait("the plan", lambda t: "let systemd start" in flat(t)))
    # A slow machine takes its time, and the dialog waits.
    for _ in range(3):
        tui.keys("Enter")
        text = flat(tui.wait("an answer", lambda t: "done let" in flat(t) or "failed let" in flat(t) or "again" in t, limit=60))
        if "again" not in text:
            break
    check("not answered" not in text, "systemd was waited for")


say(subprocess.run(["systemctl", "--version"], capture_output=True, text=True).stdout.splitlines()[0])
HOG = "import sys, time\nsys.stdin.readline()\nheld = []\nwhile True: held.append(bytearray(b'x' * (1 << 20))); time.sleep(0.02)"
hog = session("root", "session-8", sys.executable, "-c", HOG)
idle = session("root", "session-9", "sh", "-c", "sleep 1001 & exec sleep 1000")
tui = Tui()
move(tui, hog.pid, "60M")
name = group(hog.pid)
check(until(lambda: "/user.slice/user-1000.slice/oomtop-" in group(hog.pid)), "it is in a scope of its slice: %s" % group(hog.pid))
to = group(hog.pid)
check(to.endswith(".scope") and read(CG + to + "/memory.max").strip() == str(60 << 20), "which has the limit (%s)" % read(CG + to + "/memory.max", ""))
unit = os.path.basename(to)
shown = subprocess.run(["systemctl", "show", unit, "-p", "ActiveState", "-p", "MemoryMax", "--value"], capture_output=True, text=True).stdout.split()
check(sorted(shown) == sorted(["active", str(60 << 20)]), "systemd has both: %s" % shown)
tui.wait("the result", lambda t: "done let systemd start" in flat(t))
tui.keys("Enter")
hog.stdin.write(b"\n")
hog.stdin.flush()
check(hog.wait(60) == -9, "it dies at the limit")
say(tui.wait("the kill", lambda t: any("killed %d" % hog.pid in line for line in events(t))))
check(until(lambda: not os.path.exists(CG + to)), "the scope has ended with it")

before = group(idle.pid)
move(tui, idle.pid, "100M")
check(until(lambda: "/oomtop-sleep-" in group(idle.pid)), "the other is moved, too: %s" % group(idle.pid))
to = group(idle.pid)
tui.wait("the result", lambda t: "done let systemd start" in flat(t))
tui.keys("Enter")
tui.undo()
check(until(lambda: group(idle.pid) == before), "u moves it back: %s" % group(idle.pid))
check(until(lambda: not os.path.exists(CG + to)), "and the scope ends")
tui.quit()

# A user, whose manager moves it through that of the system.
subprocess.run(["systemctl", "start", "user@1000"], check=True)
own = session("tester", "session-10", "sleep", "1000")
env = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "XDG_RUNTIME_DIR=/run/user/1000", "HOME=/tmp"]
tui = Tui(command=env)
move(tui, own.pid, "100M")
check(until(lambda: "/user@1000.service/app.slice/oomtop-sleep-" in group(own.pid)), "a user's is moved by the own manager: %s" % group(own.pid))
check(read(CG + group(own.pid) + "/memory.max", "").strip() == str(100 << 20), "with its limit")
tui.wait("the result", lambda t: "done let systemd start" in flat(t))
tui.keys("Enter")
move(tui, idle.pid, "100M")
say(tui.wait("the reason", lambda t: "failed" in t))
check(group(idle.pid) == before, "but not that of another user")
tui.quit()
for process in (idle, own):
    process.kill()
finish()
