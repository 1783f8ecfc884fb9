//! [`EventFacts`]: kills and gaps from the log, for the document.

use serde::Serialize;

use crate::app::view::events::{Entry, EventLog};
use crate::oomlog::{OomReport, UserspaceKill};

/// Events and their source.
#[derive(Debug, Serialize)]
pub struct EventFacts<'a> {
    /// `/dev/kmsg`, `journal`, or counters only.
    pub source: &'a str,
    /// What is missing and why; empty if nothing is.
    pub missing: &'a str,
    /// Why kills by systemd-oomd, earlyoom and others are not seen; empty if they are.
    pub unheard: &'a str,
    /// Reports, oldest first.
    pub reports: Vec<&'a OomReport>,
    /// Kills by systemd-oomd, earlyoom and others, from their own log lines.
    pub userspace: Vec<&'a UserspaceKill>,
    /// Records that were overwritten before oomtop read them; also 0 if the number is not known.
    pub lost_records: u64,
    /// True if records were lost.
    pub gaps: bool,
}

/// The events of the whole log.
pub(super) fn event_facts(events: &EventLog) -> EventFacts<'_> {
    let mut facts = EventFacts {
        source: &events.source.name,
        missing: &events.source.missing,
        unheard: &events.source.unheard,
        reports: Vec::new(),
        userspace: Vec::new(),
        lost_records: 0,
        gaps: false,
    };
    for entry in events.entries() {
        match entry {
            Entry::Report { report, .. } => facts.reports.push(report),
            Entry::Gap { lost, .. } => {
                facts.lost_records += lost;
                facts.gaps = true;
            }
            Entry::Userspace(kill) => facts.userspace.push(kill),
            // Only a process that stays sees them.
            Entry::Traced { .. } | Entry::Sigkill(_) | Entry::Unlogged { .. } => {}
        }
    }
    facts
}
