//! What must hold for every report, whatever the log was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use oomtop::output::{explain as listing, saved};
use oomtop::oomlog::{OomEvent, OomReport, ReportKey, UserspaceKill};
use oomtop::oomlog::analysis::gfp;

/// Most bytes of one report as text, for each byte of the log: a leak or a loop shows here.
const SWOLLEN: usize = 64;

/// The last state of every report and of every kill by another program.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Found {
    pub reports: BTreeMap<ReportKey, Arc<OomReport>>,
    pub userspace: BTreeMap<ReportKey, Arc<UserspaceKill>>,
    pub gaps: usize,
}

impl Found {
    pub fn take(&mut self, events: &mut Vec<OomEvent>) {
        for event in events.drain(..) {
            match event {
                OomEvent::Report(report) => {
                    self.reports.insert(report.key, report);
                }
                OomEvent::Userspace(kill) => {
                    self.userspace.insert(kill.key, kill);
                }
                OomEvent::Gap { .. } => self.gaps += 1,
            }
        }
    }

    /// The pids killed, not how often: a stamp far from its line can decide whether two lines are
    /// one kill, and far lines may be skipped.
    pub fn killed(&self) -> BTreeSet<u32> {
        let kills = self.reports.values().flat_map(|report| &report.kills);
        kills.map(|kill| kill.pid).collect()
    }
}

/// Derives and prints; `log` is the length of the log in bytes. All of it for one input in four (the
/// lowest bits of `choice`), so that the parser gets most of the time.
pub fn judge(found: &Found, log: usize, choice: u8) {
    for (number, report) in found.reports.values().enumerate() {
        let mut seen: Vec<u32> = report.kills.iter().map(|kill| kill.pid).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), report.kills.len(), "a pid died twice");
        if let Some(trigger) = &report.trigger {
            let _ = gfp::names(trigger, report.kernel.as_deref());
            let _ = oomtop::oomlog::analysis::verdict::Verdict::new(report);
        }
        let listed = listing::report(report, number as u64);
        let (text, json) = match choice & 3 {
            1 => (saved::text(report, &[], &Default::default()), None),
            2 => (String::new(), Some(saved::json(report, &[], &Default::default()))),
            _ => (String::new(), None),
        };
        for printed in [&listed, &text] {
            assert!(
                printed.chars().all(|c| c == '\n' || !c.is_control()),
                "a control character is printed"
            );
            assert!(printed.len() < 20_000 + log * SWOLLEN, "a report swells");
        }
        for kill in &report.kills {
            let row = listing::kill(report, kill);
            assert!(!row.chars().any(char::is_control), "a row is one line");
        }
        if let Some(json) = json {
            let whole: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&json);
            assert!(whole.is_ok(), "JSON that cannot be read");
        }
    }
    for kill in found.userspace.values() {
        assert!(!listing::userspace(kill).chars().any(char::is_control));
    }
}
