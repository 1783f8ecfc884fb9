//! How much of a process is left.

use crate::model::process::Process;
use crate::model::process::badness::{Badness, Immunity, badness};

/// How much of a selected process is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The process lives.
    Alive,
    /// The kernel skips the process now: it was reaped and ends soon, or it is between vfork and exec.
    SkippedByKernel,
    /// A zombie, or its memory is gone.
    Ended,
}

impl Life {
    pub(super) fn from_process(process: &Process) -> Self {
        match badness(process, 0) {
            Badness::Immune(Immunity::NoMemory) => Self::Ended,
            Badness::Immune(Immunity::SkippedByKernel) => Self::SkippedByKernel,
            _ => Self::Alive,
        }
    }
}

/// True if nothing is left of the process for a key to act on.
pub fn has_ended(process: &Process) -> bool {
    Life::from_process(process) == Life::Ended
}
