//! [`Unlisted`]: processes that `/proc` shows but the task walk does not see.
//!
//! The kernel of a guest may hide its first process from the task list, and an array can be too small for a moment.
//! Such processes are read through their files: every process that `/proc` shows must be in the table.

use std::os::fd::AsFd;

use rustix::fs::{Dir, Mode, OFlags};

use crate::linux::kernel_file::number;
use crate::linux::scan::ScanWants;
use crate::linux::scan::proc::row::RowReader;
use crate::model::process::{Pid, Process};

/// Least number of walks between two comparisons with `/proc`: listing it costs as much as many walks.
const BETWEEN: u32 = 32;

/// The processes found missing so far.
#[derive(Debug, Default)]
pub(super) struct Unlisted {
    pids: Vec<Pid>,
    /// Link count of `/proc` minus the number of rows, at the last comparison. `/proc` has one link per
    /// process, so the difference stays the same while no process is missing.
    surplus: Option<i128>,
    walks: u32,
}

impl Unlisted {
    /// Adds the missing rows to the table. `is_cut`: the walk had no room for all processes, so some are missing for
    /// certain.
    pub(super) fn complete(
        &mut self,
        files: &mut RowReader,
        wants: &ScanWants,
        table: &mut Vec<Process>,
        is_cut: bool,
    ) {
        self.walks += 1;
        if !self.pids.is_empty() {
            // Drop processes that the walk sees now: they were new at the comparison.
            let walked = pids_of(table);
            self.pids.retain(|pid| walked.binary_search(pid).is_err());
        }
        let rows = table.len() + self.pids.len();
        let surplus = links(files).map(|links| i128::from(links) - rows as i128);
        if is_cut || self.surplus.is_none() || (surplus != self.surplus && self.walks >= BETWEEN) {
            self.compare(files, table);
            self.walks = 0;
            let rows = table.len() + self.pids.len();
            self.surplus = links(files).map(|links| i128::from(links) - rows as i128);
        }
        self.pids.retain(|pid| {
            let row = files.row(*pid, wants).ok().flatten();
            let there = row.is_some();
            table.extend(row);
            there
        });
    }

    fn compare(&mut self, files: &RowReader, table: &[Process]) {
        let walked = pids_of(table);
        // The descriptor of `files` is opened with O_PATH and cannot be listed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(files.dir().as_fd(), ".", flags, Mode::empty());
        let Ok(listing) = dir.and_then(Dir::new) else {
            return;
        };
        let listed = listing
            .flatten()
            .filter_map(|entry| Pid::try_from(number(entry.file_name().to_bytes())?).ok());
        self.pids.clear();
        self.pids
            .extend(listed.filter(|pid| walked.binary_search(pid).is_err()));
    }
}

fn pids_of(table: &[Process]) -> Vec<Pid> {
    let mut pids: Vec<_> = table.iter().map(|row| row.id.pid).collect();
    pids.sort_unstable();
    pids
}

fn links(files: &RowReader) -> Option<u64> {
    #[allow(
        clippy::useless_conversion,
        reason = "the type differs between architectures"
    )]
    rustix::fs::fstat(files.dir())
        .ok()
        .map(|stat| u64::from(stat.st_nlink))
}
