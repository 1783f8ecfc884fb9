//! `/proc/PID/cmdline` as the table shows it.

use std::os::fd::OwnedFd;

use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::aside::Aside;
use crate::model::process::Pid;

/// Bytes kept of a command line: some are megabytes long, and no screen shows more.
const COMMAND_MOST: usize = 16 * 1024;

/// Bytes kept of a command line that rules compare: those of all processes are in memory at once, and any user can start
/// thousands with long ones.
const COMPARED_MOST: usize = 4 * 1024;

/// Reads command lines.
pub(crate) type CommandLines = Aside<String>;

/// Reads below the procfs directory `proc`.
///
/// # Errors
/// If the descriptor cannot be copied.
pub(crate) fn reader(proc: &OwnedFd) -> std::io::Result<CommandLines> {
    Aside::new("cmdline", proc, read)
}

/// Reads no more of each than rules compare: 4 KiB.
///
/// # Errors
/// As [`reader`].
pub(crate) fn reader_for_rules(proc: &OwnedFd) -> std::io::Result<CommandLines> {
    Aside::new("cmdline", proc, |proc, pid, buffer| {
        let line = read(proc, pid, buffer)?;
        // Letters that are no UTF-8 have become longer.
        let end = line.floor_char_boundary(COMPARED_MOST);
        Some(line.get(..end)?.to_owned())
    })
}

/// The arguments joined by spaces; empty for a process without a command line (zombies, kernel threads).
fn read(proc: &OwnedFd, pid: Pid, buffer: &mut FileBuffer) -> Option<String> {
    let text = buffer
        .read_whole(proc, format!("{pid}/cmdline").as_str())
        .ok()?;
    let text = text.get(..COMMAND_MOST).unwrap_or(text);
    let end = text.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let mut line = String::from_utf8_lossy(text.get(..end)?).into_owned();
    if line.contains('\0') {
        line = line.replace('\0', " ");
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::{COMPARED_MOST, reader, reader_for_rules};
    use crate::linux::scan::aside::Wait;
    use crate::model::process::ProcessId;

    #[test]
    fn rules_keep_less_of_a_long_command_line_also_where_it_is_no_text() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("7")).expect("made");
        let id = ProcessId {
            pid: 7,
            start_ticks: 1,
        };
        for letter in [b'x', 0xff] {
            std::fs::write(dir.path().join("7/cmdline"), vec![letter; 100_000]).expect("written");
            let proc: OwnedFd = std::fs::File::open(dir.path()).expect("opened").into();
            let mut lengths = Vec::new();
            for lines in [reader(&proc), reader_for_rules(&proc)] {
                let mut lines = lines.expect("a reader");
                lines.read(&[id], Wait::ForAll, |(_, line)| {
                    lengths.push(line.map_or(0, |line| line.capacity()));
                });
            }
            assert!(lengths[0] > COMPARED_MOST, "{lengths:?}");
            assert!((1..=COMPARED_MOST).contains(&lengths[1]), "{lengths:?}");
        }
    }
}
