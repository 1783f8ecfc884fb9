//! [`Counted`]: what the kernel itself counts for one memory cgroup, and the same as its files show it.
//!
//! These are the very numbers that the files print (mm/memcontrol.c, mm/memcontrol-v1.c, mm/page_counter.c), so a
//! group whose files were read once needs no file for them. `memory.stat` and `memory.pressure` are not among them:
//! the kernel sums both up only when somebody reads the file.

use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::cgroup::{Cgroup, CgroupVersion};

/// Places of [`Counted::events`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    High,
    Max,
    Oom,
    OomKill,
    /// Since 5.17.
    OomGroupKill,
    /// Of the group alone, not of those inside it.
    OwnOom,
}

impl Event {
    /// Each with its name in `enum memcg_memory_event`, and whether it is the group's own.
    pub(crate) const ALL: [(Self, &'static str, bool); 6] = [
        (Self::High, "MEMCG_HIGH", false),
        (Self::Max, "MEMCG_MAX", false),
        (Self::Oom, "MEMCG_OOM", false),
        (Self::OomKill, "MEMCG_OOM_KILL", false),
        (Self::OomGroupKill, "MEMCG_OOM_GROUP_KILL", false),
        (Self::OwnOom, "MEMCG_OOM", true),
    ];
}

/// The numbers of one group. A BPF program writes them, each into the low bytes of its field; what the kernel's version
/// does not have stays 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Counted {
    /// The kernfs id: the inode number of the group's directory.
    pub(crate) id: u64,
    /// Not 0 if the memory controller counts this group.
    pub(crate) memcg: u64,
    /// Pages, as all limits below. Neighbours here are neighbours in the kernel: one copy takes them all.
    pub(crate) usage: u64,
    /// v1: times the limit was hit.
    pub(crate) failed: u64,
    pub(crate) min: u64,
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) max: u64,
    /// v2 pages of swap; v1 pages of memory and swap together.
    pub(crate) swap: u64,
    /// v1, of memory and swap.
    pub(crate) swap_failed: u64,
    pub(crate) swap_max: u64,
    pub(crate) soft: u64,
    pub(crate) events: [u64; 6],
    pub(crate) oom_group: u64,
    pub(crate) under_oom: u64,
    pub(crate) kill_disabled: u64,
    pub(crate) swappiness: u64,
}

impl Counted {
    /// True if these numbers can stand for the group's files, which were read before. The root's files are computed
    /// otherwise, and a group without the memory controller has none.
    pub(crate) fn is_of(&self, group: &Cgroup) -> bool {
        self.memcg != 0 && group.present && group.parent.is_some() && group.usage.is_some()
    }

    /// Puts the numbers into a group for which [`Self::is_of`] holds. Only numbers whose file was there are replaced.
    pub(crate) fn fill(&self, version: CgroupVersion, page_size: u64, group: &mut Cgroup) {
        let bytes = |pages: u64| u64::from_le(pages).saturating_mul(page_size);
        // `PAGE_COUNTER_MAX` (include/linux/page_counter.h).
        let unlimited = i64::MAX.cast_unsigned() / page_size.max(1);
        group.usage = Some(bytes(self.usage));
        let has_swap = group.swap_usage.is_some();
        if has_swap {
            let other = if version.is_v1() { self.usage } else { 0 };
            group.swap_usage = Some(bytes(self.swap).saturating_sub(bytes(other)));
        }
        for file in LimitFile::of(version) {
            let value = match self.limit(file) {
                _ if is_of_swap(file) && !has_swap => continue,
                Limit::Pages(pages) if u64::from_le(pages) >= unlimited => LimitValue::Unlimited,
                Limit::Pages(pages) => LimitValue::Amount(bytes(pages)),
                Limit::Number(number) => LimitValue::Amount(u64::from_le(number)),
                Limit::Switch(switch) => LimitValue::Switch(switch != 0),
            };
            file.set(&mut group.limits, Some(value));
        }
        let [high, max, oom, kills, group_kills, own_oom] = self.events.map(u64::from_le);
        let events = &mut group.events;
        if version.is_v1() {
            events.own_kills = events.own_kills.map(|_| kills);
            let both = if group.limits.memsw_max.is_some() {
                u64::from_le(self.swap_failed)
            } else {
                0
            };
            events.max = events
                .max
                .map(|_| u64::from_le(self.failed).saturating_add(both));
            group.under_oom = self.under_oom != 0;
            return;
        }
        for (place, number) in [
            (&mut events.high, high),
            (&mut events.max, max),
            (&mut events.oom, oom),
            (&mut events.oom_kill, kills),
            (&mut events.oom_group_kill, group_kills),
            (&mut events.own_oom, own_oom),
        ] {
            *place = place.map(|_| number);
        }
    }

    fn limit(&self, file: LimitFile) -> Limit {
        match file {
            LimitFile::Max | LimitFile::V1Limit => Limit::Pages(self.max),
            LimitFile::High => Limit::Pages(self.high),
            LimitFile::Low => Limit::Pages(self.low),
            LimitFile::Min => Limit::Pages(self.min),
            LimitFile::SwapMax | LimitFile::V1Memsw => Limit::Pages(self.swap_max),
            LimitFile::V1Soft => Limit::Pages(self.soft),
            LimitFile::OomGroup => Limit::Switch(self.oom_group),
            LimitFile::V1OomControl => Limit::Switch(self.kill_disabled),
            LimitFile::V1Swappiness => Limit::Number(self.swappiness),
        }
    }
}

/// What a field of [`Counted`] holds.
enum Limit {
    Pages(u64),
    Number(u64),
    Switch(u64),
}

/// True for files that are missing where the kernel does not count swap.
fn is_of_swap(file: LimitFile) -> bool {
    matches!(file, LimitFile::SwapMax | LimitFile::V1Memsw)
}

#[cfg(test)]
mod tests {
    use super::{Counted, Event};
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion, GroupEvents};

    const NO_LIMIT: u64 = i64::MAX as u64 / 4096;

    fn group() -> Cgroup {
        let mut group = Cgroup::unread(CgroupPath::new("/a"), Some(CgroupKey(0)));
        group.usage = Some(1);
        group
    }

    #[test]
    fn the_places_of_events_are_those_of_the_list() {
        for (at, (event, ..)) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event as usize, at);
        }
    }

    #[test]
    fn pages_become_bytes_and_what_the_files_lack_stays_away() {
        let counted = Counted {
            memcg: 1,
            usage: 3,
            max: 10,
            high: NO_LIMIT,
            low: 2,
            swap: 5,
            swap_max: 7,
            events: [1, 2, 3, 4, 5, 6],
            oom_group: 1,
            ..Counted::default()
        };
        let mut group = group();
        group.events.oom = Some(0);
        assert!(counted.is_of(&group));
        counted.fill(CgroupVersion::V2, 4096, &mut group);
        assert_eq!(
            (group.usage, group.limits.max),
            (Some(12_288), Some(40_960))
        );
        assert_eq!((group.limits.high, group.limits.low), (None, Some(8192)));
        assert_eq!((group.limits.min, group.limits.oom_group), (None, true));
        // No file of swap, and no counter but one, were read.
        assert_eq!((group.swap_usage, group.limits.swap_max), (None, None));
        let only = GroupEvents {
            oom: Some(3),
            ..GroupEvents::default()
        };
        assert_eq!(group.events, only);
        group.swap_usage = Some(0);
        counted.fill(CgroupVersion::V2, 4096, &mut group);
        assert_eq!(group.swap_usage, Some(20_480));
        assert_eq!(group.limits.swap_max, Some(28_672));
    }

    #[test]
    fn v1_counts_memory_and_swap_together() {
        let counted = Counted {
            memcg: 1,
            usage: 3,
            max: NO_LIMIT,
            swap: 5,
            swap_max: 9,
            failed: 2,
            swap_failed: 3,
            soft: NO_LIMIT,
            events: [0, 0, 0, 8, 0, 0],
            kill_disabled: 1,
            under_oom: 1,
            swappiness: 60,
            ..Counted::default()
        };
        let mut group = group();
        group.swap_usage = Some(0);
        group.events.max = Some(0);
        group.events.own_kills = Some(0);
        counted.fill(CgroupVersion::Hybrid, 4096, &mut group);
        assert_eq!(group.swap_usage, Some(8192));
        assert_eq!((group.limits.max, group.limits.soft), (None, None));
        assert_eq!(group.limits.memsw_max, Some(36_864));
        assert_eq!(
            (group.events.max, group.events.own_kills),
            (Some(5), Some(8))
        );
        assert!(group.under_oom && group.limits.kill_disabled);
        assert_eq!(group.limits.swappiness, Some(60));
    }

    #[test]
    fn neither_the_root_nor_a_group_without_files_is_filled() {
        let counted = Counted {
            memcg: 1,
            ..Counted::default()
        };
        let root = Cgroup {
            parent: None,
            ..group()
        };
        let bare = Cgroup {
            usage: None,
            ..group()
        };
        assert!(!counted.is_of(&root) && !counted.is_of(&bare));
        assert!(!Counted::default().is_of(&group()));
    }
}
