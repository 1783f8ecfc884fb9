//! [`EventSource`]: which log tells of kills, and how much of it.

/// Where OOM events come from, and what that source cannot show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventSource {
    /// `/dev/kmsg`, `journal`, `counters only`.
    pub name: String,
    /// What is missing and why; empty if nothing is.
    pub missing: String,
    /// The history the source held at start has been read.
    pub caught_up: bool,
}

impl EventSource {
    /// The name where there is no log at all, only the kernel's kill counters.
    pub const COUNTERS_ONLY: &str = "counters only";

    /// A log tells of kills, if late or in part: a counter that rises waits for its line.
    pub fn has_log(&self) -> bool {
        self.name != Self::COUNTERS_ONLY
    }
}
