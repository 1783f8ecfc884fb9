//! Processes and groups built by hand, with only the fields that the rules look at.

use oomtop::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::{MemoryUse, Process, ProcessId, TaskState};

/// A sleeping process in a group, with `rss` resident pages; its start time follows from its pid.
pub(crate) fn process(pid: u32, rss: u64, adj: i64, cgroup: u32) -> Process {
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
        cgroup: Some(CgroupKey(cgroup)),
        ..Process::default()
    }
}

/// A group with or without a limit in bytes.
pub(crate) fn group(path: &str, parent: Option<u32>, max: Option<u64>) -> Cgroup {
    let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
    group.limits.max = max;
    group
}
