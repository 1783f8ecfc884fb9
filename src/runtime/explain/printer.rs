//! [`Printer`]: what `oomtop explain` prints: the summary, each report, the list of kills.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

use super::clock;
use super::twice::Twice;
use crate::oomlog::{OomEvent, OomReport, Provenance, UserspaceKill};
use crate::output::explain as listing;
use crate::output::safe_json::{SafeJson, escaped};
use crate::output::saved::document;

/// Most reports that may still grow. The parser keeps far fewer open; beyond this number the oldest is finished.
const OPEN: usize = 64;
/// Most rows of the list; further kills are only counted.
const LISTED: usize = 100_000;
/// Bytes of text held back, so that the summary of many kills can stand in front of them.
const HELD: usize = 16 << 20;

/// Prints reports when the summary in front of them is known, and the list at the end. A log with more text than
/// [`HELD`] is printed as it comes: its summary stands before the list.
pub(super) struct Printer {
    out: io::BufWriter<io::Stdout>,
    held: Option<Vec<u8>>,
    tally: listing::Tally,
    json: bool,
    open: VecDeque<Arc<OomReport>>,
    reports: u64,
    pub(super) kills: u64,
    gaps: u64,
    /// Not one log could be read.
    pub(super) is_blind: bool,
    unproven: u64,
    left_out: u64,
    pub(super) refused: u64,
    /// Which kills an earlier log has; `None` where only one is read.
    twice: Option<Twice>,
    repeated: u64,
    list: VecDeque<String>,
    /// Kills by other programs that may still change, by key.
    userspace: VecDeque<Arc<UserspaceKill>>,
    /// The others as JSON.
    user_kills: VecDeque<String>,
}

impl Printer {
    /// A printer of reports as text, or as JSON; of one log, or of several.
    pub(super) fn new(json: bool, several: bool) -> Self {
        Self {
            out: io::BufWriter::new(io::stdout()),
            held: Some(Vec::new()),
            tally: listing::Tally::default(),
            json,
            open: VecDeque::new(),
            reports: 0,
            kills: 0,
            gaps: 0,
            is_blind: false,
            unproven: 0,
            left_out: 0,
            refused: 0,
            twice: several.then(Twice::default),
            repeated: 0,
            list: VecDeque::new(),
            userspace: VecDeque::new(),
            user_kills: VecDeque::new(),
        }
    }

    pub(super) fn take(&mut self, events: &mut Vec<OomEvent>) -> io::Result<()> {
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

    pub(super) fn finish_open(&mut self) -> io::Result<()> {
        while let Some(report) = self.open.pop_front() {
            self.finish(&report)?;
        }
        for kill in std::mem::take(&mut self.userspace) {
            self.finish_userspace(&kill)?;
        }
        if let Some(twice) = &mut self.twice {
            twice.next_log();
        }
        Ok(())
    }

    fn finish_userspace(&mut self, kill: &UserspaceKill) -> io::Result<()> {
        if self
            .twice
            .as_mut()
            .is_some_and(|twice| twice.userspace(kill))
        {
            self.repeated += u64::from(!kill.survived);
            return Ok(());
        }
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
        let repeat = self.twice.as_mut().map(|twice| twice.report(report));
        let repeat = repeat.unwrap_or_default();
        self.repeated += repeat.count();
        if repeat.whole {
            return Ok(());
        }
        self.reports += 1;
        self.unproven += u64::from(report.source == Provenance::Unproven);
        if repeat.count() == 0 {
            self.count(report);
        } else {
            let mut rest = report.clone();
            let mut known = repeat.kills.iter();
            rest.kills.retain(|_| known.next() == Some(&false));
            self.count(&rest);
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

    /// Counts and lists the kills of a report.
    fn count(&mut self, report: &OomReport) {
        self.kills += report.kills.len() as u64;
        self.tally.report(report);
        for kill in &report.kills {
            self.list(listing::kill(report, kill));
        }
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
        let totals = listing::Totals {
            reports: self.reports,
            kills: self.kills,
            gaps: self.gaps,
            unproven: self.unproven,
            left_out: self.left_out,
            is_blind: self.is_blind,
            refused: self.refused,
            repeated: self.repeated,
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
        for sentence in [
            totals.repeats(),
            totals.doubt(),
            totals.refusals(),
            totals.trust(),
        ]
        .into_iter()
        .flatten()
        {
            writeln!(self.out, "{sentence}")?;
        }
        self.out.flush()
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
