//! [`Watcher`]: reads the group of a command and what is around it, some dozen times a second.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::kills::KillSum;
use super::parts::{self, Parts};
use crate::linux::SysRoot;
use crate::linux::cgroup::files::{Depth, GroupReader};
use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::members::members;
use crate::linux::host::meminfo;
use crate::linux::kernel_file::{FileBuffer, number, open_dir};
use crate::linux::scan::proc::{stat_line, status_lines};
use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use crate::model::memory::Memory;
use crate::model::oom_domain::headroom::Room;
use crate::model::process::{Pid, ProcessId};
use crate::model::run::course::{Bound, Reading};
use crate::model::run::growth::Size;
use crate::model::run::report::{Counters, Waited};
use crate::model::time::Monotonic;

/// The files around the group are all read again every so many readings: somebody may set a limit there.
const LIMITS_EVERY: u64 = 64;

/// Reads one group.
#[derive(Debug)]
pub struct Watcher {
    root: SysRoot,
    hierarchy: Hierarchy,
    proc: OwnedFd,
    /// The group, and those around it up to the root of the mount.
    groups: Vec<Cgroup>,
    reader: GroupReader,
    buffer: FileBuffer,
    memory: Memory,
    /// What shrinks on the host, in bytes, when the watch began.
    shrinking: Option<u64>,
    readings: u64,
    /// v1.
    kills: KillSum,
    /// Microseconds of waiting, at the start.
    waited: Option<(u64, u64)>,
}

impl Watcher {
    /// # Errors
    /// A sentence, if `/proc` cannot be opened.
    pub(super) fn new(root: &SysRoot, group: &CgroupPath) -> Result<Self, String> {
        let hierarchy = Hierarchy::detect(root);
        let up = std::iter::successors(Some(group.clone()), CgroupPath::parent);
        let within = up.take_while(|path| path.is_within(hierarchy.root_group()));
        let paths: Vec<_> = within.collect();
        let outermost = paths.len() - usize::from(!paths.is_empty());
        let groups = paths.into_iter().enumerate().map(|(at, path)| {
            let above = u32::try_from(at + 1).ok().map(CgroupKey);
            Cgroup::unread(path, above.filter(|_| at < outermost))
        });
        let mut watcher = Self {
            groups: groups.collect(),
            proc: open_dir(&root.proc)
                .map_err(|errno| format!("{} cannot be opened: {errno}", root.proc.display()))?,
            root: root.clone(),
            hierarchy,
            reader: GroupReader::new(rustix::param::page_size() as u64),
            buffer: FileBuffer::default(),
            memory: Memory::default(),
            shrinking: None,
            readings: 0,
            kills: KillSum::default(),
            waited: None,
        };
        watcher.waited = watcher.waits();
        Ok(watcher)
    }

    /// Reads the group, the limits around it and the host.
    pub fn read(&mut self, at: Monotonic) -> Reading {
        if let Ok(memory) = meminfo::read(&self.root, &self.proc, &mut self.buffer) {
            self.memory = memory;
            self.shrinking = self.shrinking.or(memory.slab_reclaimable);
        }
        let all = self.readings.is_multiple_of(LIMITS_EVERY);
        self.readings += 1;
        for at in 0..self.groups.len() {
            self.refresh(at, all);
        }
        let parts = self.parts();
        let rooms = (0..self.groups.len()).filter_map(|at| {
            let key = CgroupKey(u32::try_from(at).ok()?);
            let of = if at == 0 { Bound::Group } else { Bound::Around };
            Some((of, Room::from_group(key, &self.groups, &self.memory)?))
        });
        let host = (self.memory.total > 0).then(|| (Bound::Host, Room::from_host(&self.memory)));
        Reading {
            at,
            usage: self.groups.first().and_then(|group| group.usage),
            held: parts.map(|parts| parts.held),
            told: parts.map(|parts| parts.held.unreclaimable().saturating_add(parts.cache)),
            // The first of equals: the innermost is full first.
            room: rooms.chain(host).min_by_key(|(_, room)| room.left()),
        }
    }

    fn refresh(&mut self, at: usize, all: bool) {
        let Some(group) = self.groups.get_mut(at) else {
            return;
        };
        if at > 0 && !all && group.limits.max.is_none() {
            return;
        }
        let depth = if all { Depth::All } else { Depth::Hot };
        let (Ok(dir), Some(relative)) =
            (self.hierarchy.dir(), self.hierarchy.relative(&group.path))
        else {
            return;
        };
        let (path, version) = (relative.into_owned(), self.hierarchy.version);
        self.reader.refresh(dir, &path, version, depth, group);
        if group.limits.max.is_some() {
            group.stat = self.reader.stat(dir, &path, version);
        }
    }

    /// What the group holds, all at one moment.
    fn parts(&mut self) -> Option<Parts> {
        let swap = self.groups.first()?.swap_usage.unwrap_or(0);
        let kernel = self.number("memory.kmem.usage_in_bytes").unwrap_or(0);
        let v1 = self.hierarchy.version.is_v1();
        let now = self.memory.slab_reclaimable.unwrap_or(0);
        let grown = self
            .shrinking
            .map_or(0, |before| now.saturating_sub(before));
        let shrinks = parts::shrinks(kernel, &self.memory, grown);
        let told = self
            .groups
            .first_mut()
            .and_then(|group| group.stat.as_mut());
        if let Some(told) = told.filter(|_| v1) {
            told.slab_reclaimable = Some(shrinks);
        }
        let stat = self.read_file("memory.stat")?;
        let mut parts = if v1 {
            parts::v1(stat, kernel, shrinks)
        } else {
            parts::v2(stat)
        }?;
        parts.held.swap = swap;
        Some(parts)
    }

    /// Who is in the group and below it, and how large they are.
    pub fn sizes(&mut self) -> Vec<Size> {
        // Groups below may be gone at the end.
        self.kills_below();
        let pids = self.pids();
        let page_size = self.reader.page_size();
        let size = |pid| size(&self.proc, &mut self.buffer, pid, page_size);
        pids.into_iter().filter_map(size).collect()
    }

    fn pids(&self) -> BTreeSet<Pid> {
        let found = self.groups.first().and_then(|group| {
            let relative = self.hierarchy.relative(&group.path)?;
            members(self.hierarchy.dir().ok()?, &relative).ok()
        });
        found.unwrap_or_default()
    }

    /// v1: the kills in the group and in those below it.
    fn kills_below(&mut self) -> Option<u64> {
        if !self.hierarchy.version.is_v1() {
            return None;
        }
        let relative = self.hierarchy.relative(&self.groups.first()?.path)?;
        self.kills.look(self.hierarchy.dir().ok()?, &relative)
    }

    /// The counters now.
    pub fn counters(&mut self) -> Counters {
        let v1 = self.hierarchy.version.is_v1();
        self.refresh(0, true);
        let peak = if v1 {
            "memory.max_usage_in_bytes"
        } else {
            "memory.peak"
        };
        let peak = self.number(peak);
        let below = self.kills_below();
        let events = self.groups.first().map(|group| group.events);
        let events = events.unwrap_or_default();
        Counters {
            peak,
            kills: if v1 { below } else { events.oom_kill },
            ooms: if v1 { None } else { events.oom },
            at_limit: events.max,
        }
    }

    /// How long tasks have waited for memory since this was made.
    pub fn waited(&mut self) -> Option<Waited> {
        let (before, now) = (self.waited?, self.waits()?);
        let since = |now: u64, before| Duration::from_micros(now.saturating_sub(before));
        Some(Waited {
            of_group: !self.hierarchy.version.is_v1(),
            some: since(now.0, before.0),
            full: since(now.1, before.1),
        })
    }

    /// Microseconds: of the group, on v1 of the host.
    fn waits(&mut self) -> Option<(u64, u64)> {
        let pressure = if self.hierarchy.version.is_v1() {
            meminfo::pressure(&self.proc, &mut self.buffer)
        } else {
            meminfo::parse_pressure(self.read_file("memory.pressure")?)
        };
        pressure.map(|pressure| (pressure.some.total, pressure.full.total))
    }

    fn read_file(&mut self, file: &str) -> Option<&[u8]> {
        let group = self.groups.first()?;
        let file = self.hierarchy.file(&group.path, file)?;
        let dir = self.hierarchy.dir().ok()?;
        self.buffer.read_whole(dir, file.as_slice()).ok()
    }

    fn number(&mut self, file: &str) -> Option<u64> {
        number(self.read_file(file)?)
    }
}

/// One process; `None` for one that has ended or that has no memory.
fn size(proc: &OwnedFd, buffer: &mut FileBuffer, pid: Pid, page_size: u64) -> Option<Size> {
    let text = buffer.read_single(proc, format!("{pid}/stat")).ok()?;
    let stat = stat_line::parse(text)?;
    let text = buffer.read_single(proc, format!("{pid}/status")).ok()?;
    let memory = status_lines::parse(text).memory(page_size)?;
    Some(Size {
        id: ProcessId {
            pid,
            start_ticks: stat.start_ticks,
        },
        name: stat.comm.text().into_owned(),
        bytes: (memory.rss + memory.swap) * page_size,
    })
}
