//! Processes that nobody may freeze or kill from the screen: oomtop, what its terminal depends on, and pid 1. Who freezes the
//! shell, the tmux server or the sshd above oomtop can never thaw them again.

use std::collections::HashMap;

use crate::model::cgroup::CgroupPath;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// Most ancestors followed: a damaged table must not cause an endless loop.
const DEEPEST: usize = 128;

/// Through these a terminal is not on a window of this machine, and needs nobody who draws.
const AWAY: &[&str] = &[
    "sshd",
    "sshd-session",
    "dropbear",
    "mosh-server",
    "login",
    "agetty",
];

/// Servers of windows: a terminal's window depends on one, which is no ancestor of it.
const DISPLAYS: &[&str] = &[
    "Xorg",
    "Xwayland",
    "gnome-shell",
    "kwin_wayland",
    "kwin_x11",
    "cosmic-comp",
    "sway",
    "Hyprland",
    "labwc",
    "weston",
];

/// Why a process is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is oomtop.
    Own,
    /// It runs the machine, or the container.
    Init,
    /// oomtop descends from it: a shell, a terminal, tmux, sshd.
    Above,
    /// It shows the terminal of a multiplexer above oomtop, or something that does depends on it.
    Client,
    /// It draws the screen that the terminal's window is on.
    Display,
}

impl Why {
    /// The end of a sentence that begins with the name of the process.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Own => "is oomtop itself",
            Self::Init => "runs this machine or container",
            Self::Above => "is what oomtop and its terminal hang from",
            Self::Client => "shows the terminal that oomtop runs in",
            Self::Display => "draws the screen that oomtop's terminal is on",
        }
    }
}

/// A spared process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spared {
    /// Which one.
    pub id: ProcessId,
    /// Why.
    pub why: Why,
}

/// All spared processes, oomtop first. Without `own` (the `/proc` of another pid namespace) only pid 1 is known.
#[must_use]
pub fn spared(snapshot: &Snapshot, own: Option<Pid>) -> Vec<Spared> {
    let table = Table::new(&snapshot.processes);
    let mut found = Vec::new();
    let add = |found: &mut Vec<Spared>, process: &Process, why: Why| {
        if !found.iter().any(|known: &Spared| known.id == process.id) {
            let why = if is_init(process) { Why::Init } else { why };
            found.push(Spared {
                id: process.id,
                why,
            });
        }
    };
    let above: Vec<_> = own.into_iter().flat_map(|own| table.up_from(own)).collect();
    for process in &above {
        let is_own = Some(process.id.pid) == own;
        add(
            &mut found,
            process,
            if is_own { Why::Own } else { Why::Above },
        );
    }
    for multiplexer in above.iter().filter_map(|above| Multiplexer::of(above)) {
        let clients = snapshot
            .processes
            .iter()
            .filter(|p| multiplexer.is_client(p));
        for client in clients {
            for process in table.up_from(client.id.pid) {
                add(&mut found, process, Why::Client);
            }
        }
    }
    let is_local = !found.iter().any(|known| {
        let process = table.0.get(&known.id.pid);
        process.is_some_and(|process| AWAY.contains(&process.comm.text().as_ref()))
    });
    if is_local && own.is_some() {
        let draws = |p: &&Process| DISPLAYS.contains(&p.comm.text().as_ref());
        for display in snapshot.processes.iter().filter(draws) {
            add(&mut found, display, Why::Display);
        }
    }
    for init in snapshot.processes.iter().filter(|process| is_init(process)) {
        add(&mut found, init, Why::Init);
    }
    found
}

/// The first spared process in a group or below it.
#[must_use]
pub fn first_within(group: &CgroupPath, snapshot: &Snapshot, own: Option<Pid>) -> Option<Spared> {
    let is_within = |spared: &Spared| {
        let process = snapshot.process(spared.id);
        let key = process.and_then(|process| process.cgroup);
        key.and_then(|key| snapshot.cgroup(key))
            .is_some_and(|home| home.path.is_within(group))
    };
    spared(snapshot, own).into_iter().find(is_within)
}

fn is_init(process: &Process) -> bool {
    process.id.pid == 1 || process.global_init
}

/// Processes by pid.
struct Table<'a>(HashMap<Pid, &'a Process>);

impl<'a> Table<'a> {
    fn new(processes: &'a [Process]) -> Self {
        Self(processes.iter().map(|p| (p.id.pid, p)).collect())
    }

    /// A process and its ancestors.
    fn up_from(&self, pid: Pid) -> impl Iterator<Item = &'a Process> + use<'a, '_> {
        let first = self.0.get(&pid).copied();
        let parent = move |process: &&'a Process| self.0.get(&process.ppid).copied();
        std::iter::successors(first, parent).take(DEEPEST)
    }
}

/// A server of terminals above oomtop: whoever looks at the terminal runs a client of it, which is no ancestor.
struct Multiplexer {
    client: &'static str,
    uid: u32,
}

impl Multiplexer {
    /// tmux calls its two kinds of processes so (prctl(2) `PR_SET_NAME`); those of screen and zellij share a name.
    fn of(process: &Process) -> Option<Self> {
        let client = match process.comm.text().as_ref() {
            "tmux: server" => "tmux: client",
            "screen" => "screen",
            "zellij" => "zellij",
            _ => return None,
        };
        Some(Self {
            client,
            uid: process.uid,
        })
    }

    fn is_client(&self, process: &Process) -> bool {
        process.uid == self.uid && process.comm.text() == self.client
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Why, first_within, spared};
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
    use crate::model::process::{Process, ProcessId};
    use crate::model::snapshot::Snapshot;

    fn process(pid: u32, parent: u32, comm: &str, group: u32) -> Process {
        Process {
            id: ProcessId {
                pid,
                start_ticks: 1,
            },
            ppid: parent,
            comm: comm.into(),
            cgroup: Some(CgroupKey(group)),
            ..Process::default()
        }
    }

    /// oomtop in tmux, looked at through ssh; a database beside.
    fn machine() -> Snapshot {
        let group = |path: &str, parent| Cgroup::unread(CgroupPath::new(path), parent);
        let top = Some(CgroupKey(0));
        Snapshot {
            processes: vec![
                process(1, 0, "systemd", 1),
                process(10, 1, "sshd", 2),
                process(20, 10, "bash", 3),
                process(21, 20, "tmux: client", 3),
                process(30, 1, "tmux: server", 4),
                process(31, 30, "bash", 4),
                process(32, 31, "oomtop", 4),
                process(40, 1, "mysqld", 5),
                process(41, 40, "tmux: client", 5),
            ],
            cgroups: Arc::new(vec![
                group("/", None),
                group("/init.scope", top),
                group("/ssh.service", top),
                group("/user/session-1.scope", top),
                group("/user/tmux.scope", top),
                group("/mysql.service", top),
            ]),
            ..Snapshot::default()
        }
    }

    #[test]
    fn oomtop_its_ancestors_and_whoever_shows_its_terminal() {
        let mut machine = machine();
        // Another user's tmux.
        machine.processes[8].uid = 1000;
        let found: Vec<_> = spared(&machine, Some(32))
            .into_iter()
            .map(|spared| (spared.id.pid, spared.why))
            .collect();
        assert_eq!(
            found,
            [
                (32, Why::Own),
                (31, Why::Above),
                (30, Why::Above),
                (1, Why::Init),
                (21, Why::Client),
                (20, Why::Client),
                (10, Why::Client),
            ]
        );
    }

    #[test]
    fn a_group_that_holds_one_of_them_is_known_by_it() {
        let mut machine = machine();
        machine.processes[8].uid = 1000;
        let first = |path: &str, own| {
            let found = first_within(&CgroupPath::new(path), &machine, own);
            found.map(|spared| spared.id.pid)
        };
        assert_eq!(first("/mysql.service", Some(32)), None);
        assert_eq!(first("/user", Some(32)), Some(32));
        assert_eq!(first("/user/session-1.scope", Some(32)), Some(21));
        assert_eq!(first("/ssh.service", Some(32)), Some(10));
        assert_eq!(first("/init.scope", Some(32)), Some(1));
        assert_eq!(first("/", Some(32)), Some(32));
        assert_eq!(first("/init.scope", None), Some(1));
    }

    #[test]
    fn a_table_whose_parents_go_in_circles_ends() {
        let mut machine = machine();
        machine.processes[6].ppid = 32;
        assert_eq!(spared(&machine, Some(32)).len(), 2);
    }
    #[test]
    fn whoever_draws_the_terminals_window_is_spared_where_it_is_a_window_of_this_machine() {
        let mut machine = machine();
        machine.processes.push(process(50, 1, "gnome-shell", 5));
        let has = |machine: &Snapshot, own| {
            let all = spared(machine, Some(own));
            all.iter().any(|spared| spared.why == Why::Display)
        };
        assert!(!has(&machine, 32), "through ssh");
        machine.processes.retain(|process| process.id.pid != 21);
        // Another user's tmux client does not count.
        machine.processes.retain(|process| process.id.pid != 41);
        assert!(
            has(&machine, 32),
            "a terminal that nobody looks at from afar"
        );
        assert_eq!(
            first_within(&CgroupPath::new("/mysql.service"), &machine, Some(32))
                .map(|spared| spared.why),
            Some(Why::Display)
        );
    }
}
