//! What has grown between two samples: processes by their identity, domains by their path.

use std::collections::HashMap;

use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// What one process or domain uses in a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It is not there.
    Absent,
    /// It is there; how much it uses is not known.
    Unknown,
    /// Bytes.
    Bytes(u64),
}

impl Usage {
    fn of(bytes: Option<u64>) -> Self {
        bytes.map_or(Self::Unknown, Self::Bytes)
    }

    /// Bytes; `None` if they are not known.
    fn bytes(self) -> Option<u64> {
        match self {
            Self::Absent => Some(0),
            Self::Unknown => None,
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

/// How one process or domain has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name: pid and short name, or path.
    pub name: String,
    /// In the earlier sample.
    pub before: Usage,
    /// In the later sample.
    pub after: Usage,
}

impl Change {
    /// Bytes by which it has grown, negative if it has shrunk or is gone; `None` if that is not known.
    pub fn by(&self) -> Option<i128> {
        Some(i128::from(self.after.bytes()?) - i128::from(self.before.bytes()?))
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
        let memory = process.memory.as_ref();
        Usage::of(memory.map(|memory| memory.charged().saturating_mul(page_size)))
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
        name: format!("{} {}", named.id.pid, named.comm.text()),
        before: before.map_or(Usage::Absent, bytes),
        after: after.map_or(Usage::Absent, bytes),
    };
    sorted(stayed.chain(gone).map(change))
}

/// Keys of groups are stable while one oomtop records; another may have recorded the other sample, so paths count.
fn domains(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let usage = |snapshot: &Snapshot| -> HashMap<Option<CgroupPath>, Usage> {
        let of = |scope: Scope| match scope {
            Scope::Host => Some(None),
            Scope::Memcg(key) => Some(Some(snapshot.cgroup(key)?.path.clone())),
            Scope::Nodes(_) => None,
        };
        let domains = snapshot.domains.iter();
        domains
            .filter_map(|domain| Some((of(domain.scope)?, Usage::of(domain.usage))))
            .collect()
    };
    let (earlier, later) = (usage(before), usage(after));
    let gone = earlier.keys().filter(|path| !later.contains_key(path));
    let change = |path: &Option<CgroupPath>| Change {
        name: path
            .as_ref()
            .map_or_else(|| "host".to_owned(), ToString::to_string),
        before: earlier.get(path).copied().unwrap_or(Usage::Absent),
        after: later.get(path).copied().unwrap_or(Usage::Absent),
    };
    sorted(later.keys().chain(gone).map(change))
}

fn sorted(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<Change> = changes
        .filter(|change| change.before != change.after && change.by() != Some(0))
        .collect();
    changes.sort_by(|a, b| {
        // What is not known comes last.
        let size = |change: &Change| change.by().map(i128::unsigned_abs);
        size(b).cmp(&size(a)).then_with(|| a.name.cmp(&b.name))
    });
    changes
}

#[cfg(test)]
mod tests {
    use super::{Change, Usage, sorted};

    #[test]
    fn what_is_unknown_is_neither_gone_nor_shrunk() {
        let change = |name: &str, before, after| Change {
            name: name.to_owned(),
            before,
            after,
        };
        let (known, unknown, absent) = (Usage::Bytes(8), Usage::Unknown, Usage::Absent);
        let changes = [
            change("a", unknown, unknown),
            change("b", known, unknown),
            change("c", absent, known),
            change("d", known, known),
            change("e", Usage::Bytes(99), absent),
            change("f", absent, unknown),
        ];
        let found: Vec<(String, Option<i128>)> = sorted(changes.into_iter())
            .into_iter()
            .map(|change| (change.name.clone(), change.by()))
            .collect();
        let expected = [("e", Some(-99)), ("c", Some(8)), ("b", None), ("f", None)];
        assert_eq!(found, expected.map(|(name, by)| (name.to_owned(), by)));
    }
}
