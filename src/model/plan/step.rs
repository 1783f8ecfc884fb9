//! [`Step`]: one write to the kernel.
//!
//! A step on a process is always bound to a [`ProcessId`], never to a pid alone.

use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::Signal;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write `/proc/PID/oom_score_adj`.
    Adj {
        /// Whose.
        target: ProcessId,
        /// The new value.
        value: OomScoreAdj,
    },
    /// Send a signal through a pidfd.
    Signal {
        /// To whom.
        target: ProcessId,
        /// What.
        signal: Signal,
    },
    /// Something in the memory hierarchy.
    Cgroup(CgroupStep),
}

/// One write in the memory hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupStep {
    /// v2: write `+memory` to a group's `cgroup.subtree_control`.
    EnableMemory(CgroupPath),
    /// v2: write `-memory` there. The groups below lose their limits, so only a failed plan that has just enabled
    /// the controller disables it.
    DisableMemory(CgroupPath),
    /// Make the group's directory.
    Create(CgroupPath),
    /// Write one limit file.
    Limit(CgroupPath, LimitWrite),
    /// Write the pid to `cgroup.procs`.
    Move(ProcessId, CgroupPath),
    /// Remove the group's directory (only if empty).
    Remove(CgroupPath),
}

/// Which limit file of a group to set to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitWrite {
    /// The file.
    pub file: LimitFile,
    /// The value.
    pub value: LimitValue,
}

impl Step {
    /// The process that the step writes to, if it writes to one.
    #[must_use]
    pub fn process(&self) -> Option<ProcessId> {
        match self {
            Self::Adj { target, .. }
            | Self::Signal { target, .. }
            | Self::Cgroup(CgroupStep::Move(target, _)) => Some(*target),
            Self::Cgroup(_) => None,
        }
    }
}

impl LimitWrite {
    /// The text that is written.
    #[must_use]
    pub fn text(self) -> String {
        self.file.text(self.value)
    }
}

impl From<CgroupStep> for Step {
    fn from(step: CgroupStep) -> Self {
        Self::Cgroup(step)
    }
}
