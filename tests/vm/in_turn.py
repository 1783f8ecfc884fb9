#!/usr/bin/python3
"""Runs scenarios one after another in one virtual machine: a boot costs more than most scenarios.

The arguments are the scenarios' file names. A line "# user: tester" in the head of one says who runs it. Each says at
its end "SCENARIO name: exit status, seconds"."""
import ctypes
import os
import pwd
import re
import signal
import subprocess
import sys
import time

from vmlab import protect

# Longest time of one scenario, in seconds.
LIMIT = 300
PR_SET_CHILD_SUBREAPER = 36


def as_first(user):
    """A scenario begins as it would in a machine of its own: with its score adjustment, and as its user."""
    os.setsid()
    with open("/proc/self/oom_score_adj", "w") as adj:
        adj.write("0")
    if user:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def ended(child):
    """Waits for the scenario, and meanwhile reaps whoever else becomes a child of this process: a scenario that looks
    for its programs must not find dead ones."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode
        if not pid:
            time.sleep(0.02)
    return 124


def run(name):
    """The exit status of a scenario; 124 when it is not through in time."""
    out = os.path.join(os.environ["VMLAB_OUT"], name)
    os.makedirs(out, exist_ok=True)
    path = os.path.join(os.environ["VMLAB_FILES"], name)
    env = {**os.environ, "VMLAB_OUT": out}
    with open(path) as script:
        found = re.search("^# user: (.+)", script.read(), re.M)
    user = pwd.getpwnam(found[1]) if found else None
    if user:
        os.chown(out, user.pw_uid, user.pw_gid)
        env.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
    with subprocess.Popen([sys.executable, path], preexec_fn=lambda: as_first(user), env=env) as child:
        try:
            return ended(child)
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def end_orphans():
    """What a scenario that failed has left, a dashboard for one, becomes a child of this process: it ends before the next
    scenario looks at the machine."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            continue
        with open("/proc/self/task/%d/children" % os.getpid()) as children:
            pids = [int(pid) for pid in children.read().split()]
        for pid in pids:
            print("left by the scenario, ended: %d" % pid, flush=True)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
try:
    protect(-1000)
except PermissionError:
    # Only root may lower it: an ordinary user's scenarios cause no OOM.
    pass
failed = 0
for name in sys.argv[1:]:
    print("\nSCENARIO %s" % name, flush=True)
    begin = time.monotonic()
    status = run(name)
    end_orphans()
    failed += status != 0
    print("SCENARIO %s: exit %d, %d s" % (name, status, time.monotonic() - begin), flush=True)
sys.exit(1 if failed else 0)
