//! Whom a dialog can affect: the selected process, the tagged ones, its family, its cgroup, its name.

use std::collections::HashSet;

use crate::app::dialog::Pinned;
use crate::app::view::processes::table::ProcessTable;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// Name of the set of those in the group of a process.
pub const SAME_CGROUP: &str = "same cgroup";

const WITH_DESCENDANTS: &str = "with descendants";
const SAME_COMMAND: &str = "same command";

/// The sets around a process, in the order in which they are offered.
const SCOPES: [&str; 3] = [WITH_DESCENDANTS, SAME_CGROUP, SAME_COMMAND];

/// The tagged processes, kernel threads left out: no action affects one.
pub fn tagged(table: &ProcessTable, snapshot: &Snapshot) -> Vec<Pinned> {
    if table.tagged.is_empty() {
        return Vec::new();
    }
    pinned(snapshot, |p| {
        table.tagged.contains(&p.id) && !p.kernel_thread
    })
}

/// The wider sets that contain `process`, by name; only sets of more than one process.
pub fn scopes(process: &Process, snapshot: &Snapshot) -> Vec<(&'static str, Vec<Pinned>)> {
    let mut scopes: Vec<_> = SCOPES
        .into_iter()
        .map(|name| {
            let wanted = is_in(name, process, snapshot);
            (name, pinned(snapshot, wanted))
        })
        .collect();
    scopes.retain(|(_, targets)| targets.len() > 1);
    scopes
}

/// Whether a process is in the set of this name around `process`; nobody is in a set of another name.
pub fn is_in<'a>(
    name: &str,
    process: &'a Process,
    snapshot: &Snapshot,
) -> Box<dyn Fn(&Process) -> bool + 'a> {
    match name {
        WITH_DESCENDANTS => {
            let family = descendants(process.id.pid, snapshot);
            Box::new(move |p| family.contains(&p.id.pid) && !p.kernel_thread)
        }
        SAME_CGROUP => {
            Box::new(|p| p.cgroup.is_some() && p.cgroup == process.cgroup && !p.kernel_thread)
        }
        SAME_COMMAND => Box::new(|p| p.comm == process.comm && !p.kernel_thread),
        _ => Box::new(|_| false),
    }
}

fn pinned(snapshot: &Snapshot, wanted: impl Fn(&Process) -> bool) -> Vec<Pinned> {
    let mut found: Vec<_> = snapshot
        .processes
        .iter()
        .filter(|p| wanted(p))
        .map(Pinned::of)
        .collect();
    found.sort_unstable_by_key(|p| p.id);
    found
}

/// The process and everything below it, without kernel threads: what can be tagged.
pub fn family(root: Pid, snapshot: &Snapshot) -> Vec<ProcessId> {
    let pids = descendants(root, snapshot);
    let wanted = |p: &&Process| pids.contains(&p.id.pid) && !p.kernel_thread;
    let found = snapshot.processes.iter().filter(wanted);
    found.map(|p| p.id).collect()
}

/// `root` and everything below it.
fn descendants(root: Pid, snapshot: &Snapshot) -> HashSet<Pid> {
    let mut children: std::collections::HashMap<Pid, Vec<Pid>> = std::collections::HashMap::new();
    for process in &snapshot.processes {
        children
            .entry(process.ppid)
            .or_default()
            .push(process.id.pid);
    }
    let mut family = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            if family.insert(*child) {
                open.push(*child);
            }
        }
    }
    family
}
