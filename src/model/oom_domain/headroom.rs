//! [`Room`]: the headroom of an OOM domain: what it can still use before its OOM.
//!
//! Usage at the limit is not urgent by itself: page cache fills every group up to its limit, and the kernel
//! drops it before it kills anybody (mm/memcontrol.c `try_charge_memcg` reclaims, and calls `mem_cgroup_oom`
//! only when reclaim frees nothing; seen on 6.18 with v1). The *kept* usage is the usage without droppable
//! page cache: both file lists of `memory.stat`, active and inactive, without dirty pages. The gauge of the
//! host uses the same measure (total - available). Dropping active cache hurts, but stalls and refaults show
//! that separately. Where `memory.stat` was not read (far from the limit), all usage counts as kept.

use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::memory::{Memory, percent};
use crate::model::oom_domain::victim::{DomainState, Scope, may_swap};
use crate::model::snapshot::Snapshot;

/// The room of one domain, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Room {
    /// The limit; RAM for the host.
    pub limit: u64,
    /// The usage that the kernel compares with the limit.
    pub usage: u64,
    /// The part of the usage that is page cache which the kernel drops before it kills; 0 if unknown.
    pub droppable: u64,
    /// Swap used by the domain; `None` if it is not counted.
    pub swap_used: Option<u64>,
    /// Swap that the domain may still use: the minimum over its own limit, all enclosing limits and the host;
    /// 0 if its memory is not swapped out (swappiness 0).
    pub swap_left: u64,
    /// v1: the limit on memory and swap together (`memory.memsw.limit_in_bytes`).
    pub both_limit: Option<u64>,
}

impl Room {
    /// The room of a domain; `None` if its usage could not be read.
    #[must_use]
    pub fn from_domain(domain: &DomainState, snapshot: &Snapshot) -> Option<Self> {
        match domain.scope {
            Scope::Host => Some(Self::from_host(&snapshot.memory)),
            Scope::Nodes(_) => Some(Self::from_ram(
                domain.limit,
                domain.usage?,
                &snapshot.memory,
            )),
            Scope::Memcg(key) => Self::from_group(key, &snapshot.cgroups, &snapshot.memory),
        }
    }

    /// The room of the host.
    #[must_use]
    pub fn from_host(memory: &Memory) -> Self {
        Self::from_ram(memory.total, memory.used(), memory)
    }

    fn from_ram(limit: u64, usage: u64, memory: &Memory) -> Self {
        Self {
            limit,
            usage,
            // Available memory already includes droppable cache.
            droppable: 0,
            swap_used: Some(memory.swap_used()),
            swap_left: memory.swap_free,
            both_limit: None,
        }
    }

    /// The room below the limit of one group; `None` if it has no limit of its own, or if its usage could not
    /// be read.
    #[must_use]
    pub fn from_group(key: CgroupKey, cgroups: &[Cgroup], memory: &Memory) -> Option<Self> {
        let group = cgroups.get(key.index())?;
        let (limit, usage) = (group.limits.max?, group.usage?);
        let swap_left = if may_swap(group, memory) {
            ancestry(key, cgroups)
                .filter_map(|(_, group)| own_swap_left(group))
                .fold(memory.swap_free, u64::min)
        } else {
            0
        };
        Some(Self {
            limit,
            usage,
            droppable: group.stat.map_or(0, |stat| stat.droppable()).min(usage),
            swap_used: group.swap_usage,
            swap_left,
            both_limit: group.limits.memsw_max,
        })
    }

    /// Usage that cannot be dropped.
    #[must_use]
    pub fn kept(&self) -> u64 {
        self.usage.saturating_sub(self.droppable)
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

/// Sort key: the domain nearest to its OOM comes first, by the bytes left; domains with unknown room come
/// last.
#[must_use]
pub fn nearness(domain: &DomainState, snapshot: &Snapshot) -> (bool, u64) {
    let left = Room::from_domain(domain, snapshot).map(|room| room.left());
    (left.is_none(), left.unwrap_or(0))
}

/// The enclosing domain that runs out before this one, if there is one: the ancestor limit (or the host) with
/// the least room, if it has less room than the domain itself. A limit does not guarantee that the memory
/// exists.
#[must_use]
pub fn runs_out_first(scope: Scope, snapshot: &Snapshot) -> Option<(Scope, Room)> {
    let Scope::Memcg(key) = scope else {
        return None;
    };
    let room = |scope| Some((scope, Room::from_domain(snapshot.domain(scope)?, snapshot)?));
    let own = room(scope)?.1.left();
    let outer = snapshot
        .ancestry(key)
        .skip(1)
        .filter_map(|(key, group)| group.limits.max.map(|_| Scope::Memcg(key)));
    outer
        .chain([Scope::Host])
        .filter_map(room)
        .filter(|(_, room)| room.left() < own)
        .min_by_key(|(_, room)| room.left())
}

/// The enclosing domain whose limit is at most this domain's limit. The outer domain is full first, so this
/// domain never reaches its limit.
#[must_use]
pub fn never_reached(scope: Scope, snapshot: &Snapshot) -> Option<Scope> {
    let Scope::Memcg(key) = scope else {
        return None;
    };
    let own = snapshot.cgroup(key)?.limits.max?;
    let outer = snapshot
        .ancestry(key)
        .skip(1)
        .find(|(_, group)| group.present && group.limits.max.is_some_and(|max| max <= own));
    match outer {
        Some((key, _)) => Some(Scope::Memcg(key)),
        None if own >= snapshot.memory.total => Some(Scope::Host),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Room, never_reached, runs_out_first};
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, GroupStat};
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::oom_domain::victim::{Scope, assess};
    use crate::model::snapshot::Snapshot;

    const MIB: u64 = 1 << 20;

    fn group(path: &str, parent: Option<u32>, max: u64, usage: u64) -> Cgroup {
        let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
        group.limits.max = Some(max * MIB).filter(|max| *max > 0);
        group.usage = Some(usage * MIB);
        group
    }

    fn snapshot(cgroups: Vec<Cgroup>) -> Snapshot {
        let memory = Memory {
            total: 8000 * MIB,
            available: Some(3000 * MIB),
            swap_total: 1000 * MIB,
            swap_free: 800 * MIB,
            ..Memory::default()
        };
        Snapshot {
            domains: assess(&[], &cgroups, &memory, &KernelRules::default()),
            memory,
            cgroups: Arc::new(cgroups),
            ..Snapshot::default()
        }
    }

    fn room(snapshot: &Snapshot, key: u32) -> Room {
        let domain = snapshot.domain(Scope::Memcg(CgroupKey(key))).expect("it");
        Room::from_domain(domain, snapshot).expect("its room")
    }

    #[test]
    fn page_cache_at_the_limit_is_not_memory_that_is_gone() {
        let mut cached = group("/a", None, 100, 100);
        cached.limits.swap_max = Some(0);
        cached.stat = Some(GroupStat {
            inactive_file: 50 * MIB,
            active_file: 30 * MIB,
            unwritten: 10 * MIB,
            refaults: None,
        });
        let room = room(&snapshot(vec![cached]), 0);
        assert_eq!((room.kept(), room.left()), (30 * MIB, 70 * MIB));
        assert!((room.percent() - 30.0).abs() < 1e-9);
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
        let all = snapshot(vec![outer, inner, old, open]);
        let left = [0, 1, 2, 3].map(|key| room(&all, key).swap_left / MIB);
        assert_eq!(left, [40, 40, 20, 800]);
    }

    #[test]
    fn what_is_not_swapped_out_has_no_swap_left() {
        let mut own = group("/own", None, 100, 90);
        own.limits.swappiness = Some(0);
        let mut other = group("/other", None, 100, 90);
        let left = |groups: &[Cgroup], host| {
            let mut all = snapshot(groups.to_vec());
            all.memory.swappiness = Some(host);
            [0, 1].map(|key| room(&all, key).swap_left / MIB)
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

    #[test]
    fn the_smallest_room_up_the_path_binds() {
        let all = snapshot(vec![
            group("/pod", None, 1000, 950),
            group("/pod/a", Some(0), 600, 100),
            group("/pod/b", Some(0), 2000, 700),
            group("/huge", None, 9000, 5),
            group("/small", None, 10, 5),
        ]);
        let first = |key| runs_out_first(Scope::Memcg(CgroupKey(key)), &all).map(|(s, _)| s);
        let outer = |key| never_reached(Scope::Memcg(CgroupKey(key)), &all);
        let pod = Some(Scope::Memcg(CgroupKey(0)));
        assert_eq!([first(0), first(1), first(4)], [None, pod, None]);
        assert_eq!(first(3), Some(Scope::Host));
        assert_eq!([outer(0), outer(1), outer(2)], [None, None, pod]);
        assert_eq!(outer(3), Some(Scope::Host));
        assert_eq!(runs_out_first(Scope::Host, &all), None);
    }
}
