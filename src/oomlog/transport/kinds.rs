//! Logs whose lines are of several kinds.
//!
//! An entry of JSON, of `journalctl -o verbose` or of `/dev/kmsg` tells in fields of its own who wrote it. Among lines
//! of text it proves nothing: a program's message can go on with lines that look like an entry.

use super::prefix::Stripped;
use super::reassemble::INHERIT_MOST;

/// What the lines before an entry tell of it.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// The log has lines of text with a stamp or with the name of their writer.
    has_text: bool,
    /// Some of them are one message each.
    has_lines: bool,
    /// A program's line that the next ones may belong to.
    program: Option<Stripped>,
    /// Lines and entries since then.
    since: usize,
}

impl Kinds {
    /// True if the log has lines of text, each with a stamp of its own.
    pub(super) fn has_lines(&self) -> bool {
        self.has_lines
    }

    /// Notes a line of text.
    pub(super) fn text(&mut self, line: &Stripped) {
        self.piece(line);
        self.has_lines |= is_stamped(line);
    }

    /// Notes a line of a log that was written as one line.
    pub(super) fn piece(&mut self, line: &Stripped) {
        let record = &line.record;
        if record.facility != 0 {
            self.since = 0;
            self.program = Some(line.clone());
            if let Some(program) = &mut self.program {
                program.record.text.clear();
            }
        } else if line.width > 0 || line.is_blank() {
            self.program = None;
        } else {
            self.since += 1;
        }
        self.has_text |= record.facility != 0 || is_stamped(line);
    }

    /// Takes the records of an entry: with those of them that may be part of a program's message as its word.
    pub(super) fn entry(&mut self, mut records: Vec<Stripped>) -> Vec<Stripped> {
        if records.is_empty() || !self.has_text {
            return records;
        }
        self.since += 1;
        for entry in &mut records {
            *entry = std::mem::take(entry).unproven();
            if let Some(program) = self.program.as_ref().filter(|_| self.since <= INHERIT_MOST) {
                entry.record.facility = program.record.facility;
                entry.record.program.clone_from(&program.record.program);
                entry.width = program.width;
            }
        }
        records
    }

    /// Notes that lines were skipped.
    pub(super) fn skip(&mut self) {
        self.program = None;
    }
}

/// A stamp precedes the text; the journal's lines about a log (`-- Boot … --`) are no part of it.
fn is_stamped(line: &Stripped) -> bool {
    let record = &line.record;
    line.width > 0
        && (record.at.is_some() || record.stamp.is_some())
        && !record.text.ends_with(" --")
}
