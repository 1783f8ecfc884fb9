//! [`OwnMeter`]: CPU time and memory of oomtop itself, from one sample to the next.

use std::os::fd::OwnedFd;

use rustix::time::{ClockId, clock_gettime};

use crate::linux::kernel_file::{FileBuffer, number};
use crate::model::snapshot::OwnCost;
use crate::model::time::Monotonic;

/// Remembers the processor time of the last sample.
#[derive(Debug, Default)]
pub(crate) struct OwnMeter {
    last: Option<(Monotonic, f64)>,
}

impl OwnMeter {
    /// The cost since the last call; `None` at the first.
    pub(crate) fn read(
        &mut self,
        proc: &OwnedFd,
        buffer: &mut FileBuffer,
        at: Monotonic,
        page_size: u64,
    ) -> Option<OwnCost> {
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let spent = spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9;
        let (then, before) = self.last.replace((at, spent))?;
        let seconds = at.since(then).as_secs_f64();
        if seconds <= 0.0 {
            return None;
        }
        let text = buffer.read_single(proc, "self/statm").ok()?;
        let pages = text.split(|b| *b == b' ').nth(1).and_then(number)?;
        #[expect(clippy::cast_possible_truncation, reason = "a percentage")]
        let cpu_percent = ((spent - before) / seconds * 100.0) as f32;
        Some(OwnCost {
            cpu_percent,
            resident: pages * page_size,
        })
    }
}
