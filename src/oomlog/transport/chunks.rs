//! Big logs: while no report is open, only lines near a telling word are parsed.
//!
//! Almost every line of a log is about something else. Each line that can begin a report or tell of a kill holds
//! one of the words below. Everything between two hits is skipped at memory speed.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, Span, packed};
use memchr::{memchr, memrchr};

use super::entries::is_field;
use super::learn::HELD_MOST;
use super::lookback::{body_begin, is_body};
use super::reassemble::INHERIT_MOST;
use super::{MAX_LINE, TextLog};
use crate::oomlog::OomEvent;

/// The telling words. Each is long enough to be rare: "oom" alone would stop at every "room".
const WORDS: [&str; 44] = [
    "oom-kill",
    "oom_reaper",
    "oom.group",
    "OOM",
    "ill process ",
    "illed process ",
    "f memory",
    "f Memory",
    "deadlocked on memory",
    "lowmemorykiller",
    "lmkd",
    // A piece of a line may end inside any word.
    "stdout P ",
    "stderr P ",
    "-oomd", // systemd-oomd: the search for the whole word would stop at every line of systemd
    "lyoom", // earlyoom
    "oomd kill",
    "nohang",
    // Their lines without a name, and lines of a body that only the OOM killer prints.
    "ng SIG",
    "illing process",
    "mem avail:",
    "due to memory ",
    "total_vm",
    ": usage ",
    // No-break spaces of mail programs and web pages.
    "f\u{a0}memory",
    "illed\u{a0}process\u{a0}",
    // The journal writes a message with other bytes than text as an array of numbers: it may say anything.
    "GE\":[",
    "GE\": [",
    "GE\" : [",
    // Mail programs break lines at blanks: the words above, in front of such a break.
    "ut of\n",
    "ut of \n",
    "ut of\r\n",
    "ut of \r\n",
    "ill\n",
    "ill \n",
    "ill\r\n",
    "ill \r\n",
    "illed\n",
    "illed \n",
    "illed\r\n",
    "illed \r\n",
    "ill process\n",
    "illed process\n",
    "ill process\r\n",
    "illed process\r\n",
];
/// Finds all the words in one pass, with SIMD where the processor has it.
static TELLING: LazyLock<Telling> = LazyLock::new(|| match packed::Searcher::new(WORDS) {
    Some(searcher) => Telling::Packed(searcher),
    None => AhoCorasick::new(WORDS).map_or(Telling::Everything, Telling::Automaton),
});

enum Telling {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// No search could be built: every line is parsed.
    Everything,
}
/// Lines before a hit that can belong to the same message: broken lines, the fields of a `dmesg -J` entry, the line
/// of the program that wrote it.
const BEFORE: usize = INHERIT_MOST;
/// Lines after a hit that can belong to the same message, or show the prefix of its lines.
const AFTER: usize = HELD_MOST;

/// The state between two chunks.
#[derive(Debug)]
pub(super) struct Chunks {
    /// A line whose end is in the next chunk.
    begun: Vec<u8>,
    /// Lines still to be parsed after a hit.
    look: usize,
    /// The records have numbers (raw `/dev/kmsg`). Then no line is skipped, so that gaps are seen.
    pub(super) numbered: bool,
    /// The entry of several lines that a hit is in.
    entry: Option<u64>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            begun: Vec::new(),
            // The first lines show what kind of log it is.
            look: AFTER,
            numbered: false,
            entry: None,
        }
    }
}

impl TextLog {
    /// Takes the next bytes of the log, cut anywhere; events are appended to `out`. Blocks of 64 kB and more
    /// are fast.
    ///
    /// What is found is the same as with [`TextLog::line`] for every line, except that a skipped line cannot show
    /// that the log breaks its lines, or has lines of text.
    pub fn chunk(&mut self, bytes: &[u8], out: &mut Vec<OomEvent>) {
        let mut rest = bytes;
        if !self.chunks.begun.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (first, others) = rest.split_at(end);
            let room = MAX_LINE.saturating_sub(self.chunks.begun.len());
            let kept = first.get(..first.len().min(room)).unwrap_or(first);
            self.chunks.begun.extend_from_slice(kept);
            if !first.ends_with(b"\n") {
                return;
            }
            let line = std::mem::take(&mut self.chunks.begun);
            self.next_line(&line, out);
            rest = others;
        }
        let whole = memrchr(b'\n', rest).map_or(0, |at| at + 1);
        let (lines, begun) = rest.split_at(whole);
        self.lines(lines, out);
        self.chunks
            .begun
            .extend_from_slice(begun.get(..begun.len().min(MAX_LINE)).unwrap_or(begun));
    }

    /// The line that has no newline at the end of the log.
    pub(super) fn last_chunk(&mut self, out: &mut Vec<OomEvent>) {
        let line = std::mem::take(&mut self.chunks.begun);
        if !line.is_empty() {
            self.line(&line, out);
        }
    }

    fn next_line(&mut self, line: &[u8], out: &mut Vec<OomEvent>) {
        let is_hit = next_hit(line, 0).is_some();
        let is_first = is_hit || (!self.assembler.is_waiting() && is_body(line));
        let before = self.entries.is_open();
        self.line(line, out);
        let open = self.entries.is_open();
        if is_first {
            // The line may be held back: what follows is read until its report is seen to be open.
            self.chunks.look = AFTER;
        } else if open.is_none() || open != before {
            // An entry of several lines counts as one.
            self.chunks.look = self.chunks.look.saturating_sub(1);
        }
        if is_hit {
            self.chunks.entry = open;
        }
        if self.reassembler.has_joined() || (open.is_some() && open == self.chunks.entry) {
            // The next line may continue the broken message or the entry too.
            self.chunks.look = self.chunks.look.max(1);
        }
    }

    /// Whole lines.
    fn lines(&mut self, bytes: &[u8], out: &mut Vec<OomEvent>) {
        let mut at = 0;
        while at < bytes.len() {
            if self.chunks.look == 0 && !self.chunks.numbered && !self.assembler.is_waiting() {
                let hit = next_hit(bytes, at);
                // The last lines of a block may belong to a hit in the next one.
                let near = lines_before(bytes, hit.unwrap_or(bytes.len()), at);
                let body = body_begin(bytes, near, at);
                let from = if body < near {
                    lines_before(bytes, body, at)
                } else {
                    near
                };
                let entry = entry_begin(bytes, from, at);
                // What precedes the entry may be the line of the program that wrote it.
                let from = if entry < from {
                    lines_before(bytes, entry, at)
                } else {
                    from
                };
                if from > at {
                    // Lines are skipped, so the message held back is complete.
                    self.entries.abandon();
                    self.kinds.skip();
                    self.flush(out);
                    at = from;
                }
                let until = hit.map_or(bytes.len(), |hit| line_end(bytes, hit));
                while at < until {
                    let end = line_end(bytes, at);
                    self.next_line(bytes.get(at..end).unwrap_or_default(), out);
                    at = end;
                }
            } else {
                let end = line_end(bytes, at);
                self.next_line(bytes.get(at..end).unwrap_or_default(), out);
                at = end;
            }
        }
    }
}

/// The end of the line at `at`, its newline included.
fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |length| at + length + 1)
}

/// The beginning of the line that holds `hit`, or of one up to [`BEFORE`] lines earlier, not before
/// `least`.
fn lines_before(bytes: &[u8], hit: usize, least: usize) -> usize {
    let mut from = hit;
    for _ in 0..=BEFORE {
        let before = bytes.get(least..from).unwrap_or_default();
        // The newline that ends the line before.
        let inside = before.strip_suffix(b"\n").unwrap_or(before);
        match memrchr(b'\n', inside) {
            Some(newline) => from = least + newline + 1,
            None => return least,
        }
    }
    from
}

/// The beginning of the entry of several lines that the line at `from` is in, not before `least`.
fn entry_begin(bytes: &[u8], from: usize, least: usize) -> usize {
    /// Most lines of an entry.
    const LINES_MOST: usize = 4096;
    let mut begin = from;
    for _ in 0..LINES_MOST {
        let end = line_end(bytes, begin);
        if begin <= least || !is_field(bytes.get(begin..end).unwrap_or_default()) {
            break;
        }
        let before = bytes.get(least..begin - 1).unwrap_or_default();
        begin = memrchr(b'\n', before).map_or(least, |newline| least + newline + 1);
    }
    begin
}

/// The next telling word at or after `at`.
fn next_hit(bytes: &[u8], at: usize) -> Option<usize> {
    let span = Span::from(at..bytes.len());
    let found = match &*TELLING {
        Telling::Packed(searcher) => searcher.find_in(bytes, span)?,
        Telling::Automaton(automaton) => automaton.find(Input::new(bytes).span(span))?,
        Telling::Everything => return Some(at),
    };
    Some(found.start())
}

#[cfg(test)]
mod tests {
    use super::TextLog;
    use crate::oomlog::OomEvent;

    const LOG: &str = "\
Nov 22 10:00:00 host app[1]: nothing\n\
Nov 22 10:00:01 host kernel: [   12.000001] hog invoked\n\
oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0,\n\
oom_score_adj=0\n\
Nov 22 10:00:01 host kernel: [   12.000002] CPU: 0 PID: 9 Comm: hog Not tainted 6.1.0 #1\n\
Nov 22 10:00:01 host kernel: [   12.000003] Out of memory: Killed process 9\n\
(hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0\n\
pgtables:4kB oom_score_adj:7\n\
Nov 22 10:00:02 host app[1]: a room, a zoom lens\n";

    fn log() -> String {
        let quiet = "Nov 22 10:00:00 host app[1]: nothing happens here, 12 times\n".repeat(300);
        let later = LOG.replace("   12.", "   99.");
        format!("{quiet}{LOG}{quiet}{later}{quiet}")
    }

    #[test]
    fn chunks_of_any_size_give_what_lines_give() {
        let log = log();
        let mut known = Vec::new();
        let mut text = TextLog::new();
        for line in log.lines() {
            text.line(line.as_bytes(), &mut known);
        }
        text.finish(&mut known);
        assert!(matches!(known.last(), Some(OomEvent::Report(report)) if report.kills.len() == 1));
        for size in [1, 7, 100, 4096, 1 << 20] {
            let mut found = Vec::new();
            let mut text = TextLog::new();
            for chunk in log.as_bytes().chunks(size) {
                text.chunk(chunk, &mut found);
            }
            text.finish(&mut found);
            assert_eq!(found, known, "chunks of {size}");
        }
    }

    #[test]
    fn a_kill_broken_at_its_blanks_is_found_in_chunks_too() {
        let quiet = "Nov 22 10:00:00 host app[1]: nothing happens here, 12 times\n".repeat(300);
        for end in ["\n", "\r\n", " \n"] {
            let line = "Nov 22 10:00:01 host kernel: [   12.000003] Out of memory: Killed process 9 (hog) \
                        total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:7";
            let at: Vec<usize> = line
                .match_indices(' ')
                .map(|(at, _)| at)
                .filter(|at| *at > 43)
                .collect();
            for first in &at {
                for second in at.iter().filter(|at| *at > first) {
                    let (head, rest) = line.split_at(*first);
                    let (middle, tail) = rest.split_at(second - first);
                    let broken = format!("{head}{end}{}{end}{}\n", middle.trim(), tail.trim());
                    let log = format!("{quiet}{broken}{quiet}");
                    let kills = |events: &[OomEvent]| matches!(events.last(), Some(OomEvent::Report(report)) if report.kills.len() == 1);
                    let mut by_line = Vec::new();
                    let mut text = TextLog::new();
                    for line in log.split_inclusive('\n') {
                        text.line(line.as_bytes(), &mut by_line);
                    }
                    text.finish(&mut by_line);
                    let mut by_chunk = Vec::new();
                    let mut text = TextLog::new();
                    text.chunk(log.as_bytes(), &mut by_chunk);
                    text.finish(&mut by_chunk);
                    assert_eq!(kills(&by_line), kills(&by_chunk), "{broken:?}");
                }
            }
        }
    }

    #[test]
    fn a_kill_that_the_journal_writes_as_numbers_is_found_in_chunks() {
        let quiet =
            "{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"nothing happens here\"}\n".repeat(300);
        let bytes = b"Out of memory: Killed process 9 (h\xffg) total-vm:8kB, anon-rss:4kB";
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for (before, between) in [("", ","), (" ", ", ")] {
            let numbers = numbers.join(between);
            let entry =
                format!("{{\"_TRANSPORT\":{before}\"kernel\",\"MESSAGE\":{before}[{numbers}]}}\n");
            let mut found = Vec::new();
            let mut text = TextLog::new();
            text.chunk(format!("{quiet}{entry}{quiet}").as_bytes(), &mut found);
            text.finish(&mut found);
            assert!(
                matches!(found.last(), Some(OomEvent::Report(report)) if report.kills[0].comm == "h\\xffg"),
                "{entry}: {found:?}"
            );
        }
    }

    #[test]
    fn a_log_without_its_last_newline() {
        let mut found = Vec::new();
        let mut text = TextLog::new();
        text.chunk(b"[    1.000000] Out of memory: Killed pro", &mut found);
        text.chunk(b"cess 9 (hog) total-vm:8kB", &mut found);
        text.finish(&mut found);
        assert!(matches!(found.last(), Some(OomEvent::Report(report)) if report.kills[0].pid == 9));
    }
}
