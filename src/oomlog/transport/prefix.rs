//! Takes the transport's prefixes off a line of a text log.
//!
//! A line can have several (a container runtime's stamp, syslog's stamp and host, the kernel's
//! `[ 12.345678][ T99]`). They come off one by one, the outermost first. The outermost one that tells who wrote
//! the line counts: those inside it may be part of what a program wrote, so they never make a program's line the
//! kernel's.

mod colours;
mod late;
mod layers;
mod tags;

pub(super) use tags::is_zone;

use super::shape::{Shape, is_tag};
use super::{quotes, stamp, words};
use crate::oomlog::record::{LogRecord, Provenance};

/// Most prefixes taken off one line.
const MAX_LAYERS: usize = 8;

/// A line without its prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stripped {
    /// What the prefixes tell; `text` is the rest of the line.
    pub(super) record: LogRecord,
    /// Width of the prefixes in characters; 0 if there were none. Without what every line of the log has in
    /// front, continued ones too.
    pub(super) width: usize,
    /// Width of the whole line in characters; 0 if that says nothing.
    pub(super) columns: usize,
    /// Blanks fill the line up to the width of a terminal.
    pub(super) padded: bool,
    /// The text is a whole message: no other line continues it.
    pub(super) whole: bool,
    /// A prefix tells who wrote it.
    pub(super) told: bool,
}

impl Stripped {
    /// The line says nothing.
    pub(super) fn is_blank(&self) -> bool {
        !self.whole && self.record.text.trim().is_empty()
    }

    /// The same, without anybody who vouches for it.
    pub(super) fn unproven(mut self) -> Self {
        self.record.provenance = Provenance::Unproven;
        self
    }
}

/// The rest of the line, and what the prefixes told so far.
struct Peeler<'a> {
    rest: &'a str,
    record: LogRecord,
    /// A prefix told who wrote the line.
    told: bool,
    /// A piece that a prefix took out of the message.
    before: Option<String>,
}

/// Takes prefixes off the lines of one log.
#[derive(Debug, Default)]
pub(super) struct Stripper {
    /// What stands in front of the date in this log: line numbers, file names, names of services.
    outer: Option<Shape>,
    /// Width of the last line with blanks at its end.
    padded_to: usize,
}

impl Stripper {
    /// Takes the prefixes off.
    pub(super) fn strip(&mut self, line: &str) -> Stripped {
        let line = line.trim_end_matches(['\r', '\n']);
        // What looks like a prefix behind a newline is part of the message.
        if let Some((first, others)) = line.split_once('\n') {
            let mut stripped = self.strip(first);
            stripped.record.text.push('\n');
            stripped.record.text.push_str(others);
            return stripped;
        }
        // Mail programs and web pages write no-break spaces.
        if line.contains('\u{a0}') {
            return self.strip(&line.replace('\u{a0}', " "));
        }
        if colours::begin_or_end(line) {
            return self.strip_plain(&colours::without(line));
        }
        let stripped = self.strip_plain(line);
        // journalctl colours what is behind the prefix. An escape elsewhere can be part of a name.
        if !stripped.whole && stripped.record.text.starts_with(colours::BEGIN) {
            return self.strip_plain(&colours::without(line));
        }
        stripped
    }

    fn strip_plain(&mut self, line: &str) -> Stripped {
        if line.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && let Ok(record) = LogRecord::parse_kmsg(line.as_bytes())
        {
            return Stripped {
                record,
                width: 0,
                columns: 0,
                padded: false,
                whole: true,
                told: true,
            };
        }
        // Blanks to the end of a terminal's line belong to no message. One alone may be where the line was cut.
        let full = line.chars().count();
        if line.ends_with("  ") {
            self.padded_to = full;
        }
        let padded = full == self.padded_to && line.ends_with(' ');
        let columns = if padded {
            line.trim_end().chars().count()
        } else {
            full
        };
        let line = without_quotes(line);
        let mut peeler = Peeler {
            rest: line,
            record: LogRecord::default(),
            told: false,
            before: None,
        };
        peeler.layers();
        let mut begin = line;
        if peeler.rest.len() == line.len() {
            begin = self.outer_off(&mut peeler);
        }
        let is_bare = peeler.rest.len() == begin.len();
        peeler.glued(is_bare);
        let rest = peeler.rest;
        let prefix = begin.len() - rest.len();
        let width = begin.get(..prefix).map_or(0, |text| text.chars().count());
        let mut record = peeler.record;
        let front = line.get(..line.len() - rest.len()).unwrap_or("");
        record.text = clean(quotes::closed(front, rest));
        if let Some(before) = peeler.before {
            record.text.insert_str(0, &before);
        }
        Stripped {
            record,
            width,
            columns,
            padded,
            whole: false,
            told: peeler.told,
        }
    }

    /// Takes off what precedes the first known prefix, and those behind it; returns the text that they begin.
    fn outer_off<'a>(&mut self, peeler: &mut Peeler<'a>) -> &'a str {
        let line = peeler.rest;
        if let Some(at) = late::begin(line)
            && let Some((outer, begin)) = line.split_at_checked(at)
            // A date behind the kernel's words is no prefix.
            && words::find(outer).is_none()
        {
            peeler.rest = begin;
            peeler.layers();
            if peeler.rest.len() < begin.len() {
                self.outer = Some(Shape::of(outer));
                return begin;
            }
            peeler.rest = line;
        }
        if let Some(begin) = self.outer.as_ref().and_then(|shape| shape.strip(line)) {
            peeler.rest = begin;
            return begin;
        }
        line
    }
}

/// Without `> ` of quoting mails, however deep. A line that is only quoted is blank.
fn without_quotes(line: &str) -> &str {
    let mut rest = line;
    loop {
        let inner = rest.trim_start_matches(' ');
        rest = match inner.strip_prefix('>') {
            Some(inner) if inner.is_empty() => inner,
            Some(inner) if inner.starts_with('>') => inner,
            Some(inner) if inner.starts_with(' ') => inner.get(1..).unwrap_or(""),
            _ => return rest,
        };
    }
}

/// Undoes what transports do to characters: rsyslog writes control characters as `#NNN` (octal).
fn clean(text: &str) -> String {
    if text.contains("#012") {
        return text.replace("#012", "\n").replace("#011", "\t");
    }
    text.to_owned()
}

impl Peeler<'_> {
    fn layers(&mut self) {
        for _ in 0..MAX_LAYERS {
            if !self.layer() {
                break;
            }
        }
    }

    /// A prefix says who wrote the line. The first one to say so counts; one inside can only take trust away.
    fn claim(&mut self, facility: u8) {
        if !self.told || (self.record.facility == 0 && facility != 0) {
            self.record.facility = facility;
        }
        self.told = true;
    }

    /// A prefix names a program as the writer.
    fn claim_program(&mut self, program: &str) {
        if !self.told || self.record.facility == 0 {
            self.record.program = Some(program.to_owned());
            self.record.facility = self.record.facility.max(1);
        } else if self.record.program.is_none() {
            self.record.program = Some(program.to_owned());
        }
        self.told = true;
    }

    /// On a console, a program's output can precede the kernel's stamp: `Killed[    6.005263] x`. Behind another
    /// prefix (`is_bare` is false) only a prefix can: the message may hold anything.
    fn glued(&mut self, is_bare: bool) {
        /// No stamp in brackets is longer.
        const STAMP_MOST: usize = 48;
        /// Nor is what stands in front of it.
        const TAG_MOST: usize = 512;
        let found = self.rest.match_indices('[').find_map(|(at, _)| {
            let inside = self.rest.as_bytes().get(at + 1..)?;
            let inside = inside.get(..inside.len().min(STAMP_MOST))?;
            let end = inside.iter().position(|b| *b == b']')?;
            let inside = self.rest.get(at + 1..at + 1 + end)?;
            stamp::since_boot(inside)?;
            let is_behind_tag = || at <= TAG_MOST && self.rest.get(..at).is_some_and(is_tag);
            (is_bare || is_behind_tag()).then_some(at)
        });
        if let Some(rest) = found.and_then(|at| self.rest.get(at..)) {
            self.take(rest);
            while self.bracket() {}
        }
    }
}
