//! Logs that were written as one line.

use super::complete::name_of_row;
use super::prefix::{Stripped, Stripper};
use super::reassemble::{COMM_LEN, MAX_JOINED};
use super::stamp;

/// Most lines in one; what follows them is one line.
const LINES_MOST: usize = 1 << 17;
/// What stands between the lines of such a log.
const SEPARATORS: [&str; 3] = ["\n", "\r", "\\n"];

/// The lines of a log that was written as one: with `\n` written out, or with carriage returns. What a program or
/// a user wrote can hold such signs as well, and the stamps behind them. So no line of it is proven, all are the
/// word of the program that the first one names, and a log that has lines of its own is not cut behind a stamp.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    pub(super) lines: Vec<&'a str>,
    /// The program that wrote all of them.
    writer: Option<Stripped>,
}

impl<'a> Lines<'a> {
    /// The lines in this one, most of which begin with a stamp; `None`: it is one line. `has_others`: the log has
    /// stamped lines of its own.
    pub(super) fn of(line: &'a str, stripper: &mut Stripper, has_others: bool) -> Option<Self> {
        let text = line.trim_end_matches(['\r', '\n']);
        let separator = SEPARATORS
            .into_iter()
            .find(|separator| text.contains(separator))?;
        // JSON that is cut off, or a field of an entry: other fields tell who wrote it.
        let is_json = text.trim_start().starts_with(['{', '}']) || text.contains("\"MESSAGE\"");
        if is_json || is_field(text.trim_start()) {
            return None;
        }
        let lines = cut(text, separator);
        let (front, others) = lines.split_first()?;
        let others = || others.iter().filter(|line| !line.trim().is_empty());
        let stamped = || others().filter(|line| stamp::begins(line));
        if stamped().count() <= others().count() / 2 {
            return None;
        }
        let first = stripper.strip(front);
        let is_programs = first.record.facility != 0;
        if !is_programs && first.width > 0 {
            let second = stripper.strip(stamped().next()?);
            let form = |line: &Stripped| (line.record.at.is_some(), line.record.stamp.is_some());
            if has_others || !first.told || form(&first) != form(&second) {
                return None;
            }
        }
        // A raw record writes these signs as numbers.
        (!first.whole).then_some(Self {
            lines,
            writer: is_programs.then_some(first),
        })
    }

    /// One of the lines without its prefixes.
    pub(super) fn strip(&self, line: &str, stripper: &mut Stripper) -> Stripped {
        let mut own = stripper.strip(line).unproven();
        own.record.seq = None;
        if let Some(writer) = &self.writer {
            own.record.facility = writer.record.facility;
            own.record.program.clone_from(&writer.record.program);
        }
        own
    }
}

/// The text is a field of JSON: `"key": …`.
fn is_field(text: &str) -> bool {
    let key = text.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    key.is_some_and(|(_, rest)| rest.trim_start().starts_with(':'))
}

/// The text between the separators that are not part of a name.
fn cut<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let mut lines = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for (number, piece) in text.splitn(LINES_MOST, separator).enumerate() {
        if number == 0 {
            end = piece.len();
            continue;
        }
        let next = end + separator.len() + piece.len();
        if !text
            .get(begin..next)
            .is_some_and(|both| is_in_name(both, end - begin))
        {
            lines.extend(text.get(begin..end));
            begin = end + separator.len();
        }
        end = next;
    }
    lines.extend(text.get(begin..end));
    lines
}

/// True if the separator at `at` is in the middle of a name that the kernel printed.
fn is_in_name(text: &str, at: usize) -> bool {
    /// Longest process name whose bytes are written as `\xNN`.
    const NAME_MOST: usize = 4 * COMM_LEN;
    /// Most brackets of a prefix.
    const BRACKETS_MOST: usize = 8;
    let Some((before, after)) = text
        .split_at_checked(at)
        .filter(|_| text.len() < MAX_JOINED)
    else {
        return false;
    };
    let near = after
        .get(..after.floor_char_boundary(NAME_MOST))
        .unwrap_or(after);
    if let Some((_, victim)) = before
        .rsplit_once("ill process ")
        .or_else(|| before.rsplit_once("illed process "))
        && let Some((_, name)) = victim.split_once('(')
        && name.len() <= NAME_MOST
    {
        // A name can hold a bracket too: more must follow the one that closes.
        let ends = [") total-vm:", "), UID ", ") vsz:"];
        return !ends.iter().any(|end| name.contains(end))
            && (ends.iter().any(|end| near.contains(end))
                || (!name.contains(')') && near.contains(')')));
    }
    if let Some((_, name)) = before.rsplit_once("Comm: ") {
        return name.len() <= NAME_MOST && !name.contains("ainted") && near.contains("ainted");
    }
    if let Some((_, chosen)) = before.rsplit_once("oom-kill:constraint=") {
        return !chosen.contains(",pid=") && after.contains(",pid=");
    }
    let mut brackets = before.match_indices('[').take(BRACKETS_MOST);
    brackets.any(|(open, _)| {
        text.get(open..)
            .and_then(name_of_row)
            .is_some_and(|name| name.len() <= COMM_LEN && name.len() >= after.len())
    })
}

#[cfg(test)]
mod tests {
    use super::{Lines, Stripper};

    fn count(line: &str, has_others: bool) -> Option<usize> {
        let lines = Lines::of(line, &mut Stripper::default(), has_others);
        lines.map(|lines| lines.lines.len())
    }

    #[test]
    fn lines_in_one_begin_with_stamps() {
        for (line, lines) in [
            ("[    1.000001] a\\n[    1.000002] b\\n", Some(3)),
            (
                "Nov 22 17:09:46 h kernel: a\rNov 22 17:09:46 h kernel: b\r\n",
                Some(2),
            ),
            ("Nov 22 17:09:46 h a\rNov 22 17:09:46 h b\r\n", None),
            ("a log:\\n[    1.000001] a\\n[    1.000002] b", Some(3)),
            ("{\"log\":\"a\\n\",\"time\":\"2024-01-01T00:00:00Z\"}", None),
            ("Killed process 5 (a\nb\rc) total-vm:1kB\r\n", None),
            ("2026-11-22 17:09:46 INFO \"x\\n[1.000001] a\"", None),
            ("{\"_PID\":\"7\",\"MESSAGE\":\"x\\n[1.000001] a", None),
            ("4,1,2,-;a\\n[1.000001] b", None),
            ("\"message\": \"x\\n[1.000001] a\",", None),
            ("\"[1.000000] x\\n[1.000001] a\"", Some(2)),
        ] {
            assert_eq!(count(line, false), lines, "{line}");
        }
        // What the kernel quotes in a log of many lines.
        assert_eq!(count("[1.000001] fs: a\\n[1.000002] b", true), None);
        assert_eq!(count("progress\r[1.000001] a\r[1.000002] b", true), Some(3));
    }

    #[test]
    fn a_name_is_not_cut() {
        for line in [
            "[1.0000] Killed process 7 (\\n[1.000000] a) total-vm:8kB",
            "[1.0000] Killed process 7 (a)\\n[1.0000] b) total-vm:8kB",
            "[1.0000] Kill process 7 (\\n[1.000000] a) score 7",
            "[1.0000] CPU: 1 PID: 7 Comm: \\n[1.000000] a Not tainted 6.1",
            "[1.0000] [      7]     0     7      690      220    45056        0             0 \\n[1.000000] a",
            "[1.0000] oom-kill:constraint=CONSTRAINT_NONE,task=\\n[1.000000] a,pid=7,uid=0",
        ] {
            assert_eq!(
                count(&format!("{line}\\n[2.0000] b\\n[3.0000] c"), false),
                Some(3),
                "{line}"
            );
            assert_eq!(
                count(&format!("[0.5000] a\\n{line}"), false),
                Some(2),
                "{line}"
            );
        }
    }
}
