//! Where OOM events come from: `/dev/kmsg` and the journal.

use std::path::PathBuf;

pub mod child;
pub mod journal;
pub mod kmsg;
mod reader;
pub mod text;

/// Which log is read from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// The running kernel's log.
    Running,
    /// These files; `-` is standard input.
    Files(Vec<PathBuf>),
    /// The journal of another boot, as `journalctl --boot` names it.
    Boot(String),
}
