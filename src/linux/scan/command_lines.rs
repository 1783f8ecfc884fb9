//! `/proc/PID/cmdline` as the table shows it.

use std::os::fd::OwnedFd;

use crate::linux::kernel_file::FileBuffer;
use crate::linux::scan::aside::Aside;
use crate::model::process::Pid;

/// Bytes kept of a command line: some are megabytes long, and no screen shows more.
const COMMAND_MOST: usize = 16 * 1024;

/// Reads command lines.
pub(crate) type CommandLines = Aside<String>;

/// Reads below the procfs directory `proc`.
///
/// # Errors
/// If the descriptor cannot be copied.
pub(crate) fn reader(proc: &OwnedFd) -> std::io::Result<CommandLines> {
    Aside::new("cmdline", proc, read)
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
