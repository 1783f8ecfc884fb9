//! How domains, processes and rooms are spoken of, the same in every dialog.

use super::format::long_size;
use crate::domain::headroom::Room;
use crate::domain::process::ProcessId;
use crate::domain::snapshot::Snapshot;
use crate::domain::victim::Scope;

/// An OOM domain in a sentence: the host, a group by its whole path, nodes by their numbers.
pub fn domain(scope: Scope, snapshot: &Snapshot) -> String {
    match scope {
        Scope::Host => "the host".to_owned(),
        Scope::Nodes(set) => format!("memory nodes {set}"),
        Scope::Memcg(key) => snapshot
            .cgroup(key)
            .map_or_else(|| "?".to_owned(), |group| group.path.to_string()),
    }
}

/// A process in a sentence: pid and name; the pid alone if it is gone.
pub fn process(id: ProcessId, snapshot: &Snapshot) -> String {
    match snapshot.process(id) {
        Some(process) => format!("{} {}", id.pid, process.comm),
        None => id.pid.to_string(),
    }
}

/// What a domain can still take before somebody dies.
pub fn left(room: &Room) -> String {
    let left = format!("{} left", long_size(room.left()));
    match room.droppable {
        0 => left,
        cache => format!("{left}, {} of it page cache to drop", long_size(cache)),
    }
}
