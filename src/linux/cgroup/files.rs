//! Reads the memory files of one group, of either version, into a [`Cgroup`].
//!
//! Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. Later additions: `oom_kill` in
//! 4.13, `memory.oom.group` in 4.19, `memory.pressure` in 4.20. A missing file gives `None`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{Cgroup, CgroupVersion, GroupEvents, GroupPressure, GroupStat, Limits};

use crate::linux::cgroup::parse::{hundredths, parse_events, parse_stat};
use crate::linux::host::meminfo::parse_pressure;
use crate::linux::kernel_file::{FileBuffer, is_gone, keyed, number};

/// Groups nested deeper than this are opened before their files are read.
const DEEP: usize = 16;

/// Which files to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// The usage: one file.
    Usage,
    /// The counters of kills.
    Kills,
    /// The limit, usage and counters.
    Hot,
    /// The files of [`Self::Hot`] and the limits that seldom change.
    All,
}

/// Reads the files of one group; keeps the buffers between groups.
#[derive(Debug, Default)]
pub(crate) struct GroupReader {
    buffer: FileBuffer,
    name: Vec<u8>,
    page_size: u64,
}

impl GroupReader {
    pub(crate) fn new(page_size: u64) -> Self {
        Self {
            page_size,
            ..Self::default()
        }
    }

    /// Bytes.
    pub(crate) fn page_size(&self) -> u64 {
        self.page_size
    }

    /// Fills `group` from the directory `relative` below the hierarchy's root, or marks the group as gone.
    pub(crate) fn refresh(
        &mut self,
        root: BorrowedFd<'_>,
        relative: &[u8],
        version: CgroupVersion,
        depth: Depth,
        group: &mut Cgroup,
    ) {
        let opened = (depth > Depth::Usage)
            .then(|| opened(root, relative))
            .flatten();
        let (root, relative) = match &opened {
            Some(dir) => (dir.as_fd(), b".".as_slice()),
            None => (root, relative),
        };
        let mut files = Files {
            reader: self,
            root,
            relative,
        };
        if depth == Depth::Usage {
            // Only groups with a limit are read at this depth; they always have this file.
            match files.raw(usage_file(version), number) {
                Err(errno) if is_gone(errno) => {}
                usage => {
                    group.usage = usage.ok().flatten();
                    return;
                }
            }
        }
        // Every group has this file, the root too: if it is missing, the group is gone.
        match files.look("cgroup.procs") {
            Err(errno) if is_gone(errno) => {
                let gone = Cgroup::unread(group.path.clone(), group.parent);
                *group = Cgroup {
                    present: false,
                    ..gone
                };
                return;
            }
            found => {
                let instance = found.ok();
                if !group.is_still(instance) {
                    // Another group under the same path: its counters began again.
                    *group = Cgroup::unread(group.path.clone(), group.parent);
                }
                group.present = true;
                group.instance = instance.or(group.instance);
            }
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

    /// Reads `memory.pressure` (v2), of all files of [`Depth::Hot`] the only one that tells what the kernel has not
    /// counted by itself.
    pub(crate) fn pressure(
        &mut self,
        root: BorrowedFd<'_>,
        relative: &[u8],
        version: CgroupVersion,
        group: &mut Cgroup,
    ) {
        if !version.is_v1() {
            let mut files = Files {
                reader: self,
                root,
                relative,
            };
            group.pressure = files.pressure();
        }
    }

    /// Reads `memory.stat`. It costs more than the other files: the kernel sums up the counters for each
    /// read.
    pub(crate) fn stat(
        &mut self,
        root: BorrowedFd<'_>,
        relative: &[u8],
        version: CgroupVersion,
    ) -> Option<GroupStat> {
        let mut files = Files {
            reader: self,
            root,
            relative,
        };
        let prefix = if version.is_v1() { "total_" } else { "" };
        let stat = files.raw("memory.stat", |text| parse_stat(text, prefix));
        let mut stat = stat.ok().flatten()?;
        if version.is_v1() {
            stat.kernel = files.bytes("memory.kmem.usage_in_bytes");
        }
        Some(stat)
    }
}

/// The directory of a deeply nested group: each of its files would otherwise be looked up from the root, level by
/// level.
fn opened(root: BorrowedFd<'_>, relative: &[u8]) -> Option<OwnedFd> {
    let levels = relative.split(|b| *b == b'/').count();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    (levels > DEEP).then(|| rustix::fs::openat(root, relative, flags, Mode::empty()).ok())?
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
    relative: &'a [u8],
}

impl Files<'_> {
    fn name(&mut self, file: &str) {
        let name = &mut self.reader.name;
        name.clear();
        name.extend_from_slice(self.relative);
        name.push(b'/');
        name.extend_from_slice(file.as_bytes());
    }

    /// The inode number of the file. It is not read: the list of processes can be long.
    fn look(&mut self, file: &str) -> Result<u64, Errno> {
        self.name(file);
        let flags = rustix::fs::AtFlags::empty();
        rustix::fs::statat(self.root, self.reader.name.as_slice(), flags).map(|stat| stat.st_ino)
    }

    fn raw<T>(&mut self, file: &str, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Errno> {
        self.name(file);
        let reader = &mut *self.reader;
        // A seq_file of one record (fs/seq_file.c): one read has all of it.
        let bytes = reader
            .buffer
            .read_single(self.root, reader.name.as_slice())?;
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
        group.pressure = self.pressure();
    }

    fn pressure(&mut self) -> Option<GroupPressure> {
        let read = self.raw("memory.pressure", parse_pressure).ok().flatten();
        read.map(|p| GroupPressure {
            some: hundredths(p.some.avg10),
            full: hundredths(p.full.avg10),
            full_total: p.full.total,
        })
    }

    /// Reads the counters. In `memory.events` an OOM counts in the group that ran out and in all its
    /// ancestors (5.2 and later, mm/memcontrol.c `memcg_memory_event`), in `memory.events.local` only in the
    /// group that ran out. `memory.events.local` is read only when `memory.events` has changed.
    fn v2_events(&mut self, before: &GroupEvents) -> GroupEvents {
        let mut events = self.raw("memory.events", parse_events).unwrap_or_default();
        events.own_oom = if before.own_oom.is_some() && events.oom == before.oom {
            before.own_oom
        } else {
            match self.raw("memory.events.local", parse_events) {
                Ok(own) => own.oom,
                // Kernels before 5.2 count only the group's own OOMs in `memory.events`.
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
