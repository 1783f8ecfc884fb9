//! `oomtop explain`: streams logs of any size through the parser and prints what it finds.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
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
use crate::oomlog::{Monotonic, OomEvent, OomReport, Provenance, TextLog, UserspaceKill};
use crate::output::explain as listing;
use crate::output::safe_json::{SafeJson, escaped};
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

/// The journal's stamp is a number of microseconds: nobody reads that.
fn date(event: &mut OomEvent) {
    let dated = |stamp: &Option<String>| {
        let micros: i64 = stamp.as_deref()?.parse().ok()?;
        // Seconds since 1970 have ten digits: dates of syslog and others are no number at all.
        (micros > 1_000_000_000_000_000).then(|| clock::date(micros))
    };
    match event {
        OomEvent::Report(report) => {
            if let Some(stamp) = dated(&report.stamp) {
                Arc::make_mut(report).stamp = Some(stamp);
            }
        }
        OomEvent::Userspace(kill) => {
            if let Some(stamp) = dated(&kill.stamp) {
                Arc::make_mut(kill).stamp = Some(stamp);
            }
        }
        OomEvent::Gap { .. } => {}
    }
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
    /// Not one log could be read.
    is_blind: bool,
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
            held: Some(Vec::new()),
            tally: listing::Tally::default(),
            json: false,
            open: VecDeque::new(),
            reports: 0,
            kills: 0,
            gaps: 0,
            is_blind: false,
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
        for mut event in events.drain(..) {
            date(&mut event);
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
        self.tally.userspace(kill);
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
        self.tally.report(report);
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
            unproven: self.unproven,
            left_out: self.left_out,
            is_blind: self.is_blind,
            refused: self.refused,
            ..self.tally.totals()
        };
        if self.json {
            if self.reports == 0 {
                write!(self.out, "{}", listing::Totals::json_head())?;
            }
            let kills = self.user_kills.iter().map(String::as_str);
            writeln!(self.out, "{}", totals.json_end(kills))?;
            return self.out.flush();
        }
        if let Some(summary) = self.tally.summary() {
            writeln!(self.out, "{summary}")?;
        }
        if let Some(held) = self.held.take() {
            self.out.write_all(&held)?;
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
