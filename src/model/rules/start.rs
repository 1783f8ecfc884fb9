//! [`Start`]: what the kernel tells of a process that starts.

use crate::model::process::Pid;

/// One event. Several of one process come in the order in which they happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// A new process.
    Forked {
        /// Who made it.
        parent: Pid,
        /// The new one.
        child: Pid,
    },
    /// It has become another program, or has another name, user or group: look at it again.
    Changed(Pid),
}
