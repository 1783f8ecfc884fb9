//! What has grown between two samples: processes by their identity, domains by their path.

use std::collections::HashMap;

use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// How one process or domain has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name: pid and command, or path.
    pub name: String,
    /// Bytes in the earlier sample; `None` if it was not there, or its use is not known.
    pub before: Option<u64>,
    /// Bytes in the later sample; likewise.
    pub after: Option<u64>,
}

impl Change {
    /// Bytes by which it has grown; negative if it has shrunk or is gone.
    pub fn by(&self) -> i128 {
        i128::from(self.after.unwrap_or(0)) - i128::from(self.before.unwrap_or(0))
    }
}

/// All that has changed, the largest change first, grown or shrunk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Growth {
    /// Processes, by resident memory, swap and page tables.
    pub processes: Vec<Change>,
    /// Domains, by their usage.
    pub domains: Vec<Change>,
}

/// Compares two samples of the same machine, the earlier one first.
pub fn between(before: &Snapshot, after: &Snapshot, page_size: u64) -> Growth {
    Growth {
        processes: processes(before, after, page_size),
        domains: domains(before, after),
    }
}

fn processes(before: &Snapshot, after: &Snapshot, page_size: u64) -> Vec<Change> {
    let bytes = |process: &Process| {
        let memory = process.memory.as_ref()?;
        Some(memory.charged().saturating_mul(page_size))
    };
    let earlier: HashMap<ProcessId, &Process> =
        before.processes.iter().map(|p| (p.id, p)).collect();
    let later: HashMap<ProcessId, &Process> = after.processes.iter().map(|p| (p.id, p)).collect();
    let stayed = after
        .processes
        .iter()
        .map(|p| (p, earlier.get(&p.id).copied(), Some(p)));
    let gone = before
        .processes
        .iter()
        .filter(|p| !later.contains_key(&p.id));
    let gone = gone.map(|p| (p, Some(p), None));
    let change = |(named, before, after): (&Process, Option<&Process>, Option<&Process>)| Change {
        name: format!("{} {}", named.id.pid, named.title()),
        before: before.and_then(bytes),
        after: after.and_then(bytes),
    };
    sorted(stayed.chain(gone).map(change))
}

/// Keys of groups are stable while one oomtop records; another may have recorded the other sample, so paths count.
fn domains(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let usage = |snapshot: &Snapshot| -> HashMap<Option<CgroupPath>, Option<u64>> {
        let of = |scope: Scope| match scope {
            Scope::Host => Some(None),
            Scope::Memcg(key) => Some(Some(snapshot.cgroup(key)?.path.clone())),
            Scope::Nodes(_) => None,
        };
        let domains = snapshot.domains.iter();
        domains
            .filter_map(|domain| Some((of(domain.scope)?, domain.usage)))
            .collect()
    };
    let (earlier, later) = (usage(before), usage(after));
    let gone = earlier.keys().filter(|path| !later.contains_key(path));
    let change = |path: &Option<CgroupPath>| Change {
        name: path
            .as_ref()
            .map_or_else(|| "host".to_owned(), ToString::to_string),
        before: earlier.get(path).copied().flatten(),
        after: later.get(path).copied().flatten(),
    };
    sorted(later.keys().chain(gone).map(change))
}

fn sorted(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<Change> = changes.filter(|change| change.by() != 0).collect();
    changes.sort_by(|a, b| {
        let size = |change: &Change| change.by().unsigned_abs();
        size(b).cmp(&size(a)).then_with(|| a.name.cmp(&b.name))
    });
    changes
}
