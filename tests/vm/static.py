#!/usr/bin/python3
"""The static binary alone in a root, as in an image from scratch: what each flag of docker run adds, and what is missing
without it. The namespaces are real ones. If a root file system of a distribution (rootfs*.tar.gz) is handed over, the binary is
tried in it, too."""
# vm: --mem 512M
# long: it needs a static binary
# kernels: 6.12
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["VMLAB_FILES"])
from vmlab import CG, Hog, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say, write

MIB = 1 << 20
program = shutil.which("oomtop")
if b"/ld-linux" in open(program, "rb").read(4096):
    say("SKIPPED: the image from scratch because this binary needs libraries")
    finish()
protect()
enable_memory("/")
make_cgroup("/pod", **{"memory.max": 100 * MIB, "memory.swap.max": 0})
make_cgroup("/beside", **{"memory.max": 80 * MIB, "memory.swap.max": 0})
beside = Hog("beside", mb=20, adj=0, cgroup="/beside")

# What docker gives a container without flags.
DOCKER = ("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service", "net_raw", "sys_chroot",
          "mknod", "audit_write", "setfcap")
OWN_PROC = "mount -t proc proc $root/proc"
ALL_PROC = "mount --rbind /proc $root/proc"
SYS = "mkdir $root/sys && mount -t sysfs -o ro sysfs $root/sys && "
OWN_GROUPS = SYS + "mount -t cgroup2 cgroup2 $root/sys/fs/cgroup"
ALL_GROUPS = SYS + "mount --rbind /sys/fs/cgroup $root/sys/fs/cgroup"
HOST = "mkdir -p $root/host && mount --rbind / $root/host"
LOG = "mkdir -p $root/dev && touch $root/dev/kmsg && mount --bind /dev/kmsg $root/dev/kmsg"


def inside(pids, prepare, more=(), arguments=(), user=0):
    """What oomtop says in a container of these mounts and capabilities."""
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        for name in ("proc", "run"):
            os.mkdir(os.path.join(root, name))
        shutil.copy(program, root + "/oomtop")
        capabilities = ",".join("+" + name for name in DOCKER + tuple(more))
        change = ["setpriv", "--bounding-set", "-all," + capabilities, "--inh-caps", "-all"]
        # chroot itself needs a capability, and loses none: what is bound for the program is what setpriv leaves.
        script = "{ %s; } || exit 77; exec \"$@\"" % prepare
        command = ["unshare", "-m", "-C", *(["-p", "-f"] if pids else []), "sh", "-c", script, "sh", *change, "chroot",
                   *(["--userspec=%d:%d" % (user, user)] if user else []), root, "/oomtop", *arguments]

        def join():
            write(CG + "/pod/cgroup.procs", 0)
        done = subprocess.run(command, preexec_fn=join, env={"PATH": os.environ["PATH"], "root": root}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode:
            say(done.returncode, done.stderr)
        return done.stdout + (done.stderr if "run" in arguments else "")


def seen(*arguments, **keywords):
    text = inside(*arguments, **keywords)
    document = json.loads(text)
    domains = {domain["cgroup"] for domain in document["domains"]}
    users = {row["user"] for row in document["processes"]}
    return {
        "processes": "all" if any(row["comm"] == "beside" for row in document["processes"]) else "own",
        "domains": "all" if "/beside" in domains else "own" if domains & {"/", "/pod"} else "host" if domains else "none",
        "log": "yes" if "kmsg" in json.dumps(document["events"]["source"]) else "no",
        "bpf": "yes" if document["backend"].startswith("bpf") else "no",
        "names": "yes" if "root" in users else "no",
        "lower": "yes" if document["host"]["may_lower_adj"] else "no",
    }


JSON = ["--json"]
ON_HOST = ["--json", "--root", "/host"]
BOTH = ALL_PROC + " && " + ALL_GROUPS
RECIPES = (
    ("no flag", dict(pids=True, prepare=OWN_PROC + " && " + OWN_GROUPS, arguments=JSON),
     dict(processes="own", domains="own", log="no", bpf="no", names="no", lower="no")),
    ("--pid=host", dict(pids=False, prepare=ALL_PROC + " && " + OWN_GROUPS, arguments=JSON),
     dict(processes="all", domains="own", log="no", bpf="no", names="no", lower="no")),
    ("--pid=host --cgroupns=host", dict(pids=False, prepare=BOTH, arguments=JSON),
     dict(processes="all", domains="all", log="no", bpf="no", names="no", lower="no")),
    ("-v /etc/passwd:/etc/passwd:ro too", dict(pids=False, prepare=BOTH + " && mkdir $root/etc && cp /etc/passwd $root/etc/", arguments=JSON),
     dict(processes="all", domains="all", log="no", bpf="no", names="yes", lower="no")),
    ("--pid=host -v /:/host:ro", dict(pids=False, prepare=ALL_PROC + " && " + OWN_GROUPS + " && " + HOST, arguments=ON_HOST),
     dict(processes="all", domains="all", log="no", bpf="no", names="yes", lower="no")),
    ("--cap-add SYSLOG too", dict(pids=False, prepare=ALL_PROC + " && " + OWN_GROUPS + " && " + HOST, arguments=ON_HOST, more=("syslog",)),
     dict(processes="all", domains="all", log="yes", bpf="no", names="yes", lower="no")),
    ("--device /dev/kmsg --cap-add SYSLOG", dict(pids=False, prepare=BOTH + " && " + LOG, arguments=JSON, more=("syslog",)),
     dict(processes="all", domains="all", log="yes", bpf="no", names="no", lower="no")),
    ("--cap-add BPF --cap-add PERFMON", dict(pids=False, prepare=BOTH, arguments=JSON, more=("bpf", "perfmon")),
     dict(processes="all", domains="all", log="no", bpf="yes", names="no", lower="no")),
    ("with the host's / too", dict(pids=False, prepare=ALL_PROC + " && " + OWN_GROUPS + " && " + HOST, arguments=ON_HOST,
                                   more=("bpf", "perfmon", "syslog", "sys_resource")),
     dict(processes="all", domains="all", log="yes", bpf="yes", names="yes", lower="yes")),
    ("with pids of its own", dict(pids=True, prepare=OWN_PROC + " && " + OWN_GROUPS, arguments=JSON, more=("bpf", "perfmon")),
     dict(processes="own", domains="own", log="no", bpf="no", names="no", lower="no")),
    ("--cap-add SYS_RESOURCE", dict(pids=False, prepare=BOTH, arguments=JSON, more=("sys_resource",)),
     dict(processes="all", domains="all", log="no", bpf="no", names="no", lower="yes")),
)
for name, how, wanted in RECIPES:
    found = seen(**how)
    say("MEASURED: %-36s %s" % (name, " ".join("%s=%s" % pair for pair in found.items())))
    check(found == wanted, "%s: %s" % (name, {k: (found[k], wanted[k]) for k in found if found[k] != wanted[k]} or "as written"))
# A limit of a group that does not exist yet: the tree must be mounted writable.
LIMIT = ["run", "--limit", "32M", "--no-tui", "--", "/oomtop", "--version"]
told = inside(False, BOTH, arguments=LIMIT)
check("limit 32 MiB" in told, "a limit where the tree is mounted writable")
sealed = ALL_PROC + " && " + SYS + "mount --bind /sys/fs/cgroup $root/sys/fs/cgroup && mount -o remount,ro,bind $root/sys/fs/cgroup"
told = inside(False, sealed, arguments=LIMIT)
check("limit 32 MiB" not in told, "none where it is read-only")
text = inside(False, BOTH, arguments=["--once"], user=65534)
check("beside" in text, "as an ordinary user, with the host's processes")
check(inside(True, OWN_PROC, arguments=["--version"]).startswith("oomtop "), "without cgroups")


REPORT = """[ 12.000000] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
[ 12.000100] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job,task=python3,pid=4339,uid=0
[ 12.000200] Memory cgroup out of memory: Killed process 4339 (python3) total-vm:112168kB, anon-rss:100000kB, file-rss:4000kB, shmem-rss:0kB, UID:0 pgtables:300kB oom_score_adj:0
"""


def distribution(archive):
    """The binary under the shell and the C library of another distribution."""
    from terminal import Terminal
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        subprocess.run(["tar", "-xzf", archive, "-C", root], check=True)
        shutil.copy(program, root + "/usr/bin/oomtop")
        name = next((ln.split("=", 1)[1].strip('"') for ln in read(root + "/etc/os-release", "").splitlines() if ln.startswith("PRETTY_NAME=")), "?")
        mounts = "mount -t proc proc $root/proc && mount -t sysfs sysfs $root/sys && mount --rbind /sys/fs/cgroup $root/sys/fs/cgroup && mount --rbind /dev $root/dev"
        enter = ["unshare", "-m", "env", "root=" + root, "sh", "-c", mounts + ' && exec chroot "$root" "$@"', "sh"]

        def told(script, given=None):
            done = subprocess.run(enter + ["/bin/sh", "-c", script], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return done.stdout

        check(told("oomtop --version").startswith("oomtop "), "%s: it runs" % name)
        document = json.loads(told("oomtop --json"))
        check(any(row["comm"] == "beside" for row in document["processes"]) and document["host"]["name"], "%s: the document" % name)
        check("root" in {row["user"] for row in document["processes"]}, "%s: users by name" % name)
        check("beside" in told("oomtop -b -n 1"), "%s: batch" % name)
        check("/job reached its limit" in told("oomtop explain -", REPORT), "%s: explain" % name)
        text = told("oomtop run --limit 64M --no-tui -- /bin/sh -c 'x=$(head -c 8000000 /dev/zero | tr \\\\000 a); echo ${#x}'")
        check("8000000" in text and "limit 64 MiB" in text, "%s: run" % name)
        check("_oomtop" in told("oomtop --print completions zsh") and "oomtop" in told("oomtop --print man"), "%s: completions and pages" % name)
        tui = Terminal(*enter, "/usr/bin/oomtop")
        check("OOM" in tui.wait("the screen there", lambda t: "Next victim" in t and "beside" in t), "%s: the screen" % name)
        tui.keys("d")
        tui.wait("the domains", lambda t: "/beside" in t)
        say("\n".join(tui.lines()[:12]))
        tui.quit()
        left = told("find / -xdev -newer /usr/bin/oomtop -type f ! -path '/proc/*' ! -path '/sys/*' ! -path '/dev/*'")
        check(not left.strip(), "%s: it has written nothing: %s" % (name, left.split()))


rootfs = glob.glob(os.environ["VMLAB_FILES"] + "/*rootfs*.tar.gz")
for archive in rootfs:
    distribution(archive)
if not rootfs:
    say("SKIPPED: another distribution because no rootfs*.tar.gz was handed to this machine")
beside.stop()
for path in ("/pod", "/beside"):
    rm_cgroup(path)
finish()
