//! [`OwnMeter`]: CPU time and memory of oomtop itself, from one sample to the next.

use std::os::fd::OwnedFd;

use rustix::time::{ClockId, clock_gettime};

use crate::linux::kernel_file::{FileBuffer, number};
use crate::model::snapshot::OwnCost;

/// Two readings closer than this many seconds are of one moment.
const MOMENT: f64 = 0.000_1;
const TRIES: usize = 8;

/// Seconds of the shortest interval that gives a share: at the start, and where an event brings a sample, two readings lie
/// so close that the work of the sample itself fills the time between.
const LEAST: f64 = 0.5;

/// Remembers both clocks of the last reading, in seconds.
#[derive(Debug, Default)]
pub(crate) struct OwnMeter {
    last: Option<(f64, f64)>,
    percent: Option<f32>,
}

impl OwnMeter {
    /// The cost of late; `None` before there is an interval to measure.
    pub(crate) fn read(
        &mut self,
        proc: &OwnedFd,
        buffer: &mut FileBuffer,
        page_size: u64,
    ) -> Option<OwnCost> {
        // Both clocks at the same moment: the processor time of a sample that took long belongs to the time that it
        // took, not to the distance between the starts of two samples.
        let cpu_percent = self.share(both())?;
        let text = buffer.read_single(proc, "self/statm").ok()?;
        let pages = text.split(|b| *b == b' ').nth(1).and_then(number)?;
        Some(OwnCost {
            cpu_percent,
            resident: pages * page_size,
        })
    }

    /// Processor time in percent of the time, over the last interval that was long enough.
    fn share(&mut self, (at, spent): (f64, f64)) -> Option<f32> {
        let (then, before) = *self.last.get_or_insert((at, spent));
        let passed = at - then;
        if passed >= LEAST {
            self.last = Some((at, spent));
            #[expect(clippy::cast_possible_truncation, reason = "a percentage")]
            let percent = ((spent - before) / passed * 100.0) as f32;
            self.percent = Some(percent);
        }
        self.percent
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

#[cfg(test)]
mod tests {
    use super::OwnMeter;

    #[test]
    fn a_moment_after_the_start_is_no_interval() {
        let mut meter = OwnMeter::default();
        assert_eq!(meter.share((100.0, 0.1)), None);
        // 50 ms later a sample has cost 70 ms on two processors.
        assert_eq!(meter.share((100.05, 0.17)), None);
        assert_eq!(meter.share((101.0, 0.2)), Some(10.0));
        // What an event brings keeps the number, and its cost is in the next.
        assert_eq!(meter.share((101.1, 0.4)), Some(10.0));
        assert_eq!(meter.share((102.0, 0.45)), Some(25.0));
    }
}
