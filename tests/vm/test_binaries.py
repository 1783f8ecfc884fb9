#!/usr/bin/python3
"""Test binaries of this package in the machine, for what the host's kernel cannot show: cgroup v2, systemd. By hand:
run --file target/debug/deps/kernel-HASH:kernel --arg kernel --arg FILTER --arg PATH-OF-OOMTOP --arg PATH-OF-SOURCES, where the
two paths are those that the binary was built with; more filters may follow."""
# long: takes test binaries and the paths that they were built with, by hand
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import check, finish, say

if len(sys.argv) < 5:
    say("SKIPPED: no test binary was brought along")
    finish()
    sys.exit()
name, first, oomtop, sources, *more = sys.argv[1:]
binary = os.path.join(os.environ["VMLAB_FILES"], name)
os.chmod(binary, 0o755)
os.makedirs(os.path.dirname(oomtop), exist_ok=True)
os.makedirs(sources, exist_ok=True)
shutil.copy(shutil.which("oomtop"), oomtop)
os.chmod(oomtop, 0o755)
say(subprocess.run(["systemctl", "--version"], capture_output=True, text=True).stdout.splitlines()[0])
for filter_ in [first, *more]:
    done = subprocess.run([binary, filter_, "--test-threads", "1", "--nocapture"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, cwd=sources)
    say(done.stdout[-6000:])
    check(done.returncode == 0 and "0 passed" not in done.stdout, "%s: %s" % (name, filter_))
finish()
