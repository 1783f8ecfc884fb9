#!/usr/bin/python3
"""What each capability of the file adds for an ordinary user. A program with file capabilities may not read its own
/proc/self: before Linux 6.4 a library panicked for that."""
# vm: --mem 512M
import json
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import check, finish, read, say

NUMBERS = {"dac_override": 1, "kill": 5, "sys_ptrace": 19, "sys_nice": 23, "sys_resource": 24, "syslog": 34, "perfmon": 38, "bpf": 39}
TRIAL = "/usr/local/bin/oomtop-trial"
own = subprocess.Popen(["sleep", "1001"], user="tester", group="tester", extra_groups=[])
other = subprocess.Popen(["sleep", "1002"])


def run(*arguments):
    return subprocess.run([TRIAL, *arguments], user="tester", group="tester", extra_groups=[], cwd="/", stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], "HOME": "/home/tester"}, capture_output=True, text=True)


def give(names):
    """As `setcap cap_x,cap_y+ep`: capabilities(7), struct vfs_cap_data of version 2, effective."""
    shutil.copy(shutil.which("oomtop"), TRIAL)
    bits = sum(1 << NUMBERS[name] for name in names)
    if bits:
        os.setxattr(TRIAL, "security.capability", struct.pack("<IIIII", 0x02000001, bits & 0xffffffff, 0, bits >> 32, 0))


def wrote(process, user, value):
    """If a rule for a process of this user is written."""
    path = "/tmp/rules-%s.toml" % user
    with open(path, "w") as file:
        file.write('[[rule]]\nname = "sleep"\nuser = "%s"\nadj = %d\n' % (user, value))
    os.chmod(path, 0o644)
    run("protect", "--once", "--rules", path)
    os.unlink(path)
    done = read("/proc/%d/oom_score_adj" % process.pid).strip() == str(value)
    with open("/proc/%d/oom_score_adj" % process.pid, "w") as adj:
        adj.write("0")
    return done


ALL = tuple(NUMBERS)
# What is given, and what that adds.
CASES = (
    ((), ()),
    (("bpf",), ()),
    (("bpf", "perfmon"), ("bpf",)),
    (("syslog",), ("log",)),
    (("sys_resource",), ("lower own",)),
    (("dac_override",), ("raise other",)),
    (("sys_ptrace",), ()),
    (("sys_resource", "dac_override"), ("lower own", "raise other", "lower other")),
    (ALL, ("bpf", "log", "lower own", "raise other", "lower other")),
)
for names, wanted in CASES:
    give(names)
    sample = run("--json")
    if not check(sample.returncode == 0, "with %s it runs: %s" % (" ".join(names) or "none", sample.stderr[:200])) and sample.returncode:
        continue
    document = json.loads(sample.stdout)
    found = {"bpf": document["backend"].startswith("bpf"), "log": "kmsg" in document["events"]["source"]}
    if not names or "sys_resource" in names or "dac_override" in names:
        found["lower own"] = wrote(own, "tester", -300)
        found["raise other"] = wrote(other, "root", 300)
        found["lower other"] = wrote(other, "root", -300)
    say("MEASURED: capabilities %s: %s" % (",".join(names) or "none", ", ".join(k for k, is_so in found.items() if is_so) or "nothing more"))
    check({k for k, is_so in found.items() if is_so} == set(wanted), "%s adds %s" % (names, wanted))
os.unlink(TRIAL)
for process in (own, other):
    process.kill()
    process.wait()
finish()
