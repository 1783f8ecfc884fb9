//! Signals of this process: which its parent set to be ignored, and the default action of one.

use std::path::Path;

use rustix::process::{Signal, getpid, kill_process};

use crate::linux::kernel_file::{FileBuffer, open_dir};
use crate::linux::scan::proc::status_lines;

/// `SigIgn` of this process: bit n-1 for signal n (proc_pid_status(5)); 0 where it cannot be read.
#[must_use]
pub fn ignored() -> u64 {
    let Ok(proc) = open_dir(Path::new("/proc")) else {
        return 0;
    };
    FileBuffer::default()
        .read_whole(&proc, "self/status")
        .ok()
        .and_then(|text| status_lines::mask(text, "SigIgn"))
        .unwrap_or(0)
}

/// In a handler of this signal: lets the kernel do what it does by default (signal(7)) when the handler returns.
///
/// Only for a child between fork and exec: the process has no handler of this signal any more. Makes only system calls
/// (signal-safety(7)).
pub fn as_by_default(signal: Signal) {
    // SAFETY: no code runs on the signal any more.
    #[expect(unsafe_code, reason = "no crate in use takes a handler away")]
    let before = unsafe { libc::signal(signal.as_raw(), libc::SIG_DFL) };
    if before != libc::SIG_ERR {
        // Blocked while its handler runs, pending until the handler returns.
        let _ = kill_process(getpid(), signal);
    }
}
