//! [`OwnMeter`]: CPU time and memory of oomtop itself, from one sample to the next.

use std::os::fd::OwnedFd;

use rustix::time::{ClockId, clock_gettime};

use crate::linux::kernel_file::{FileBuffer, number};
use crate::model::snapshot::OwnCost;

/// Two readings closer than this many seconds are of one moment.
const MOMENT: f64 = 0.000_1;
const TRIES: usize = 8;

/// Remembers both clocks of the last reading, in seconds.
#[derive(Debug, Default)]
pub(crate) struct OwnMeter {
    last: Option<(f64, f64)>,
}

impl OwnMeter {
    /// The cost since the last call; `None` at the first.
    pub(crate) fn read(
        &mut self,
        proc: &OwnedFd,
        buffer: &mut FileBuffer,
        page_size: u64,
    ) -> Option<OwnCost> {
        // Both clocks at the same moment: the processor time of a sample that took long belongs to the time that it
        // took, not to the distance between the starts of two samples.
        let (at, spent) = both();
        let (then, before) = self.last.replace((at, spent))?;
        let passed = at - then;
        if passed <= 0.0 {
            return None;
        }
        let text = buffer.read_single(proc, "self/statm").ok()?;
        let pages = text.split(|b| *b == b' ').nth(1).and_then(number)?;
        #[expect(clippy::cast_possible_truncation, reason = "a percentage")]
        let cpu_percent = ((spent - before) / passed * 100.0) as f32;
        Some(OwnCost {
            cpu_percent,
            resident: pages * page_size,
        })
    }
}

/// The time, and the processor time at that moment: read again if something came between.
fn both() -> (f64, f64) {
    let mut read = (0.0, 0.0);
    for _ in 0..TRIES {
        let before = seconds(ClockId::Monotonic);
        let spent = seconds(ClockId::ProcessCPUTime);
        let after = seconds(ClockId::Monotonic);
        read = (after, spent);
        if after - before < MOMENT {
            break;
        }
    }
    read
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
