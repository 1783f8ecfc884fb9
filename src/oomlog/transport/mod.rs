//! [`TextLog`]: text logs of any transport, lines in, OOM events out.

mod chunks;
mod complete;
mod entries;
mod journal;
mod json;
mod kinds;
mod learn;
mod lookback;
mod margin;
mod one_line;
mod partial;
mod prefix;
mod quotes;
mod reassemble;
mod shape;
mod stamp;
mod words;

use crate::oomlog::record::lossless_text;
use crate::oomlog::{LogRecord, OomAssembler, OomEvent};
use chunks::Chunks;
use entries::Entries;
use kinds::Kinds;
use learn::Learner;
use one_line::Lines;
use partial::{Joined, Partial};
use prefix::{Stripped, Stripper};
use reassemble::Reassembler;

/// Longest line read, in bytes; the rest of a longer line is dropped. The kernel's records are at most 2 kB, but
/// a JSON line of `dmesg -J` can hold a whole ring buffer.
pub(crate) const MAX_LINE: usize = 8 << 20;

/// Reads a text log: raw `/dev/kmsg` records, `dmesg` in all its time formats, syslog, the journal's text and
/// JSON, container logs, mails with broken lines.
#[derive(Debug, Default)]
pub struct TextLog {
    partial: Partial,
    stripper: Stripper,
    learner: Learner,
    reassembler: Reassembler,
    assembler: OomAssembler,
    chunks: Chunks,
    entries: Entries,
    kinds: Kinds,
}

impl TextLog {
    /// A reader that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one line, with or without its newline; events are appended to `out`. The last message is held
    /// back until the next line shows that it is complete.
    pub fn line(&mut self, bytes: &[u8], out: &mut Vec<OomEvent>) {
        let bytes = bytes.get(..MAX_LINE).unwrap_or(bytes);
        let line = lossless_text(bytes);
        let mut lost = None;
        let joined = self.partial.line(&line, &mut lost);
        if let Some(lost) = lost {
            self.whole(&lost, out);
        }
        match joined {
            Joined::Whole => self.whole(&line, out),
            Joined::Line(line) => self.whole(&line, out),
            Joined::Kept => {}
        }
    }

    fn whole(&mut self, line: &str, out: &mut Vec<OomEvent>) {
        let trimmed = line.trim();
        let mut records = Vec::new();
        let is_json = trimmed.starts_with('{') || trimmed.starts_with("[{");
        if is_json && let Some(found) = json::records(trimmed) {
            self.entries.abandon();
            return self.entry(found, out);
        }
        let is_entry = self.entries.line(line, &mut records);
        self.entry(records, out);
        if is_entry {
            return;
        }
        let stripped = self.stripper.strip(line);
        if stripped.whole {
            self.entry(vec![stripped], out);
        } else if let Some(records) = json::inside(&stripped) {
            if stripped.width > 0 {
                self.kinds.text(&stripped);
            }
            self.entry(records, out);
        } else if let Some(all) = Lines::of(line, &mut self.stripper, self.kinds.has_lines()) {
            for line in &all.lines {
                let stripped = all.strip(line, &mut self.stripper);
                self.kinds.piece(&stripped);
                self.stripped(stripped, out);
            }
        } else {
            self.kinds.text(&stripped);
            self.stripped(stripped, out);
        }
    }

    fn entry(&mut self, records: Vec<Stripped>, out: &mut Vec<OomEvent>) {
        for record in self.kinds.entry(records) {
            self.stripped(record, out);
        }
    }

    /// How many records told of a kill in the kernel's words, but were a program's: they are no reports.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.assembler.refused()
    }

    /// Takes the message that is held back as complete: for a live log that was silent for a while.
    pub fn flush(&mut self, out: &mut Vec<OomEvent>) {
        if let Some(line) = self.partial.finish() {
            self.whole(&line, out);
        }
        let mut ready = Vec::new();
        self.learner.release(&mut ready);
        self.ready(ready, out);
        if let Some(record) = self.reassembler.finish() {
            self.record(record, out);
        }
    }

    /// Notes that the log has ended.
    pub fn finish(&mut self, out: &mut Vec<OomEvent>) {
        self.last_chunk(out);
        if let Some(line) = self.partial.finish() {
            self.whole(&line, out);
        }
        let mut records = Vec::new();
        self.entries.finish(&mut records);
        self.entry(records, out);
        self.flush(out);
        self.assembler.finish(out);
    }

    fn stripped(&mut self, stripped: Stripped, out: &mut Vec<OomEvent>) {
        let mut ready = Vec::new();
        self.learner.push(stripped, &mut ready);
        self.ready(ready, out);
    }

    fn ready(&mut self, lines: Vec<Stripped>, out: &mut Vec<OomEvent>) {
        for line in lines {
            if let Some(record) = self.reassembler.push(line) {
                self.record(record, out);
            }
        }
    }

    fn record(&mut self, record: LogRecord, out: &mut Vec<OomEvent>) {
        self.chunks.numbered |= record.seq.is_some();
        self.assembler.feed(record, out);
    }
}
