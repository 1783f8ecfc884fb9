//! Reads the memory files of one group, of either version, into a [`Cgroup`].
//!
//! Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use crate::domain::cgroup::{Cgroup, CgroupVersion, GroupEvents, Limits, PressureFull};

use super::kernel_file::{FileBuffer, is_gone, keyed, lines, number};
use super::memory::parse_pressure;

/// Which files to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
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
        // Every group has this file, the root too; a failed read of it tells what is the matter.
        match files.raw("cgroup.procs", |_| ()) {
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
        if version.is_v1() {
            files.v1(group, depth);
        } else {
            files.v2(group, depth);
        }
    }
}

struct Files<'a> {
    reader: &'a mut GroupReader,
    root: BorrowedFd<'a>,
    relative: &'a str,
}

impl Files<'_> {
    fn raw<T>(&mut self, file: &str, parse: impl FnOnce(&[u8]) -> T) -> Result<T, Errno> {
        let reader = &mut *self.reader;
        reader.name.clear();
        reader.name.push_str(self.relative);
        reader.name.push('/');
        reader.name.push_str(file);
        let bytes = if file == "cgroup.procs" {
            // Only whether it can be opened matters: the list can be long.
            let flags = rustix::fs::AtFlags::empty();
            rustix::fs::statat(self.root, reader.name.as_str(), flags)?;
            &[][..]
        } else {
            reader.buffer.read_whole(self.root, reader.name.as_str())?
        };
        Ok(parse(bytes))
    }

    fn bytes(&mut self, file: &str) -> Option<u64> {
        self.raw(file, number).ok().flatten()
    }

    /// A limit; `None` for `max` and for what v1 prints as unlimited.
    fn limit(&mut self, file: &str) -> Option<u64> {
        let unlimited = unlimited(self.reader.page_size);
        self.bytes(file).filter(|limit| *limit < unlimited)
    }

    fn v2(&mut self, group: &mut Cgroup, depth: Depth) {
        group.limits.max = self.limit("memory.max");
        group.usage = self.bytes("memory.current");
        group.swap_usage = self.bytes("memory.swap.current");
        group.events = self.raw("memory.events", parse_events).unwrap_or_default();
        group.pressure = self
            .raw("memory.pressure", parse_pressure)
            .ok()
            .flatten()
            .map(|p| PressureFull(hundredths(p.full.avg10)));
        if depth == Depth::All {
            group.limits = Limits {
                max: group.limits.max,
                high: self.limit("memory.high"),
                low: self.bytes("memory.low").filter(|low| *low > 0),
                min: self.bytes("memory.min").filter(|min| *min > 0),
                swap_max: self.limit("memory.swap.max"),
                memsw_max: None,
                swappiness: None,
                oom_group: self.bytes("memory.oom.group") == Some(1),
                kill_disabled: false,
            };
        }
    }

    fn v1(&mut self, group: &mut Cgroup, depth: Depth) {
        group.limits.max = self.limit("memory.limit_in_bytes");
        group.usage = self.bytes("memory.usage_in_bytes");
        let both = self.bytes("memory.memsw.usage_in_bytes");
        group.swap_usage = both
            .zip(group.usage)
            .map(|(both, memory)| both.saturating_sub(memory));
        let (disabled, kills) = self
            .raw("memory.oom_control", |text| {
                (keyed(text, "oom_kill_disable"), keyed(text, "oom_kill"))
            })
            .unwrap_or_default();
        group.limits.kill_disabled = disabled == Some(1);
        group.events = GroupEvents {
            max: self.bytes("memory.failcnt"),
            oom_kill: kills,
            ..GroupEvents::default()
        };
        if depth == Depth::All {
            group.limits.high = self.limit("memory.soft_limit_in_bytes");
            group.limits.memsw_max = self.limit("memory.memsw.limit_in_bytes");
            group.limits.swappiness = self.bytes("memory.swappiness");
        }
    }
}

/// From here on a v1 limit means "none": `PAGE_COUNTER_MAX` in bytes (include/linux/page_counter.h).
fn unlimited(page_size: u64) -> u64 {
    let page = page_size.max(1);
    let most = if cfg!(target_pointer_width = "64") {
        i64::MAX as u64 / page
    } else {
        i32::MAX as u64
    };
    most.saturating_mul(page)
}

fn parse_events(text: &[u8]) -> GroupEvents {
    let mut events = GroupEvents::default();
    for line in lines(text) {
        let mut words = line.splitn(2, |b| *b == b' ');
        let (Some(key), Some(value)) = (words.next(), words.next()) else {
            continue;
        };
        match key {
            b"high" => events.high = number(value),
            b"max" => events.max = number(value),
            b"oom" => events.oom = number(value),
            b"oom_kill" => events.oom_kill = number(value),
            _ => {}
        }
    }
    events
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
    use super::{hundredths, parse_events, unlimited};

    #[test]
    fn what_v1_prints_without_a_limit() {
        assert_eq!(unlimited(4096), 9_223_372_036_854_771_712);
        assert_eq!(unlimited(65536), 9_223_372_036_854_710_272);
    }

    #[test]
    fn events_by_key_with_unknown_ones() {
        let events = parse_events(b"low 0\nhigh 3\nmax 9\noom 2\noom_kill 1\nsock_throttled 5\n");
        assert_eq!((events.high, events.max), (Some(3), Some(9)));
        assert_eq!((events.oom, events.oom_kill), (Some(2), Some(1)));
        assert_eq!(parse_events(b"oom\n\xff 3\n").oom, None);
    }

    #[test]
    fn pressure_is_kept_in_hundredths() {
        assert_eq!(hundredths(12.34), 1234);
        assert_eq!(hundredths(-1.0), 0);
        assert_eq!(hundredths(f32::NAN), 0);
    }
}
