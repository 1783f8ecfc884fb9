//! [`Unlisted`]: processes that `/proc` has and the task walk is not shown.
//!
//! A guest's kernel may keep its first process out of the task list. Such a process is rare, and
//! read through its files; nothing that `/proc` shows may be missing from the table.

use std::os::fd::AsFd;

use rustix::fs::{Dir, Mode, OFlags};

use crate::linux::kernel_file::number;
use crate::linux::scan::ScanWants;
use crate::linux::scan::proc::row::RowReader;
use crate::model::process::{Pid, Process};

/// Walks between two comparisons with `/proc`, at least: listing it costs as much as many walks.
const BETWEEN: u32 = 32;

/// The processes found missing so far.
#[derive(Debug, Default)]
pub(super) struct Unlisted {
    pids: Vec<Pid>,
    /// Links of `/proc` less the rows of the table, at the last comparison. `/proc` has a link for
    /// each process, so this stays the same as long as none is missing.
    surplus: Option<i128>,
    walks: u32,
}

impl Unlisted {
    /// Adds the missing rows to the table, and returns how many.
    pub(super) fn complete(
        &mut self,
        files: &mut RowReader,
        wants: &ScanWants,
        table: &mut Vec<Process>,
    ) -> u32 {
        self.walks += 1;
        // One that was taken for missing because it was new.
        self.pids
            .retain(|pid| table.iter().all(|row| row.id.pid != *pid));
        let rows = table.len() + self.pids.len();
        let surplus = links(files).map(|links| i128::from(links) - rows as i128);
        if self.surplus.is_none() || (surplus != self.surplus && self.walks >= BETWEEN) {
            self.compare(files, table);
            self.walks = 0;
            let rows = table.len() + self.pids.len();
            self.surplus = links(files).map(|links| i128::from(links) - rows as i128);
        }
        let mut added = 0;
        self.pids.retain(|pid| {
            let row = files.row(*pid, wants).ok().flatten();
            let there = row.is_some();
            table.extend(row);
            added += u32::from(there);
            there
        });
        added
    }

    fn compare(&mut self, files: &RowReader, table: &[Process]) {
        let mut walked: Vec<_> = table.iter().map(|row| row.id.pid).collect();
        walked.sort_unstable();
        // The descriptor of `files` is only good for paths.
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

fn links(files: &RowReader) -> Option<u64> {
    #[allow(
        clippy::useless_conversion,
        reason = "the type differs between architectures"
    )]
    rustix::fs::fstat(files.dir())
        .ok()
        .map(|stat| u64::from(stat.st_nlink))
}
