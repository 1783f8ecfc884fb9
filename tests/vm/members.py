"""Processes of known size for the scenarios about victims, forked from the driver: cheap to start."""
import json
import mmap
import os
import re
import shutil
import signal
import subprocess
import time

from vmlab import CG, Kmsg, read, write

NO_HUGE_PAGES = 15


class Member:
    """Takes so much memory and waits; told to, it takes more until somebody is killed."""

    def __init__(self, name, kib, adj, cgroup=None, shared=None):
        self.name, self.adj, self.home = name, adj, cgroup
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.orders)
                self.live(kib, cgroup, shared, orders, answers)
            finally:
                os._exit(3)
        os.close(orders)
        os.close(answers)
        assert os.read(self.answers, 1) == b".", name

    def live(self, kib, cgroup, shared, orders, answers):
        if cgroup:
            write(CG + cgroup + "/cgroup.procs", 0)
        write("/proc/self/oom_score_adj", self.adj)
        write("/proc/self/comm", self.name)
        self.held = [self.take(kib)]
        if shared:
            for at in range(0, len(shared), mmap.PAGESIZE):
                shared[at] = 1
        os.write(answers, b".")
        while (order := os.read(orders, 1)):
            if order == b"+":
                self.held.append(self.take(3000))
                os.write(answers, b".")
                continue
            if order == b"-":
                del self.held[-256:]
                os.write(answers, b".")
                continue
            before = kill_count()
            while kill_count() == before:
                self.held.append(self.take(128))
            os.write(answers, b".")

    @staticmethod
    def take(kib):
        area = mmap.mmap(-1, kib << 10, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        try:
            area.madvise(NO_HUGE_PAGES)
        except OSError:
            pass
        for at in range(0, len(area), mmap.PAGESIZE):
            area[at] = 1
        return area

    def fill(self):
        """Takes memory until the kernel has killed one more."""
        os.write(self.orders, b"!")
        os.read(self.answers, 1)

    def grow(self):
        """Takes 3000 KiB more."""
        os.write(self.orders, b"+")
        os.read(self.answers, 1)

    def ease(self):
        """Gives 32 MiB back, if it has taken that much: taking a sample must not be what kills."""
        os.write(self.orders, b"-")
        os.read(self.answers, 1)

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.orders)
            os.close(self.answers)
            self.pid = None


def kill_count():
    with open("/proc/vmstat", "rb") as file:
        return int(re.search(rb"^oom_kill (\d+)$", file.read(), re.M)[1])


def document(*options):
    """One sample of oomtop. It finds no journalctl: one takes a second to start here, and tells nothing that is asked."""
    done = subprocess.run([shutil.which("oomtop"), "--once", "--json", "-d", "0.1", *options],
                          capture_output=True, check=True, env={**os.environ, "PATH": "/nonexistent"})
    return json.loads(done.stdout)


def domain(doc, cgroup=None, nodes=None):
    return next(d for d in doc["domains"] if (d["cgroup"], d["nodes"]) == (cgroup, nodes))


class Victims:
    """Compares who was announced with who was killed, kill after kill."""

    def __init__(self):
        self.log, self.clear, self.all, self.groups, self.misses = Kmsg(), [], [], [], []
        self.void = 0

    def kill(self, members, leaker, cgroup=None, nodes=None):
        """One sample, then one kill; the members that live on."""
        if not cgroup:
            leaker.ease()
        members = self.settle(members)
        if len(members) < 2:
            return members
        before = kill_count()
        doc = document()
        said = domain(doc, cgroup, nodes)
        early = kill_count() != before
        if not early:
            leaker.fill()
        pids, group = self.wait(members)
        killed = pids[0]
        if early:
            # Taking the sample caused the kill, so the sample is not from before it.
            self.void += 1
            return self.bury(members, pids)
        right = bool(said["next_victim"]) and said["next_victim"]["pid"] == killed
        self.all.append(right)
        if not said["or"]:
            self.clear.append(right)
        if group or said["group_kill"]:
            self.groups.append(group == said["group_kill"])
        if not right or (group or said["group_kill"]) and group != said["group_kill"]:
            rows = {row["pid"]: row for row in doc["processes"]}
            self.misses.append("killed %s, announced %s or %s, group %s announced %s: %s" % (
                killed, said["next_victim"], said["or"], group, said["group_kill"],
                [(p, rows[p]["comm"], rows[p]["oom_score_adj"], rows[p]["rss"], rows[p]["badness"],
                  rows[p]["cgroup"])
                 for p in rows if p == killed or p == (said["next_victim"] or {}).get("pid")]))
        return self.bury(members, pids)

    def settle(self, members):
        """Waits until processes killed right after the last victim have ended too, and reaps them."""
        time.sleep(0.2)
        lines = "\n".join(self.log.read())
        return self.bury(members, [int(pid) for pid in re.findall(r"Killed process (\d+) ", lines)])

    @staticmethod
    def bury(members, pids):
        living = [member for member in members if member.pid not in pids]
        for member in members:
            if member not in living:
                member.stop()
        return living

    def wait(self, members):
        """The pids of the kernel's lines, first killed first, and the group that was killed as a whole."""
        pids, group, end = [], None, time.monotonic() + 30
        homes = {member.pid: member.home for member in members}
        while time.monotonic() < end:
            for record in self.log.read():
                found = re.search(r"Killed process (\d+) ", record)
                if found and int(found[1]) not in pids:
                    pids.append(int(found[1]))
                found = re.search(r"Tasks in (\S+) are going to be killed due to memory.oom.group", record)
                # The line may belong to a second kill right after the first.
                if found and pids and ((homes.get(pids[0]) or "") + "/").startswith(found[1] + "/"):
                    group = found[1]
            # A group is killed one after the other.
            if pids and not (group and [p for p in homes if p not in pids and self.is_in(p, group)]):
                return pids, group
            time.sleep(0.02)
        raise SystemExit("nobody was killed")

    @staticmethod
    def is_in(pid, group):
        path = read("/proc/%d/cgroup" % pid, "").strip().partition("::")[2]
        adj = read("/proc/%d/oom_score_adj" % pid, "-1000").strip()
        return adj != "-1000" and (path + "/").startswith(group + "/")

    def report(self, what):
        print("MEASURED: %s: %d of %d where the lead exceeds the error, %d of %d over all, %d of %d groups" % (
            what, sum(self.clear), len(self.clear), sum(self.all), len(self.all),
            sum(self.groups), len(self.groups)), flush=True)
        if self.void:
            print("%d kills came while the sample was taken" % self.void, flush=True)
        for miss in self.misses:
            print("miss:", miss, flush=True)


def scores(doc):
    """How many computed scores equal the kernel's, of how many, and the largest difference."""
    equal = total = worst = 0
    for row in doc["processes"]:
        text = read("/proc/%d/oom_score" % row["pid"])
        if text is None or row["oom_score"] is None:
            continue
        off = abs(int(text) - row["oom_score"])
        equal, total, worst = equal + (off == 0), total + 1, max(worst, off)
        if off:
            print("score of %d %s adj %s: computed %d, kernel %s" % (
                row["pid"], row["comm"], row["oom_score_adj"], row["oom_score"], text.strip()), flush=True)
    return equal, total, worst
