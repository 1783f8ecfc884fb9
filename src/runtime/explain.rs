//! `oomtop explain`: streams logs of any size through the parser and prints what it finds.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::RunError;
use super::headless::{HISTORY_MOST, Halt, LogItem, Session};
use crate::linux::SysRoot;
use crate::linux::log::LogSource;
use crate::linux::log::journal::{Boot, Journalctl};
use crate::linux::scan::backend::BackendChoice;
use crate::oomlog::{OomEvent, OomReport, TextLog, UserspaceKill};
use crate::output::explain as listing;
use crate::output::saved::document;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Most reports that may still grow. The parser keeps far fewer open; beyond this number the oldest is finished.
const OPEN: usize = 64;
/// Most rows of the list; further kills are only counted.
const LISTED: usize = 100_000;

/// Explains a log. Returns 0 if there were kills, 1 if there were none, 2 if something could not be read.
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
            let opened = open(path);
            let read = opened
                .and_then(|log| stream(log, &mut printer).map_err(|error| (path.clone(), error)));
            match read {
                Err((path, error)) if !is_broken_pipe(&error) => {
                    unreadable = true;
                    let _ = writeln!(
                        io::stderr(),
                        "oomtop: cannot read {}: {error}",
                        path.display()
                    );
                    Ok(())
                }
                Err((_, error)) => Err(error.into()),
                Ok(()) => Ok(()),
            }
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

fn is_broken_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

fn open(path: &Path) -> Result<Box<dyn Read>, (PathBuf, io::Error)> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| (path.to_owned(), error))?;
    Ok(Box::new(file))
}

fn stream(mut log: impl Read, printer: &mut Printer) -> io::Result<()> {
    let mut parser = TextLog::new();
    let mut events = Vec::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let size = match log.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        parser.chunk(buffer.get(..size).unwrap_or_default(), &mut events);
        printer.take(&mut events)?;
    }
    parser.finish(&mut events);
    printer.take(&mut events)?;
    // Report numbers start again in the next log.
    printer.finish_open()
}

fn journal(boot: &str, printer: &mut Printer, unreadable: &mut bool) -> io::Result<()> {
    let mut refuse = |reason: String| {
        *unreadable = true;
        let _ = writeln!(
            io::stderr(),
            "oomtop: the journal of boot {boot} cannot be read: {reason}"
        );
    };
    let call = Journalctl::kernel().boot(Boot::Named(boot.to_owned()));
    let mut journal = match call.start() {
        Ok(journal) => journal,
        Err(error) => {
            refuse(error.source.to_string());
            return Ok(());
        }
    };
    match stream(&mut journal, printer) {
        Err(error) if is_broken_pipe(&error) => return Err(error),
        Err(error) => refuse(error.to_string()),
        Ok(()) => {
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
    // From here on a signal ends the process at once, even when it is blocked in a write to a full pipe.
    drop(session);
    if !missing.is_empty() {
        let _ = writeln!(io::stderr(), "oomtop: {missing}");
    }
    printer.take(&mut events)?;
    Ok(printer.finish_open()?)
}

/// Bytes of text held back, so that the summary of many kills can stand in front of them.
const HELD: usize = 16 << 20;

/// Prints reports when the summary in front of them is known, and the list at the end. A log with more text than
/// [`HELD`] is printed as it comes: its summary stands before the list.
struct Printer {
    out: io::BufWriter<io::Stdout>,
    held: Option<Vec<u8>>,
    tally: listing::Tally,
    json: bool,
    open: VecDeque<Arc<OomReport>>,
    reports: u64,
    kills: u64,
    gaps: u64,
    list: Vec<String>,
    userspace: VecDeque<Arc<UserspaceKill>>,
}

impl Default for Printer {
    fn default() -> Self {
        Self {
            out: io::BufWriter::new(io::stdout()),
            held: Some(Vec::new()),
            tally: listing::Tally::default(),
            json: false,
            open: VecDeque::new(),
            reports: 0,
            kills: 0,
            gaps: 0,
            list: Vec::new(),
            userspace: VecDeque::new(),
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
                        .iter()
                        .rposition(|known| known.key == kill.key);
                    match known.and_then(|at| self.userspace.get_mut(at)) {
                        Some(known) => *known = kill,
                        None if known.is_none() => self.userspace.push_back(kill),
                        None => {}
                    }
                    self.userspace.truncate(LISTED);
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
            self.kills += 1;
            self.tally.userspace(&kill);
            if self.list.len() < LISTED {
                self.list.push(listing::userspace(&kill));
            }
        }
        Ok(())
    }

    fn finish(&mut self, report: &OomReport) -> io::Result<()> {
        self.reports += 1;
        self.kills += report.kills.len() as u64;
        self.tally.report(report);
        for kill in &report.kills {
            if self.list.len() < LISTED {
                self.list.push(listing::kill(report, kill));
            }
        }
        if self.json {
            if self.reports == 1 {
                writeln!(self.out, "{}", listing::Totals::json_head())?;
            } else {
                self.out.write_all(b",\n")?;
            }
            return serde_json::to_writer(&mut self.out, &document(report, &[]))
                .map_err(io::Error::from);
        }
        let text = listing::report(report, self.reports);
        let Some(held) = &mut self.held else {
            return self.out.write_all(text.as_bytes());
        };
        held.extend_from_slice(text.as_bytes());
        if held.len() > HELD
            && let Some(held) = self.held.take()
        {
            self.out.write_all(&held)?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let totals = listing::Totals {
            reports: self.reports,
            kills: self.kills,
            gaps: self.gaps,
        };
        if self.json {
            if self.reports == 0 {
                write!(self.out, "{}", listing::Totals::json_head())?;
            }
            writeln!(self.out, "{}", totals.json_end())?;
            return self.out.flush();
        }
        if let Some(summary) = self.tally.summary() {
            writeln!(self.out, "{summary}")?;
        }
        if let Some(held) = self.held.take() {
            self.out.write_all(&held)?;
        }
        writeln!(self.out, "{}", totals.heading())?;
        for row in &self.list {
            writeln!(self.out, "{row}")?;
        }
        if let Some(doubt) = totals.doubt() {
            writeln!(self.out, "{doubt}")?;
        }
        self.out.flush()
    }
}
