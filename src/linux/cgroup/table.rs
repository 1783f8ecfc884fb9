//! Every memory cgroup that was seen so far, by key, and when each is read again.
//!
//! [`crate::linux::cgroup::schedule`] decides when a group with a limit is read. In addition every group is
//! read in full once in [`SPREAD`] samples, or less often where there are many groups: somebody can set a
//! limit at any time.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::cgroup::kernel_memory::Seen;
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath, kernel_memory};
use crate::model::memory::Memory;
use crate::model::process::Process;

use crate::linux::cgroup::files::{Depth, GroupReader};
use crate::linux::cgroup::hierarchy::{Hierarchy, is_removed};
use crate::linux::cgroup::kills::GroupKills;
use crate::linux::cgroup::linked::{GroupIds, Linked};
use crate::linux::cgroup::schedule::{Budget, GroupSchedule};
pub(crate) use crate::linux::cgroup::visit::Round;
use crate::linux::cgroup::visit::Visit;
use crate::linux::cgroup::walk::GroupWalk;

/// Rarely changing facts are read once in this many samples.
pub(crate) const CYCLE: u64 = 10;

/// Every group is read in full once in this many samples, unless [`MOST_FULL`] is reached.
const SPREAD: usize = 10;

/// Most groups read in full in one sample because of the cycle.
const MOST_FULL: usize = 32;

/// Of the groups that a walk has counted, one in so many is read in full nevertheless when its turn comes.
const BY_FILES: usize = 8;

/// Most new groups read in one sample.
const MOST_NEW: usize = 2000;

/// Maps paths to [`CgroupKey`]s that stay valid, and keeps the last reading of each group.
#[derive(Debug)]
pub(crate) struct CgroupTable {
    groups: Arc<Vec<Cgroup>>,
    /// By [`CgroupPath::as_str`].
    keys: HashMap<String, CgroupKey>,
    /// By the text in `/proc/PID/cgroup`.
    printed: HashMap<Vec<u8>, CgroupKey>,
    /// Keys by kernfs id, the inode number of the group's directory.
    ids: GroupIds,
    /// By key: true if the next refresh must read the group, whatever its schedule.
    due: Vec<bool>,
    /// By key: when it is read again.
    schedules: Vec<GroupSchedule>,
    /// Index of the next group to read in full.
    next_full: usize,
    /// Times that all groups have had their turn.
    turns: usize,
    /// Index at which the next refresh starts.
    first: usize,
    /// Index of the first group that found no room in this refresh.
    cut: Option<usize>,
    walk: GroupWalk,
    kills: GroupKills,
    linked: Linked,
    /// Unused slots: the group is gone and nothing refers to the key.
    free: Vec<CgroupKey>,
    reader: GroupReader,
}

impl CgroupTable {
    pub(crate) fn new(page_size: u64) -> Self {
        Self {
            groups: Arc::default(),
            keys: HashMap::new(),
            printed: HashMap::new(),
            ids: GroupIds::default(),
            due: Vec::new(),
            schedules: Vec::new(),
            next_full: 0,
            turns: 0,
            first: 0,
            cut: None,
            walk: GroupWalk::default(),
            kills: GroupKills::default(),
            linked: Linked::default(),
            free: Vec::new(),
            reader: GroupReader::new(page_size),
        }
    }

    /// The table as a snapshot holds it.
    pub(crate) fn groups(&self) -> Arc<Vec<Cgroup>> {
        Arc::clone(&self.groups)
    }

    /// Estimates what v1 does not tell of the groups, from who is in them: by the size of a page in bytes and of which groups
    /// all members are seen.
    pub(crate) fn estimate(&mut self, processes: &[Process], memory: &Memory, by: (u64, Seen)) {
        let groups = Arc::make_mut(&mut self.groups);
        kernel_memory::estimate(groups, processes, memory, by);
    }

    /// Number of groups, unused slots among them.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    /// The key of a path as `/proc/PID/cgroup` prints it. Adds the group and its ancestors if they are new.
    pub(crate) fn intern(&mut self, path: &[u8], hierarchy: &Hierarchy) -> CgroupKey {
        let removed = is_removed(path);
        if let Some(key) = self.printed.get(path).filter(|_| !removed) {
            let key = *key;
            if self.groups.get(key.index()).is_some_and(|g| !g.present) {
                // A process is in a group that was gone: somebody created the group again.
                self.mark_due(key);
            }
            return key;
        }
        let key = self.add(hierarchy.group(path));
        // Whether a group is removed or called so can change: that text is looked at each time.
        if !removed {
            self.printed.insert(path.to_owned(), key);
        }
        key
    }

    /// The key of the group with this kernfs id, if [`Self::learn_id`] has seen the id.
    pub(crate) fn key_of(&self, id: u64) -> Option<CgroupKey> {
        self.ids.key(id)
    }

    /// Records that the kernfs id `id` belongs to `key`, if the inode of the directory confirms it: the
    /// process that gave both may have moved between the two readings. The kernel never reuses an id.
    pub(crate) fn learn_id(&mut self, id: u64, key: CgroupKey, hierarchy: &Hierarchy) {
        let inode = self.groups.get(key.index()).and_then(|group| {
            let dir = hierarchy.dir().ok()?;
            let path = hierarchy.relative(&group.path)?;
            let flags = rustix::fs::AtFlags::empty();
            Some(rustix::fs::statat(dir, path.as_ref(), flags).ok()?.st_ino)
        });
        if inode == Some(id) {
            self.ids.learn(id, key);
        }
    }

    fn add(&mut self, path: CgroupPath) -> CgroupKey {
        if let Some(key) = self.keys.get(path.as_str()) {
            return *key;
        }
        // A group outside the cgroup namespace (`/../x`) is not inside the root seen from here.
        let parent = path
            .parent()
            .filter(|_| path.name() != "..")
            .map(|parent| self.add(parent));
        let groups = Arc::make_mut(&mut self.groups);
        let name = path.as_str().to_owned();
        let group = Cgroup::unread(path, parent);
        let reused = self
            .free
            .pop()
            .and_then(|key| Some((key, groups.get_mut(key.index())?)));
        let key = if let Some((key, slot)) = reused {
            *slot = group;
            key
        } else {
            groups.push(group);
            self.due.push(true);
            self.schedules.push(GroupSchedule::default());
            CgroupKey(u32::try_from(groups.len() - 1).unwrap_or(u32::MAX))
        };
        if let Some(due) = self.due.get_mut(key.index()) {
            *due = true;
        }
        self.kills.forget(key);
        self.keys.insert(name, key);
        key
    }

    /// Frees the slots of groups that are gone. A slot stays while a process of the table refers to it
    /// (`used`) or a descendant needs it. Without this, a host that starts containers all day would fill the
    /// memory with their names.
    pub(crate) fn collect(&mut self, used: impl Iterator<Item = CgroupKey>) {
        let mut needed: Vec<bool> = self.groups.iter().map(|group| group.present).collect();
        for key in used {
            if let Some(slot) = needed.get_mut(key.index()) {
                *slot = true;
            }
        }
        for at in 0..needed.len() {
            let mut next = needed.get(at).copied().unwrap_or(false).then_some(at);
            while let Some(parent) = next
                .and_then(|at| self.groups.get(at)?.parent)
                .map(CgroupKey::index)
            {
                let reached = needed
                    .get_mut(parent)
                    .is_none_or(|slot| std::mem::replace(slot, true));
                next = (!reached).then_some(parent);
            }
        }
        let is_needed = |key: CgroupKey| needed.get(key.index()).copied().unwrap_or(false);
        self.keys.retain(|_, key| is_needed(*key));
        self.printed.retain(|_, key| is_needed(*key));
        self.ids.retain(is_needed);
        let unneeded = (0..)
            .map(CgroupKey)
            .take(needed.len())
            .filter(|key| !is_needed(*key));
        self.free = unneeded.collect();
        self.linked.forget();
    }

    /// Finds groups that no process is in, a few directories in each sample.
    pub(crate) fn discover(&mut self, hierarchy: &Hierarchy, seq: u64) {
        let mut walk = std::mem::take(&mut self.walk);
        walk.step(hierarchy, seq, |path| {
            let known = self.keys.get(path.as_str()).copied();
            let key = known.unwrap_or_else(|| self.add(path));
            if self.groups.get(key.index()).is_some_and(|g| !g.present) {
                // The group was gone: somebody created it again.
                self.mark_due(key);
            }
        });
        self.walk = walk;
    }

    fn mark_due(&mut self, key: CgroupKey) {
        if let Some(due) = self.due.get_mut(key.index()) {
            *due = true;
        }
    }

    /// Reads the groups that are due: new groups, groups on the screen, groups with a limit according to
    /// their [`GroupSchedule`], and a few of all others.
    pub(crate) fn refresh(&mut self, hierarchy: &Hierarchy, round: &Round<'_>) {
        let Ok(root) = hierarchy.dir() else { return };
        let groups = Arc::make_mut(&mut self.groups);
        let len = groups.len();
        let (records, is_whole) = round.counted.unwrap_or_default();
        if round.counted.is_none() {
            self.linked.without();
        } else if self.linked.link(records, is_whole, &self.ids, len) {
            self.walk.hurry();
        }
        let linked = &self.linked;
        let record = |at: usize| linked.record(at).and_then(|index| records.get(index));
        let mut visit = Visit {
            root,
            hierarchy,
            seq: round.seq,
            reader: &mut self.reader,
            budget: Budget::new(),
            is_counted: false,
        };
        let is_v1 = hierarchy.version.is_v1();
        self.kills.search(round.killed, is_v1, groups, |at, group| {
            visit.count(record(at), group);
            visit.read(group, Depth::Kills);
            usize::from(!visit.is_counted)
        });
        let mut fresh = MOST_NEW;
        let full = len.div_ceil(SPREAD).clamp(1, MOST_FULL);
        let turn = |at: usize| (at + len - self.next_full) % len < full;
        for step in 0..len {
            let at = (self.first + step) % len;
            let (Some(group), Some(state)) = (groups.get_mut(at), self.schedules.get_mut(at))
            else {
                continue;
            };
            let due = self.due.get(at).copied().unwrap_or(false);
            let has_left = group.present && linked.has_left(at);
            let due = due || has_left;
            // An unused slot has nothing to read.
            if !group.present && !due && !turn(at)
                || self.keys.get(group.path.as_str()).map(|key| key.index()) != Some(at)
            {
                continue;
            }
            let shown = round.shown.binary_search(&at).is_ok();
            let rose = visit.count(record(at).filter(|_| !due), group);
            let mut learns = false;
            if due && fresh > 0 {
                fresh -= 1;
                if let Some(due) = self.due.get_mut(at) {
                    *due = false;
                }
                *state = GroupSchedule::default();
                visit.whole(group, state, shown);
                learns = true;
            } else if turn(at) || shown || has_left {
                // Once in a while the files have their say, whatever the walk has counted.
                visit.is_counted &= !(self.turns + at).is_multiple_of(BY_FILES);
                visit.whole(group, state, shown);
                // It may have been made again since the walk knew it.
                learns = !visit.is_counted && round.counted.is_some();
            } else if rose || self.kills.is_woken(at) {
                visit.wake(group, state);
            } else if group.limits.nearest().is_some()
                && state.is_due(round.seq, round.pressed, round.grows)
                && !visit.scheduled(group, state, round.pressed)
                && self.cut.is_none()
            {
                self.cut = Some(at);
            }
            if learns && let (Some(id), Ok(key)) = (visit.id(group), u32::try_from(at)) {
                self.ids.learn(id, CgroupKey(key));
            }
            self.kills.add_up(at, groups);
        }
        self.next_full += full;
        if self.next_full >= len {
            self.next_full %= len.max(1);
            self.turns += 1;
        }
        // The next refresh starts with the first group that found no room.
        self.first = self.cut.take().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::CgroupTable;
    use crate::linux::cgroup::hierarchy::Hierarchy;
    use crate::model::cgroup::CgroupVersion;

    /// Nothing is mounted: no group is there.
    fn v2() -> Hierarchy {
        Hierarchy::on_paper(CgroupVersion::V2)
    }

    #[test]
    fn keys_are_stable_and_ancestors_come_along() {
        let mut table = CgroupTable::new(4096);
        let leaf = table.intern(b"/a/b/c", &v2());
        assert_eq!(table.intern(b"/a/b/c", &v2()), leaf);
        assert_eq!(table.intern(b"/a/b/c (deleted)", &v2()), leaf);
        assert_eq!(table.intern(b"/a/b/c (deleted)", &v2()), leaf);
        let groups = table.groups();
        assert_eq!(groups.len(), 4);
        let mut path = Vec::new();
        let mut at = Some(leaf);
        while let Some(key) = at {
            path.push(groups[key.index()].path.to_string());
            at = groups[key.index()].parent;
        }
        assert_eq!(path, ["/a/b/c", "/a/b", "/a", "/"]);
    }

    #[test]
    fn slots_of_gone_groups_are_used_again_and_no_others() {
        let mut table = CgroupTable::new(4096);
        let stays = table.intern(b"/pods/stays/inner", &v2());
        let in_use = table.intern(b"/pods/in-use", &v2());
        for round in 0..100 {
            let gone = table.intern(format!("/pods/{round}/x").as_bytes(), &v2());
            let groups = std::sync::Arc::make_mut(&mut table.groups);
            let parent = groups[gone.index()].parent.unwrap();
            for key in [gone, parent, in_use] {
                groups[key.index()].present = false;
            }
            table.collect([in_use].into_iter());
        }
        assert!(table.groups().len() < 10, "{}", table.groups().len());
        assert_eq!(table.intern(b"/pods/stays/inner", &v2()), stays);
        assert_eq!(table.intern(b"/pods/in-use", &v2()), in_use);
        assert_eq!(table.groups()[in_use.index()].path.as_str(), "/pods/in-use");
    }

    #[test]
    fn groups_outside_the_namespace_are_not_within_its_root() {
        let mut table = CgroupTable::new(4096);
        table.intern(b"/", &v2());
        let key = table.intern(b"/../other", &v2());
        let groups = table.groups();
        let parent = groups[key.index()].parent.unwrap();
        assert_eq!(groups[parent.index()].path.as_str(), "/..");
        assert_eq!(groups[parent.index()].parent, None);
        let key = table.intern(b"/../../x", &v2());
        assert_ne!(table.intern(b"/../../x", &v2()).index(), 0);
        let _ = table.intern(b"\xff\xfe", &v2());
        assert!(table.groups().len() > key.index());
    }
}
