//! [`Linked`]: which record of a walk belongs to which group of the table.

use std::collections::HashMap;

use crate::linux::cgroup::counted::Counted;
use crate::model::cgroup::CgroupKey;

/// Groups by kernfs id, which the kernel never uses again. Of a group that was made again only the last id is kept.
#[derive(Debug, Default)]
pub(crate) struct GroupIds {
    keys: HashMap<u64, CgroupKey>,
    /// By key; 0 if not known.
    ids: Vec<u64>,
}

impl GroupIds {
    /// The group with this id.
    pub(crate) fn key(&self, id: u64) -> Option<CgroupKey> {
        self.keys.get(&id).copied()
    }

    /// Notes the id of a group.
    pub(crate) fn learn(&mut self, id: u64, key: CgroupKey) {
        if self.ids.len() <= key.index() {
            self.ids.resize(key.index() + 1, 0);
        }
        if let Some(own) = self.ids.get_mut(key.index()) {
            let before = std::mem::replace(own, id);
            if before != id {
                self.keys.remove(&before);
            }
        }
        self.keys.insert(id, key);
    }

    /// Forgets all groups but these.
    pub(crate) fn retain(&mut self, is_needed: impl Fn(CgroupKey) -> bool) {
        self.keys.retain(|_, key| is_needed(*key));
    }
}

/// No record.
const NONE: u32 = u32::MAX;

/// The records of the last walk by key of the group. Walks have almost the same order every time, so few ids are
/// looked up.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    /// Ids and keys in the order of the last walk.
    order: Vec<(u64, Option<CgroupKey>)>,
    /// By key: the index of its record, in this walk and the one before.
    at: Vec<u32>,
    before: Vec<u32>,
    unknown: usize,
    is_whole: bool,
}

impl Linked {
    /// Links the records of a walk. True if there are groups that the table has not seen yet.
    pub(crate) fn link(
        &mut self,
        records: &[Counted],
        is_whole: bool,
        ids: &GroupIds,
        groups: usize,
    ) -> bool {
        std::mem::swap(&mut self.at, &mut self.before);
        self.at.clear();
        self.at.resize(groups, NONE);
        self.order.resize(records.len(), (0, None));
        let mut unknown = 0;
        for (index, (record, known)) in (0..).zip(records.iter().zip(&mut self.order)) {
            if known.0 != record.id || known.1.is_none() {
                *known = (record.id, ids.key(record.id));
            }
            match known.1.and_then(|key| self.at.get_mut(key.index())) {
                Some(place) => *place = index,
                None => unknown += 1,
            }
        }
        self.is_whole = is_whole;
        unknown > std::mem::replace(&mut self.unknown, unknown)
    }

    /// There is no walk: files have to do.
    pub(crate) fn without(&mut self) {
        self.at.clear();
        self.is_whole = false;
    }

    /// Keys have got another meaning.
    pub(crate) fn forget(&mut self) {
        self.order.clear();
    }

    /// The index of the group's record.
    pub(crate) fn record(&self, group: usize) -> Option<usize> {
        let at = self.at.get(group).filter(|at| **at != NONE)?;
        usize::try_from(*at).ok()
    }

    /// True if the group had a record in the walk before and has none in this one, which saw all groups: the group was
    /// removed, and perhaps made again.
    pub(crate) fn has_left(&self, group: usize) -> bool {
        let had = self.before.get(group).is_some_and(|at| *at != NONE);
        self.is_whole && had && self.record(group).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::{GroupIds, Linked};
    use crate::linux::cgroup::counted::Counted;
    use crate::model::cgroup::CgroupKey;

    fn records(ids: &[u64]) -> Vec<Counted> {
        let record = |id: &u64| Counted {
            id: *id,
            ..Counted::default()
        };
        ids.iter().map(record).collect()
    }

    #[test]
    fn records_find_their_groups_in_any_order_and_who_leaves_is_noticed() {
        let mut ids = GroupIds::default();
        ids.learn(10, CgroupKey(0));
        ids.learn(11, CgroupKey(1));
        let mut linked = Linked::default();
        assert!(linked.link(&records(&[10, 11, 99]), true, &ids, 2));
        assert!(
            !linked.link(&records(&[99, 11, 10]), true, &ids, 2),
            "not new"
        );
        assert_eq!((linked.record(0), linked.record(1)), (Some(2), Some(1)));
        assert!(!linked.has_left(0));
        // The group of key 0 was removed and made again.
        assert!(!linked.link(&records(&[12, 11]), false, &ids, 2));
        assert!(!linked.has_left(0), "the walk did not see all");
        linked.link(&records(&[10, 11]), true, &ids, 2);
        assert!(linked.link(&records(&[12, 11]), true, &ids, 2), "a new one");
        assert!(linked.has_left(0) && !linked.has_left(1));
        ids.learn(12, CgroupKey(0));
        assert_eq!((ids.key(10), ids.key(12)), (None, Some(CgroupKey(0))));
        linked.link(&records(&[12, 11]), true, &ids, 2);
        assert_eq!(linked.record(0), Some(0));
        linked.without();
        assert_eq!((linked.record(0), linked.has_left(0)), (None, false));
    }
}
