//! [`EventSource`]: which logs tell of kills, and how much of them.

/// Where OOM events come from, and what those sources cannot show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventSource {
    /// The logs that are read: `/dev/kmsg + journal`, `journal`, `counters only`.
    pub name: String,
    /// What is missing of the kernel's own kills and why; empty if nothing is.
    pub missing: String,
    /// Why the kills of systemd-oomd, earlyoom and others are not seen; empty if they are.
    pub unheard: String,
    /// The history that the sources held at start has been read.
    pub caught_up: bool,
}

impl EventSource {
    /// The name if there is no log at all, only the kernel's kill counters.
    pub const COUNTERS_ONLY: &str = "counters only";

    /// True if a log reports kills, even late or incompletely: a counter that rises then waits for its log line.
    pub fn has_log(&self) -> bool {
        self.name != Self::COUNTERS_ONLY
    }

    /// What an observer must know who trusts the list of kills; `None` if nothing is missing. `killers` are the
    /// programs that could kill here: if none runs, none goes unheard.
    pub fn gap<'a>(&self, killers: impl Iterator<Item = &'a str>) -> Option<String> {
        let mut names: Vec<&str> = killers.collect();
        names.dedup();
        let unheard = (!self.unheard.is_empty() && !names.is_empty()).then(|| {
            format!(
                "kills by {} are not seen: {}",
                names.join(", "),
                self.unheard
            )
        });
        match (self.missing.is_empty(), unheard) {
            (true, unheard) => unheard,
            (false, None) => Some(self.missing.clone()),
            (false, Some(unheard)) => Some(format!("{}; {unheard}", self.missing)),
        }
    }
}
