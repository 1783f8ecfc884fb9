//! The processes and groups that the hands may reach, and what became of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::common::hog::{Hog, adj_of};
use crate::common::memcg::{self, Memcg, mount};

/// Files whose change is a write to a group, on v1 and v2.
const LIMITS: &[&str] = &[
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.max",
    "memory.high",
    "memory.low",
    "memory.min",
    "memory.swap.max",
    "memory.oom.group",
];

/// Names of the processes; the last of them leaks in a group with a limit.
const NAMES: &[&str] = &["api", "batch", "cart", "db", "queue", "leak"];

/// What was done to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A process: score, signal or group.
    Process(u32, String),
    /// A process stands still, and nothing else of it has changed: its pid and its group.
    Stopped(u32, String),
    /// A process has ended, and the kernel has not killed it for memory: its pid, its group and how it ended.
    Ended(u32, String, String),
    /// A group was made, or a file of it was written.
    Group(String, String),
    /// A group was removed.
    Removed(String),
}

/// A process as it was when the test looked last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    adj: Option<i32>,
    group: Option<String>,
    stopped: bool,
    /// Signals that wait for it to go on, as bits: signal n is bit n - 1.
    pending: u64,
    /// An ending process has left its group already.
    ends: bool,
}

impl Known {
    fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let fields: Vec<_> = fields.split(' ').collect();
        // PF_EXITING of include/linux/sched.h.
        let flags = fields.get(6).and_then(|flags| flags.parse::<u64>().ok());
        let state = fields.first().copied();
        Self {
            adj: adj_of(pid),
            group: memcg::of(pid),
            stopped: state == Some("T"),
            pending: pending(pid) & SENT,
            ends: flags.is_none_or(|flags| flags & 4 != 0),
        }
    }
}

/// SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2 and SIGTERM: what hands send and a stopped process takes later.
const SENT: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 9 | 1 << 11 | 1 << 14;

/// `ShdPnd` of proc_pid_status(5).
fn pending(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let bits = status.lines().find_map(|l| l.strip_prefix("ShdPnd:"));
    bits.map_or(0, |bits| u64::from_str_radix(bits.trim(), 16).expect("hex"))
}

/// A process of the test.
struct Member {
    hog: Hog,
    known: Known,
    /// Signals that have waited for it at some look: each was named when it was sent, and may end it at any time.
    waited: u64,
}

type Groups = BTreeMap<String, BTreeMap<&'static str, String>>;

/// Own processes in own groups.
pub(super) struct Machine {
    shop: Memcg,
    tight: Memcg,
    /// The first process of the namespace is this test.
    me: Known,
    hogs: Vec<Member>,
    groups: Groups,
    /// Kills by the kernel in each group: a group that goes takes its count along.
    kills: BTreeMap<String, u64>,
    /// Those of them whose victim has not ended yet.
    ending: BTreeMap<String, u64>,
}

impl Machine {
    pub(super) fn new() -> Self {
        // No process in the root, or v2 could not share memory out below it.
        let me = Memcg::create("me").expect("a group for the test itself");
        me.add(1);
        safe();
        // Dropping it would kill the test; the namespace takes the group along.
        std::mem::forget(me);
        let shop = Memcg::create("shop").expect("a group");
        let tight = Memcg::create("tight").expect("a group");
        tight.limit(32 << 20);
        let mut machine = Self {
            shop,
            tight,
            me: Known::of(1),
            hogs: Vec::new(),
            groups: Groups::new(),
            kills: BTreeMap::new(),
            ending: BTreeMap::new(),
        };
        for at in 0..NAMES.len() {
            let hog = machine.start(at);
            machine.hogs.push(hog);
        }
        machine.groups = groups();
        machine.kills = kills();
        machine
    }

    fn start(&self, at: usize) -> Member {
        let mut hog = Hog::start(NAMES[at]).adj(i32::try_from(at).expect("small") * 100);
        if at + 1 == NAMES.len() {
            hog = hog.in_group(&self.tight);
            hog.leak(64, std::time::Duration::from_millis(100));
        } else if at.is_multiple_of(2) {
            hog = hog.in_group(&self.shop).grow(2 + at);
        } else {
            hog = hog.grow(2 + at);
        }
        let known = Known::of(hog.pid());
        Member {
            hog,
            known,
            waited: 0,
        }
    }

    /// What was done since the last look. Puts right what would end the test, and starts the dead again.
    pub(super) fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut dead = Vec::new();
        for (at, member) in self.hogs.iter_mut().enumerate() {
            match member.hog.ended() {
                Some(status) => dead.push((at, status)),
                None => compare(member.hog.pid(), &mut member.known, &mut changes),
            }
            member.waited |= member.known.pending;
        }
        compare(1, &mut self.me, &mut changes);
        safe();
        self.me = Known::of(1);
        // The kernel counts a kill before the victim ends: what it has killed in the look before may end in this one.
        let kills = kills();
        for (path, count) in &kills {
            let before = self.kills.get(path).copied().unwrap_or_default();
            *self.ending.entry(path.clone()).or_default() += count.saturating_sub(before);
        }
        self.kills = kills;
        for (at, status) in dead {
            let Member { hog, known, waited } = &self.hogs[at];
            let home = known.group.clone().unwrap_or_default();
            let ending = self.ending.entry(home.clone()).or_default();
            let has_waited = status.signal().is_some_and(|n| waited & 1 << (n - 1) != 0);
            if status.signal() == Some(9) && *ending > 0 {
                *ending -= 1;
            } else if !has_waited {
                let pid = hog.pid();
                changes.push(Change::Ended(pid, home, format!("{status:?}")));
            }
            self.hogs[at] = self.start(at);
        }
        let groups = groups();
        for (path, files) in &groups {
            match self.groups.get(path) {
                None => changes.push(Change::Group(path.clone(), "made".to_owned())),
                Some(before) if before != files => {
                    let what = format!("{before:?} -> {files:?}");
                    changes.push(Change::Group(path.clone(), what));
                }
                Some(_) => {}
            }
        }
        let gone = self
            .groups
            .keys()
            .filter(|path| !groups.contains_key(*path));
        changes.extend(gone.map(|path| Change::Removed(path.clone())));
        self.groups = groups;
        changes
    }

    /// Lets stopped processes go on, so that hands find something to stop.
    pub(super) fn wake(&mut self) {
        for Member { hog, known, .. } in &mut self.hogs {
            let pid = i32::try_from(hog.pid()).ok();
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                rustix::process::kill_process(pid, rustix::process::Signal::CONT).ok();
            }
            crate::common::patience::until(|| !Known::of(hog.pid()).stopped);
            known.stopped = false;
        }
    }
}

/// The test is nobody's victim, as far as its rights go: a container may not lower a score below 0.
fn safe() {
    let file = "/proc/self/oom_score_adj";
    if fs::write(file, "-1000").is_err() {
        fs::write(file, "0").ok();
    }
}

fn compare(pid: u32, known: &mut Known, changes: &mut Vec<Change>) {
    let now = Known::of(pid);
    // A process that is about to end is the next look's matter.
    let ends = now.ends || Known::of(pid).ends;
    if ends || now == *known {
        return;
    }
    let stands_still = Known {
        stopped: true,
        ..known.clone()
    };
    changes.push(match &now.group {
        Some(group) if now == stands_still => Change::Stopped(pid, group.clone()),
        _ => Change::Process(pid, format!("{known:?} -> {now:?}")),
    });
    *known = now;
}

/// Every group below the root and its limits.
fn groups() -> Groups {
    let (root, _) = mount().expect("groups");
    let mut found = Groups::new();
    let mut todo = vec![root.clone()];
    while let Some(dir) = todo.pop() {
        let path = path_of(&root, &dir);
        let files = LIMITS.iter().filter_map(|name| {
            let text = fs::read_to_string(dir.join(name)).ok()?;
            Some((*name, text))
        });
        found.insert(path, files.collect());
        let inside = fs::read_dir(&dir).into_iter().flatten().flatten();
        let dirs = inside.filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir()));
        todo.extend(dirs.map(|entry| entry.path()));
    }
    found
}

fn path_of(root: &Path, dir: &Path) -> String {
    let below = dir.strip_prefix(root).expect("below the root");
    format!("/{}", below.display())
}

/// OOM kills of the kernel in all groups. A group counts its own (v1), or those below it too (v2).
fn kills() -> BTreeMap<String, u64> {
    let (root, _) = mount().expect("groups");
    let count = |dir: &Path| -> Option<u64> {
        let v1 = fs::read_to_string(dir.join("memory.oom_control")).ok();
        let text = v1.or_else(|| fs::read_to_string(dir.join("memory.events.local")).ok())?;
        let line = text.lines().find_map(|l| l.strip_prefix("oom_kill "))?;
        line.trim().parse().ok()
    };
    let paths = groups().into_keys();
    let counted = paths.filter_map(|path| Some((path.clone(), count(&root.join(&path[1..]))?)));
    counted.collect()
}
