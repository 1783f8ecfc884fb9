//! [`OomAssembler`]: records in, OOM events out. Pure, bounded, and it never waits: what a line says
//! is emitted with that line.

use crate::oomlog::Monotonic;
use crate::oomlog::line::fact::Fact;
use crate::oomlog::record::LogRecord;
use crate::oomlog::report::draft::{Draft, remember};
use crate::oomlog::report::open_reports::Drafts;
use crate::oomlog::report::tasks::Columns;
use crate::oomlog::userspace::UserspaceKillers;
use crate::oomlog::{Constraint, OomEvent, Outcome, line};

/// Longest line put together of fragments, in bytes.
const MAX_JOINED: usize = 8192;

/// Puts kernel log lines together to OOM reports.
#[derive(Debug, Default)]
pub struct OomAssembler {
    drafts: Drafts,
    userspace: UserspaceKillers,
    last_seq: Option<u64>,
    /// Columns of the last table, for one whose header is lost.
    columns: Columns,
    /// The last kernel line, for a fragment that continues it.
    previous: String,
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
        if !record.is_kernel() || record.text.contains("lowmemorykiller: ") {
            out.extend(self.userspace.feed(&record, &mut self.drafts.next_key));
            return;
        }
        if record.continues {
            // Kernels up to 4.9 store what follows in the same line as records of their own.
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

    /// Says that `lost` records (0: unknown how many) are missing before `at`.
    pub fn note_gap(&mut self, lost: u64, at: Option<Monotonic>, out: &mut Vec<OomEvent>) {
        // The next record's number would tell the same gap again.
        self.last_seq = None;
        for draft in self.drafts.iter_mut().filter(|draft| draft.is_pending()) {
            draft.edit().gap = true;
        }
        out.push(OomEvent::Gap { at, lost });
    }

    /// True if a report waits for more lines: then any line can matter.
    pub(in crate::oomlog) fn is_waiting(&self) -> bool {
        self.drafts.any_open()
    }

    /// Says that the log has ended: reports that grew since they were shown, or were
    /// held back as possible repeats, are emitted.
    pub fn finish(&mut self, out: &mut Vec<OomEvent>) {
        let changed = self.drafts.iter_mut().filter(|draft| draft.changed);
        out.extend(changed.map(Draft::show));
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

    /// A whole record. A newline in it is either part of a process name, then the line as a whole
    /// has a meaning, or separates lines that the kernel printed at once (Mem-Info, statistics);
    /// those never decide anything, so a name cannot forge a verdict.
    fn record(&mut self, record: &LogRecord, out: &mut Vec<OomEvent>) {
        if !record.text.contains('\n') {
            self.line(record, &record.text, out);
            return;
        }
        if let Some(fact) = line::read(line::VERDICT_RULES, &record.text) {
            self.verdict(record, &record.text, fact, out);
            return;
        }
        let Some(index) = self.drafts.open(record) else {
            return;
        };
        let Some(draft) = self.drafts.get_mut(index) else {
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
        if let Some(fact) = line::read(line::VERDICT_RULES, line) {
            self.verdict(record, line, fact, out);
        } else if let Some(index) = self.drafts.open(record)
            && let Some(draft) = self.drafts.get_mut(index)
        {
            draft.keep(record, line);
            draft.body(line, &mut self.columns);
            self.speak_up(index, out);
        }
    }

    /// A line that means something wherever it stands.
    fn verdict(&mut self, record: &LogRecord, line: &str, fact: Fact, out: &mut Vec<OomEvent>) {
        if let Fact::Invoked(head) = fact {
            let quiet = self.drafts.may_repeat(record);
            let index = self.drafts.begin(record, Some(head), out);
            if let Some(draft) = self.drafts.get_mut(index) {
                draft.quiet = quiet;
                draft.keep(record, line);
                if !quiet {
                    out.push(draft.show());
                }
            }
            return;
        }
        let index = self.drafts.of_fact(record, &fact);
        let index = match (index, &fact) {
            (Some(index), _) => index,
            // These say nothing without the report they belong to.
            (
                None,
                Fact::Reaped { .. }
                | Fact::ChosenTail { .. }
                | Fact::SameMemory { .. }
                | Fact::AlreadyExiting { .. },
            ) => return,
            (None, _) => self.drafts.begin(record, None, out),
        };
        if let Some(draft) = self.drafts.get_mut(index) {
            take_back(draft, out);
            draft.keep(record, line);
            apply(draft, record, fact);
        }
        self.settle(index, out);
    }

    /// Emits what changed, or folds a repeat into the report it repeats.
    fn settle(&mut self, index: usize, out: &mut Vec<OomEvent>) {
        let Some(draft) = self.drafts.get(index) else {
            return;
        };
        if draft.quiet
            && draft.report.outcome == Outcome::NobodyKillable
            && let Some(earlier) = self.drafts.repeated_by(draft)
        {
            let last = draft.last;
            if let Some(earlier) = self.drafts.get_mut(earlier) {
                earlier.last = last;
                earlier.edit().repeats += 1;
                out.push(earlier.show());
            }
            self.drafts.remove(index);
            return;
        }
        self.show(index, out);
    }

    fn show(&mut self, index: usize, out: &mut Vec<OomEvent>) {
        if let Some(draft) = self.drafts.get_mut(index) {
            out.push(draft.show());
        }
    }

    /// A report held back as a possible repeat is shown as soon as it is clear that it is none.
    fn speak_up(&mut self, index: usize, out: &mut Vec<OomEvent>) {
        if let Some(draft) = self.drafts.get(index)
            && draft.quiet
            && draft.report.oom_memcg.is_some()
            && self.drafts.repeated_by(draft).is_none()
        {
            self.show(index, out);
        }
    }
}

/// Takes an event back that nobody has fetched yet and that is about to be replaced: a receiver that
/// reads a megabyte at once must not hold a copy of a big report for each member of a group kill.
fn take_back(draft: &Draft, out: &mut Vec<OomEvent>) {
    let key = draft.report.key;
    if matches!(out.last(), Some(OomEvent::Report(report)) if report.key == key) {
        out.pop();
    }
}

fn apply(draft: &mut Draft, record: &LogRecord, fact: Fact) {
    match fact {
        Fact::Chosen(line) => draft.chosen(line),
        Fact::ChosenTail { comm, pid, uid } => {
            draft.cut = false;
            draft.choose(pid, comm, Some(uid), None);
        }
        Fact::Selected {
            message,
            pid,
            comm,
            score,
        } => {
            draft.message(Some(message));
            draft.choose(pid, comm, None, Some(score));
        }
        Fact::Killed(line) => draft.killed(line, record.at),
        Fact::SameMemory { pid, .. } => remember(&mut draft.edit().shared_memory, pid),
        Fact::AlreadyExiting { pid } => remember(&mut draft.edit().already_exiting, pid),
        Fact::Reaped { pid } => draft.reaped(pid),
        Fact::GroupKill { path } => {
            let report = draft.edit();
            report.constraint.get_or_insert(Constraint::Memcg);
            report.oom_group = Some(path);
        }
        Fact::NobodyKillable => {
            let report = draft.edit();
            report.outcome = Outcome::NobodyKillable;
            report.nobody_killable = true;
        }
        Fact::Panic { text } => {
            let report = draft.edit();
            report.outcome = Outcome::Panic;
            report.panic = Some(text);
        }
        Fact::Ignored => draft.edit().outcome = Outcome::Ignored,
        _ => {}
    }
}
