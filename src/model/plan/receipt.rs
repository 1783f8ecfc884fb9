//! What came of a step: what was there before, what was read back, or a sentence that helps.

use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitPatch, LimitValue};
use crate::model::plan::step::Step;
use crate::model::process::score::OomScoreAdj;

/// What a step finds before it writes, or reads back after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reading {
    /// The step has nothing to read there, or it could not be read.
    #[default]
    Nothing,
    /// The `oom_score_adj` of the process.
    Adj(OomScoreAdj),
    /// What the limit file says.
    Limit(LimitValue),
    /// The group that was made, or the one the process is in.
    Group(CgroupPath),
    /// The controllers in `cgroup.subtree_control`.
    Controllers(String),
    /// The limits of a group that differ from those of a new one.
    Limits(LimitPatch),
}

impl Reading {
    /// The adj, if it is one.
    #[must_use]
    pub fn adj(&self) -> Option<OomScoreAdj> {
        match self {
            Self::Adj(adj) => Some(*adj),
            _ => None,
        }
    }

    /// The limit, if it is one.
    #[must_use]
    pub fn limit(&self) -> Option<LimitValue> {
        match self {
            Self::Limit(value) => Some(*value),
            _ => None,
        }
    }

    /// The group, if it is one.
    #[must_use]
    pub fn group(&self) -> Option<&CgroupPath> {
        match self {
            Self::Group(path) => Some(path),
            _ => None,
        }
    }
}

/// What happened to one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReceipt {
    /// The step.
    pub step: Step,
    /// What was there right before the write. A limit that cannot be read is not written.
    pub before: Reading,
    /// What was read back (a limit after rounding, the group after a move), or why it failed.
    pub outcome: Result<Reading, Failure>,
}

impl StepReceipt {
    /// Why it failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.outcome.as_ref().err()
    }
}

/// The steps of a plan that were tried, up to and including the first that failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanReceipt {
    /// Step by step.
    pub steps: Vec<StepReceipt>,
}

impl PlanReceipt {
    /// The failure that ended it, if any.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.steps.iter().find_map(StepReceipt::failure)
    }
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

impl FailureKind {
    /// Trying again cannot mend it: what was to be written to is gone.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Gone | Self::Reused | Self::NoGroup => true,
            Self::Denied | Self::NotKept | Self::Other => false,
        }
    }
}
