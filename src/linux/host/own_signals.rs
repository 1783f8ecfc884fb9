//! The signals that oomtop's parent process set to be ignored.

use std::path::Path;

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
