//! [`GroupKills`]: the number of kills in each subtree, and the group in which the newest kill happened.
//!
//! v1 counts a victim only in the group it lived in, although an ancestor's limit may have run out
//! (mm/memcontrol.c `memcg_memory_event` propagates only on the default hierarchy). [`GroupKills`] adds each
//! rise to all ancestors as well, and keeps it there when the victim's group is removed.

use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};

use crate::linux::cgroup::schedule::MOST_KILL_FILES;

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    own: Option<u64>,
    below: u64,
}

/// The counts of each group, by key, and the state of the search for the newest kill.
#[derive(Debug, Default)]
pub(crate) struct GroupKills {
    counts: Vec<Count>,
    /// Number of groups not yet searched since the host's counter rose.
    left: usize,
    next: usize,
    /// Indices of the groups to read in this sample because a counter in them rose, ascending.
    woken: Vec<usize>,
}

impl GroupKills {
    /// Clears the slot: another group has taken it.
    pub(crate) fn forget(&mut self, key: CgroupKey) {
        if let Some(count) = self.counts.get_mut(key.index()) {
            *count = Count::default();
        }
    }

    /// Call it after reading the group `at`: adds the rise of its own counter to the counters of its
    /// ancestors. Does nothing on v2, where the kernel propagates.
    pub(crate) fn add_up(&mut self, at: usize, groups: &mut [Cgroup]) {
        if self.counts.len() < groups.len() {
            self.counts.resize(groups.len(), Count::default());
        }
        let (Some(group), Some(count)) = (groups.get_mut(at), self.counts.get_mut(at)) else {
            return;
        };
        if !group.present {
            *count = Count::default();
            return;
        }
        let Some(own) = group.events.own_kills else {
            return;
        };
        // A smaller value means that the group was removed and created again.
        let rise = own.checked_sub(count.own.unwrap_or(0)).unwrap_or(own);
        count.own = Some(own);
        group.events.oom_kill = Some(own.saturating_add(count.below));
        if rise == 0 {
            return;
        }
        let Ok(key) = u32::try_from(at) else { return };
        let around: Vec<usize> = ancestry(CgroupKey(key), groups)
            .skip(1)
            .map(|(key, _)| key.index())
            .collect();
        for at in around {
            if let (Some(group), Some(count)) = (groups.get_mut(at), self.counts.get_mut(at)) {
                count.below = count.below.saturating_add(rise);
                let kills = &mut group.events.oom_kill;
                *kills = kills.map(|kills| kills.saturating_add(rise));
            }
        }
    }

    /// After the host's counter rose, reads the counters of the groups that the kill can have happened in, a
    /// limited number in each sample. `read` reads the counters of one group, given with its index, and returns the number
    /// of files that this took.
    pub(crate) fn search(
        &mut self,
        rose: bool,
        is_v1: bool,
        groups: &mut [Cgroup],
        mut read: impl FnMut(usize, &mut Cgroup) -> usize,
    ) {
        self.woken.clear();
        let len = groups.len();
        if rose {
            self.left = len;
        }
        let mut files = MOST_KILL_FILES;
        while self.left > 0 && files > 0 {
            self.left -= 1;
            let at = self.next % len.max(1);
            self.next = at + 1;
            let Ok(key) = u32::try_from(at) else { continue };
            let reach = if is_v1 { usize::MAX } else { 1 };
            let limited = ancestry(CgroupKey(key), groups)
                .take(reach)
                .any(|(_, group)| group.limits.max.is_some());
            let Some(group) = groups.get_mut(at).filter(|g| g.present && limited) else {
                continue;
            };
            let before = group.events;
            files = files.saturating_sub(read(at, group));
            let now = group.events;
            // v1: `read` leaves the old sum in `oom_kill`, and `add_up` below recomputes it from `own_kills`.
            // So only `own_kills` tells whether the group changed.
            if (now.own_kills, now.own_oom) == (before.own_kills, before.own_oom)
                && (is_v1 || now.oom_kill == before.oom_kill)
            {
                continue;
            }
            self.add_up(at, groups);
            let limited = ancestry(CgroupKey(key), groups).filter(|(_, g)| g.limits.max.is_some());
            self.woken.extend(limited.map(|(key, _)| key.index()));
        }
        self.woken.sort_unstable();
        self.woken.dedup();
    }

    /// True if a counter of the group or of a descendant rose: read the group now, whatever its schedule.
    pub(crate) fn is_woken(&self, at: usize) -> bool {
        self.woken.binary_search(&at).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::GroupKills;
    use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};

    fn groups() -> Vec<Cgroup> {
        let group = |path, parent: Option<u32>| {
            let mut group = Cgroup::unread(CgroupPath::new(path), parent.map(CgroupKey));
            group.events.own_kills = Some(0);
            group
        };
        vec![
            group("/", None),
            group("/pod", Some(0)),
            group("/pod/app", Some(1)),
            group("/other", Some(0)),
        ]
    }

    #[test]
    fn a_kill_counts_in_the_groups_around_and_stays_when_the_group_goes() {
        let (mut kills, mut groups) = (GroupKills::default(), groups());
        groups[2].events.own_kills = Some(2);
        let read = |kills: &mut GroupKills, groups: &mut Vec<Cgroup>| {
            for at in 0..groups.len() {
                kills.add_up(at, groups);
                kills.add_up(at, groups);
            }
            let counted: Vec<_> = groups.iter().map(|g| g.events.oom_kill).collect();
            counted
        };
        let some = |counts: [u64; 4]| counts.map(Some).to_vec();
        assert_eq!(read(&mut kills, &mut groups), some([2, 2, 2, 0]));
        groups[1].events.own_kills = Some(1);
        groups[2].events.own_kills = Some(3);
        assert_eq!(read(&mut kills, &mut groups), some([4, 4, 3, 0]));
        groups[2].present = false;
        groups[2].events.own_kills = None;
        groups[2].events.oom_kill = None;
        let mut gone = some([4, 4, 0, 0]);
        gone[2] = None;
        assert_eq!(read(&mut kills, &mut groups), gone);
        groups[2].present = true;
        groups[2].events.own_kills = Some(1);
        assert_eq!(read(&mut kills, &mut groups), some([5, 5, 1, 0]));
    }

    #[test]
    fn a_kill_wakes_the_limited_groups_it_was_in() {
        let (mut kills, mut groups) = (GroupKills::default(), groups());
        groups[1].limits.max = Some(1);
        groups[3].limits.max = Some(1);
        for at in 0..4 {
            kills.add_up(at, &mut groups);
        }
        let mut seen = Vec::new();
        let mut search = |rose, found: u64| {
            kills.search(rose, true, &mut groups, |_, group| {
                seen.push(group.path.as_str().to_owned());
                if group.path.name() == "app" {
                    group.events.own_kills = Some(found);
                }
                1
            });
            [0, 1, 2, 3].map(|at| kills.is_woken(at))
        };
        assert_eq!(search(false, 1), [false; 4]);
        assert_eq!(search(true, 1), [false, true, false, false]);
        assert_eq!(search(true, 1), [false; 4]);
        assert_eq!(
            seen,
            ["/pod", "/pod/app", "/other", "/pod", "/pod/app", "/other"]
        );
        assert_eq!(groups[1].events.oom_kill, Some(1));
    }
}
