//! Process numbers and times of a log, and the mark of what it has lost.

use std::time::Duration;

/// A process number in the pid namespace of whoever reports it.
pub type Pid = u32;

/// Time since boot in microseconds (`CLOCK_MONOTONIC`, the base of `/dev/kmsg` stamps).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// How much later `self` is than `earlier`; zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Identity of a report or kill while more becomes known about it: unique within one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(transparent)]
pub struct ReportKey(pub u64);

/// Stands at the end of a text whose line was cut at the right margin of the log. What it touches may be the beginning
/// of something longer.
pub(crate) const CUT: char = '\u{2026}';
