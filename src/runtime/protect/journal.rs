//! [`say`]: a line on standard error, for a person or for the journal.

use std::io::{self, Write as _};

use crate::text::tone::printable;

/// Priorities of the journal (sd-daemon(3)).
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

/// A line on standard error, with a priority where the journal reads it.
pub(super) fn say(level: Level, what: &str) {
    let what = printable(what);
    let variable = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let found = rustix::fs::fstat(io::stderr());
    let is_journal = found.is_ok_and(|found| is_stream(&variable, found.st_dev, found.st_ino));
    let priority = if is_journal {
        format!("<{}>", level as u8)
    } else {
        "oomtop: ".to_owned()
    };
    // Nobody can be told where standard error is closed.
    let _ = writeln!(io::stderr(), "{priority}{what}");
}

/// The variable names this stream by device and inode. A terminal that a unit has started inherits the variable, but not
/// the stream (systemd.exec(5)).
fn is_stream(variable: &str, device: u64, inode: u64) -> bool {
    let numbers = variable.split_once(':');
    let numbers = numbers.map(|(device, inode)| (device.parse(), inode.parse()));
    numbers == Some((Ok(device), Ok(inode)))
}

#[cfg(test)]
mod tests {
    use super::is_stream;

    #[test]
    fn the_journal_reads_the_stream_that_it_names() {
        assert!(is_stream("8:1234", 8, 1234));
        for other in ["8:1235", "9:1234", "8", "", ":", "8:1234:", "x:y"] {
            assert!(!is_stream(other, 8, 1234), "{other}");
        }
    }
}
