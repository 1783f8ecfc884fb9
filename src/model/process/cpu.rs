//! [`CpuTime`]: the processor time of a process.

use std::time::Duration;

/// The processor time of all threads of a process, of those that have ended too.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CpuTime {
    /// Nanoseconds in user and kernel mode: fields 14 and 15 of `/proc/PID/stat` in ticks, or the scheduler's own count,
    /// of which those fields are made (kernel/sched/cputime.c `cputime_adjust`).
    pub nanos: u64,
    /// The sample in which it was read: a process at rest is not read in every one.
    pub read: u64,
    /// Between the last two readings, in percent of one processor; `None` before the second.
    pub percent: Option<f32>,
}

impl CpuTime {
    /// The time itself.
    #[must_use]
    pub fn time(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }
}
