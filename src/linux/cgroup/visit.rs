//! [`Visit`]: reads one group, as deeply as its schedule or an event requires.

use std::os::fd::BorrowedFd;

use crate::model::cgroup::Cgroup;

use crate::linux::cgroup::counted::Counted;
use crate::linux::cgroup::files::{Depth, GroupReader};
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::schedule::{Budget, Found, GroupSchedule};

/// The circumstances of one sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round<'a> {
    /// Number of the sample.
    pub(crate) seq: u64,
    /// Indices of the groups on the screen, ascending: all their files are read.
    pub(crate) shown: &'a [usize],
    /// Tasks of the host wait for memory.
    pub(crate) pressed: bool,
    /// Memory of the host that cannot be dropped has grown: a group may be filling.
    pub(crate) grows: bool,
    /// The host's counter of kills rose.
    pub(crate) killed: bool,
    /// What a walk inside the kernel has counted for this sample, and whether that is all groups.
    pub(crate) counted: Option<(&'a [Counted], bool)>,
}

/// What a visit needs.
pub(crate) struct Visit<'a> {
    pub(crate) root: BorrowedFd<'a>,
    pub(crate) hierarchy: &'a Hierarchy,
    pub(crate) seq: u64,
    pub(crate) reader: &'a mut GroupReader,
    pub(crate) budget: Budget,
    /// The group has its numbers already, see [`Self::count`]: its files only add what the kernel does not count.
    pub(crate) is_counted: bool,
}

impl Visit<'_> {
    /// Reads one group that is due by its schedule; false if the budget has no room.
    pub(crate) fn scheduled(
        &mut self,
        group: &mut Cgroup,
        state: &mut GroupSchedule,
        pressed: bool,
    ) -> bool {
        let mut depth = state.depth();
        let counters = pressed && depth == Depth::Usage && state.wants_counters(self.seq);
        if counters && self.budget.take_spare(self.price(Depth::Hot)) {
            depth = Depth::Hot;
        } else if !self.budget.take(self.price(depth)) {
            return false;
        }
        self.read(group, depth);
        if depth == Depth::Usage
            && state.wakes(found(group))
            && self.budget.take(self.price(Depth::Hot))
        {
            depth = Depth::Hot;
            self.read(group, depth);
        }
        self.end(group, state, depth);
        true
    }

    /// Reads one group because of a kill, even if the budget is used up.
    pub(crate) fn wake(&mut self, group: &mut Cgroup, state: &mut GroupSchedule) {
        self.budget.take(self.price(Depth::Hot));
        self.read(group, Depth::Hot);
        self.end(group, state, Depth::Hot);
    }

    fn end(&mut self, group: &mut Cgroup, state: &mut GroupSchedule, depth: Depth) {
        if depth == Depth::Hot {
            state.note_counters(self.seq);
        }
        let stat = depth == Depth::Hot
            && state.wants_stat(self.seq, found(group))
            && self.budget.take_stat();
        self.finish(group, state, stat);
    }

    /// Reads all files; `memory.stat` only where it matters.
    pub(crate) fn whole(&mut self, group: &mut Cgroup, state: &mut GroupSchedule, shown: bool) {
        self.read(group, Depth::All);
        let limited = group.limits.nearest().is_some();
        let stat = limited && (shown || state.wants_stat(self.seq, found(group)));
        self.finish(group, state, stat);
    }

    fn finish(&mut self, group: &mut Cgroup, state: &mut GroupSchedule, stat: bool) {
        if stat && let Some(path) = self.hierarchy.relative(&group.path.clone()) {
            group.stat = self.reader.stat(self.root, &path, self.hierarchy.version);
        } else if !GroupSchedule::may_keep_stat(found(group)) {
            group.stat = None;
        }
        state.note(self.seq, found(group), stat);
        group.read_seq = self.seq;
    }

    /// Takes a group's numbers from this record, if they can stand for its files. True if one of the counters has
    /// changed.
    pub(crate) fn count(&mut self, record: Option<&Counted>, group: &mut Cgroup) -> bool {
        let record = record.filter(|record| record.is_of(group));
        self.is_counted = record.is_some();
        let Some(record) = record else { return false };
        let before = group.events;
        record.fill(self.hierarchy.version, self.reader.page_size(), group);
        group.read_seq = self.seq;
        group.events != before
    }

    /// The inode number of a group's directory, which is its kernfs id.
    pub(crate) fn id(&self, group: &Cgroup) -> Option<u64> {
        let relative = self.hierarchy.relative(&group.path)?;
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(self.root, relative.as_ref(), flags);
        stat.ok().map(|stat| stat.st_ino)
    }

    /// Which reading costs as much as this one does for this group, at most.
    fn price(&self, depth: Depth) -> Depth {
        if self.is_counted { Depth::Usage } else { depth }
    }

    pub(crate) fn read(&mut self, group: &mut Cgroup, depth: Depth) {
        if self.is_counted {
            if depth >= Depth::Hot
                && let Some(relative) = self.hierarchy.relative(&group.path.clone())
            {
                let version = self.hierarchy.version;
                self.reader.pressure(self.root, &relative, version, group);
            }
            return;
        }
        // A group outside the mounted tree stays unread: only its path is known.
        let path = group.path.clone();
        if let Some(relative) = self.hierarchy.relative(&path) {
            let version = self.hierarchy.version;
            self.reader
                .refresh(self.root, &relative, version, depth, group);
        }
    }
}

fn found(group: &Cgroup) -> Found {
    let events = &group.events;
    let counters = [events.high, events.max, events.oom, events.oom_kill];
    Found {
        usage: group.usage.unwrap_or(0),
        // A group stalls at the lower of its limits, however far it is from the other one.
        limit: group.limits.lowest().unwrap_or(u64::MAX),
        events: counters.into_iter().flatten().fold(0, u64::wrapping_add),
        stalls: group.under_oom || group.pressure.is_some_and(|p| p.some > 0),
    }
}
