//! [`Step`]: one write to the kernel.
//!
//! A step on a process is always bound to a [`ProcessId`], never to a pid alone.

use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::Signal;
use crate::model::rules::own::RuleEdit;
use crate::model::systemd::drop_in::DropInWrite;
use crate::model::systemd::oomd::UnitOomd;
use crate::model::systemd::{Lasting, Left, UnitName};

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
    /// Add a rule to the file of rules that oomtop writes, or take it away: whole or not at all, and nothing else in it.
    Rule(RuleEdit),
    /// Send a signal through a pidfd.
    Signal {
        /// To whom.
        target: ProcessId,
        /// What.
        signal: Signal,
    },
    /// Stop one process, or let it run on: SIGSTOP or SIGCONT through a pidfd, read back.
    Stop {
        /// Which process.
        target: ProcessId,
        /// False: it runs on.
        stop: bool,
    },
    /// End one process and take its memory at once: SIGKILL and process_mrelease(2) through one pidfd.
    Reap {
        /// Which process.
        target: ProcessId,
    },
    /// Something with a group of the memory hierarchy.
    Cgroup(CgroupStep),
    /// Something that systemd does for one of its units.
    Unit(UnitStep),
}

/// What is asked of systemd, over D-Bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitStep {
    /// Give the running unit a limit.
    Limit(UnitLimit),
    /// Tell the running unit what systemd-oomd does with it.
    Oomd(UnitOomd),
    /// Change the drop-in that oomtop keeps for a service, and let systemd load its files again.
    DropIn(DropInWrite),
    /// Move processes into a new scope.
    Scope(ScopeStart),
}

/// A limit of a unit (`SetUnitProperties`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitLimit {
    /// Whose limit.
    pub unit: UnitName,
    /// The group of the unit: its file must show the limit afterwards.
    pub group: CgroupPath,
    /// The limit, as its file would be written.
    pub write: LimitWrite,
    /// How long systemd remembers it.
    pub lasting: Lasting,
    /// For an undo, what there was besides the property.
    pub leave: Option<Left>,
}

/// Processes that come into a new scope together (`StartTransientUnit`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeStart {
    /// Who, at least one.
    pub targets: Vec<ProcessId>,
    /// The scope.
    pub unit: UnitName,
    /// Its slice.
    pub slice: String,
    /// The group that it will have.
    pub group: CgroupPath,
    /// Limits that systemd has properties for.
    pub limits: Vec<LimitWrite>,
}

/// One write to a group, which is named by its path in the memory hierarchy.
///
/// A limit of a unit's group can be given by systemd instead ([`UnitStep::Limit`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupStep {
    /// v2: write `+memory` to a group's `cgroup.subtree_control`.
    EnableMemory(CgroupPath),
    /// v2: write `-memory` there. The groups below lose their limits, so only who has enabled the controller disables it: a
    /// failed plan, and a run of a command once nobody below has a limit.
    DisableMemory(CgroupPath),
    /// Make the group's directory.
    Create(CgroupPath),
    /// Write one limit file.
    Limit(CgroupPath, LimitWrite),
    /// Write the pid to `cgroup.procs`.
    Move(ProcessId, CgroupPath),
    /// Remove the group's directory (only if empty).
    Remove(CgroupPath),
    /// Freeze all processes of the group and below (true), or thaw them: v2 `cgroup.freeze` (5.2), on v1 the freezer
    /// hierarchy where a group there has the same processes.
    Freeze(CgroupPath, bool),
    /// v2 (5.19): ask the kernel to take so many bytes out of the group through `memory.reclaim`.
    Reclaim(CgroupPath, u64),
    /// Kill all processes of the group and below: v2 `cgroup.kill` (5.14), else one by one through their pidfds until
    /// the group is empty. A frozen group is thawed then.
    Kill(CgroupPath),
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
    /// The processes that the step writes to, if it writes to any.
    #[must_use]
    pub fn processes(&self) -> &[ProcessId] {
        match self {
            Self::Adj { target, .. }
            | Self::Signal { target, .. }
            | Self::Stop { target, .. }
            | Self::Reap { target }
            | Self::Cgroup(CgroupStep::Move(target, _)) => std::slice::from_ref(target),
            Self::Unit(UnitStep::Scope(scope)) => &scope.targets,
            Self::Rule(_) | Self::Cgroup(_) | Self::Unit(_) => &[],
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

impl From<UnitStep> for Step {
    fn from(step: UnitStep) -> Self {
        Self::Unit(step)
    }
}

impl From<CgroupStep> for Step {
    fn from(step: CgroupStep) -> Self {
        Self::Cgroup(step)
    }
}
