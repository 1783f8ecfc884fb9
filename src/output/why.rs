//! `oomtop why`: each death with its cause and evidence, the newest first.

use std::fmt::Write;

use super::printable;
use super::safe_json::escaped;
use crate::oomlog::analysis::death::{Cause, Death, Doubt, Question};
use crate::oomlog::witness::{Fact, Source};
use crate::text::death::{self as words, source};
use crate::text::format::number_of;

/// Version of the layout of `why --json`.
const FORMAT: u32 = 1;
/// Deaths that are told in full; the others are counted.
const TOLD: usize = 10;
/// Most lines of evidence of one death in the text.
const LINES: usize = 24;

/// All that is known.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Whose death was asked for.
    pub question: &'a Question,
    /// The deaths, newest first.
    pub deaths: &'a [Death],
    /// What is still there, and counters: of no death in particular.
    pub around: &'a [Fact],
    /// The process, or a process of the unit, lives.
    pub alive: Option<String>,
    /// What could not be read, as sentences.
    pub unreadable: &'a [String],
    /// Facts that there was no room for: the oldest.
    pub left_out: u64,
    /// Turns microseconds since 1970 into a local date.
    pub date: fn(i64) -> String,
}

impl Answer<'_> {
    /// What was asked for.
    fn subject(&self) -> String {
        match self.question {
            Question::Pid(pid) => format!("process {pid}"),
            Question::Unit(name) | Question::Name(name) => name.clone(),
        }
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let mut line = |text: &str| {
            let _ = writeln!(out, "{}", printable(text.trim_end()));
        };
        if let Some(alive) = &self.alive {
            line(alive);
        }
        if self.deaths.is_empty() {
            line(&self.nothing());
        }
        if let (Question::Pid(pid), 2..) = (self.question, self.deaths.len()) {
            line(&format!(
                "The number {pid} has died {} times: it is used again. The newest death comes first.",
                self.deaths.len()
            ));
            line("");
        }
        for (nth, death) in self.deaths.iter().take(TOLD).enumerate() {
            if nth > 0 || self.alive.is_some() {
                line("");
            }
            self.death(death, &mut line);
        }
        if let Some(more) = self.deaths.len().checked_sub(TOLD).filter(|more| *more > 0) {
            line("");
            line(&format!(
                "{} before these: --json has all.",
                number_of(more as u64, "death", "deaths")
            ));
        }
        if !self.around.is_empty() {
            line("");
            line("Now");
            for fact in self.around {
                line(&format!("  {:<16} {}", source(fact), fact.text));
            }
        }
        if !self.unreadable.is_empty() {
            line("");
            line("Not readable");
            for sentence in self.unreadable {
                line(&format!("  {sentence}"));
            }
        }
        if self.left_out > 0 {
            line(&format!("{} older records were not kept.", self.left_out));
        }
        out
    }

    fn nothing(&self) -> String {
        let subject = self.subject();
        let read = if self.unreadable.is_empty() {
            "No record tells"
        } else {
            "No record that could be read tells"
        };
        match (&self.alive, self.question) {
            (Some(_), _) => format!("{read} of an earlier death of {subject}."),
            (None, Question::Pid(_)) => format!(
                "{read} of the death of {subject}: an exit that nobody waits for is in no log. What would have told: {}.",
                words::RUNNING
            ),
            (None, Question::Unit(_)) => format!(
                "{read} of an end of {subject}. What would have told: {}.",
                words::RUNNING
            ),
            (None, Question::Name(_)) => format!(
                "{read} of a death of {subject}. A unit is found by its whole name (x.service, x.scope), a process by the name that ps shows. What would have told: {}.",
                words::RUNNING
            ),
        }
    }

    fn death(&self, death: &Death, line: &mut impl FnMut(&str)) {
        line(&format!("{}, {}", words::who(death), (self.date)(death.at)));
        line(&format!("  {}", words::sentence(death)));
        let told = words::would_tell(death);
        if !told.is_empty() {
            line("  What would have told:");
            for clause in told {
                line(&format!("    {clause}"));
            }
        }
        if let Some(group) = &death.cgroup {
            line(&format!("  cgroup {group}"));
        }
        if let Some(result) = &death.result {
            line(&format!("  Result={result}"));
        }
        line("  Evidence");
        let skipped = death.evidence.len().saturating_sub(LINES);
        if skipped > 0 {
            line(&format!("    {skipped} earlier lines are in --json"));
        }
        for fact in death.evidence.iter().skip(skipped) {
            let date = (self.date)(fact.at);
            // The day stands in the first line.
            let time = date.split(' ').nth(1).unwrap_or(&date).to_owned();
            line(&format!("    {time}  {:<16} {}", source(fact), fact.text));
        }
    }

    /// As one JSON document.
    pub fn json(&self) -> String {
        let document = Document {
            format: FORMAT,
            question: self.question,
            alive: self.alive.as_deref(),
            deaths: self
                .deaths
                .iter()
                .map(|death| Told::new(death, self.date))
                .collect(),
            now: self
                .around
                .iter()
                .map(|fact| Evidence::new(fact, self.date))
                .collect(),
            unreadable: self.unreadable,
            left_out: self.left_out,
        };
        // Serializing these values cannot fail: no map has keys that are no strings.
        let json = serde_json::to_string_pretty(&document).unwrap_or_default();
        format!("{}\n", escaped(&json))
    }
}

/// The document of `why --json`.
#[derive(serde::Serialize)]
struct Document<'a> {
    format: u32,
    question: &'a Question,
    alive: Option<&'a str>,
    deaths: Vec<Told<'a>>,
    now: Vec<Evidence<'a>>,
    unreadable: &'a [String],
    left_out: u64,
}

/// A death.
#[derive(serde::Serialize)]
struct Told<'a> {
    /// Local date.
    date: String,
    /// Microseconds since 1970.
    at: i64,
    pid: Option<u32>,
    comm: Option<&'a str>,
    unit: Option<&'a str>,
    cgroup: Option<&'a str>,
    result: Option<&'a str>,
    cause: &'a Cause,
    sentence: String,
    /// Why the cause, or the sender, is not known.
    doubts: &'a [Doubt],
    would_tell: Vec<&'static str>,
    evidence: Vec<Evidence<'a>>,
}

impl<'a> Told<'a> {
    fn new(death: &'a Death, date: fn(i64) -> String) -> Self {
        Self {
            date: date(death.at),
            at: death.at,
            pid: death.pid,
            comm: death.comm.as_deref(),
            unit: death.unit.as_deref(),
            cgroup: death.cgroup.as_deref(),
            result: death.result.as_deref(),
            cause: &death.cause,
            sentence: words::sentence(death),
            doubts: &death.doubts,
            would_tell: words::would_tell(death),
            evidence: death
                .evidence
                .iter()
                .map(|fact| Evidence::new(fact, date))
                .collect(),
        }
    }
}

/// A fact.
#[derive(serde::Serialize)]
struct Evidence<'a> {
    date: String,
    at: i64,
    source: Source,
    /// The source in words.
    by: &'static str,
    text: &'a str,
}

impl<'a> Evidence<'a> {
    fn new(fact: &'a Fact, date: fn(i64) -> String) -> Self {
        Self {
            date: date(fact.at),
            at: fact.at,
            source: fact.source,
            by: source(fact),
            text: &fact.text,
        }
    }
}
