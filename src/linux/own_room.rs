//! How much memory oomtop may still take in its cgroup. This is checked before oomtop starts: who is killed for lack of
//! memory can say nothing.

use std::fmt;
use std::os::fd::OwnedFd;

use crate::linux::SysRoot;
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::own_group::OwnGroup;
use crate::linux::cgroup::table::CgroupTable;
use crate::linux::cgroup::visit::Round;
use crate::linux::host::meminfo;
use crate::linux::kernel_file::{FileBuffer, open_dir};
use crate::model::cgroup::CgroupPath;
use crate::model::memory::Memory;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::Scope;

/// A cgroup of oomtop's has too little room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Cramped {
    group: CgroupPath,
    /// Bytes.
    limit: u64,
    left: u64,
    needed: u64,
}

impl fmt::Display for Cramped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "the kernel would kill oomtop for lack of memory: oomtop needs {:.1} MiB more, and its memory cgroup {} leaves \
             {:.1} MiB below the limit of {:.1} MiB; raise that limit, or start oomtop in another group",
            mib(self.needed),
            self.group.as_str(),
            mib(self.left),
            mib(self.limit),
        )
    }
}

/// How many bytes this process can take; `None` for what has no limit or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnRoom {
    /// Below the limits of its memory cgroup and of those around it.
    pub in_groups: Option<u64>,
    /// `MemAvailable` of the host.
    pub on_host: Option<u64>,
}

impl OwnRoom {
    /// True if it can take so many bytes, as far as is known.
    #[must_use]
    pub fn has(&self, bytes: u64) -> bool {
        let known = [self.in_groups, self.on_host];
        known.into_iter().flatten().all(|left| left >= bytes)
    }
}

/// Makes sure that this process can take so many bytes more.
///
/// # Errors
/// If a limit of its memory cgroup or of one around that leaves less.
pub fn require(root: &SysRoot, needed: u64) -> Result<OwnRoom, Cramped> {
    let Ok(proc) = open_dir(&root.proc) else {
        return Ok(OwnRoom::default());
    };
    let mut buffer = FileBuffer::default();
    let Ok(memory) = meminfo::read(root, &proc, &mut buffer) else {
        return Ok(OwnRoom::default());
    };
    match in_groups(root, &proc, &mut buffer, &memory, needed) {
        Some(found) if found.left < needed => Err(found),
        found => Ok(OwnRoom {
            in_groups: found.map(|found| found.left),
            on_host: memory.available,
        }),
    }
}

fn in_groups(
    root: &SysRoot,
    proc: &OwnedFd,
    buffer: &mut FileBuffer,
    memory: &Memory,
    needed: u64,
) -> Option<Cramped> {
    let hierarchy = Hierarchy::detect(root);
    let mut cgroups = CgroupTable::new(rustix::param::page_size() as u64);
    let mut own = OwnGroup::default();
    own.find(proc, buffer, &hierarchy, &mut cgroups);
    let round = Round {
        seq: 0,
        shown: &[],
        pressed: false,
        grows: false,
        killed: false,
        counted: None,
    };
    cgroups.refresh(&hierarchy, &round);
    let groups = cgroups.groups();
    let Scope::Memcg(key) = own.limit(&groups, memory)? else {
        return None;
    };
    let below = Room::from_group(key, &groups, memory)?;
    Some(Cramped {
        group: groups
            .get(key.index())
            .map_or_else(CgroupPath::root, |group| group.path.clone()),
        limit: below.limit,
        left: below.left(),
        needed,
    })
}
