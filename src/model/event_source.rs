//! [`EventSource`]: which logs and tracepoints tell of kills, and how much of them.

/// How the kernel's tracepoints tell of kills.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tracing {
    /// Nobody asked for them, or the kernel is still checking the programs.
    #[default]
    NotYet,
    /// Every kill comes in at once, also those without a line in the log.
    Live {
        /// Instructions that the kernel's verifier looked at; 0 if it did not say.
        instructions: u32,
        /// What this kernel does not let them tell; empty if nothing.
        lacking: String,
        /// SIGKILLs that came too fast: who sent those is not known.
        lost: u64,
    },
    /// They cannot be used, for this reason.
    Off(String),
}

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
    /// Whether tracepoints tell of kills as well.
    pub tracing: Tracing,
}

impl EventSource {
    /// The name if there is no log at all, only the kernel's kill counters.
    pub const COUNTERS_ONLY: &str = "counters only";

    /// The name if there is no log at all, but every kill is traced.
    pub const TRACEPOINT: &str = "tracepoint";

    /// True if a log reports kills, even late or incompletely: a counter that rises then waits for its log line.
    pub fn has_log(&self) -> bool {
        self.name != Self::COUNTERS_ONLY && self.name != Self::TRACEPOINT
    }

    /// True if every kill from now on comes in by itself.
    pub fn is_traced(&self) -> bool {
        matches!(self.tracing, Tracing::Live { .. })
    }

    /// SIGKILLs that the tracepoint could not tell of so far; `None` if it cannot tell of all that come.
    pub fn untold_signals(&self) -> Option<u64> {
        match &self.tracing {
            Tracing::Live { lacking, lost, .. } if lacking.is_empty() => Some(*lost),
            Tracing::Live { .. } | Tracing::NotYet | Tracing::Off(_) => None,
        }
    }

    /// Why no tracepoint tells of kills, or what it does not tell; `None` if nothing is to be said.
    pub fn untraced(&self) -> Option<String> {
        match &self.tracing {
            Tracing::NotYet => None,
            Tracing::Live { lacking, lost, .. } => {
                let lost = (*lost > 0)
                    .then(|| format!("{lost} SIGKILLs came too fast to tell who sent them"));
                let lacking = Some(lacking.clone()).filter(|text| !text.is_empty());
                let parts: Vec<String> = [lacking, lost].into_iter().flatten().collect();
                (!parts.is_empty()).then(|| format!("tracepoint: {}", parts.join("; ")))
            }
            Tracing::Off(reason) => Some(format!("no tracepoint: {reason}")),
        }
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
        // Where the logs tell of all kills, a missing tracepoint is nothing that an observer must know.
        let missing = (!self.missing.is_empty()).then(|| self.missing.clone());
        let untraced = missing.as_ref().and_then(|_| self.untraced());
        let parts: Vec<String> = [missing, untraced, unheard].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
