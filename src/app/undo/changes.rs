//! [`Changes`]: what the receipts of a write say it changed, by kind.

use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::plan::inverse;
use crate::model::plan::receipt::{PlanReceipt, Reading, StepReceipt};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::Signal;

/// One process's adj before and after.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdjChange {
    pub(super) target: ProcessId,
    pub(super) before: OomScoreAdj,
    /// Read back after the write.
    pub(super) after: OomScoreAdj,
}

/// A process that moved to another group.
#[derive(Debug, Clone, Copy)]
pub(super) struct MoveChange<'a> {
    pub(super) target: ProcessId,
    /// The old group; `None` if it could not be read.
    pub(super) from: Option<&'a CgroupPath>,
    pub(super) to: &'a CgroupPath,
}

/// One limit file before and after.
#[derive(Debug, Clone, Copy)]
pub(super) struct LimitChange<'a> {
    pub(super) group: &'a CgroupPath,
    pub(super) file: LimitFile,
    pub(super) before: LimitValue,
    /// Read back after the write. If the kernel changed the value, this is what was written.
    pub(super) after: LimitValue,
}

/// What a write changed.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    pub(super) adj: Vec<AdjChange>,
    pub(super) signals: Vec<(ProcessId, Signal)>,
    pub(super) moves: Vec<MoveChange<'a>>,
    /// Limits of groups, also of groups that the write itself created.
    pub(super) limits: Vec<LimitChange<'a>>,
    /// Groups that the write created, outermost first.
    pub(super) made: Vec<&'a CgroupPath>,
    /// Groups that were removed.
    pub(super) removed: Vec<&'a CgroupPath>,
    /// Groups that share out memory now.
    pub(super) enabled: Vec<&'a CgroupPath>,
    /// The first step that failed.
    pub(super) failed: Option<&'a StepReceipt>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(plans: &'a [PlanReceipt]) -> Self {
        let mut changes = Self::default();
        for receipt in plans.iter().flat_map(|plan| &plan.steps) {
            if receipt.failure().is_some() {
                changes.failed = changes.failed.or(Some(receipt));
            }
            changes.add(receipt);
        }
        changes
    }

    /// Every kind of step has a field of its own: [`super::words`] takes the fields one by one, so that a new one
    /// asks for its sentence there.
    fn add(&mut self, receipt: &'a StepReceipt) {
        let after = receipt.outcome.as_ref().ok();
        match &receipt.step {
            Step::Adj { target, .. } => {
                let before = receipt.before.adj();
                let values = before.zip(after.and_then(Reading::adj));
                self.adj.extend(values.map(|(before, after)| AdjChange {
                    target: *target,
                    before,
                    after,
                }));
            }
            Step::Signal { target, signal } => {
                self.signals.extend(after.map(|_| (*target, *signal)));
            }
            Step::Cgroup(CgroupStep::Move(target, to)) => {
                self.moves.extend(after.map(|_| MoveChange {
                    target: *target,
                    from: receipt.before.group(),
                    to,
                }));
            }
            Step::Cgroup(CgroupStep::Limit(group, write)) => {
                let after = after.and_then(Reading::limit);
                let before = receipt.before.limit();
                let before = before.filter(|_| inverse::took_effect(receipt));
                self.limits.extend(before.map(|before| LimitChange {
                    group,
                    file: write.file,
                    before,
                    after: after.unwrap_or(write.value),
                }));
            }
            Step::Cgroup(CgroupStep::Create(group)) => {
                self.made.extend(after.map(|_| group));
            }
            Step::Cgroup(CgroupStep::Remove(group)) => {
                self.removed.extend(after.map(|_| group));
            }
            Step::Cgroup(CgroupStep::EnableMemory(group)) => {
                self.enabled.extend(after.map(|_| group));
            }
        }
    }

    /// The limits of groups that existed before the write.
    pub(super) fn older_limits(&self) -> Vec<LimitChange<'a>> {
        let limits = self.limits.iter().copied();
        limits
            .filter(|limit| !self.made.contains(&limit.group))
            .collect()
    }
}
