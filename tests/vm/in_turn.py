#!/usr/bin/python3
"""Runs scenarios one after another in one virtual machine: a boot costs more than most scenarios.

The arguments are the scenarios' file names. Each says at its end "SCENARIO name: exit status, seconds"."""
import os
import signal
import subprocess
import sys
import time

from vmlab import protect

# Longest time of one scenario, in seconds.
LIMIT = 300


def as_first():
    """A scenario begins with the score adjustment it would have in a machine of its own."""
    os.setsid()
    with open("/proc/self/oom_score_adj", "w") as adj:
        adj.write("0")


def run(name):
    """The exit status of a scenario; 124 when it is not through in time."""
    out = os.path.join(os.environ["VMLAB_OUT"], name)
    os.makedirs(out, exist_ok=True)
    path = os.path.join(os.environ["VMLAB_FILES"], name)
    with subprocess.Popen([sys.executable, path], preexec_fn=as_first, env={**os.environ, "VMLAB_OUT": out}) as child:
        try:
            return child.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


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
    failed += status != 0
    print("SCENARIO %s: exit %d, %d s" % (name, status, time.monotonic() - begin), flush=True)
sys.exit(1 if failed else 0)
