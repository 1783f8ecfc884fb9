//! Finds the kernel's own words in a line: where they begin, whatever stands in front of them.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::oomlog::line::is_row;

/// Where the words of the kernel begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Byte of the line.
    pub(super) at: usize,
    /// Which words they are.
    pub(super) kind: usize,
    /// Other programs write such words too.
    pub(super) weak: bool,
}

/// Words that begin a line of a report, and what must follow them.
struct Words {
    start: &'static str,
    follows: fn(&str) -> bool,
    weak: bool,
}

const fn words(start: &'static str, follows: fn(&str) -> bool) -> Words {
    let weak = false;
    Words {
        start,
        follows,
        weak,
    }
}

/// A row for each kind of line that begins with words of its own. Lines that begin with a name or a number are
/// recognised by the prefix of their neighbours.
const WORDS: [Words; 26] = [
    words("CPU: ", |rest| {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.starts_with(" PID: ") || rest.starts_with(" UID: ")
    }),
    words("Pid: ", |rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
            .starts_with(", comm: ")
    }),
    words("oom-kill:constraint=", |_| true),
    words("Memory cgroup out of memory", is_verdict),
    words("Out of memory", is_verdict),
    words("Out of Memory", is_verdict),
    words("memory: usage ", |_| true),
    words("memory+swap: usage ", |_| true),
    words("swap: usage ", |_| true),
    words("kmem: usage ", |_| true),
    words("Memory cgroup stats", |rest| rest.starts_with([':', ' '])),
    words("Memory limit reached of cgroup ", |_| true),
    words("Tasks state (memory values", |_| true),
    words("[ pid ]", |rest| rest.contains("total_vm")),
    words("[  pid  ]", |rest| rest.contains("total_vm")),
    words("Mem-Info:", |rest| rest.trim().is_empty()),
    words("Mem-info:", |rest| rest.trim().is_empty()),
    words("oom_reaper: reaped process ", |_| true),
    words("Task in /", |rest| rest.contains("as a result of limit of")),
    words("Tasks in /", |rest| {
        rest.contains("are going to be killed due")
    }),
    words("Hardware name: ", |_| true),
    words("active_anon:", |rest| rest.contains(" isolated_anon:")),
    words("Free swap  =", |_| true),
    words("Total swap =", |_| true),
    words("lowmem_reserve[]:", |_| true),
    Words {
        start: "Killed process ",
        follows: |rest| {
            let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            digits.len() < rest.len() && digits.trim_start().starts_with(['(', ','])
        },
        weak: true,
    },
];

/// What follows `Out of memory` in the lines of the kernel.
fn is_verdict(rest: &str) -> bool {
    [
        ": Kill",
        ": kill",
        ": OOM victim",
        " (oom_kill_allocating_task)",
        " and no killable",
    ]
    .iter()
    .any(|start| rest.starts_with(start))
}

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(WORDS.iter().map(|words| words.start))
        .ok()
});

/// Most bytes of a line that are searched: no prefix is longer.
const MOST: usize = 512;

/// The first words of the kernel in the text; a row of the table of tasks begins with its number.
pub(super) fn find(text: &str) -> Option<Found> {
    if is_row(text) {
        return Some(Found {
            at: 0,
            kind: WORDS.len(),
            weak: false,
        });
    }
    // A newline is part of a message, never of what stands in front of it.
    let text = text.split('\n').next().unwrap_or(text);
    let head = match text.char_indices().nth(MOST) {
        Some((end, _)) => text.get(..end)?,
        None => text,
    };
    SEARCH.as_ref()?.find_iter(head).find_map(|found| {
        let words = WORDS.get(found.pattern().as_usize())?;
        (words.follows)(text.get(found.end()..)?).then_some(Found {
            at: found.start(),
            kind: found.pattern().as_usize(),
            weak: words.weak,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn words_are_found_anywhere_and_only_where_they_begin_a_line_of_the_kernel() {
        let at = |text: &str| find(text).map(|found| found.at);
        assert_eq!(at("(1)[310:acorn]CPU: 1 PID: 310 Comm: acorn"), Some(14));
        assert_eq!(
            at("x Memory cgroup out of memory: Killed process 1 (y)"),
            Some(2)
        );
        assert_eq!(at("CPU: 0 PID: 9 Comm: Out of memory: K"), Some(0));
        assert_eq!(
            at("[    309]     0   309      690      220    45056 0 0 Out of memory: Kill"),
            Some(0)
        );
        assert_eq!(at("CPU: 12 is hot"), None);
        assert_eq!(at("the host is out of memory"), None);
    }
}
