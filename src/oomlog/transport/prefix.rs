//! Takes the transport's prefixes off a line of a text log.
//!
//! A line can have several (a container runtime's stamp, syslog's stamp and host, the kernel's
//! `[ 12.345678][ T99]`). They come off one by one, the outermost first.

mod layers;

use super::stamp;
use crate::oomlog::record::LogRecord;

/// Most prefixes taken off one line.
const MAX_LAYERS: usize = 8;

/// A line without its prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stripped {
    /// What the prefixes tell; `text` is the rest of the line.
    pub(super) record: LogRecord,
    /// Width of the prefixes in characters; 0 if there were none.
    pub(super) width: usize,
    /// The text is a whole message: no other line continues it.
    pub(super) whole: bool,
}

/// The rest of the line, and what the prefixes told so far.
struct Peeler<'a> {
    rest: &'a str,
    record: LogRecord,
    whole: bool,
}

/// Takes the prefixes off.
pub(super) fn strip(line: &str) -> Stripped {
    let line = line.trim_end_matches(['\r', '\n']);
    // A coloured line of dmesg begins with a colour. An escape elsewhere can be part of a name.
    if line.starts_with("\u{1b}[") {
        return strip_plain(&without_colours(line));
    }
    strip_plain(line)
}

fn strip_plain(line: &str) -> Stripped {
    if line.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && let Ok(record) = LogRecord::parse_kmsg(line.as_bytes())
    {
        return Stripped {
            record,
            width: 0,
            whole: true,
        };
    }
    let mut peeler = Peeler {
        rest: line,
        record: LogRecord::default(),
        whole: false,
    };
    for _ in 0..MAX_LAYERS {
        if !peeler.layer() {
            break;
        }
    }
    if peeler.rest.len() == line.len() {
        peeler.glued();
    }
    if peeler.rest.len() == line.len() {
        peeler.anchor();
    }
    let rest = peeler.rest;
    let prefix = line.len() - rest.len();
    let width = line.get(..prefix).map_or(0, |text| text.chars().count());
    let mut record = peeler.record;
    record.text = clean(rest);
    Stripped {
        record,
        width,
        whole: peeler.whole,
    }
}

/// The line without `ESC [ … m`.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after
            .find(|c: char| !(c.is_ascii_digit() || c == ';'))
            .unwrap_or(after.len());
        rest = after.get(end..).unwrap_or("");
        rest = rest.strip_prefix(['m', 'K']).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

/// Undoes what transports do to characters: rsyslog writes control characters as `#NNN` (octal), mail programs
/// write no-break spaces.
fn clean(text: &str) -> String {
    if text.contains("#012") || text.contains('\u{a0}') {
        return text
            .replace("#012", "\n")
            .replace("#011", "\t")
            .replace('\u{a0}', " ");
    }
    text.to_owned()
}

impl Peeler<'_> {
    /// Behind an unknown prefix, only the lines that must not be lost are found: by their first words.
    fn anchor(&mut self) {
        const ANCHORS: [&str; 4] = [
            "Memory cgroup out of memory: Kill",
            "Out of memory: Kill",
            "Out of Memory: Kill",
            "oom-kill:constraint=",
        ];
        let found = ANCHORS.iter().find_map(|anchor| self.rest.find(anchor));
        if let Some(rest) = found.and_then(|at| self.rest.get(at..)) {
            self.take(rest);
        }
    }

    /// On a console, a program's output can precede the kernel's stamp: `Killed[    6.005263] x`.
    fn glued(&mut self) {
        let found = self.rest.match_indices('[').find_map(|(at, _)| {
            let (inside, _) = self.rest.get(at + 1..)?.split_once(']')?;
            stamp::since_boot(inside).map(|_| at)
        });
        if let Some(rest) = found.and_then(|at| self.rest.get(at..)) {
            self.take(rest);
            while self.bracket() {}
        }
    }
}
