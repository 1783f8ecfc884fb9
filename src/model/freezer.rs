//! Stopping without killing: what can be stopped, and how far it has come.

use crate::model::cgroup::CgroupPath;
use crate::model::process::ProcessId;

/// How far a process or a group is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FreezerState {
    /// It runs.
    Thawed,
    /// It was told to stop, and a task of it still runs: the kernel stops a task when it returns to user mode or
    /// waits in an interruptible way. One that waits for a disk, or that `memory.high` slows down, takes its time.
    Freezing,
    /// All of it stands still.
    Frozen,
}

impl FreezerState {
    /// It was told to stop.
    #[must_use]
    pub fn is_stopped(self) -> bool {
        self != Self::Thawed
    }

    /// The state in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Thawed => "running",
            Self::Freezing => "freezing",
            Self::Frozen => "frozen",
        }
    }
}

/// What can be stopped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freezable {
    /// A group with all groups below it.
    Group(CgroupPath),
    /// One process.
    Process(ProcessId),
}
