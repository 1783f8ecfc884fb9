//! Reports whose first line the log has lost: the ring buffer was overrun, the log was rotated, or somebody copied
//! the end only.
//!
//! Lines of a report's body say whose they are only together: a stack trace or `Mem-Info` belongs to many other
//! messages. So they are kept until a line comes that only the OOM killer prints.

use crate::oomlog::assembler::draft::Draft;
use crate::oomlog::line::fact::Body;
use crate::oomlog::report::tasks::Columns;
use crate::oomlog::{LogRecord, Monotonic, ReportKey, line};

/// After so many lines without a meaning the lines before them are no report. A stack trace is shorter.
pub(crate) const IDLE_MOST: u32 = 60;
/// How long a verdict may follow the body, in seconds.
const VERDICT_WITHIN: u64 = 120;

/// Messages of the kernel that print a trace or the state of memory, but are no OOM.
const OTHERS: [&str; 10] = [
    "page allocation failure",
    "page allocation stall",
    "Show Memory",
    "Show State",
    "cut here",
    "BUG: ",
    "INFO: task ",
    "soft lockup",
    "general protection fault",
    "Oops: ",
];

/// Lines of a body whose report is not known yet.
#[derive(Debug, Default)]
pub(crate) struct Headless {
    draft: Option<Draft>,
    /// Another message is being printed; lines without a meaning since it began.
    other: Option<u32>,
}

impl Headless {
    /// Takes a line that belongs to no open report. True if only the OOM killer prints such a line: then the
    /// report is [`Headless::take`]n.
    pub(crate) fn line(&mut self, record: &LogRecord, line: &str, columns: &mut Columns) -> bool {
        if OTHERS.iter().any(|other| line.contains(other)) {
            self.draft = None;
            self.other = Some(0);
            return false;
        }
        let telling = Telling::of(line);
        if let Some(idle) = &mut self.other {
            *idle = match telling {
                Telling::Nothing => *idle + 1,
                Telling::Anything | Telling::Oom => 0,
            };
            if telling == Telling::Oom || *idle > IDLE_MOST {
                self.other = None;
            }
            if telling != Telling::Oom {
                return false;
            }
        }
        let fits = |draft: &Draft| {
            draft.caller == record.caller && draft.is_fresh(record.at, VERDICT_WITHIN)
        };
        if self.draft.as_ref().is_some_and(|draft| !fits(draft)) {
            self.draft = None;
        }
        let draft = match &mut self.draft {
            Some(draft) => draft,
            None if telling == Telling::Nothing => return false,
            None => self.draft.insert(Draft::headless(record)),
        };
        draft.keep(record, line);
        draft.body(line, columns);
        if draft.idle() > IDLE_MOST {
            self.draft = None;
            return false;
        }
        telling == Telling::Oom
    }

    /// The lines kept, for the report whose verdict has this stamp.
    pub(crate) fn take(&mut self, at: Option<Monotonic>, caller: Option<&str>) -> Option<Draft> {
        self.other = None;
        let draft = self.draft.take()?;
        (draft.is_fresh(at, VERDICT_WITHIN) && draft.caller.as_deref() == caller).then_some(draft)
    }

    /// Forgets the lines kept: a report begins.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// True if lines are kept.
    pub(crate) fn is_waiting(&self) -> bool {
        self.draft.is_some() || self.other.is_some()
    }
}

/// What a line of a body tells about the message it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// It is no line of a body.
    Nothing,
    /// Other messages have such lines too.
    Anything,
    /// Only the OOM killer prints it.
    Oom,
}

impl Telling {
    fn of(line: &str) -> Self {
        match line::body(line) {
            Some(
                Body::LimitOf { .. } | Body::Usage(_) | Body::StatsHead { .. } | Body::TableHead(_),
            ) => Self::Oom,
            Some(Body::Cpu(_) | Body::Cpuset { .. } | Body::MemInfo | Body::Memory(_)) => {
                Self::Anything
            }
            None if line::is_row(line) => Self::Oom,
            None if line::is_stat(line) => Self::Anything,
            None => Self::Nothing,
        }
    }
}

impl Draft {
    fn headless(record: &LogRecord) -> Self {
        Self::without_head(ReportKey::default(), record)
    }
}
