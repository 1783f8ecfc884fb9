//! [`OwnGroup`]: the memory cgroup that oomtop runs in, and the limit that binds oomtop there.

use std::os::fd::OwnedFd;

use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::memory::Memory;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::Scope;

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::cgroup::table::CgroupTable;
use crate::linux::kernel_file::FileBuffer;

/// The group. It can change: somebody may move oomtop.
#[derive(Debug, Default)]
pub(crate) struct OwnGroup(Option<CgroupKey>);

impl OwnGroup {
    /// Reads the group again. There is none if this `/proc` does not show oomtop.
    pub(crate) fn find(
        &mut self,
        proc: &OwnedFd,
        buffer: &mut FileBuffer,
        hierarchy: &Hierarchy,
        cgroups: &mut CgroupTable,
    ) {
        let text = buffer.read_whole(proc, "self/cgroup").ok();
        let path = text.and_then(|text| memory_path(text, hierarchy.version));
        self.0 = path.map(|path| cgroups.intern(path, hierarchy));
    }

    /// The group.
    pub(crate) fn key(&self) -> Option<CgroupKey> {
        self.0
    }

    /// The limit nearest to being hit among the own group and its ancestors. Limits above RAM are ignored:
    /// the host runs out first.
    pub(crate) fn limit(&self, cgroups: &[Cgroup], memory: &Memory) -> Option<Scope> {
        ancestry(self.0?, cgroups)
            .filter(|(_, group)| group.present)
            .filter_map(|(key, group)| {
                let max = group.limits.max.filter(|max| *max < memory.total)?;
                let room = Room::from_group(key, cgroups, memory);
                Some((room.map_or(max, |room| room.left()), key))
            })
            // `min_by_key` keeps the first of equals, the innermost group: its limit is hit first.
            .min_by_key(|(left, _)| *left)
            .map(|(_, key)| Scope::Memcg(key))
    }
}
