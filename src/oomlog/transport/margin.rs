//! [`Margin`]: the column at which a program cut the long lines of a log: `less -S`, a terminal, `cut -c`.
//!
//! A number that touches such a margin may be the beginning of a longer one, and nothing in the line says so where its
//! format ends with that number. So the log has to show that it is cut: by a line that ends before its format
//! allows it, with none longer. Then each line of that width counts as cut, and gets a mark.

use super::complete::is_complete;
use crate::oomlog::base::CUT;
use crate::oomlog::record::LogRecord;

/// What `less -S` and `journalctl` write into the last column of a line that they cut.
const MARKER: char = '>';

/// What is known of the right margin of a log.
#[derive(Debug, Default)]
pub(super) struct Margin {
    /// Width of the longest line so far, in characters.
    widest: usize,
    /// A line of that width ended early: with [`MARKER`], or without.
    ends_early: Option<bool>,
}

impl Margin {
    /// Takes the width of a line.
    pub(super) fn widen(&mut self, width: usize) {
        if width > self.widest {
            self.widest = width;
            self.ends_early = None;
        }
    }

    /// Marks a message that may have been cut; `width` is that of its last line.
    pub(super) fn mark(&mut self, record: &mut LogRecord, width: usize) {
        if width == 0 || width < self.widest {
            return;
        }
        let text = record.text.strip_suffix(MARKER).unwrap_or(&record.text);
        let is_marked = text.len() < record.text.len();
        let is_cut = self.ends_early == Some(is_marked);
        if ends_early(text) {
            self.ends_early = Some(is_marked);
        }
        if is_cut {
            record.text.truncate(text.len());
            record.text.push(CUT);
        }
    }
}

/// The format of the line goes on behind its end.
fn ends_early(text: &str) -> bool {
    let text = text.trim();
    if text.contains(" invoked oom-killer: ")
        || text.starts_with("oom-kill:constraint=")
        || (text.contains("Killed process ") && text.contains(" total-vm:"))
    {
        return !is_complete(text, "");
    }
    if text.starts_with("active_anon:") {
        return !text.contains(" isolated_anon:");
    }
    if text.starts_with("Node ") && text.contains(" active_anon:") {
        return !text.contains(" all_unreclaimable? ");
    }
    text.starts_with("[ ") && text.contains(" total_vm ") && !text.ends_with(" name")
}
