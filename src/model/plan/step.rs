//! Writes as values: what is asked for, and what came of it.
//!
//! A write is always bound to a [`ProcessId`], and its outcome says what was there before, what is
//! there now (read back), and, on failure, a sentence that helps.

use crate::model::cgroup::CgroupPath;
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;

/// Which file of a group to set. Names are the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitWrite {
    /// File name inside the group's directory, e.g. `memory.max`.
    pub file: &'static str,
    /// The text to write, e.g. `536870912`, `max` or `1`.
    pub value: String,
}

/// One step of a cgroup plan, in the order it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupStep {
    /// v2: write `+memory` to a group's `cgroup.subtree_control`.
    EnableMemory(CgroupPath),
    /// Make the group's directory.
    Create(CgroupPath),
    /// Write one limit file.
    Limit(CgroupPath, LimitWrite),
    /// Write the pid to `cgroup.procs`.
    Move(ProcessId, CgroupPath),
    /// Remove the group's directory (only if empty).
    Remove(CgroupPath),
}

/// What happened to one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The step.
    pub step: CgroupStep,
    /// For a limit, what the file said right before it was written, as it can be written back; `None`
    /// for other steps, and where it could not be read (nothing is written then, see
    /// `linux::cgroup_writer`).
    pub before: Option<String>,
    /// What was read back (a limit after rounding, the path after a move), or why it failed.
    pub outcome: Result<String, Failure>,
}

/// Why a write failed, as the user reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    /// What kind, for code that decides on it.
    pub kind: FailureKind,
    /// A full sentence: what, why, and what helps.
    pub sentence: String,
}

/// Kinds of failure that matter to code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The process has ended.
    Gone,
    /// The pid belongs to another process now.
    Reused,
    /// No permission.
    Denied,
    /// The group is not there (any more).
    NoGroup,
    /// Written, but another value was read back.
    NotKept,
    /// Anything else.
    Other,
}

/// Outcome of writing one process's adj.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjReceipt {
    /// Target.
    pub target: ProcessId,
    /// Value before, where it could be read.
    pub before: Option<OomScoreAdj>,
    /// Value read back after the write, or why it failed.
    pub outcome: Result<OomScoreAdj, Failure>,
}

/// Outcome of a cgroup plan: the steps done, up to and including the first that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanReceipt {
    /// The process that was to move, if any.
    pub target: Option<ProcessId>,
    /// Its group before the plan.
    pub before: Option<CgroupPath>,
    /// Step by step.
    pub steps: Vec<StepResult>,
}

impl PlanReceipt {
    /// The first failure, if any.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.steps.iter().find_map(|s| s.outcome.as_ref().err())
    }
}
