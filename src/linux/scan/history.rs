//! [`ProcessHistory`]: the state of each process kept from sample to sample: growth, command line, cgroup.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use crate::model::cgroup::CgroupKey;
use crate::model::process::comm::Comm;
use crate::model::process::pace::Pace;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Needs;
use crate::model::time::Monotonic;

use crate::linux::cgroup::hierarchy::Hierarchy;
use crate::linux::cgroup::proc_file::memory_path;
use crate::linux::cgroup::table::{CYCLE, CgroupTable};
use crate::linux::host::users::Users;
use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::cgroup_rest::CgroupRest;
use crate::linux::scan::command_lines::{self, CommandLines};
use crate::linux::scan::cpu_meter::CpuMeter;
use crate::linux::scan::proc::pid_table::PidTable;
use crate::linux::scan::youth::Youth;

/// Time constant of the smoothed growth: after this time a step in memory use has decayed to a third.
const GROWTH_SECONDS: f32 = 4.0;

/// Two samples that are closer than this, in seconds, have no rate: a page more or less would be a leak.
const LEAST_SPAN: f32 = 0.25;

/// Growth below this many bytes per second counts as 0.
const NO_GROWTH: f32 = 16.0;

/// Two rates in a row are the growth, whatever was before, if neither is more than so many times the other.
const ALIKE: f32 = 2.0;

/// Slower growth waits until the smoothed one has it, in bytes per second.
const FAST: f32 = 1_048_576.0;

/// Where the back end does not report a cgroup id, the cgroup of every row is read once in this many samples.
const MOVES: u64 = 30;

#[derive(Debug, Default)]
struct Entry {
    id: ProcessId,
    /// False until the first row of this process has been completed.
    known: bool,
    uid: u32,
    comm: Comm,
    command: Option<Arc<str>>,
    cgroup: Option<CgroupKey>,
    cgroup_id: Option<u64>,
    rest: CgroupRest,
    bytes: Option<(u64, Monotonic)>,
    /// Smoothed; what [`Pace`] learns from.
    growth: Option<f32>,
    /// The same, but at once where the last two rates agree: a fast leak has filled a group before a smoothed number
    /// gets there.
    shown_growth: Option<f32>,
    /// Between the last two samples, in bytes per second.
    rate: f32,
    pace: Pace,
    /// Samples in which it was seen.
    seen: u32,
    cpu: CpuMeter,
}

/// The state of each process, by pid and start time.
///
/// Bound: the entries are those of the last table ([`PidTable`]), `shown` and `wanted` hold no more rows than it, and
/// [`Youth`] a fixed number of names.
#[derive(Debug, Default)]
pub(crate) struct ProcessHistory {
    entries: PidTable<Entry>,
    /// Sorted.
    shown: Vec<ProcessId>,
    /// The indices of the shown rows in the last completed table.
    shown_rows: Vec<usize>,
    /// The rows whose command lines are to be read, those on the screen first.
    wanted: Vec<(bool, ProcessId)>,
    commands: Option<CommandLines>,
    /// When the last table was completed.
    taken: Option<Monotonic>,
    youth: Youth,
    files: Files,
}

/// Reads the files that are needed only for some rows.
#[derive(Debug, Default)]
struct Files {
    buffer: FileBuffer,
    name: String,
}

/// Where and when the rows of one sample were read.
pub(crate) struct Sampling<'a> {
    pub(crate) proc: &'a OwnedFd,
    pub(crate) hierarchy: &'a Hierarchy,
    pub(crate) seq: u64,
    pub(crate) at: Monotonic,
    pub(crate) page_size: u64,
}

impl ProcessHistory {
    /// Completes every row of `table`, and forgets the processes that are not in it.
    pub(crate) fn complete(
        &mut self,
        sampling: &Sampling<'_>,
        needs: &Needs,
        cgroups: &mut CgroupTable,
        users: &mut Users,
        table: &mut [Process],
    ) {
        self.shown.clear();
        self.shown.extend(&needs.visible);
        self.shown.extend(needs.detail);
        self.shown.sort_unstable();
        self.shown_rows.clear();
        self.wanted.clear();
        self.entries.reserve(table.len());
        for (at, row) in table.iter_mut().enumerate() {
            let entry = self.entries.keep(row.id.pid);
            if entry.id != row.id {
                *entry = Entry {
                    id: row.id,
                    ..Entry::default()
                };
            }
            let shown = self.shown.binary_search(&row.id).is_ok();
            if shown {
                self.shown_rows.push(at);
            }
            let turn = |of| (u64::from(row.id.pid) + sampling.seq).is_multiple_of(of);
            if !entry.known || entry.uid != row.uid {
                users.learn(row.uid);
                entry.uid = row.uid;
            }
            entry.grow(row, sampling, self.taken);
            let moved = match row.cgroup_id {
                Some(id) => entry.cgroup_id != Some(id),
                None => !entry.known || shown || turn(MOVES),
            };
            if moved && !row.kernel_thread {
                let cgroup = self.files.cgroup(row, &mut entry.rest, sampling, cgroups);
                if cgroup.is_some() {
                    (entry.cgroup, entry.cgroup_id) = (cgroup, row.cgroup_id);
                }
            }
            let wanted = shown || needs.all_commands;
            // A program may exec another one with the same short name: read the shown command lines again
            // from time to time.
            if wanted
                && (entry.command.is_none() || entry.comm != row.comm || (shown && turn(CYCLE)))
            {
                self.wanted.push((!shown, row.id));
            }
            entry.known = true;
            entry.comm = row.comm;
            row.cgroup = entry.cgroup;
            row.growth = entry.shown_growth;
            row.pace = entry.pace;
            entry.cpu.measure(&mut row.cpu, sampling.at);
            self.youth.take(row.comm, entry.seen, &mut row.pace);
            row.command.clone_from(&entry.command);
        }
        self.youth.end_round(sampling.at, self.taken);
        self.taken = Some(sampling.at);
        self.read_commands(sampling.proc, table);
        self.entries.end_round();
    }

    /// Reads the command lines that are wanted, and marks the rows whose reads block.
    fn read_commands(&mut self, proc: &OwnedFd, table: &mut [Process]) {
        self.wanted.sort_unstable();
        let wanted: Vec<_> = self.wanted.iter().map(|(_, id)| *id).collect();
        if self.commands.is_none() && !wanted.is_empty() {
            self.commands = command_lines::reader(proc).ok();
        }
        let Some(commands) = &mut self.commands else {
            return;
        };
        let mut read = HashMap::with_capacity(wanted.len());
        commands.read(&wanted, |(id, line)| {
            if let Some(entry) = self.entries.get_mut(id.pid).filter(|entry| entry.id == id) {
                entry.keep_command(line);
                read.insert(id, entry.command.clone());
            }
        });
        let blocked: HashMap<_, _> = commands.blocked().collect();
        if read.is_empty() && blocked.is_empty() {
            return;
        }
        for row in table {
            if let Some(command) = read.remove(&row.id) {
                row.command = command;
            }
            row.command_blocks = blocked.get(&row.id).map(Duration::as_secs_f32);
        }
    }

    /// The indices of the rows on the screen in the last completed table.
    pub(crate) fn shown_rows(&self) -> &[usize] {
        &self.shown_rows
    }
}

impl Files {
    /// Uses the cgroup id if the back end reports it and the group is known; otherwise reads the file, unless that
    /// rests.
    fn cgroup(
        &mut self,
        row: &Process,
        rest: &mut CgroupRest,
        sampling: &Sampling<'_>,
        cgroups: &mut CgroupTable,
    ) -> Option<CgroupKey> {
        if let Some(key) = row.cgroup_id.and_then(|id| cgroups.key_of(id)) {
            return Some(key);
        }
        if !rest.is_over(row.cgroup_id, sampling.seq) {
            return None;
        }
        let text = self.read(row, "cgroup", sampling.proc);
        rest.note(row.cgroup_id, sampling.seq, text);
        let path = memory_path(text.ok()?, sampling.hierarchy.version)?;
        let key = cgroups.intern(path, sampling.hierarchy);
        if let Some(id) = row.cgroup_id {
            cgroups.learn_id(id, key, sampling.hierarchy);
        }
        Some(key)
    }

    fn read(&mut self, row: &Process, file: &str, proc: &OwnedFd) -> Result<&[u8], Errno> {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{}/{file}", row.id.pid);
        self.buffer.read_whole(proc, self.name.as_str())
    }
}

/// True if both rise fast, and alike.
fn is_fast_pair(before: f32, now: f32) -> bool {
    before >= FAST && now >= FAST && (1.0 / ALIKE..=ALIKE).contains(&(now / before))
}

impl Entry {
    /// `before` is the time of the sample before, if there was one.
    fn grow(&mut self, row: &Process, sampling: &Sampling<'_>, before: Option<Monotonic>) {
        self.seen = self.seen.saturating_add(1);
        let Some(memory) = &row.memory else { return };
        let bytes = (memory.rss + memory.swap).saturating_mul(sampling.page_size);
        if let Some((last, then)) = self.bytes {
            let seconds = sampling.at.since(then).as_secs_f32();
            if seconds < LEAST_SPAN {
                return;
            }
            let rate = (bytes as f32 - last as f32) / seconds;
            self.growth = match self.growth {
                // The usual case: nothing has changed.
                Some(0.0) if bytes == last => Some(0.0),
                growth => {
                    let weight = 1.0 - (-seconds / GROWTH_SECONDS).exp();
                    let growth = growth.map_or(rate, |growth| growth + weight * (rate - growth));
                    Some(if growth.abs() < NO_GROWTH {
                        0.0
                    } else {
                        growth
                    })
                }
            };
            self.shown_growth = match (self.shown_growth, self.growth) {
                (_, Some(0.0)) | (None, _) => self.growth,
                _ if is_fast_pair(self.rate, rate) => Some(f32::midpoint(self.rate, rate)),
                (Some(shown), growth) => growth.map(|growth| {
                    let weight = 1.0 - (-seconds / GROWTH_SECONDS).exp();
                    let next = shown + weight * (rate - shown);
                    // Both have come together: there is one number.
                    if (next - growth).abs() < NO_GROWTH {
                        growth
                    } else {
                        next
                    }
                }),
            };
            self.rate = rate;
            if bytes != last || self.pace != Pace::default() {
                self.pace.learn(rate, self.growth.unwrap_or(0.0), seconds);
            }
        } else if let Some(before) = before.filter(|_| self.seen == 1) {
            // It was not there then.
            let seconds = sampling.at.since(before).as_secs_f32();
            self.pace = Pace::newcomer(bytes, seconds);
        }
        self.bytes = Some((bytes, sampling.at));
    }

    fn keep_command(&mut self, command: Option<String>) {
        match command {
            Some(line) if self.command.as_deref() == Some(line.as_str()) => {}
            Some(line) => self.command = Some(Arc::from(line)),
            // Not readable: do not try again until the name changes.
            None => self.command = Some(Arc::from("")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Sampling};
    use crate::linux::cgroup::hierarchy::Hierarchy;
    use crate::model::cgroup::CgroupVersion;
    use crate::model::on_paper::process;
    use crate::model::time::Monotonic;

    const MIB: f32 = 1_048_576.0;

    /// The growth shown after each second, in MiB per second, of a process with so many MiB at each.
    fn shown(mib: &[u64]) -> Vec<f32> {
        let proc = rustix::fs::open("/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty());
        let proc = proc.expect("a directory");
        let hierarchy = Hierarchy::on_paper(CgroupVersion::V2);
        let mut entry = Entry::default();
        let growth = mib.iter().enumerate().map(|(second, mib)| {
            let sampling = Sampling {
                proc: &proc,
                hierarchy: &hierarchy,
                seq: second as u64 + 1,
                at: Monotonic(second as u64 * 1_000_000),
                page_size: 4096,
            };
            entry.grow(&process(1, mib * 256, 0), &sampling, None);
            entry.shown_growth.unwrap_or(0.0) / MIB
        });
        growth.collect()
    }

    #[test]
    fn a_fast_leak_has_its_whole_rate_at_the_second_reading_that_agrees() {
        let growth = shown(&[20, 20, 20, 20, 40, 60, 80, 100]);
        assert!(growth[4] < 10.0, "one step may be anything: {growth:?}");
        assert!(
            growth[5..].iter().all(|rate| (rate - 20.0).abs() < 0.1),
            "{growth:?}"
        );
    }

    #[test]
    fn a_sample_that_comes_early_makes_no_rate_of_its_own() {
        let proc = rustix::fs::open("/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty());
        let proc = proc.expect("a directory");
        let hierarchy = Hierarchy::on_paper(CgroupVersion::V2);
        let mut entry = Entry::default();
        for (millis, mib) in [
            (0, 20),
            (1000, 40),
            (1040, 44),
            (2000, 60),
            (2030, 60),
            (3000, 80),
        ] {
            let sampling = Sampling {
                proc: &proc,
                hierarchy: &hierarchy,
                seq: millis,
                at: Monotonic(millis * 1000),
                page_size: 4096,
            };
            entry.grow(&process(1, mib * 256, 0), &sampling, None);
            let growth = entry.shown_growth.unwrap_or(20.0 * MIB) / MIB;
            assert!((growth - 20.0).abs() < 0.1, "{growth} after {millis}");
        }
    }

    #[test]
    fn a_single_burst_is_smoothed_and_fades() {
        let growth = shown(&[20, 20, 20, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70]);
        assert!(growth[3] < 15.0, "{growth:?}");
        assert!(
            growth[4..].windows(2).all(|pair| pair[1] < pair[0]),
            "{growth:?}"
        );
        assert!(growth[13] < 1.5, "{growth:?}");
    }
}
