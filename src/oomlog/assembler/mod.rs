//! [`OomAssembler`]: records in, OOM events out. Pure and bounded. It never waits: each line's event comes
//! with that line.

mod draft;
mod headless;
mod open_reports;
mod together;

use crate::oomlog::assembler::draft::Draft;
use crate::oomlog::assembler::headless::Headless;
pub(crate) use crate::oomlog::assembler::headless::IDLE_MOST;
use crate::oomlog::assembler::open_reports::{OpenReports, Place};
use crate::oomlog::line::fact::Verdict;
use crate::oomlog::report::tasks::Columns;
use crate::oomlog::userspace::{UserspaceKills, is_killers};
use crate::oomlog::{LogRecord, Monotonic, OomEvent, Outcome, Provenance, line};

/// Longest line joined from fragments, in bytes.
const MAX_JOINED: usize = 8192;

/// Assembles OOM reports from the records of a kernel log.
#[derive(Debug, Default)]
pub struct OomAssembler {
    reports: OpenReports,
    headless: Headless,
    userspace: UserspaceKills,
    last_seq: Option<u64>,
    /// Columns of the last table, for a table whose header is lost.
    columns: Columns,
    /// The last kernel line, for a fragment that continues it.
    previous: String,
    /// Lines of programs that say what the kernel says.
    refused: u64,
}

impl OomAssembler {
    /// An assembler that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one record; events are appended to `out`.
    pub fn feed(&mut self, record: LogRecord, out: &mut Vec<OomEvent>) {
        self.check_sequence(&record, out);
        if !record.is_kernel() && claims_a_kill(&record.text) {
            self.refused += 1;
        }
        let low_memory = record.text.contains("lowmemorykiller: ");
        if !record.is_kernel() || (low_memory && line::verdict(&record.text).is_none()) {
            out.extend(self.userspace.feed(&record, &mut self.reports.last_key));
            return;
        }
        if record.provenance == Provenance::Unproven && is_killers(behind_tag(&record.text)) {
            // Nothing names the writer of this line.
            out.extend(self.userspace.feed(&record, &mut self.reports.last_key));
            return;
        }
        if record.continues && !is_kill(&record.text) {
            // Kernels up to 4.9 store each fragment of a line as a record of its own.
            let joined = format!("{}{}", self.previous, record.text);
            self.line(&record, &joined, out);
            self.previous = if joined.len() > MAX_JOINED {
                String::new()
            } else {
                joined
            };
            return;
        }
        self.record(&record, out);
        self.previous = record.text;
    }

    /// How many records told of a kill in the kernel's words, but were a program's: they are no reports.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Notes that `lost` records (0: unknown how many) are missing before `at`.
    pub fn note_gap(&mut self, lost: u64, at: Option<Monotonic>, out: &mut Vec<OomEvent>) {
        // The jump in the next record's number is the same gap.
        self.last_seq = None;
        for draft in self.reports.iter_mut().filter(|draft| draft.is_pending()) {
            draft.edit().gap = true;
        }
        out.push(OomEvent::Gap { at, lost });
    }

    /// True if a report waits for more lines: then any line can matter.
    pub(crate) fn is_waiting(&self) -> bool {
        self.reports.any_open() || self.headless.is_waiting()
    }

    /// Notes that the log has ended: emits every report that grew since it was emitted last, and those held
    /// back as possible repeats.
    pub fn finish(&mut self, out: &mut Vec<OomEvent>) {
        let changed = self.reports.iter_mut().filter(|draft| draft.changed);
        out.extend(changed.map(Draft::emit));
    }

    fn check_sequence(&mut self, record: &LogRecord, out: &mut Vec<OomEvent>) {
        let Some(seq) = record.seq else {
            return;
        };
        if let Some(last) = self.last_seq
            && seq > last.saturating_add(1)
        {
            self.note_gap(seq - last - 1, record.at, out);
        }
        self.last_seq = Some(seq);
    }

    /// A record, which can hold the messages of two writers.
    fn record(&mut self, record: &LogRecord, out: &mut Vec<OomEvent>) {
        let Some((mut first, mut rest)) = line::two_messages(&record.text) else {
            self.message(record, out);
            return;
        };
        let mut message = LogRecord {
            text: String::new(),
            ..record.clone()
        };
        loop {
            first.clone_into(&mut message.text);
            self.message(&message, out);
            let Some(next) = line::two_messages(rest) else {
                break;
            };
            (first, rest) = next;
        }
        rest.clone_into(&mut message.text);
        self.message(&message, out);
    }

    /// A whole message. A newline in it is part of a process name, or it separates lines that the kernel
    /// printed in one call (Mem-Info, statistics). The record as a whole may be a verdict; its single lines
    /// are only read as body, so that a name with a newline cannot forge a verdict.
    fn message(&mut self, record: &LogRecord, out: &mut Vec<OomEvent>) {
        if !record.text.contains('\n') {
            self.line(record, &record.text, out);
            return;
        }
        if let Some(verdict) = line::verdict(&record.text) {
            self.verdict(record, &record.text, verdict, out);
            return;
        }
        let Some(draft) = self
            .reports
            .open(record)
            .and_then(|index| self.reports.get_mut(index))
        else {
            for line in record.text.split('\n') {
                self.body_without_head(record, line, out);
            }
            return;
        };
        draft.keep(record, &record.text);
        if !draft.body(&record.text, &mut self.columns) {
            for line in record.text.split('\n') {
                draft.body(line, &mut self.columns);
            }
        }
    }

    fn line(&mut self, record: &LogRecord, line: &str, out: &mut Vec<OomEvent>) {
        if let Some(verdict) = line::verdict(line) {
            self.verdict(record, line, verdict, out);
        } else if let Some(index) = self.reports.open(record)
            && let Some(draft) = self.reports.get_mut(index)
        {
            draft.keep(record, line);
            draft.body(line, &mut self.columns);
            self.emit_if_new(index, out);
        } else {
            self.body_without_head(record, line, out);
        }
    }

    /// A line that belongs to no open report may be one of a report whose head is lost.
    fn body_without_head(&mut self, record: &LogRecord, line: &str, out: &mut Vec<OomEvent>) {
        if let Some(index) = self.reports.open(record)
            && let Some(draft) = self.reports.get_mut(index)
        {
            // The line before this one, of the same record, has shown what it is.
            draft.keep(record, line);
            draft.body(line, &mut self.columns);
            return;
        }
        if self.headless.line(record, line, &mut self.columns)
            && let Some(draft) = self.headless.take(record.at, record.caller.as_deref())
        {
            let index = self.reports.adopt(draft, out);
            self.emit(index, out);
        }
    }

    /// A line that means something wherever it stands.
    fn verdict(
        &mut self,
        record: &LogRecord,
        line: &str,
        verdict: Verdict,
        out: &mut Vec<OomEvent>,
    ) {
        let begins = matches!(verdict, Verdict::Invoked(_));
        let mut refuted = None;
        let place = match (self.reports.place(record, &verdict), &verdict) {
            (Place::New { .. }, Verdict::Killed(killed)) if !self.headless.is_waiting() => {
                Place::or_new(self.reports.of_nameless_group(record, killed))
            }
            (place, _) => place,
        };
        let (index, held_back) = match place {
            Place::Known(index) => (index, false),
            Place::New { held_back } => {
                let body = self
                    .headless
                    .take(record.at, record.caller.as_deref())
                    .filter(|_| !begins);
                match body {
                    Some(body) => (self.reports.adopt(body, out), false),
                    None => (self.reports.begin(record, held_back, out), held_back),
                }
            }
            Place::Nowhere => return,
        };
        self.headless.forget();
        if let Some(draft) = self.reports.get_mut(index) {
            take_back(draft, out);
            draft.keep(record, line);
            draft.decide(verdict, record, line);
            refuted = draft.refuted.take();
        }
        if !held_back {
            self.settle(index, out);
        }
        // The line looks for its report again. Each turn uses up one guess of a report that is kept.
        if let Some(guess) = refuted
            && let Some(verdict) = line::verdict(&guess.record.text)
        {
            self.verdict(&guess.record, &guess.record.text, verdict, out);
        }
    }

    /// Emits what changed, or counts a repeat in the report that it repeats.
    fn settle(&mut self, index: usize, out: &mut Vec<OomEvent>) {
        let Some(draft) = self.reports.get(index) else {
            return;
        };
        if draft.held_back
            && draft.report.outcome == Outcome::NobodyKillable
            && let Some(earlier) = self.reports.repeated_by(draft)
        {
            let last = draft.last;
            if let Some(earlier) = self.reports.get_mut(earlier) {
                earlier.last = last;
                earlier.edit().repeats += 1;
                out.push(earlier.emit());
            }
            self.reports.remove(index);
            return;
        }
        self.emit(index, out);
    }

    fn emit(&mut self, index: usize, out: &mut Vec<OomEvent>) {
        if let Some(draft) = self.reports.get_mut(index) {
            out.push(draft.emit());
        }
    }

    /// Emits a report that was held back, as soon as its cgroup shows that it repeats none.
    fn emit_if_new(&mut self, index: usize, out: &mut Vec<OomEvent>) {
        if let Some(draft) = self.reports.get(index)
            && draft.held_back
            && draft.report.oom_memcg.is_some()
            && self.reports.repeated_by(draft).is_none()
        {
            self.emit(index, out);
        }
    }
}

/// The text is a whole line about a kill.
fn is_kill(text: &str) -> bool {
    text.contains("Killed process ") && matches!(line::verdict(text), Some(Verdict::Killed(_)))
}

/// A line of the text says in the kernel's words that a process is killed.
fn claims_a_kill(text: &str) -> bool {
    (text.contains("illed process ") || text.contains("oom-kill:constraint="))
        && text.lines().any(|line| {
            matches!(
                line::verdict(line),
                Some(Verdict::Killed(_) | Verdict::Chosen(_))
            )
        })
}

/// The text behind `name[pid]: `, if it begins so.
fn behind_tag(text: &str) -> &str {
    match text.split_once(": ") {
        Some((tag, rest)) if tag.ends_with(']') && !tag.contains(' ') => rest,
        _ => text,
    }
}

/// Removes the last event if it is an older state of this report. A reader that takes a megabyte at once would
/// otherwise get a copy of a big report for each member of a group kill.
fn take_back(draft: &Draft, out: &mut Vec<OomEvent>) {
    let key = draft.report.key;
    if matches!(out.last(), Some(OomEvent::Report(report)) if report.key == key) {
        out.pop();
    }
}
