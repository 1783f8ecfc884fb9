//! [`Merge`]: the records of all logs become one list of events.

use std::path::Path;

use super::{Arrival, LogItem, Reader, Status};
use crate::model::event_source::{EventSource, Tracing};
use crate::oomlog::{Monotonic, OomAssembler, OomEvent};

/// One assembler for all logs, and how each of them fares.
pub(super) struct Merge {
    assembler: OomAssembler,
    kernel_name: String,
    kernel: Status,
    journal: Status,
    tracing: Tracing,
    /// Stamp of the newest record of the kernel's own log.
    kernel_read: Option<Monotonic>,
    events: Vec<OomEvent>,
}

impl Merge {
    pub(super) fn new(kmsg: &Path) -> Self {
        Self {
            assembler: OomAssembler::new(),
            kernel_name: kmsg.display().to_string(),
            kernel: Status::Opening,
            journal: Status::Opening,
            tracing: Tracing::NotYet,
            kernel_read: None,
            events: Vec::new(),
        }
    }

    /// There is no journal to read.
    pub(super) fn no_journal(&mut self, reason: &str) {
        self.journal = Status::Off(reason.to_owned());
    }

    /// Takes in what a reader sent.
    pub(super) fn take(&mut self, arrival: Arrival, out: &mut Vec<LogItem>) {
        match arrival {
            Arrival::Kernel(records) => {
                for record in records {
                    self.kernel_read = record.at.max(self.kernel_read);
                    self.assembler.feed(record, &mut self.events);
                }
            }
            Arrival::Journal(record) => {
                // The journal has the kernel's records too: each is taken once.
                let is_known = record.is_kernel()
                    && (!self.is_kernel_off()
                        || record.at.is_some_and(|at| Some(at) <= self.kernel_read));
                if !is_known {
                    self.assembler.feed(record, &mut self.events);
                }
            }
            Arrival::Lost => self.assembler.note_gap(0, None, &mut self.events),
            Arrival::Traced(traced) => out.push(LogItem::Traced(traced)),
            Arrival::Tracing(tracing) => {
                self.tracing = tracing;
                out.push(LogItem::Source(self.source()));
            }
            Arrival::Status(reader, status) => {
                match reader {
                    Reader::Kernel => self.kernel = status,
                    Reader::Journal => self.journal = status,
                }
                out.push(LogItem::Source(self.source()));
            }
        }
        out.extend(self.events.drain(..).map(LogItem::Event));
    }

    fn is_kernel_off(&self) -> bool {
        matches!(self.kernel, Status::Off(_))
    }

    /// What can be said of the logs together.
    pub(super) fn source(&self) -> EventSource {
        let reason = |status: &Status| match status {
            Status::Off(reason) => Some(reason.clone()),
            Status::Opening | Status::Reading | Status::Live(_) => None,
        };
        let is_open = |status: &Status| matches!(status, Status::Reading | Status::Live(_));
        let is_over = |status: &Status| matches!(status, Status::Live(_) | Status::Off(_));
        let (kernel_off, journal_off) = (reason(&self.kernel), reason(&self.journal));
        let is_traced = matches!(self.tracing, Tracing::Live { .. });
        let all = [
            is_open(&self.kernel).then_some(self.kernel_name.as_str()),
            is_open(&self.journal).then_some("journal"),
            is_traced.then_some(EventSource::TRACEPOINT),
        ];
        let name = match all {
            [None, Some(_), None] => "the journal".to_owned(),
            [None, None, None] if kernel_off.is_some() && journal_off.is_some() => {
                EventSource::COUNTERS_ONLY.to_owned()
            }
            all => all.into_iter().flatten().collect::<Vec<_>>().join(" + "),
        };
        let missing = match (kernel_off, &journal_off, &self.kernel) {
            (Some(refused), None, _) if is_traced => {
                format!("kills come at once, their reports late from the journal; {refused}")
            }
            (Some(refused), None, _) => {
                format!("the journal lags and may be cut short; {refused}")
            }
            (Some(refused), Some(journal), _) if is_traced => {
                format!("kills are listed but not explained; {refused}; {journal}")
            }
            (Some(refused), Some(journal), _) => {
                format!("kills are counted but not explained; {refused}; {journal}")
            }
            (None, _, Status::Live(wrong)) => wrong.clone(),
            (None, _, _) => String::new(),
        };
        EventSource {
            name,
            missing,
            unheard: journal_off.unwrap_or_default(),
            caught_up: is_over(&self.kernel) && is_over(&self.journal),
            tracing: self.tracing.clone(),
        }
    }
}
