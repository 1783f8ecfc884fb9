//! A report while it grows.

mod body;
mod decision;

pub(crate) use decision::is_printed_again;

use std::sync::Arc;

use crate::oomlog::{
    LogRecord, Monotonic, OomEvent, OomReport, Outcome, Pid, Provenance, ReportKey,
};

/// The block of the report that the last line belonged to: the same bare line means different things in
/// different blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// The report's first line was not in the log: any block may have begun.
    Unknown,
    Head,
    Memory,
    Stats,
    Tasks,
    Verdict,
}

/// One report under construction.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
pub(crate) struct Draft {
    /// What is known so far; shared with those who received it.
    pub(crate) report: Arc<OomReport>,
    /// Who prints it, where the kernel says so.
    pub(crate) caller: Option<String>,
    /// Stamp of its last line.
    pub(crate) last: Option<Monotonic>,
    /// Not emitted yet, because it may repeat an earlier report.
    pub(crate) held_back: bool,
    /// Changed since it was emitted last.
    pub(crate) changed: bool,
    /// Another message cut its `oom-kill:` line.
    pub(crate) cut: bool,
    /// Its last verdict was the choice of a victim: the kernel prints the kill right after it.
    pub(crate) has_just_chosen: bool,
    /// A kill line that was taken for one of a thread of the chosen process, without proof.
    guess: Option<Box<Guess>>,
    /// That line, once the chosen process has a kill line of its own: it belongs elsewhere.
    pub(crate) refuted: Option<Box<Guess>>,
    /// Lines since the last one with a meaning.
    idle: u32,
    section: Section,
}

/// A kill line in a report that it may not belong to.
#[derive(Debug)]
pub(crate) struct Guess {
    /// The pid of the line.
    pid: Pid,
    /// The record; its text is the line as it was read.
    pub(crate) record: LogRecord,
}

/// After so many lines without a meaning a report is over and its end lost. Stack traces and messages in
/// between are shorter.
const MAX_IDLE: u32 = 1000;

/// Most pids kept of a list. No kill concerns more processes, but a forged log could go on for ever.
const MAX_PIDS: usize = 4096;

impl Draft {
    /// A report that begins with this record.
    pub(crate) fn new(key: ReportKey, record: &LogRecord, held_back: bool) -> Self {
        let report = OomReport {
            key,
            source: record.provenance,
            at: record.at,
            stamp: record.stamp.clone(),
            ..OomReport::default()
        };
        Self {
            report: Arc::new(report),
            caller: record.caller.clone(),
            last: record.at,
            held_back,
            changed: true,
            cut: false,
            has_just_chosen: false,
            guess: None,
            refuted: None,
            idle: 0,
            section: Section::Head,
        }
    }

    /// A report that begins with this record, a line of its body.
    pub(crate) fn without_head(key: ReportKey, record: &LogRecord) -> Self {
        Self {
            section: Section::Unknown,
            ..Self::new(key, record, false)
        }
    }

    /// Lines since the last one with a meaning.
    pub(crate) fn idle(&self) -> u32 {
        self.idle
    }

    /// Nothing was decided yet: a verdict may still belong to it.
    pub(crate) fn is_pending(&self) -> bool {
        self.report.outcome == Outcome::Pending
    }

    /// A line of the body may still belong to it.
    pub(crate) fn is_open(&self) -> bool {
        self.is_pending() && self.idle < MAX_IDLE
    }

    /// True if a kill line with this pid shows that another one was wrongly taken for a thread of the process.
    pub(crate) fn is_refuted_by(&self, pid: Pid) -> bool {
        let chosen = self.report.chosen.as_ref();
        self.guess.is_some() && chosen.is_some_and(|chosen| chosen.pid == pid)
    }

    /// The report, to be changed. Copies it if a receiver still holds it.
    pub(crate) fn edit(&mut self) -> &mut OomReport {
        self.changed = true;
        Arc::make_mut(&mut self.report)
    }

    /// The report as it is now, as an event.
    pub(crate) fn emit(&mut self) -> OomEvent {
        self.held_back = false;
        self.changed = false;
        OomEvent::Report(Arc::clone(&self.report))
    }

    /// Keeps the line as it came.
    pub(crate) fn keep(&mut self, record: &LogRecord, line: &str) {
        self.last = record.at.or(self.last);
        if record.provenance == Provenance::Unproven {
            self.edit().source = Provenance::Unproven;
        }
        Arc::make_mut(&mut self.edit().raw).push(line);
    }

    /// True if a line at `at` comes less than `seconds` after the report's last one.
    pub(crate) fn is_fresh(&self, at: Option<Monotonic>, seconds: u64) -> bool {
        match (self.last, at) {
            // A clock that went back by more than disorder is another boot, or the log once more.
            (Some(last), Some(at)) => {
                at.since(last).as_secs() < seconds && last.since(at).as_secs() < 2
            }
            (None, _) | (_, None) => true,
        }
    }
}

/// Adds to a list of pids, up to [`MAX_PIDS`].
fn remember(list: &mut Vec<Pid>, pid: Pid) {
    if list.len() < MAX_PIDS {
        list.push(pid);
    }
}
