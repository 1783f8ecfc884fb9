//! [`Room`]: the headroom of an OOM domain: what it can still use before its OOM.
//!
//! Usage at the limit is not urgent by itself: page cache fills every group up to its limit, and the kernel
//! drops it before it kills anybody (mm/memcontrol.c `try_charge_memcg` reclaims, and calls `mem_cgroup_oom`
//! only when reclaim frees nothing; seen on 6.18 with v1). The *kept* usage is the usage without droppable
//! page cache: both file lists of `memory.stat`, active and inactive, with what must be written first. The gauge of the
//! host uses the same measure (total - available). Reclaimable kernel caches do not count either: they shrink as the page
//! cache does. Dropping active cache hurts, but stalls and refaults show
//! that separately. Where `memory.stat` was not read (far from the limit), all usage counts as kept.

use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::memory::{Memory, percent};
use crate::model::oom_domain::victim::may_swap;

/// The room of one domain, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Room {
    /// The limit; RAM for the host.
    pub limit: u64,
    /// The usage that the kernel compares with the limit.
    pub usage: u64,
    /// The part of the usage that is page cache which the kernel drops before it kills; 0 if unknown.
    pub droppable: u64,
    /// The part of the usage that is kernel caches (dentries, inodes) which the kernel shrinks before it kills; 0 if
    /// unknown. v1 tells only the sum of all kernel memory: there this is estimated by the host's mix.
    pub slab: u64,
    /// Swap used by the domain; `None` if it is not counted.
    pub swap_used: Option<u64>,
    /// Swap that the domain may still use: the minimum over its own limit, all enclosing limits and the host;
    /// 0 if its memory is not swapped out (swappiness 0).
    pub swap_left: u64,
    /// v1: the limit on memory and swap together (`memory.memsw.limit_in_bytes`).
    pub both_limit: Option<u64>,
}

impl Room {
    /// The room of the host.
    #[must_use]
    pub fn from_host(memory: &Memory) -> Self {
        Self::from_ram(memory.total, memory.used(), memory)
    }

    /// The room of the host, or of some of its memory nodes.
    pub(super) fn from_ram(limit: u64, usage: u64, memory: &Memory) -> Self {
        Self {
            limit,
            usage,
            // Available memory already includes droppable cache.
            droppable: 0,
            slab: 0,
            swap_used: Some(memory.swap_used()),
            swap_left: memory.swap_room(),
            both_limit: None,
        }
    }

    /// The room below the limit of one group; `None` if it has no limit of its own, or if its usage could not
    /// be read.
    #[must_use]
    pub fn from_group(key: CgroupKey, cgroups: &[Cgroup], memory: &Memory) -> Option<Self> {
        let group = cgroups.get(key.index())?;
        let (limit, usage) = (group.limits.max?, group.usage?);
        let swap_left = if memory.swap_free > 0 && may_swap(group, memory) {
            ancestry(key, cgroups)
                .filter_map(|(_, group)| own_swap_left(group))
                .fold(memory.swap_room(), u64::min)
        } else {
            0
        };
        let droppable = group.stat.map_or(0, |stat| stat.droppable()).min(usage);
        let slab = group.stat.and_then(|stat| stat.slab_reclaimable);
        Some(Self {
            limit,
            usage,
            droppable,
            slab: slab.unwrap_or(0).min(usage - droppable),
            swap_used: group.swap_usage,
            swap_left,
            both_limit: group.limits.memsw_max,
        })
    }

    /// Usage that cannot be dropped.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.usage
            .saturating_sub(self.droppable)
            .saturating_sub(self.slab)
    }

    /// Kept usage in percent of the limit; the warning bands apply to this.
    #[must_use]
    pub fn percent(&self) -> f64 {
        percent(self.kept(), self.limit)
    }

    /// Bytes that the domain can still use before somebody dies: memory up to the limit, then swap
    /// (mm/memcontrol.c `try_charge_memcg`, seen on 6.18). v1 can limit memory and swap together.
    #[must_use]
    pub fn left(&self) -> u64 {
        let beyond = self.kept().saturating_sub(self.limit);
        let left = self
            .limit
            .saturating_sub(self.kept())
            .saturating_add(self.swap_left.saturating_sub(beyond));
        match self.both_limit {
            Some(both) => left.min(both.saturating_sub(self.consumed())),
            None => left,
        }
    }

    /// True if the kept usage does not fit below the limit, even with all the swap that the domain may still
    /// use. This happens right after a limit was written. The kernel reclaims first, swap included (v2:
    /// mm/memcontrol.c `memory_max_write`, seen in a VM; v1: mm/memcontrol-v1.c `mem_cgroup_resize_max`, seen
    /// on 6.18).
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.kept().saturating_sub(self.limit) > self.swap_left
    }

    /// True if memory and swap together exceed the v1 limit on both: swapping out does not help
    /// (mm/memcontrol-v1.c `mem_cgroup_resize_max` with `memsw`).
    #[must_use]
    pub fn exceeds_both(&self) -> bool {
        self.both_limit.is_some_and(|both| self.consumed() > both)
    }

    /// Kept memory plus swap: the sum that grows until the OOM.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.kept().saturating_add(self.swap_used.unwrap_or(0))
    }
}

/// Swap that the group may still use under its own limits; `None` if they do not limit swap.
fn own_swap_left(group: &Cgroup) -> Option<u64> {
    let used = group.swap_usage.unwrap_or(0);
    match (group.limits.memsw_max, group.limits.swap_max) {
        // v1 limits memory and swap together: this much swap is left once memory is full.
        (Some(both), _) => {
            let swap = both.saturating_sub(group.limits.max.unwrap_or(both));
            Some(swap.saturating_sub(used))
        }
        (None, Some(most)) => Some(most.saturating_sub(used)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Room;
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, GroupStat};
    use crate::model::memory::Memory;
    use crate::model::on_paper::{self, MIB};

    fn group(path: &str, parent: Option<u32>, max: u64, usage: u64) -> Cgroup {
        on_paper::group(path, parent, Some(max * MIB), usage * MIB)
    }

    fn host(swappiness: Option<u64>) -> Memory {
        Memory {
            total: 8000 * MIB,
            available: Some(3000 * MIB),
            swap_total: 1000 * MIB,
            swap_free: 800 * MIB,
            swappiness,
            ..Memory::default()
        }
    }

    fn room(groups: &[Cgroup], key: u32, host: &Memory) -> Room {
        Room::from_group(CgroupKey(key), groups, host).expect("its room")
    }

    #[test]
    fn page_cache_at_the_limit_is_not_memory_that_is_gone() {
        let mut cached = group("/a", None, 100, 100);
        cached.limits.swap_max = Some(0);
        cached.stat = Some(GroupStat {
            inactive_file: 50 * MIB,
            active_file: 30 * MIB,
            unwritten: 10 * MIB,
            ..GroupStat::default()
        });
        let room = room(&[cached], 0, &host(None));
        assert_eq!((room.kept(), room.left()), (20 * MIB, 80 * MIB));
        assert!((room.percent() - 20.0).abs() < 1e-9);
    }

    #[test]
    fn kernel_caches_that_shrink_are_not_memory_that_is_gone() {
        let memory = Memory {
            slab: Some(400 * MIB),
            slab_reclaimable: Some(300 * MIB),
            ..host(None)
        };
        let of = |stat: GroupStat| {
            let mut dentries = group("/a", None, 40, 33);
            dentries.limits.swap_max = Some(0);
            dentries.stat = Some(stat);
            room(&[dentries], 0, &memory)
        };
        let v2 = of(GroupStat {
            slab_reclaimable: Some(27 * MIB),
            ..GroupStat::default()
        });
        assert_eq!((v2.kept(), v2.left()), (6 * MIB, 34 * MIB));
        // v1 tells the sum only: where nobody knows the members, nothing of it is promised.
        let v1 = of(GroupStat {
            kernel: Some(28 * MIB),
            ..GroupStat::default()
        });
        assert_eq!((v1.slab, v1.kept()), (0, 33 * MIB));
        let damaged = of(GroupStat {
            slab_reclaimable: Some(u64::MAX),
            inactive_file: u64::MAX,
            ..GroupStat::default()
        });
        assert_eq!(damaged.kept(), 0);
    }

    #[test]
    fn zram_gives_only_what_compression_saves() {
        let mut host = host(None);
        host.zram_cost = 600 * MIB;
        assert_eq!(Room::from_host(&host).left(), 3200 * MIB);
        let group = group("/a", None, 100, 90);
        assert_eq!(room(&[group], 0, &host).left(), 210 * MIB);
    }

    #[test]
    fn swap_counts_as_far_as_every_limit_lets_it() {
        let mut outer = group("/a", None, 500, 90);
        outer.limits.swap_max = Some(60 * MIB);
        outer.swap_usage = Some(20 * MIB);
        let inner = group("/a/b", Some(0), 100, 90);
        let mut old = group("/v1", None, 100, 90);
        old.limits.memsw_max = Some(130 * MIB);
        old.swap_usage = Some(10 * MIB);
        let open = group("/open", None, 100, 90);
        let all = [outer, inner, old, open];
        let left = [0, 1, 2, 3].map(|key| room(&all, key, &host(None)).swap_left / MIB);
        assert_eq!(left, [40, 40, 20, 800]);
    }

    #[test]
    fn what_is_not_swapped_out_has_no_swap_left() {
        let mut own = group("/own", None, 100, 90);
        own.limits.swappiness = Some(0);
        let mut other = group("/other", None, 100, 90);
        let left = |groups: &[Cgroup], swappiness| {
            let host = host(Some(swappiness));
            [0, 1].map(|key| room(groups, key, &host).swap_left / MIB)
        };
        assert_eq!(left(&[own.clone(), other.clone()], 60), [0, 800]);
        assert_eq!(left(&[own.clone(), other.clone()], 0), [0, 0]);
        // v1: the group's own swappiness overrides the host's.
        other.limits.swappiness = Some(60);
        assert_eq!(left(&[own, other], 0), [0, 800]);
    }

    #[test]
    fn room_of_groups_of_both_versions() {
        let memory = Memory {
            total: 4096 * MIB,
            available: Some(1000 * MIB),
            swap_total: 500 * MIB,
            swap_free: 300 * MIB,
            ..Memory::default()
        };
        let left = |group: &Cgroup| {
            let groups = [group.clone()];
            Room::from_group(CgroupKey(0), &groups, &memory).map(|room| room.left())
        };
        let mut group = Cgroup::unread(CgroupPath::new("/g"), None);
        assert_eq!(left(&group), None);
        (group.limits.max, group.usage) = (Some(100 * MIB), Some(70 * MIB));
        assert_eq!(left(&group), Some(330 * MIB));
        (group.limits.swap_max, group.swap_usage) = (Some(20 * MIB), Some(5 * MIB));
        assert_eq!(left(&group), Some(45 * MIB));
        group.limits.swap_max = None;
        group.limits.memsw_max = Some(100 * MIB);
        assert_eq!(left(&group), Some(25 * MIB));
        group.usage = Some(200 * MIB);
        assert_eq!(left(&group), Some(0));
        assert_eq!(Room::from_host(&memory).left(), 1300 * MIB);
    }

    #[test]
    fn a_limit_below_usage_is_exceeded_by_what_neither_cache_nor_swap_takes() {
        let mut group = group("/g", None, 100, 150);
        let exceeded = |group: &Cgroup, swap_free| {
            let memory = Memory {
                swap_free: swap_free * MIB,
                ..Memory::default()
            };
            let room = Room::from_group(CgroupKey(0), std::slice::from_ref(group), &memory);
            room.expect("its usage").is_exceeded()
        };
        assert!(exceeded(&group, 0) && exceeded(&group, 49));
        assert!(!exceeded(&group, 50));
        group.stat = Some(GroupStat {
            inactive_file: 50 * MIB,
            ..GroupStat::default()
        });
        assert!(!exceeded(&group, 0));
    }
}
