//! Reads the memory files of one group, of either version, into a [`Cgroup`].
//!
//! Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. What came late: `oom_kill` 4.13,
//! `memory.oom.group` 4.19, `memory.pressure` 4.20; a file that is not there leaves `None`.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{Cgroup, CgroupVersion, GroupEvents, GroupPressure, GroupStat, Limits};

use crate::linux::host::meminfo::parse_pressure;
use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, is_gone, keyed, lines, number};

/// Which files to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// The usage: one file.
    Usage,
    /// The counters of kills.
    Kills,
    /// The limit, usage and counters.
    Hot,
    /// Those, and the limits that seldom change.
    All,
}

/// Reads the files of one group; keeps the buffers between groups.
#[derive(Debug, Default)]
pub(crate) struct GroupReader {
    buffer: FileBuffer,
    name: String,
    page_size: u64,
}

impl GroupReader {
    pub(crate) fn new(page_size: u64) -> Self {
        Self {
            page_size,
            ..Self::default()
        }
    }

    /// Fills `group` from its directory `relative` to the hierarchy's root, or marks it as gone.
    pub(crate) fn refresh(
        &mut self,
        root: BorrowedFd<'_>,
        relative: &str,
        version: CgroupVersion,
        depth: Depth,
        group: &mut Cgroup,
    ) {
        let mut files = Files {
            reader: self,
            root,
            relative,
        };
        if depth == Depth::Usage {
            // Only groups with a limit are read so: they have this file.
            match files.raw(usage_file(version), number) {
                Err(errno) if is_gone(errno) => {}
                usage => {
                    group.usage = usage.ok().flatten();
                    return;
                }
            }
        }
        // Every group has this directory entry, the root too: a failure tells what is the matter.
        match files.look("cgroup.procs") {
            Err(errno) if is_gone(errno) => {
                let gone = Cgroup::unread(group.path.clone(), group.parent);
                *group = Cgroup {
                    present: false,
                    ..gone
                };
                return;
            }
            _ => group.present = true,
        }
        if depth == Depth::Kills {
            if version.is_v1() {
                files.v1_control(group);
            } else {
                group.events = files.v2_events(&group.events);
            }
        } else if version.is_v1() {
            files.v1(group, depth);
        } else {
            files.v2(group, depth);
        }
    }

    /// Reads `memory.stat`: the kernel sums it up for the purpose, so it is dearer than the rest.
    pub(crate) fn stat(
        &mut self,
        root: BorrowedFd<'_>,
        relative: &str,
        version: CgroupVersion,
    ) -> Option<GroupStat> {
        let mut files = Files {
            reader: self,
            root,
            relative,
        };
        let prefix = if version.is_v1() { "total_" } else { "" };
        files
            .raw("memory.stat", |text| parse_stat(text, prefix))
            .ok()
            .flatten()
    }
}

/// Where a group's usage stands.
pub(crate) fn usage_file(version: CgroupVersion) -> &'static str {
    if version.is_v1() {
        "memory.usage_in_bytes"
    } else {
        "memory.current"
    }
}

struct Files<'a> {
    reader: &'a mut GroupReader,
    root: BorrowedFd<'a>,
    relative: &'a str,
}

impl Files<'_> {
    fn name(&mut self, file: &str) {
        let name = &mut self.reader.name;
        name.clear();
        name.push_str(self.relative);
        name.push('/');
        name.push_str(file);
    }

    /// Only whether it is there: the list of processes can be long.
    fn look(&mut self, file: &str) -> Result<(), Errno> {
        self.name(file);
        let flags = rustix::fs::AtFlags::empty();
        rustix::fs::statat(self.root, self.reader.name.as_str(), flags).map(|_| ())
    }

    fn raw<T>(&mut self, file: &str, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Errno> {
        self.name(file);
        let reader = &mut *self.reader;
        // A seq_file of one record (fs/seq_file.c): one read has all of it.
        let bytes = reader.buffer.read_single(self.root, reader.name.as_str())?;
        Ok(parse(bytes))
    }

    fn bytes(&mut self, file: &str) -> Option<u64> {
        self.raw(file, number).ok().flatten()
    }

    /// The limits of this version; all of them, or those that are read with every look at the group.
    fn limits(&mut self, version: CgroupVersion, depth: Depth, limits: &mut Limits) {
        let page_size = self.reader.page_size;
        // `memory.oom_control` is read with its counters.
        let wanted = |file: &LimitFile| {
            (depth == Depth::All || file.row().hot) && *file != LimitFile::V1OomControl
        };
        for file in LimitFile::of(version).filter(wanted) {
            let value = self.raw(file.name(), |text| file.shown(text, page_size));
            file.set(limits, value.ok().flatten());
        }
    }

    fn v2(&mut self, group: &mut Cgroup, depth: Depth) {
        self.limits(CgroupVersion::V2, depth, &mut group.limits);
        group.usage = self.bytes("memory.current");
        group.swap_usage = self.bytes("memory.swap.current");
        group.events = self.v2_events(&group.events);
        group.pressure = self
            .raw("memory.pressure", parse_pressure)
            .ok()
            .flatten()
            .map(|p| GroupPressure {
                some: hundredths(p.some.avg10),
                full: hundredths(p.full.avg10),
            });
    }

    /// What the counters are now. An OOM counts in every group around the one that ran out (5.2 and later,
    /// mm/memcontrol.c `memcg_memory_event`); in `memory.events.local` only in that one. That file is read
    /// when the other one has moved.
    fn v2_events(&mut self, before: &GroupEvents) -> GroupEvents {
        let mut events = self.raw("memory.events", parse_events).unwrap_or_default();
        events.own_oom = if before.own_oom.is_some() && events.oom == before.oom {
            before.own_oom
        } else {
            match self.raw("memory.events.local", parse_events) {
                Ok(own) => own.oom,
                // An older kernel: what it counts is the group's own.
                Err(Errno::NOENT) => events.oom,
                Err(_) => None,
            }
        };
        events
    }

    fn v1(&mut self, group: &mut Cgroup, depth: Depth) {
        self.limits(CgroupVersion::V1, depth, &mut group.limits);
        group.usage = self.bytes("memory.usage_in_bytes");
        let both = self.bytes("memory.memsw.usage_in_bytes");
        group.swap_usage = both
            .zip(group.usage)
            .map(|(both, memory)| both.saturating_sub(memory));
        self.v1_control(group);
        group.events.max = self.bytes("memory.failcnt");
        if group.limits.memsw_max.is_some() {
            // Charged first: where it runs out first, the other one does not count
            // (mm/memcontrol.c `try_charge_memcg`).
            let both = self.bytes("memory.memsw.failcnt").unwrap_or(0);
            group.events.max = group.events.max.map(|max| max.saturating_add(both));
        }
    }

    /// `memory.oom_control`; its `oom_kill` counts victims in this group alone, not below.
    fn v1_control(&mut self, group: &mut Cgroup) {
        let file = LimitFile::V1OomControl;
        let page_size = self.reader.page_size;
        let (disabled, [under_oom, kills]) = self
            .raw(file.name(), |text| {
                let counters = ["under_oom", "oom_kill"].map(|key| keyed(text, key));
                (file.shown(text, page_size), counters)
            })
            .unwrap_or_default();
        file.set(&mut group.limits, disabled);
        group.under_oom = under_oom == Some(1);
        group.events.own_kills = kills;
    }
}

/// Lines of a key and a number.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], Option<u64>)> {
    lines(text).filter_map(|line| {
        let mut words = line.splitn(2, |b| *b == b' ');
        Some((words.next()?, number(words.next()?)))
    })
}

fn parse_events(text: &[u8]) -> GroupEvents {
    let mut events = GroupEvents::default();
    for (key, value) in pairs(text) {
        match key {
            b"high" => events.high = value,
            b"max" => events.max = value,
            b"oom" => events.oom = value,
            b"oom_kill" => events.oom_kill = value,
            b"oom_group_kill" => events.oom_group_kill = value,
            _ => {}
        }
    }
    events
}

/// The lines with this prefix (v1 `total_`: the group with everything below it; v2 none). `None` where
/// the file does not tell the page cache.
fn parse_stat(text: &[u8], prefix: &str) -> Option<GroupStat> {
    let (mut stat, mut lists) = (GroupStat::default(), 0);
    for (key, value) in pairs(text) {
        let Some((key, value)) = key.strip_prefix(prefix.as_bytes()).zip(value) else {
            continue;
        };
        let bytes = value.min(MOST_BYTES);
        match key {
            b"inactive_file" => (stat.inactive_file, lists) = (bytes, lists + 1),
            b"active_file" => (stat.active_file, lists) = (bytes, lists + 1),
            b"file_dirty" | b"file_writeback" | b"dirty" | b"writeback" => stat.unwritten += bytes,
            b"workingset_refault" | b"workingset_refault_anon" | b"workingset_refault_file" => {
                stat.refaults = Some(stat.refaults.unwrap_or(0).saturating_add(value));
            }
            _ => {}
        }
    }
    (lists == 2).then_some(stat)
}

fn hundredths(percent: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=10000"
    )]
    let value = (percent * 100.0).round().clamp(0.0, 10_000.0) as u32;
    value
}

#[cfg(test)]
mod tests {
    use super::{hundredths, parse_events, parse_stat};

    #[test]
    fn events_by_key_with_unknown_ones() {
        let events = parse_events(
            b"low 0\nhigh 3\nmax 9\noom 2\noom_kill 1\noom_group_kill 4\nsock_throttled 5\n",
        );
        assert_eq!((events.high, events.max), (Some(3), Some(9)));
        assert_eq!((events.oom, events.oom_kill), (Some(2), Some(1)));
        assert_eq!(events.oom_group_kill, Some(4));
        assert_eq!(parse_events(b"oom\n\xff 3\n").oom, None);
    }

    #[test]
    fn what_can_be_dropped_is_the_file_lists_without_what_must_be_written() {
        let v2 = b"anon 9\nfile_dirty 10\nfile_writeback 5\ninactive_file 100\nactive_file 50\n\
                   workingset_refault_anon 3\nworkingset_refault_file 4\n";
        let stat = parse_stat(v2, "").expect("both lists");
        assert_eq!((stat.droppable(), stat.refaults), (135, Some(7)));
        // v1 has its own numbers first and those of the whole subtree after them.
        let v1 =
            b"inactive_file 1\nactive_file 1\ndirty 1\ntotal_dirty 8\ntotal_inactive_file 100\n\
                   total_active_file 50\n";
        let stat = parse_stat(v1, "total_").expect("both lists");
        assert_eq!((stat.droppable(), stat.refaults), (142, None));
        let odd =
            b"inactive_file 1\nactive_file 2\nfile_dirty 99999999999999999999\nfile_writeback 50\n";
        assert_eq!(parse_stat(odd, "").map(|s| s.droppable()), Some(0));
        assert_eq!(parse_stat(b"inactive_file 5\n\xff 3\n", ""), None);
    }

    #[test]
    fn pressure_is_kept_in_hundredths() {
        assert_eq!(hundredths(12.34), 1234);
        assert_eq!(hundredths(-1.0), 0);
        assert_eq!(hundredths(f32::NAN), 0);
    }
}
