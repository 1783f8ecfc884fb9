//! What came of a step: what was there before, what was read back, or a sentence that helps.

use crate::model::cgroup::limits::{LimitPatch, LimitValue};
use crate::model::cgroup::{CgroupPath, GroupId};
use crate::model::freezer::FreezerState;
use crate::model::plan::step::{LimitWrite, Step};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::own::RuleFound;
use crate::model::systemd::UnitLimitReading;
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::oomd::UnitOomdReading;

/// What a step finds before it writes, or reads back after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reading {
    /// The step has nothing to read there, or it could not be read.
    #[default]
    Nothing,
    /// The `oom_score_adj` of the process.
    Adj(OomScoreAdj),
    /// Whether a rule is in its file.
    Rule(RuleFound),
    /// What the limit file says.
    Limit(LimitValue),
    /// The group that was made, or the one the process is in.
    Group(CgroupPath),
    /// The group a process was in before a move, and its hard limit then: a group of that name may be another one
    /// when the move is undone. `None`: the file is not there or not readable (the root has none).
    Home(CgroupPath, Option<LimitWrite>),
    /// The same of several processes, of those that were there.
    Homes(Vec<Home>),
    /// Which of several processes have come into a group, and why others have not.
    Came(Vec<(ProcessId, Result<(), Failure>)>),
    /// The controllers in `cgroup.subtree_control`.
    Controllers(String),
    /// The limits of a group that differ from those of a new one.
    Limits(LimitPatch),
    /// How far a process or a group is stopped.
    Freezer(FreezerState),
    /// Bytes of the group that the kernel has reclaimed.
    Reclaimed(u64),
    /// Processes in a group and below it.
    Members(usize),
    /// What became of the memory of a killed process.
    Reaped(Reaped),
    /// A limit of a unit.
    UnitLimit(UnitLimitReading),
    /// What systemd-oomd does with a unit.
    UnitOomd(UnitOomdReading),
    /// The drop-in of oomtop for a service.
    DropIn(Found),
    /// The same, written or removed; but systemd has not said in time that it has loaded its files again.
    DropInUnread(Found),
}

/// The group that one of several processes was in, as [`Reading::Home`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Who.
    pub process: ProcessId,
    /// Its group.
    pub group: CgroupPath,
    /// The hard limit of that.
    pub limit: Option<LimitWrite>,
}

/// What became of a process that was killed and reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaped {
    /// It has ended, its memory is free.
    Ended,
    /// It has not ended yet, but its memory is free (process_mrelease(2)).
    Released,
    /// It has not ended yet, and nothing was taken from it: another process that lives shares its memory (EINVAL).
    Shared,
    /// It has not ended yet, and its memory was busy (EAGAIN).
    Busy,
    /// It has not ended yet, and this kernel has no process_mrelease(2) (5.15; ENOSYS).
    NoReaper,
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
            Self::UnitLimit(reading) => Some(reading.shown),
            _ => None,
        }
    }

    /// The group, if it is one.
    #[must_use]
    pub fn group(&self) -> Option<&CgroupPath> {
        match self {
            Self::Group(path) | Self::Home(path, _) => Some(path),
            _ => None,
        }
    }

    /// The group of one of the processes that a step was about.
    #[must_use]
    pub fn group_of(&self, process: ProcessId) -> Option<&CgroupPath> {
        match self {
            Self::Homes(homes) => {
                let home = homes.iter().find(|home| home.process == process);
                home.map(|home| &home.group)
            }
            other => other.group(),
        }
    }

    /// How far something is stopped, if it is that.
    #[must_use]
    pub fn freezer(&self) -> Option<FreezerState> {
        match self {
            Self::Freezer(state) => Some(*state),
            _ => None,
        }
    }

    /// The drop-in, if it is one.
    #[must_use]
    pub fn drop_in(&self) -> Option<&Found> {
        match self {
            Self::DropIn(found) | Self::DropInUnread(found) => Some(found),
            _ => None,
        }
    }

    /// Both say the same of what a step writes.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        if let (Some(one), Some(other)) = (self.group(), other.group()) {
            return one == other;
        }
        if let (Some(one), Some(other)) = (self.drop_in(), other.drop_in()) {
            return one.text == other.text;
        }
        match (self, other) {
            (Self::Rule(one), Self::Rule(other)) => one.is_there == other.is_there,
            // What was freezing is frozen a moment later.
            (Self::Freezer(one), Self::Freezer(other)) => one.is_stopped() == other.is_stopped(),
            (Self::UnitLimit(one), Self::UnitLimit(other)) => {
                (one.property, one.shown) == (other.property, other.shown)
            }
            (Self::UnitOomd(one), Self::UnitOomd(other)) => one.value == other.value,
            _ => self == other,
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

/// The steps of a plan that were tried, up to and including the first that failed, and what was taken back then.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanReceipt {
    /// Step by step. Only the failed step, if the plan was refused before anything was written.
    pub steps: Vec<StepReceipt>,
    /// The steps that a failed plan took back, in the order it did.
    pub taken_back: Vec<TakenBack>,
    /// The groups that its steps wrote to, or found a process in: their undo means these and no others of their paths.
    pub groups: Vec<GroupId>,
}

/// A step that a failed plan took back, or tried to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// Its place in [`PlanReceipt::steps`].
    pub step: usize,
    /// Why its effect is still there.
    pub outcome: Result<(), Failure>,
}

impl PlanReceipt {
    /// How much there is to keep of it: its steps, and the processes of a step about several. At least 1.
    #[must_use]
    pub fn size(&self) -> usize {
        let size = |receipt: &StepReceipt| receipt.step.processes().len().max(1);
        self.steps.iter().map(size).sum::<usize>().max(1)
    }

    /// The receipt of a plan that was not begun.
    #[must_use]
    pub fn refused(step: Step, failure: Failure) -> Self {
        let refused = StepReceipt {
            step,
            before: Reading::Nothing,
            outcome: Err(failure),
        };
        Self {
            steps: vec![refused],
            ..Self::default()
        }
    }

    /// How the attempt to take this step back ended, if there was one.
    #[must_use]
    pub fn way_back(&self, step: usize) -> Option<&Result<(), Failure>> {
        let found = self.taken_back.iter().find(|back| back.step == step);
        found.map(|back| &back.outcome)
    }

    /// The steps that were not taken back, with their places.
    pub fn lasting(&self) -> impl Iterator<Item = (usize, &StepReceipt)> {
        let steps = self.steps.iter().enumerate();
        steps.filter(|(at, _)| !matches!(self.way_back(*at), Some(Ok(()))))
    }

    /// The steps that an undo goes through: those that last. If one of them could not be taken back, all of them: a
    /// step before it may have been taken back too early.
    pub fn to_undo(&self) -> impl Iterator<Item = (usize, &StepReceipt)> {
        let is_clean = self.taken_back.iter().all(|back| back.outcome.is_ok());
        let steps = self.steps.iter().enumerate();
        steps.filter(move |(at, _)| !(is_clean && self.way_back(*at).is_some()))
    }

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
    /// The rule is not in its file (any more).
    NoRule,
    /// The group is not there (any more).
    NoGroup,
    /// The group has no such file: the kernel does not offer it, or no memory is controlled there.
    NoFile,
    /// Written, but another value was read back.
    NotKept,
    /// It was asked for, and what came of it is not known: it may have been done, or be done later.
    Unchecked,
    /// Done, but the process is in a group that nobody asked for: another program has moved it.
    Elsewhere,
    /// Not undone: somebody has changed it since the write.
    Changed,
    /// Not begun: who asked for it does not want it any more.
    Withdrawn,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Trying again cannot mend it: what was to be written to is gone.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Gone | Self::Reused | Self::NoRule | Self::NoGroup => true,
            Self::Denied
            | Self::NoFile
            | Self::NotKept
            | Self::Unchecked
            | Self::Elsewhere
            | Self::Changed
            | Self::Withdrawn
            | Self::Other => false,
        }
    }

    /// True if something was written, or may have been: "nothing was written" would be false.
    #[must_use]
    pub fn may_have_written(self) -> bool {
        match self {
            Self::NotKept | Self::Unchecked | Self::Elsewhere => true,
            Self::Gone
            | Self::Reused
            | Self::Denied
            | Self::NoRule
            | Self::NoGroup
            | Self::NoFile
            | Self::Changed
            | Self::Withdrawn
            | Self::Other => false,
        }
    }
}
