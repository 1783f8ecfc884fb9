//! [`RootBonus`]: which processes hold `CAP_SYS_ADMIN`, on kernels that subtract 3 % from their badness.
//!
//! mm/oom_kill.c `oom_badness` of 3.10 (el7), 3.16, 4.4, 4.9. The kernel dropped the bonus in 4.17; this code
//! does not run on newer kernels.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::fd::OwnedFd;

use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::proc::status_lines;
use crate::model::process::{Pid, Process, ProcessId};

/// `CAP_SYS_ADMIN` (include/uapi/linux/capability.h).
const CAP_SYS_ADMIN: u64 = 1 << 21;

/// Each process is read again once in this many samples: capabilities seldom change.
const CYCLE: u64 = 30;

/// Reads the `status` of a process when it is new or due.
#[derive(Debug, Default)]
pub(crate) struct RootBonus {
    known: HashMap<Pid, (ProcessId, bool)>,
    buffer: FileBuffer,
    name: String,
}

impl RootBonus {
    /// Marks the rows that get the bonus, and forgets processes that are gone.
    pub(crate) fn complete(&mut self, proc: &OwnedFd, seq: u64, table: &mut [Process]) {
        let mut before = std::mem::take(&mut self.known);
        for row in table.iter_mut().filter(|row| !row.kernel_thread) {
            let turn = (u64::from(row.id.pid) + seq).is_multiple_of(CYCLE);
            let known = before.remove(&row.id.pid);
            let known = known.filter(|(id, _)| *id == row.id && !turn);
            row.root_bonus = known.map_or_else(|| self.has_it(proc, row.id.pid), |(_, has)| has);
            self.known.insert(row.id.pid, (row.id, row.root_bonus));
        }
    }

    fn has_it(&mut self, proc: &OwnedFd, pid: Pid) -> bool {
        self.name.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.name, "{pid}/status");
        let text = self.buffer.read_single(proc, self.name.as_str());
        let mask = text
            .ok()
            .and_then(|text| status_lines::mask(text, "CapEff"));
        mask.is_some_and(|mask| mask & CAP_SYS_ADMIN != 0)
    }
}
