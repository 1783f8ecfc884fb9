//! Follows the kernel log: `/dev/kmsg`, else the journal. Without both only counters tell of kills, and
//! [`LogItem::Source`] says what is missing.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::linux::log::journal::JournalReader;
use crate::linux::log::kmsg::{KmsgItem, KmsgReader};
use crate::linux::{ReadError, SysRoot};
use crate::model::event_source::EventSource;
use crate::oomlog::{LogRecord, OomAssembler, OomEvent, TextLog};

/// How long a read waits before the thread checks whether to end.
const WAIT: Duration = Duration::from_millis(200);
/// No record for this long: the history has been read, what comes now is live. So it is after the last record that was
/// there at the start.
const QUIET: Duration = Duration::from_millis(20);

/// One item from the log. Items come in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogItem {
    /// An OOM report (sent again whenever a line adds to it), another program's kill, or a gap.
    Event(OomEvent),
    /// Where events come from, what is missing, and whether the history has been read.
    Source(EventSource),
}

/// Takes an item; returns false when nobody listens any more.
type Deliver<'a> = &'a mut dyn FnMut(LogItem) -> bool;

/// A thread that follows the log. Dropping this value ends the thread, within [`WAIT`].
#[derive(Debug)]
pub(in crate::runtime) struct LogThread {
    stop: Arc<AtomicBool>,
}

impl LogThread {
    /// Starts the thread: it reads the history first, then new records. The thread calls `deliver` for each item;
    /// `deliver` returns false when nobody listens any more.
    pub(in crate::runtime) fn spawn(
        root: &SysRoot,
        mut deliver: impl FnMut(LogItem) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let own = Self {
            stop: Arc::default(),
        };
        let stop = Arc::clone(&own.stop);
        let path = root.kmsg.clone();
        let is_own = *root == SysRoot::default();
        std::thread::Builder::new()
            .name("oom-log".to_owned())
            .spawn(move || follow(&path, is_own, &stop, &mut deliver))?;
        Ok(own)
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Follows the log until `stop` is set or nobody listens. `is_own` says that the log is the running kernel's,
/// so this machine's journal can stand in for it.
fn follow(path: &Path, is_own: bool, stop: &AtomicBool, deliver: Deliver<'_>) {
    let name = path.display().to_string();
    let refused = match KmsgReader::open(path) {
        Ok(reader) => match follow_kmsg(reader, &name, stop, deliver) {
            Ok(()) => return,
            Err(error) => error,
        },
        Err(error) => error,
    };
    if !is_own {
        deliver(counters_only(&refused.source.to_string(), &name));
        return;
    }
    let refused_text = format!("{name}: {}", short(&refused));
    match JournalReader::spawn()
        .and_then(|reader| follow_journal(reader, &refused_text, stop, deliver))
    {
        Ok(()) => {}
        Err(error) => {
            deliver(counters_only(
                &format!("{}; journal: {}", short(&refused), error.source),
                &name,
            ));
        }
    }
}

/// The error's reason without the path.
fn short(error: &ReadError) -> String {
    match error.source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "no permission (needs CAP_SYSLOG or root)".to_owned()
        }
        std::io::ErrorKind::NotFound => "not there".to_owned(),
        _ => error.source.to_string(),
    }
}

fn counters_only(reason: &str, name: &str) -> LogItem {
    LogItem::Source(EventSource {
        name: EventSource::COUNTERS_ONLY.to_owned(),
        missing: format!("kills are counted but not explained; {name}: {reason}"),
        caught_up: true,
    })
}

fn source(name: &str, missing: &str, caught_up: bool) -> LogItem {
    LogItem::Source(EventSource {
        name: name.to_owned(),
        missing: missing.to_owned(),
        caught_up,
    })
}

fn follow_kmsg(
    mut reader: KmsgReader,
    name: &str,
    stop: &AtomicBool,
    deliver: Deliver<'_>,
) -> Result<(), ReadError> {
    let mut assembler = OomAssembler::new();
    let mut events = Vec::new();
    let (mut caught_up, mut is_said) = (false, false);
    let (mut skipped, mut told) = (0_u64, 0);
    if !deliver(source(name, "", false)) {
        return Ok(());
    }
    while !stop.load(Ordering::SeqCst) {
        let item = reader.next(if is_said { WAIT } else { QUIET })?;
        caught_up = caught_up || reader.is_past_start(item.as_ref());
        let is_quiet = item.is_none();
        match item {
            Some(KmsgItem::Record(bytes)) => match LogRecord::parse_kmsg(&bytes) {
                Ok(record) => assembler.feed(record, &mut events),
                Err(_) => skipped += 1,
            },
            Some(KmsgItem::Lost) => assembler.note_gap(0, None, &mut events),
            None => {}
        }
        for event in events.drain(..) {
            if !deliver(LogItem::Event(event)) {
                return Ok(());
            }
        }
        // The history is over, or there is something new to say about what was left out.
        if (caught_up && !is_said) || (is_quiet && skipped > told) {
            is_said = true;
            told = skipped;
            let missing = if skipped == 0 {
                String::new()
            } else {
                format!("{skipped} records were not understood")
            };
            if !deliver(source(name, &missing, true)) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn follow_journal(
    mut reader: JournalReader,
    refused: &str,
    stop: &AtomicBool,
    deliver: Deliver<'_>,
) -> Result<(), ReadError> {
    let mut log = TextLog::new();
    let mut events = Vec::new();
    let mut caught_up = false;
    while !stop.load(Ordering::SeqCst) {
        match reader.next(WAIT)? {
            Some(line) => log.line(&line, &mut events),
            None if !caught_up => {
                caught_up = true;
                log.flush(&mut events);
                if !deliver(source(
                    "the journal",
                    &format!("the journal lags and may be cut short; {refused}"),
                    true,
                )) {
                    return Ok(());
                }
            }
            None => log.flush(&mut events),
        }
        for event in events.drain(..) {
            if !deliver(LogItem::Event(event)) {
                return Ok(());
            }
        }
    }
    Ok(())
}
