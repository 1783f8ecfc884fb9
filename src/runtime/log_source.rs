//! Follows the kernel log: `/dev/kmsg`, else the journal, else nothing but counters; each loss is said.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::app::msg::{EventSource, Msg};
use crate::linux::ReadError;
use crate::linux::log::journal::JournalReader;
use crate::linux::log::kmsg::{KmsgItem, KmsgReader};
use crate::oomlog::{LogRecord, OomAssembler, TextLog};

/// How long a read waits before the thread looks whether it shall end.
const WAIT: Duration = Duration::from_millis(200);
/// No record for this long: the history has been read, what comes now is live.
const QUIET: Duration = Duration::from_millis(20);

/// Takes a message; false when nobody listens any more.
pub(super) type Deliver<'a> = &'a mut dyn FnMut(Msg) -> bool;

/// Follows the log until `stop` is set or nobody listens. `is_own`: the log belongs to the running
/// kernel, so that its journal is the same log.
pub(super) fn follow(path: &Path, is_own: bool, stop: &AtomicBool, deliver: Deliver<'_>) {
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

/// The reason without the path.
fn short(error: &ReadError) -> String {
    match error.source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "no permission (needs CAP_SYSLOG or root)".to_owned()
        }
        std::io::ErrorKind::NotFound => "not there".to_owned(),
        _ => error.source.to_string(),
    }
}

fn counters_only(reason: &str, name: &str) -> Msg {
    Msg::Source(EventSource {
        name: EventSource::COUNTERS_ONLY.to_owned(),
        missing: format!("kills are counted but not explained; {name}: {reason}"),
        caught_up: true,
    })
}

fn source(name: &str, missing: &str, caught_up: bool) -> Msg {
    Msg::Source(EventSource {
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
    let mut caught_up = false;
    let (mut skipped, mut told) = (0_u64, 0);
    if !deliver(source(name, "", false)) {
        return Ok(());
    }
    while !stop.load(Ordering::SeqCst) {
        match reader.next(if caught_up { WAIT } else { QUIET })? {
            Some(KmsgItem::Record(bytes)) => match LogRecord::parse_kmsg(&bytes) {
                Ok(record) => assembler.feed(record, &mut events),
                Err(_) => skipped += 1,
            },
            Some(KmsgItem::Lost) => assembler.note_gap(0, None, &mut events),
            // Quiet: the history is over, or there is something new to say about what was left out.
            None if !caught_up || skipped > told => {
                caught_up = true;
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
            None => {}
        }
        for event in events.drain(..) {
            if !deliver(Msg::Oom(event)) {
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
            if !deliver(Msg::Oom(event)) {
                return Ok(());
            }
        }
    }
    Ok(())
}
