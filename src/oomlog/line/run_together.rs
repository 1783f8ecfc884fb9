//! Two messages in one line: a console or a file on which two writers print at once can lose the newline between them.

use super::killed::is_oom_message;

const KILLED: &str = "Killed process ";
const INVOKED: &str = " invoked oom-killer";
/// Longest first message, in bytes.
const FIRST_MOST: usize = 1024;
/// Longest process name (`TASK_COMM_LEN` without its NUL).
const COMM_LEN: usize = 15;

/// Splits a text behind its first message, if a "Killed process" line would be lost otherwise: the text begins with
/// such a line or with the head of a report, and another one follows. `None` if it is one message.
///
/// Nothing else is split: no process name is long enough to hold a second message, but the name of a device, the path
/// of a cgroup or what a program writes is.
pub(crate) fn two_messages(text: &str) -> Option<(&str, &str)> {
    let head = text.find(INVOKED).filter(|&at| at <= COMM_LEN);
    let kill = text.find(KILLED).filter(|&at| is_kernels(text, at));
    let begin = head
        .map(|at| at + INVOKED.len())
        .or_else(|| kill.map(|at| at + KILLED.len()))?;
    let behind = text.get(begin..)?;
    let behind = behind.get(..behind.floor_char_boundary(FIRST_MOST))?;
    let kills = behind.match_indices(KILLED).map(|(at, _)| at);
    let second = kills
        .filter(|at| has_pid(behind.get(at + KILLED.len()..)))
        .chain(behind.find(INVOKED).filter(|_| head.is_none()))
        .min()?;
    let (first, rest) = text.split_at(begin + end(behind.get(..second)?)?);
    let second = without_stamp(rest.trim_start());
    (!second.is_empty()).then_some((first, second))
}

fn has_pid(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
}

/// Only the kernel's words are in front of the kill.
fn is_kernels(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim();
    before.is_empty() || is_oom_message(before)
}

/// Where the first message ends: behind its last value, or behind the name.
fn end(text: &str) -> Option<usize> {
    let value = |key: &str| {
        let from = text.find(key)? + key.len();
        let number = text.get(from..)?;
        let length = number.find(|c: char| !(c.is_ascii_digit() || c == '-'));
        Some(from + length.unwrap_or(number.len()))
    };
    let size = || text.rfind("kB").map(|at| at + "kB".len());
    let name = || text.find(')').map(|at| at + 1);
    value("oom_score_adj:")
        .or_else(|| value("adj="))
        .or_else(size)
        .or_else(name)
}

/// The message without the stamp of its line.
fn without_stamp(text: &str) -> &str {
    let behind = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
        .filter(|(stamp, _)| {
            stamp
                .chars()
                .all(|c| c.is_ascii_digit() || " .".contains(c))
        });
    behind.map_or(text, |(_, rest)| rest)
}
