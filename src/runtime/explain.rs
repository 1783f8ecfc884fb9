//! `oomtop explain`: streams logs of any size through the parser and prints what it finds.

mod printer;
mod twice;

use std::io::{self, Read};
use std::sync::Arc;

use super::headless::{HISTORY_MOST, Halt, LogItem, Session};
use super::{RunError, clock, complain};
use crate::linux::SysRoot;
use crate::linux::log::LogSource;
use crate::linux::log::journal::{Boot, Journalctl};
use crate::linux::log::text::open;
use crate::linux::scan::backend::BackendChoice;
use crate::model::event_source::EventSource;
use crate::model::time::Now;
use crate::oomlog::{Monotonic, OomEvent, TextLog};
use printer::Printer;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Explains a log. Returns 0 if there were kills, 1 if there were none, 2 if something could not be read.
///
/// # Errors
/// If the output cannot be written; a closed pipe is no error.
pub fn explain(source: &LogSource, root: &SysRoot, json: bool) -> Result<u8, RunError> {
    let several = matches!(source, LogSource::Files(files) if files.len() > 1);
    let mut printer = Printer::new(json, several);
    let mut unreadable = false;
    let mut failed = 0;
    let outcome = match source {
        LogSource::Running => running(root, &mut printer, &mut unreadable),
        LogSource::Boot(boot) => journal(boot, &mut printer, &mut unreadable).map_err(Halt::from),
        LogSource::Files(files) => files.iter().try_for_each(|path| {
            match open(path).map_or_else(|error| Ok(Some(error)), |log| stream(log, &mut printer)) {
                Ok(None) => {}
                Ok(Some(error)) => {
                    unreadable = true;
                    failed += 1;
                    complain(&format!("cannot read {}: {error}", path.display()));
                }
                Err(error) => return Err(error.into()),
            }
            Ok(())
        }),
    };
    printer.is_blind |= match source {
        LogSource::Running => false,
        LogSource::Boot(_) => unreadable,
        LogSource::Files(files) => !files.is_empty() && failed == files.len(),
    };
    match outcome.and_then(|()| Ok(printer.end()?)) {
        Ok(()) => Ok(if unreadable {
            2
        } else {
            u8::from(printer.kills == 0)
        }),
        Err(halt) => halt.status(),
    }
}

/// Reads a log to its end, or to where it cannot be read any more: then that error is returned, and what came
/// before it is explained. A log that grows ends where it ended when it was read there.
///
/// # Errors
/// If the output cannot be written.
fn stream(mut log: impl Read, printer: &mut Printer) -> io::Result<Option<io::Error>> {
    let mut parser = TextLog::new();
    let mut events = Vec::new();
    let mut buffer = vec![0; CHUNK];
    let failed = loop {
        // Small reads of a decoder or a pipe are gathered: big chunks are fast.
        let mut filled = 0;
        let ended = loop {
            match log.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => break Some(None),
                Ok(size) => filled += size,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Some(Some(error)),
            }
            if filled == CHUNK {
                break None;
            }
        };
        parser.chunk(buffer.get(..filled).unwrap_or_default(), &mut events);
        printer.take(&mut events)?;
        if let Some(failed) = ended {
            break failed;
        }
    };
    parser.finish(&mut events);
    printer.refused += parser.refused();
    printer.take(&mut events)?;
    // Report numbers start again in the next log.
    printer.finish_open()?;
    Ok(failed)
}

fn journal(boot: &str, printer: &mut Printer, unreadable: &mut bool) -> io::Result<()> {
    let mut refuse = |reason: String| {
        *unreadable = true;
        complain(&format!(
            "the journal of boot {boot} cannot be read: {reason}"
        ));
    };
    let call = Journalctl::kills().boot(Boot::Named(boot.to_owned()));
    let mut journal = match call.start() {
        Ok(journal) => journal,
        Err(error) => {
            refuse(error.source.to_string());
            return Ok(());
        }
    };
    match stream(&mut journal, printer)? {
        Some(error) => refuse(error.to_string()),
        None => {
            if let Err(error) = journal.end() {
                refuse(error.source.to_string());
            }
        }
    }
    Ok(())
}

fn running(root: &SysRoot, printer: &mut Printer, unreadable: &mut bool) -> Result<(), Halt> {
    let mut session = Session::new(root.clone(), BackendChoice::Auto)?;
    let mut events = Vec::new();
    let mut source = EventSource::default();
    session.history(HISTORY_MOST, |item| match item {
        LogItem::Event(event) => events.push(event),
        LogItem::Traced(_) => {}
        LogItem::Source(latest) => source = latest,
    })?;
    // From here on a signal ends the process at once, even when it is blocked in a write to a full pipe.
    drop(session);
    *unreadable = !source.has_log();
    printer.is_blind = *unreadable;
    for reason in [&source.missing, &source.unheard] {
        // If nothing can be read, the first sentence holds the second.
        let is_said = *unreadable && reason == &source.unheard;
        if !reason.is_empty() && !is_said {
            complain(reason);
        }
    }
    let now = clock::now();
    for event in &mut events {
        stamp(event, now);
    }
    printer.take(&mut events)?;
    Ok(printer.finish_open()?)
}

/// The running kernel's stamps count from its boot: this is the same moment on the wall clock.
fn stamp(event: &mut OomEvent, now: Now) {
    let wall = |at: Option<Monotonic>| at.map(|at| clock::date(now.wall_of(at).unix_micros));
    match event {
        OomEvent::Report(report) => {
            if let Some(stamp) = wall(report.at) {
                Arc::make_mut(report).stamp = Some(stamp);
            }
        }
        OomEvent::Userspace(kill) => {
            if let Some(stamp) = wall(kill.at) {
                Arc::make_mut(kill).stamp = Some(stamp);
            }
        }
        OomEvent::Gap { .. } => {}
    }
}
