#!/usr/bin/python3
"""cgroup v2 from inside containers, by every recipe of README: the domains, their members and who dies are the same
ones, whatever of the tree and of the processes is seen."""
# vm: --mem 512M
# kernels: 6.12
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["VMLAB_FILES"])
from screen import until
from vmlab import CG, check, enable_memory, finish, make_cgroup, protect, read, rm_cgroup, say, write

MIB = 1 << 20
protect()
enable_memory("/")
# The group of the container. Its first process makes the namespaces there, then leaves for a group inside, as a
# service manager does: a group that shares out memory holds no processes.
make_cgroup("/pod", **{"memory.max": 160 * MIB, "memory.swap.max": 0})
make_cgroup("/beside", **{"memory.max": 80 * MIB, "memory.swap.max": 0})


def holder():
    """The first process of a container: namespaces of its own for cgroups and pids."""
    def join():
        write(CG + "/pod/cgroup.procs", 0)
    process = subprocess.Popen(["unshare", "-C", "-p", "-f", "-m", "sleep", "1000"], preexec_fn=join)
    child = lambda: read("/proc/%d/task/%d/children" % (process.pid, process.pid), "").split()
    assert until(child), "unshare starts"
    inside = int(child()[0])
    assert until(lambda: read("/proc/%d/comm" % inside, "").strip() == "sleep")
    return process, inside


shell, first = holder()
make_cgroup("/pod/init")
for pid in (shell.pid, first):
    write(CG + "/pod/init/cgroup.procs", pid)
enable_memory("/pod")
make_cgroup("/pod/app", **{"memory.max": 100 * MIB, "memory.oom.group": 1})
make_cgroup("/pod/app/main")
enable_memory("/pod/app")
make_cgroup("/pod/app/in", **{"memory.max": 60 * MIB})


class Inside:
    """A hog with a pid in the container and another one on the host."""

    def __init__(self, name, mb, group):
        self.process = subprocess.Popen(
            ["nsenter", "-t", str(first), "-p", "/usr/bin/python3", "-S", "-E", "/vmlab/lib/hog", "--name", name,
             "--mb", str(mb), "--cgroup", group], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().strip() == "ready", name
        pid = next(pid for pid in read(CG + group + "/cgroup.procs").split()
                   if read("/proc/%s/comm" % pid, "").strip() == name)
        line = next(ln for ln in read("/proc/%s/status" % pid).splitlines() if ln.startswith("NSpid:"))
        self.outer, self.inner = (int(word) for word in line.split()[1:3])

    def stop(self):
        os.kill(self.outer, 9)
        self.process.wait()


main = Inside("app-main", 30, "/pod/app/main")
side = Inside("app-side", 6, "/pod/app/main")
deep = Inside("app-deep", 12, "/pod/app/in")
beside = Inside("beside", 20, "/beside")
say("on the host: main %d, side %d, deep %d, beside %d" % (main.outer, side.outer, deep.outer, beside.outer))

OWN_MOUNT = "umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"
OWN_PROC = "mount -t proc proc /proc"
HOST = "mkdir -p $host/proc $host/sys/fs/cgroup && mount --rbind / $host"
# What is entered of the container's namespaces, what is mounted, arguments, the path of the container's group (None:
# with the whole tree, as on the host), whether the pids are the container's.
RECIPES = (
    ("the host", "", ":", [], None, False),
    ("docker run", "-C -p", OWN_PROC + " && " + OWN_MOUNT, [], "", True),
    ("docker run --cgroupns=host", "-p", OWN_PROC, [], None, True),
    ("docker run --pid=host", "-C", OWN_MOUNT, [], "", False),
    ("docker run --pid=host -v /:/host --root /host", "-C", HOST + " && " + OWN_MOUNT, ["--root", "$host"], None, False),
    ("the same with pids of its own", "-C -p", HOST + " && " + OWN_PROC + " && " + OWN_MOUNT, ["--root", "$host"], None, False),
    ("docker run -v /proc:/host/proc --proc", "-C -p", "mkdir -p $host/proc && mount --rbind /proc $host/proc && " + OWN_PROC,
     ["--proc", "$host/proc"], None, False),
    ("the container's part bind mounted, the host's cgroup namespace", "-p",
     OWN_PROC + " && mount --bind /sys/fs/cgroup/pod /sys/fs/cgroup", [], "/pod", True),
    ("the container's part bind mounted, its own cgroup namespace", "-C -p",
     OWN_PROC + " && mount --bind /sys/fs/cgroup/pod /sys/fs/cgroup", [], "", True),
    ("the host's tree, a cgroup namespace of its own", "-C", ":", [], None, False),
    ("unshare -C in a nested group", "unshare", ":", [], None, False),
    ("unshare -C in a nested group, its own mount of it", "unshare", OWN_MOUNT, [], "alone", False),
)


def document(enter, prepare, arguments):
    """The document of oomtop, started in the group of the container's first process."""
    with tempfile.TemporaryDirectory() as host:
        command = ["unshare", "-m", "sh", "-c", "{ %s; } || exit 77; exec oomtop --once --json \"$@\"" % prepare, "sh",
                   *(word.replace("$host", host) for word in arguments)]
        if enter == "unshare":
            command.insert(1, "-C")
        elif enter:
            command = ["nsenter", "-t", str(first), *enter.split(), *command]

        def join():
            write(CG + "/pod/init/cgroup.procs", 0)
        done = subprocess.run(command, preexec_fn=join, env={**os.environ, "host": host}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode == 77:
            say("SKIP  ", done.stderr.strip())
            return None
        if done.returncode:
            say(done.stderr)
        return json.loads(done.stdout)


def judge(name, doc, top, inner):
    """Compares each domain of the container with what was made."""
    domains = {domain["cgroup"]: domain for domain in doc["domains"]}
    rows = {row["pid"]: row for row in doc["processes"]}
    if top == "alone":
        check(set(domains) <= {None, "/"}, "%s: no domain of another group: %s" % (name, sorted(map(str, domains))))
        return
    pid = lambda hog: hog.inner if inner else hog.outer
    prefix = "/pod" if top is None else top
    app = prefix + "/app"
    # Path, limit, members at least and at most, victim, the group that goes along.
    wanted = [
        # With oomtop itself, the journalctl it reads from, and what started the container.
        (prefix or "/", 160, 4, 8, main, app),
        (app, 100, 3, 3, main, app),
        (app + "/in", 60, 1, 1, deep, None),
    ]
    if top is None:
        # In the pid namespace of the container, too.
        wanted.append(("/beside", 80, 1, 1, beside, None))
    faults = []
    for path, limit, least, most, victim, along in wanted:
        domain = domains.get(path)
        if domain is None:
            faults.append("no domain %s" % path)
            continue
        said = domain["next_victim"] or {}
        for what, is_so in (
                ("limit %s" % domain["limit"], domain["limit"] == limit * MIB),
                ("members %s" % domain["members"], least <= domain["members"] <= most),
                ("victim %s" % said.get("pid"), said.get("pid") == pid(victim)),
                ("group_kill %s" % domain["group_kill"], domain["group_kill"] == along),
                ("or %s" % domain["or"], not domain["or"])):
            if not is_so:
                faults.append("%s: %s" % (path, what))
    for hog, group in ((main, app + "/main"), (side, app + "/main"), (deep, app + "/in")):
        row = rows.get(pid(hog))
        if not row or row["cgroup"] != group:
            faults.append("%s is in %s" % (hog.process.args[-5], row and row["cgroup"]))
    if any("members" in fault for fault in faults):
        inside = [row for row in rows.values() if row["cgroup"] and (row["cgroup"] + "/").startswith(prefix + "/")]
        faults.append("they are %s" % sorted((row["comm"], row["state"]) for row in inside))
    # The machine has other groups, too; a container that sees its own part sees none of them.
    strays = (lambda path: path.startswith("/pod")) if top is None else (lambda path: True)
    known = [path for path, *_ in wanted]
    more = [path for path in domains if path and path not in known and ("/." in path or strays(path))]
    if more:
        faults.append("more domains: %s" % more)
    check(not faults, "%s: %d domains, %d processes%s" % (
        name, len(domains), len(rows), "".join("; " + fault for fault in faults)))


for name, enter, prepare, arguments, top, inner in RECIPES:
    doc = document(enter, prepare, arguments)
    if doc:
        judge(name, doc, top, inner)

for hog in (main, side, deep, beside):
    hog.stop()
os.kill(first, 9)
shell.wait()
for path in ("/pod/app/in", "/pod/app/main", "/pod/app", "/pod/init", "/pod", "/beside"):
    rm_cgroup(path)
finish()
