//! Processes and groups that unit tests write down instead of sampling them.

use super::cgroup::{Cgroup, CgroupKey, CgroupPath};
use super::process::score::OomScoreAdj;
use super::process::{MemoryUse, Process, ProcessId, TaskState};

/// Bytes of a MiB.
pub(crate) const MIB: u64 = 1 << 20;

/// A process asleep, with so many resident pages; its start time follows from its pid.
pub(crate) fn process(pid: u32, rss: u64, adj: i64) -> Process {
    Process {
        id: ProcessId {
            pid,
            start_ticks: u64::from(pid),
        },
        state: TaskState('S'),
        memory: Some(MemoryUse {
            rss,
            ..MemoryUse::default()
        }),
        adj: OomScoreAdj::new(adj),
        ..Process::default()
    }
}

/// [`process`] in a group, its memory in MiB of 4 KiB pages.
pub(crate) fn member(pid: u32, mib: u64, adj: i64, cgroup: u32) -> Process {
    Process {
        cgroup: Some(CgroupKey(cgroup)),
        ..process(pid, mib * 256, adj)
    }
}

/// A group with or without a limit, sizes in bytes.
pub(crate) fn group(path: &str, parent: Option<u32>, max: Option<u64>, usage: u64) -> Cgroup {
    let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
    (group.limits.max, group.usage) = (max, Some(usage));
    group
}
