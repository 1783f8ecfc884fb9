//! `oomtop explain`: streams logs of any size through the parser and prints what it finds.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::headless::{HISTORY_MOST, Halt, LogItem, Session};
use super::{RunError, complain};
use crate::linux::SysRoot;
use crate::linux::log::LogSource;
use crate::linux::log::journal::{Boot, Journalctl};
use crate::linux::log::text::open;
use crate::linux::scan::backend::BackendChoice;
use crate::oomlog::{OomEvent, OomReport, Provenance, TextLog, UserspaceKill};
use crate::output::explain as listing;
use crate::output::safe_json::{SafeJson, escaped};
use crate::output::saved::document;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Reports that may still grow. The parser keeps far fewer open; the oldest beyond this is finished.
const OPEN: usize = 64;
/// Rows of the list kept; more are counted.
const LISTED: usize = 100_000;

/// Explains. Returns 0 if there were kills, 1 if there were none, 2 if something could not be read.
///
/// # Errors
/// If the output cannot be written; a closed pipe is no error.
pub fn explain(source: &LogSource, root: &SysRoot, json: bool) -> Result<u8, RunError> {
    let mut printer = Printer {
        out: io::BufWriter::new(io::stdout()),
        json,
        ..Printer::default()
    };
    let mut unreadable = false;
    let outcome = match source {
        LogSource::Running => running(root, &mut printer),
        LogSource::Boot(boot) => journal(boot, &mut printer, &mut unreadable).map_err(Halt::from),
        LogSource::Files(files) => files.iter().try_for_each(|path| {
            match open(path).map_or_else(|error| Ok(Some(error)), |log| stream(log, &mut printer)) {
                Ok(None) => {}
                Ok(Some(error)) => {
                    unreadable = true;
                    complain(&format!("cannot read {}: {error}", path.display()));
                }
                Err(error) => return Err(error.into()),
            }
            Ok(())
        }),
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
    // The next log counts its reports from the start again.
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
    let call = Journalctl::kernel().boot(Boot::Named(boot.to_owned()));
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

fn running(root: &SysRoot, printer: &mut Printer) -> Result<(), Halt> {
    let mut session = Session::new(root.clone(), BackendChoice::Auto)?;
    let mut events = Vec::new();
    let mut missing = String::new();
    session.history(HISTORY_MOST, |item| match item {
        LogItem::Event(event) => events.push(event),
        LogItem::Source(source) => missing = source.missing,
    })?;
    // From here on a signal ends the process at once, also out of a write that nobody reads.
    drop(session);
    if !missing.is_empty() {
        complain(&missing);
    }
    printer.take(&mut events)?;
    Ok(printer.finish_open()?)
}

/// Prints reports as they are finished, and the list at the end.
struct Printer {
    out: io::BufWriter<io::Stdout>,
    json: bool,
    open: VecDeque<Arc<OomReport>>,
    reports: u64,
    kills: u64,
    gaps: u64,
    unproven: u64,
    left_out: u64,
    refused: u64,
    list: VecDeque<String>,
    /// Kills by other programs that may still change, by key.
    userspace: VecDeque<Arc<UserspaceKill>>,
    /// The others as JSON.
    user_kills: VecDeque<String>,
}

impl Default for Printer {
    fn default() -> Self {
        Self {
            out: io::BufWriter::new(io::stdout()),
            json: false,
            open: VecDeque::new(),
            reports: 0,
            kills: 0,
            gaps: 0,
            unproven: 0,
            left_out: 0,
            refused: 0,
            list: VecDeque::new(),
            userspace: VecDeque::new(),
            user_kills: VecDeque::new(),
        }
    }
}

impl Printer {
    fn take(&mut self, events: &mut Vec<OomEvent>) -> io::Result<()> {
        for event in events.drain(..) {
            match event {
                OomEvent::Report(report) => {
                    match self
                        .open
                        .iter_mut()
                        .rev()
                        .find(|open| open.key == report.key)
                    {
                        Some(open) => *open = report,
                        None => self.open.push_back(report),
                    }
                    if self.open.len() > OPEN
                        && let Some(oldest) = self.open.pop_front()
                    {
                        self.finish(&oldest)?;
                    }
                }
                OomEvent::Userspace(kill) => {
                    let known = self
                        .userspace
                        .iter_mut()
                        .rev()
                        .find(|known| known.key == kill.key);
                    match known {
                        Some(known) => *known = kill,
                        None => self.userspace.push_back(kill),
                    }
                    if self.userspace.len() > OPEN
                        && let Some(oldest) = self.userspace.pop_front()
                    {
                        self.finish_userspace(&oldest)?;
                    }
                }
                OomEvent::Gap { .. } => self.gaps += 1,
            }
        }
        Ok(())
    }

    fn finish_open(&mut self) -> io::Result<()> {
        while let Some(report) = self.open.pop_front() {
            self.finish(&report)?;
        }
        for kill in std::mem::take(&mut self.userspace) {
            self.finish_userspace(&kill)?;
        }
        Ok(())
    }

    fn finish_userspace(&mut self, kill: &UserspaceKill) -> io::Result<()> {
        self.kills += u64::from(!kill.survived);
        if self.json {
            let record = serde_json::to_string(&listing::UserKill::new(kill))?;
            self.user_kills.push_back(escaped(&record).into_owned());
            if self.user_kills.len() > LISTED {
                self.user_kills.pop_front();
                self.left_out += 1;
            }
        }
        self.list(listing::userspace(kill));
        Ok(())
    }

    /// Adds a row to the list. The oldest goes if there is no room.
    fn list(&mut self, row: String) {
        if self.json {
            return;
        }
        self.list.push_back(row);
        if self.list.len() > LISTED {
            self.list.pop_front();
            self.left_out += 1;
        }
    }

    fn finish(&mut self, report: &OomReport) -> io::Result<()> {
        self.reports += 1;
        self.kills += report.kills.len() as u64;
        self.unproven += u64::from(report.source == Provenance::Unproven);
        for kill in &report.kills {
            self.list(listing::kill(report, kill));
        }
        if self.json {
            if self.reports == 1 {
                writeln!(self.out, "{}", listing::Totals::json_head())?;
            } else {
                self.out.write_all(b",\n")?;
            }
            return serde_json::to_writer(SafeJson(&mut self.out), &document(report, &[]))
                .map_err(io::Error::from);
        }
        self.out
            .write_all(listing::report(report, self.reports).as_bytes())
    }

    fn end(&mut self) -> io::Result<()> {
        let totals = listing::Totals {
            reports: self.reports,
            kills: self.kills,
            gaps: self.gaps,
            unproven: self.unproven,
            left_out: self.left_out,
            refused: self.refused,
        };
        if self.json {
            if self.reports == 0 {
                write!(self.out, "{}", listing::Totals::json_head())?;
            }
            let user_kills = self.user_kills.iter().map(String::as_str);
            writeln!(self.out, "{}", totals.json_end(user_kills))?;
            return self.out.flush();
        }
        writeln!(self.out, "{}", totals.heading())?;
        if self.left_out > 0 {
            writeln!(self.out, "({} earlier ones are not listed)", self.left_out)?;
        }
        for row in &self.list {
            writeln!(self.out, "{row}")?;
        }
        for sentence in [totals.doubt(), totals.refusals(), totals.trust()]
            .into_iter()
            .flatten()
        {
            writeln!(self.out, "{sentence}")?;
        }
        self.out.flush()
    }
}
