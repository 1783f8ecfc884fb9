//! Reassembles what the kernel printed at once from the lines of a text log.
//!
//! One message can become several lines: process names hold newlines, `dmesg` and `journalctl` indent the
//! second and later lines of a message, mail programs break lines between words or at a fixed width. So a line is
//! held back until the next line shows that the message is complete.

use super::complete::{is_complete, name_of_row};
use super::margin::Margin;
use super::prefix::Stripped;
use crate::oomlog::record::LogRecord;

/// Longest message reassembled, in bytes. A multi-line record of the kernel is at most 2 kB.
pub(super) const MAX_JOINED: usize = 16 * 1024;
/// Most lines without a prefix that are the word of the program whose line precedes them. The next ones may be a
/// report of the kernel, which must not be lost.
pub(super) const INHERIT_MOST: usize = 8;
/// Narrowest prefix that an indented line is compared with: text of the kernel is indented by a few blanks.
const INDENT_LEAST: usize = 8;
/// Longest process name (`TASK_COMM_LEN` without its NUL).
pub(super) const COMM_LEN: usize = 15;

/// Holds one message back until it is complete.
#[derive(Debug, Default)]
pub(super) struct Reassembler {
    held: Option<Stripped>,
    /// This log breaks lines.
    wrapped: bool,
    /// The last line continued the message held back.
    joined: bool,
    /// Lines without a prefix since a program's line.
    inherited: usize,
    /// Where the log's lines were cut.
    margin: Margin,
}

impl Reassembler {
    /// Takes a line, and returns the message before it if this line shows that it is complete.
    pub(super) fn push(&mut self, next: Stripped) -> Option<LogRecord> {
        self.joined = false;
        self.margin.widen(next.columns);
        let Some(held) = self.held.as_mut() else {
            self.held = Some(next);
            return None;
        };
        if !held.whole && !next.whole && held.record.text.len() < MAX_JOINED {
            let text = &next.record.text;
            if next.width == 0 && held.width > 0 {
                if held.record.facility != 0 {
                    self.inherited += 1;
                    if self.inherited > INHERIT_MOST {
                        // No program's message is so long: the log changes to one without prefixes.
                        self.inherited = 0;
                        return self.next(next);
                    }
                }
                if let Some(between) = continuation(held, text, self.wrapped) {
                    self.wrapped |= between != "\n" && is_structured(&held.record.text);
                    let skip = if between == "\n" { held.width } else { 0 };
                    let text = text.get(skip..).unwrap_or(text);
                    held.record.text.push_str(between);
                    held.record.text.push_str(text);
                    (held.columns, held.padded) = (next.columns, next.padded);
                    self.joined = true;
                    return None;
                }
                return self.lost_prefix(next);
            }
            let same = next.width == held.width
                && next.record.at == held.record.at
                && next.record.stamp == held.record.stamp;
            // Without a stamp, lines that look alike have nothing to do with each other.
            let stamped = held.record.at.is_some() || held.record.stamp.is_some();
            if same && stamped && newline_in_name(&held.record.text, text) {
                held.record.text.push('\n');
                held.record.text.push_str(text);
                (held.columns, held.padded) = (next.columns, next.padded);
                self.joined = true;
                return None;
            }
        }
        // An entry that may be part of a program's message.
        let is_within = held.whole && held.width > 0 && !next.whole && next.width == 0;
        if is_within && self.inherited < INHERIT_MOST {
            self.inherited += 1;
            return self.lost_prefix(next);
        }
        self.inherited = 0;
        self.next(next)
    }

    /// Holds the next message back, and returns the one before it.
    fn next(&mut self, next: Stripped) -> Option<LogRecord> {
        let complete = self.finish();
        self.held = Some(next);
        complete
    }

    /// A message of its own, whose prefix was lost. It may be the rest of what a program wrote, so it is the word
    /// of the same writer; a blank line ends that.
    fn lost_prefix(&mut self, mut own: Stripped) -> Option<LogRecord> {
        let width = self.held.as_ref()?.width;
        let last = self.finish()?;
        if own.is_blank() {
            self.held = Some(own);
            return Some(last);
        }
        own.record.at = last.at;
        own.record.stamp.clone_from(&last.stamp);
        own.record.facility = last.facility;
        own.record.program.clone_from(&last.program);
        own.width = width;
        self.held = Some(own);
        Some(last)
    }

    /// True if the last line continued the message held back: the next line may do so too.
    pub(super) fn has_joined(&self) -> bool {
        self.joined
    }

    /// The message held back, which is complete.
    pub(super) fn finish(&mut self) -> Option<LogRecord> {
        let mut held = self.held.take()?;
        if held.padded {
            let text = held.record.text.trim_end_matches(' ').len();
            held.record.text.truncate(text);
        }
        self.margin.mark(&mut held.record, held.columns);
        Some(held.record)
    }
}

/// The text to put between the held line and the next one, which has no prefix; `None` if the next line does not
/// continue the held one.
fn continuation(held: &Stripped, next: &str, wrapped: bool) -> Option<&'static str> {
    let text = held.record.text.as_str();
    let indent = next.len() - next.trim_start_matches(' ').len();
    let trimmed = next.trim();
    if trimmed.is_empty() {
        return None;
    }
    if text.trim().is_empty() {
        return Some("");
    }
    // dmesg and journalctl indent what belongs to the message, whatever it says.
    let belongs = indent >= held.width;
    if belongs && held.width >= INDENT_LEAST {
        return Some("\n");
    }
    if begins_message(trimmed) {
        return None;
    }
    if is_complete(text, trimmed) {
        return (wrapped && continues_name(text, trimmed)).then_some("");
    }
    if belongs {
        return Some("\n");
    }
    let blank = text.ends_with(' ') || next.starts_with(' ');
    let broken_word = text.contains("oom-kill:") || name_of_row(text).is_some();
    let broken_column = text.trim_start().starts_with('[')
        && text.contains("total_vm")
        && !matches!(text.rsplit(' ').next(), Some(last) if COLUMNS.contains(&last));
    Some(if blank || broken_word || broken_column {
        ""
    } else {
        " "
    })
}

/// Column names of all versions. A header line that does not end with one was broken inside a name.
const COLUMNS: [&str; 16] = [
    "pid",
    "uid",
    "tgid",
    "total_vm",
    "rss",
    "rss_anon",
    "rss_file",
    "rss_shmem",
    "cpu",
    "nr_ptes",
    "nr_pmds",
    "pgtables_bytes",
    "swapents",
    "oom_adj",
    "oom_score_adj",
    "name",
];

/// Lines that lose their meaning when a mail program breaks them.
fn is_structured(text: &str) -> bool {
    text.contains("oom-killer") || text.contains("Killed process") || text.contains("total_vm")
}

/// The line can only begin a message.
fn begins_message(text: &str) -> bool {
    text.contains(" invoked oom-killer")
        || [
            "oom-kill:constraint=",
            "Out of memory",
            "Memory cgroup out of memory",
            "Killed process ",
            "oom_reaper: reaped",
            // earlyoom
            "sending SIG",
            "Sending SIG",
            "killing process ",
            "Killing process",
            "low memory!",
            "mem avail:",
            "escalating to SIG",
        ]
        .iter()
        .any(|start| text.starts_with(start))
}

/// `next` can be the rest of a name that was broken at a fixed width: one short word.
fn continues_name(text: &str, next: &str) -> bool {
    name_of_row(text).is_some_and(|name| {
        name.len() + next.len() <= COMM_LEN && !next.contains(' ') && !next.is_empty()
    })
}

/// A newline inside a process name cut the held line, and `next` is the rest. It has its own prefix with the same
/// stamp.
fn newline_in_name(held: &str, next: &str) -> bool {
    if held.starts_with("CPU: ") && held.contains("Comm: ") {
        return !held.contains("ainted") && next.contains("ainted");
    }
    if held.starts_with("oom-kill:constraint=") {
        return held.contains(",task=") && !held.contains(",uid=") && next.contains(",uid=");
    }
    if let Some((_, name)) = held
        .split_once("ill process ")
        .or_else(|| held.split_once("Killed process "))
    {
        return name.contains('(') && !name.contains(')') && next.contains(')');
    }
    // A row of the task table; a name can hold more than one newline.
    name_of_row(held).is_some_and(|name| {
        name.len() + 1 + next.len() <= COMM_LEN && !next.starts_with('[') && !next.contains(':')
    })
}

#[cfg(test)]
mod tests {
    use super::super::prefix::Stripper;
    use super::Reassembler;

    fn reassembled(lines: &[&str]) -> Vec<String> {
        let mut reassembler = Reassembler::default();
        let mut stripper = Stripper::default();
        let mut found: Vec<String> = lines
            .iter()
            .filter_map(|line| Some(reassembler.push(stripper.strip(line))?.text))
            .collect();
        found.extend(reassembler.finish().map(|record| record.text));
        found
    }

    #[test]
    fn lines_broken_between_words_and_inside_them() {
        assert_eq!(
            reassembled(&[
                "[    1.000001] mkfs.ext4 invoked",
                "oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0,",
                "oom_score_adj=0",
                "[    1.000002] [  pid  ]   uid  tgid total_vm      rss oom_score_ad",
                "j name",
                "[    1.000003] [   1121]     0  1121      734      366        0      366        ",
                " 0    45056        0             0 stre",
                "ss",
                "[    1.000004] ",
                "oom-kill:constraint=CONSTRAINT_NONE,mems_allowed=0,oom",
                "_memcg=/a,task=stress,pid=1,uid=0",
                "[    1.000005] Out of memory: Killed process 1 (stress) total-vm:1kB, file-rss",
                ":2kB, UID:0 pgtables:3kB oom_score_adj:0",
            ]),
            [
                "mkfs.ext4 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
                "[  pid  ]   uid  tgid total_vm      rss oom_score_adj name",
                "[   1121]     0  1121      734      366        0      366         0    45056        0             0 stress",
                "oom-kill:constraint=CONSTRAINT_NONE,mems_allowed=0,oom_memcg=/a,task=stress,pid=1,uid=0",
                "Out of memory: Killed process 1 (stress) total-vm:1kB, file-rss :2kB, UID:0 pgtables:3kB oom_score_adj:0",
            ]
        );
    }

    #[test]
    fn newlines_in_names_and_in_messages() {
        assert_eq!(
            reassembled(&[
                "[    1.000001] CPU: 1 PID: 5 Comm: nl",
                "[    1.000001] Out of memor Not tainted 6.1 #1",
                "[    1.000002] Out of memory: Killed process 5 (nl",
                "[    1.000002] Out of memor) total-vm:1kB",
                "[    1.000003] active_anon:1",
                "                active_file:2",
            ]),
            [
                "CPU: 1 PID: 5 Comm: nl\nOut of memor Not tainted 6.1 #1",
                "Out of memory: Killed process 5 (nl\nOut of memor) total-vm:1kB",
                "active_anon:1\n active_file:2",
            ]
        );
    }

    #[test]
    fn other_programs_output_is_not_joined_to_a_whole_line() {
        assert_eq!(
            reassembled(&[
                "[    1.000001] [   88]     0    88      777      175       5       3        0             0 sh",
                "Killed",
                "[    1.000002] Out of memory: Killed process 5 (x) total-vm:1kB, UID:0 pgtables:1kB oom_score_adj:1",
                "12 jobs",
            ])[1],
            "Killed"
        );
    }
}
