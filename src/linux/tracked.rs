//! What is remembered of a process from sample to sample: growth, command line, cgroup.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use crate::domain::cgroup::CgroupKey;
use crate::domain::comm::Comm;
use crate::domain::process::{Process, ProcessId};
use crate::domain::snapshot::Needs;
use crate::domain::time::Monotonic;

use super::cgroup_table::{CgroupTable, TURNS};
use super::hierarchy::{Hierarchy, memory_path};
use super::kernel_file::FileBuffer;

/// Time constant of the smoothed growth: a step in memory use has faded to a third after this.
const GROWTH_SECONDS: f32 = 4.0;

/// Bytes of a command line kept: some are megabytes long, and no screen shows more.
const COMMAND_MOST: usize = 16 * 1024;

#[derive(Debug, Default)]
struct Entry {
    seen: u64,
    comm: Comm,
    command: Option<Arc<str>>,
    cgroup: Option<CgroupKey>,
    bytes: Option<(u64, Monotonic)>,
    growth: Option<f32>,
}

/// The memory of the sampler, by pid and start time.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    entries: HashMap<ProcessId, Entry>,
    visible: HashSet<ProcessId>,
    file: FileBuffer,
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

impl Tracked {
    /// Completes every row of `table` and forgets the processes that are not in it.
    pub(crate) fn complete(
        &mut self,
        sampling: &Sampling<'_>,
        needs: &Needs,
        cgroups: &mut CgroupTable,
        table: &mut [Process],
    ) {
        self.visible.clear();
        self.visible.extend(&needs.visible);
        self.visible.extend(needs.detail);
        for row in &mut *table {
            let shown = self.visible.contains(&row.id);
            let mut entry = self.entries.remove(&row.id).unwrap_or_default();
            let new = entry.seen == 0;
            let turn = (u64::from(row.id.pid) + sampling.seq).is_multiple_of(TURNS);
            entry.seen = sampling.seq;
            entry.grow(row, sampling);
            if !row.kernel_thread && (new || shown || turn) {
                let cgroup = self.cgroup(row, sampling, cgroups);
                entry.cgroup = cgroup.or(entry.cgroup);
            }
            let wanted = shown || needs.all_commands;
            // A program may exec another of the same short name: what is shown takes turns too.
            if wanted && (entry.command.is_none() || entry.comm != row.comm || (shown && turn)) {
                let command = self.command(row, sampling.proc);
                entry.keep_command(command);
            }
            entry.comm = row.comm;
            row.cgroup = entry.cgroup;
            row.growth = entry.growth;
            row.command.clone_from(&entry.command);
            self.entries.insert(row.id, entry);
        }
        let seq = sampling.seq;
        self.entries.retain(|_, entry| entry.seen == seq);
    }

    fn cgroup(
        &mut self,
        row: &Process,
        sampling: &Sampling<'_>,
        cgroups: &mut CgroupTable,
    ) -> Option<CgroupKey> {
        let text = self.read(row, "cgroup", sampling.proc)?;
        let path = memory_path(text, sampling.hierarchy.version)?;
        Some(cgroups.intern(path))
    }

    /// Arguments joined by spaces; empty for a process without (zombies, kernel threads).
    fn command(&mut self, row: &Process, proc: &OwnedFd) -> Option<String> {
        let text = self.read(row, "cmdline", proc)?;
        let text = text.get(..COMMAND_MOST).unwrap_or(text);
        let end = text.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
        let mut line = String::from_utf8_lossy(text.get(..end)?).into_owned();
        if line.contains('\0') {
            line = line.replace('\0', " ");
        }
        Some(line)
    }

    fn read(&mut self, row: &Process, file: &str, proc: impl AsFd) -> Option<&[u8]> {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{}/{file}", row.id.pid);
        self.file.read_whole(proc, self.name.as_str()).ok()
    }
}

impl Entry {
    fn grow(&mut self, row: &Process, sampling: &Sampling<'_>) {
        let Some(memory) = &row.memory else { return };
        let bytes = (memory.rss + memory.swap).saturating_mul(sampling.page_size);
        if let Some((before, then)) = self.bytes {
            let seconds = sampling.at.since(then).as_secs_f32();
            if seconds <= 0.0 {
                return;
            }
            let rate = (bytes as f32 - before as f32) / seconds;
            self.growth = Some(match self.growth {
                Some(growth) => {
                    let weight = 1.0 - (-seconds / GROWTH_SECONDS).exp();
                    growth + weight * (rate - growth)
                }
                None => rate,
            });
        }
        self.bytes = Some((bytes, sampling.at));
    }

    fn keep_command(&mut self, command: Option<String>) {
        match command {
            Some(line) if self.command.as_deref() == Some(line.as_str()) => {}
            Some(line) => self.command = Some(Arc::from(line)),
            // Not readable: ask no more until the name changes.
            None => self.command = Some(Arc::from("")),
        }
    }
}
