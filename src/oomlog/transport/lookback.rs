//! How far back from a telling line a report can begin whose first line is lost.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::{memchr_iter, memrchr};

use crate::oomlog::assembler::IDLE_MOST;
use crate::oomlog::line::{is_row, is_stat};

/// Pieces of the lines of a report's body, whatever precedes them.
const PIECES: [&str; 34] = [
    "Comm: ",
    ", comm: ",
    "mems_allowed=",
    "as a result of limit of",
    "Memory limit reached",
    ": usage ",
    "Memory cgroup stats",
    "Mem-",
    "active_anon:",
    "active_file:",
    "unevictable:",
    "slab_reclaimable:",
    "mapped:",
    "sec_pagetables:",
    "kernel_misc_reclaimable:",
    " free:",
    "Active:",
    "hugepages_",
    "lowmem_reserve",
    "*4kB",
    "*8kB",
    "*16kB",
    "*64kB",
    "Free swap",
    "Total swap",
    "pagecache pages",
    "pages in swap",
    "pages RAM",
    "pages HighMem",
    "pages reserved",
    "reserved pages",
    "pages cma",
    "pages hwpoisoned",
    "total_vm",
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(PIECES).ok());

/// The beginning of the earliest line before `from`, not before `least`, that can be the body of a report which
/// goes on at `from`; `from` if there is none.
pub(super) fn body_begin(bytes: &[u8], from: usize, least: usize) -> usize {
    let (mut begin, mut at, mut idle) = (from, from, 0);
    while at > least && idle <= IDLE_MOST {
        let before = bytes.get(least..at).unwrap_or_default();
        let line = before.strip_suffix(b"\n").unwrap_or(before);
        let start = memrchr(b'\n', line).map_or(0, |newline| newline + 1);
        at = least + start;
        let line = line.get(start..).unwrap_or_default();
        if is_body(line) {
            begin = at;
            idle = 0;
        } else if !is_field(line) {
            idle += 1;
        }
    }
    begin
}

/// A line of a pretty-printed `dmesg -J` without text of the kernel: it is no message of its own.
fn is_field(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"{")
        || line.starts_with(b"}")
        || (line.starts_with(b"\"") && !line.starts_with(b"\"msg\""))
}

/// The line looks like one of a report's body. Too many lines do no harm: they are parsed, and say nothing.
pub(super) fn is_body(line: &[u8]) -> bool {
    /// No line of a body is longer, but for its prefix.
    const LINE_MOST: usize = 4096;
    let line = line.trim_ascii_end();
    let line = line.get(..LINE_MOST).unwrap_or(line);
    if line.ends_with(b"KB") || SEARCH.as_ref().is_none_or(|search| search.is_match(line)) {
        return true;
    }
    let text = String::from_utf8_lossy(line);
    if text.trim_start().starts_with(['{', '"']) {
        return text.split('"').any(says_body);
    }
    says_body(&text)
}

/// The text ends as a statistic, or holds a row of the table.
fn says_body(text: &str) -> bool {
    /// Most brackets of a prefix.
    const BRACKETS_MOST: usize = 8;
    let mut words = text.split_ascii_whitespace().rev();
    if let (Some(value), Some(key)) = (words.next(), words.next()) {
        // The key may follow a prefix without a blank.
        let key = key
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .next();
        if key.is_some_and(|key| is_stat(&format!("{key} {value}"))) {
            return true;
        }
    }
    memchr_iter(b'[', text.as_bytes())
        .take(BRACKETS_MOST)
        .any(|at| text.get(at..).is_some_and(is_row))
}

#[cfg(test)]
mod tests {
    use super::body_begin;

    #[test]
    fn lines_of_a_body_are_followed_back_across_others() {
        let body = "(1)[7:x][    309]     0   309      690      220    45056 0 0 sh\nx anon 5\n";
        let trace = " ? dump_stack+0x5d\n".repeat(50);
        let far = "nothing\n".repeat(70);
        let log = format!("anon 1\n{far}{body}{trace}");
        let from = log.len();
        assert_eq!(
            body_begin(log.as_bytes(), from, 0),
            log.find("(1)[").unwrap()
        );
        assert_eq!(body_begin(log.as_bytes(), from, from - 40), from);
        assert_eq!(body_begin(b"", 0, 0), 0);
    }
}
