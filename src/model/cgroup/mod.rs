//! Memory cgroups: paths, limits, usage and counters, the same for v1 and v2.

pub mod container;
pub mod kernel_memory;
pub mod limits;
mod path;

use crate::oomlog::analysis::memcg_version::MemcgVersion;

pub use limits::Limits;
pub use path::CgroupPath;

/// Which cgroup version controls memory on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupVersion {
    /// No memory controller is mounted.
    #[default]
    None,
    /// The v1 `memory` hierarchy.
    V1,
    /// The unified hierarchy lists `memory` in its root `cgroup.controllers`.
    V2,
    /// v1 has the `memory` controller; there is a cgroup2 mount as well, without it.
    Hybrid,
}

impl CgroupVersion {
    /// True if the memory files are those of v1.
    #[must_use]
    pub fn is_v1(self) -> bool {
        matches!(self, Self::V1 | Self::Hybrid)
    }

    /// The name for the header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "no memory cgroups",
            Self::V1 => "cgroup v1",
            Self::V2 => "cgroup v2",
            Self::Hybrid => "cgroup hybrid",
        }
    }
}

impl From<MemcgVersion> for CgroupVersion {
    fn from(version: MemcgVersion) -> Self {
        match version {
            MemcgVersion::V1 => Self::V1,
            MemcgVersion::V2 => Self::V2,
        }
    }
}

/// Index of a group in [`super::snapshot::Snapshot::cgroups`]; stable while oomtop runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct CgroupKey(pub u32);

impl CgroupKey {
    /// The index as a `usize`.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Counters of `memory.events` (v2) or `memory.oom_control` (v1), since the group was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct GroupEvents {
    /// Times throttled for exceeding `high`.
    pub high: Option<u64>,
    /// Times the limit was about to be exceeded; on v1 the sum for memory (`memory.failcnt`) and for memory
    /// and swap (`memory.memsw.failcnt`).
    pub max: Option<u64>,
    /// OOM conditions (not kills), including descendants.
    pub oom: Option<u64>,
    /// OOM conditions of this group's own limit (v2 `memory.events.local` `oom`; before 5.2 `memory.events`
    /// counts only these). `None` on v1, which has no such counter.
    pub own_oom: Option<u64>,
    /// Processes killed in this group and its descendants, whichever limit ran out.
    pub oom_kill: Option<u64>,
    /// v1: processes killed in this group itself, which is all that the v1 counter shows; oomtop sums up
    /// [`Self::oom_kill`] from these counters. `None` on v2.
    pub own_kills: Option<u64>,
    /// Times the group was killed as a whole (v2 `oom_group_kill`, 5.17 and later).
    pub oom_group_kill: Option<u64>,
}

/// The `memory.stat` of the group, including descendants (on v1 the `total_` lines), in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct GroupStat {
    /// `inactive_file`: page cache that the kernel drops first.
    pub inactive_file: u64,
    /// `active_file`: page cache in use. The kernel drops it too before it kills, although it must be read
    /// again then.
    pub active_file: u64,
    /// `file_dirty` + `file_writeback` (v1 `total_dirty` + `total_writeback`): page cache that must be
    /// written before it can be dropped. It is in both lists.
    pub unwritten: u64,
    /// `workingset_refault_anon` + `_file` (before 5.9 `workingset_refault`): pages read again soon after
    /// they were dropped, since the group was created. `None` if the kernel does not count them.
    pub refaults: Option<u64>,
    /// v2 `slab_reclaimable`: dentries, inodes and other kernel caches that the kernel shrinks before it kills. v1 does
    /// not tell it: an estimate there ([`kernel_memory::estimate`]), `None` where nobody knows the members.
    pub slab_reclaimable: Option<u64>,
    /// v1 `memory.kmem.usage_in_bytes`: all kernel memory of the group, reclaimable or not. `None` on v2.
    pub kernel: Option<u64>,
    /// `anon` (v1 `total_rss`): private memory of programs.
    pub anon: Option<u64>,
    /// `shmem` (v1 `total_shmem`): tmpfs and shared memory; not reclaimable without swap.
    pub shmem: Option<u64>,
    /// `pgscan`: pages that reclaim has looked at, since the group was created. `None` on v1.
    pub scanned: Option<u64>,
    /// `pgsteal`: pages that reclaim has got back, since the group was created. `None` on v1.
    pub stolen: Option<u64>,
}

impl GroupStat {
    /// Page cache that the kernel drops before it kills: both file lists. What is dirty or being written counts: whoever
    /// needs memory waits until it is on the disk (mm/vmscan.c `shrink_folio_list`; seen on 6.1 with v1 and v2 and on 6.12:
    /// a writer in a group of 30 MiB on a disk of 60 requests a second, up to 27 MiB dirty, is not killed).
    #[must_use]
    pub fn droppable(&self) -> u64 {
        self.inactive_file.saturating_add(self.active_file)
    }
}

/// `avg10` of a group's `memory.pressure`, in hundredths of a percent (an integer, so that it implements
/// `Eq`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct GroupPressure {
    /// Share of the last 10 s in which at least one task waited for memory.
    pub some: u32,
    /// Share of the last 10 s in which all tasks waited for memory.
    pub full: u32,
    /// Microseconds in which all tasks waited, since the group was made.
    pub full_total: u64,
}

/// One group, and none that has its path later: a service that starts again and a container made anew have a new group
/// under the old path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupId {
    /// Its path.
    pub path: CgroupPath,
    /// See [`Cgroup::instance`].
    pub instance: u64,
}

/// One memory cgroup in the last sample.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cgroup {
    /// The path in the memory hierarchy.
    pub path: CgroupPath,
    /// The enclosing group; `None` for the root.
    pub parent: Option<CgroupKey>,
    /// False once its directory is gone (the entry stays, so that keys stay stable).
    pub present: bool,
    /// Limits of the group itself (not of its ancestors).
    pub limits: Limits,
    /// `memory.current` / `memory.usage_in_bytes` in bytes; read only where it matters.
    pub usage: Option<u64>,
    /// Swap used: `memory.swap.current`, or memsw - memory on v1.
    pub swap_usage: Option<u64>,
    /// Counters.
    pub events: GroupEvents,
    /// Pressure of the group (v2 only).
    pub pressure: Option<GroupPressure>,
    /// Kinds of memory in the group; read only near a limit, or when the group is on the screen.
    pub stat: Option<GroupStat>,
    /// v1 `memory.oom_control`: `under_oom` is set: tasks of the group wait for memory now.
    pub under_oom: bool,
    /// The sample in which [`Self::usage`] was last read; idle groups are not read in every sample.
    pub read_seq: u64,
    /// Tells the group from one that is made later under the same path: the inode number of its `cgroup.procs`, which
    /// kernfs does not use again. `None` until it was read.
    #[serde(skip)]
    pub instance: Option<u64>,
}

impl Cgroup {
    /// A group that has not been read: only the path is known.
    #[must_use]
    pub fn unread(path: CgroupPath, parent: Option<CgroupKey>) -> Self {
        Self {
            path,
            parent,
            present: true,
            limits: Limits::default(),
            usage: None,
            swap_usage: None,
            events: GroupEvents::default(),
            pressure: None,
            stat: None,
            under_oom: false,
            read_seq: 0,
            instance: None,
        }
    }

    /// True if this is the group that was read as `instance`, as far as is known: a service that starts again has a
    /// new group under the old path.
    #[must_use]
    pub fn is_still(&self, instance: Option<u64>) -> bool {
        self.instance
            .zip(instance)
            .is_none_or(|(now, then)| now == then)
    }
}

/// Most ancestors followed: a damaged table must not cause an endless loop.
const DEEPEST: usize = 256;

/// `key` and its ancestors in the table of groups, innermost first.
pub fn ancestry(key: CgroupKey, cgroups: &[Cgroup]) -> impl Iterator<Item = (CgroupKey, &Cgroup)> {
    // This runs for every group and process in every sample: one closure is faster than iterator adapters.
    let (mut next, mut left) = (Some(key), DEEPEST);
    std::iter::from_fn(move || {
        let key = next?;
        let group = cgroups.get(key.index())?;
        left -= 1;
        next = if left > 0 { group.parent } else { None };
        Some((key, group))
    })
}
