//! [`Changes`]: what the receipts of a write say it changed, by kind.

use super::rules::RuleChange;
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::freezer::{Freezable, FreezerState};
use crate::model::plan::inverse;
use crate::model::plan::receipt::{Failure, PlanReceipt, Reading, Reaped, StepReceipt};
use crate::model::plan::step::{CgroupStep, Step, UnitLimit, UnitStep};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::signal::Signal;
use crate::model::systemd::drop_in::DropInWrite;
use crate::model::systemd::oomd::{OomdValue, UnitOomd};

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
    /// The lowest value on the way back: systemd writes what it had, even if the file had been raised past it.
    pub(super) lowest: LimitValue,
}

/// A drop-in that was written or removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct DropInChange<'a> {
    pub(super) write: &'a DropInWrite,
    /// It said something else before.
    pub(super) is_new: bool,
    /// systemd has not said that it has loaded it.
    pub(super) is_unread: bool,
}

/// A setting for systemd-oomd.
#[derive(Debug, Clone, Copy)]
pub(super) struct OomdChange<'a> {
    pub(super) write: &'a UnitOomd,
    pub(super) before: OomdValue,
    /// It counts from the next start of the unit.
    pub(super) is_pending: bool,
}

/// What was stopped, or runs on.
#[derive(Debug, Clone)]
pub(super) struct FreezeChange {
    pub(super) what: Freezable,
    /// Read back after the write.
    pub(super) after: FreezerState,
}

/// What was done to a group or process that nothing takes back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed<'a> {
    /// So many processes of the group were killed; so many are still there.
    Killed(&'a CgroupPath, usize, usize),
    /// The process was killed, its memory taken.
    Reaped(ProcessId, Reaped),
    /// So many bytes were asked back of the group; so many came.
    Reclaimed(&'a CgroupPath, u64, u64),
}

/// What a write changed.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    pub(super) adj: Vec<AdjChange>,
    /// Rules in files.
    pub(super) rules: Vec<RuleChange<'a>>,
    pub(super) signals: Vec<(ProcessId, Signal)>,
    pub(super) moves: Vec<MoveChange<'a>>,
    pub(super) frozen: Vec<FreezeChange>,
    pub(super) deeds: Vec<Deed<'a>>,
    /// Limits of groups, also of groups that the write itself created.
    pub(super) limits: Vec<LimitChange<'a>>,
    /// Drop-ins of services.
    pub(super) drop_ins: Vec<DropInChange<'a>>,
    /// What systemd-oomd does with units.
    pub(super) oomd: Vec<OomdChange<'a>>,
    /// Who did not come along with others in one step, and why.
    pub(super) stayed: Vec<(ProcessId, &'a Failure)>,
    /// Groups that the write created, outermost first.
    pub(super) made: Vec<&'a CgroupPath>,
    /// Groups that were removed.
    pub(super) removed: Vec<&'a CgroupPath>,
    /// Groups that share out memory now.
    pub(super) enabled: Vec<&'a CgroupPath>,
    /// The steps that failed.
    pub(super) failed: Vec<&'a StepReceipt>,
    /// How many steps failed plans took back, or tried to.
    pub(super) taken_back: usize,
    /// The steps of failed plans whose effect could not be taken back.
    pub(super) left: Vec<&'a StepReceipt>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(plans: &'a [PlanReceipt]) -> Self {
        let mut changes = Self::default();
        for (_, receipt) in plans.iter().flat_map(PlanReceipt::lasting) {
            if receipt.failure().is_some() {
                changes.failed.push(receipt);
            }
            changes.add(receipt);
        }
        for plan in plans {
            let failed = plan.taken_back.iter().filter(|back| back.outcome.is_err());
            let left = failed.filter_map(|back| plan.steps.get(back.step));
            changes.left.extend(left);
            changes.taken_back += plan.taken_back.len();
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
            Step::Rule(edit) => {
                let is_done = inverse::took_effect(receipt);
                let after = match after {
                    Some(Reading::Rule(after)) => Some(*after),
                    _ => None,
                };
                self.rules
                    .extend(is_done.then_some(RuleChange { edit, after }));
            }
            Step::Signal { target, signal } => {
                self.signals.extend(after.map(|_| (*target, *signal)));
            }
            Step::Stop { target, .. } => {
                let after = after.and_then(Reading::freezer);
                self.frozen.extend(after.map(|after| FreezeChange {
                    what: Freezable::Process(*target),
                    after,
                }));
            }
            Step::Cgroup(CgroupStep::Freeze(group, _)) => {
                let after = after.and_then(Reading::freezer);
                self.frozen.extend(after.map(|after| FreezeChange {
                    what: Freezable::Group(group.clone()),
                    after,
                }));
            }
            Step::Reap { target } => {
                if let Some(Reading::Reaped(how)) = after {
                    self.deeds.push(Deed::Reaped(*target, *how));
                }
            }
            Step::Cgroup(CgroupStep::Kill(group)) => {
                if let (Reading::Members(before), Some(Reading::Members(left))) =
                    (&receipt.before, after)
                {
                    self.deeds.push(Deed::Killed(group, *before, *left));
                }
            }
            Step::Cgroup(CgroupStep::Reclaim(group, asked)) => {
                if let Some(Reading::Reclaimed(back)) = after {
                    self.deeds.push(Deed::Reclaimed(group, *asked, *back));
                }
            }
            Step::Cgroup(CgroupStep::Move(target, to)) => self.moved(receipt, *target, to),
            Step::Unit(UnitStep::Scope(scope)) => {
                for target in &scope.targets {
                    self.moved(receipt, *target, &scope.group);
                }
            }
            Step::Unit(UnitStep::DropIn(write)) => {
                // One that systemd has not loaded is there all the same.
                let is_written = inverse::took_effect(receipt);
                let before = receipt.before.drop_in();
                self.drop_ins.extend(is_written.then_some(DropInChange {
                    write,
                    is_new: before.is_none_or(|before| before.text != write.text),
                    is_unread: matches!(after, Some(Reading::DropInUnread(_))),
                }));
            }
            Step::Unit(UnitStep::Oomd(write)) => self.told_oomd(receipt, write),
            Step::Cgroup(CgroupStep::Limit(group, write))
            | Step::Unit(UnitStep::Limit(UnitLimit { group, write, .. })) => {
                let after = after.and_then(Reading::limit);
                let before = receipt.before.limit();
                let before = before.filter(|_| inverse::took_effect(receipt));
                let property = match &receipt.before {
                    Reading::UnitLimit(before) => Some(before.property),
                    _ => None,
                };
                self.limits.extend(before.map(|before| LimitChange {
                    group,
                    file: write.file,
                    before,
                    after: after.unwrap_or(write.value),
                    lowest: lower(property, before),
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
            // Only a failed plan does this, and `left` and `taken_back` tell of it.
            Step::Cgroup(CgroupStep::DisableMemory(_)) => {}
        }
    }

    fn told_oomd(&mut self, receipt: &'a StepReceipt, write: &'a UnitOomd) {
        let now = receipt.outcome.as_ref().ok();
        if let (Reading::UnitOomd(before), true) = (&receipt.before, inverse::took_effect(receipt))
        {
            self.oomd.push(OomdChange {
                write,
                before: before.value,
                is_pending: matches!(now, Some(Reading::UnitOomd(now)) if now.is_pending),
            });
        }
    }

    fn moved(&mut self, receipt: &'a StepReceipt, target: ProcessId, to: &'a CgroupPath) {
        let failure = match &receipt.outcome {
            Ok(Reading::Came(all)) => {
                let own = all.iter().find(|(id, _)| *id == target);
                own.and_then(|(_, came)| came.as_ref().err())
            }
            outcome => outcome.as_ref().err(),
        };
        match failure {
            None => self.moves.push(MoveChange {
                target,
                from: receipt.before.group_of(target),
                to,
            }),
            Some(why) if receipt.outcome.is_ok() => self.stayed.push((target, why)),
            Some(_) => {}
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

/// The lower of the two; no limit is the highest.
fn lower(one: Option<LimitValue>, other: LimitValue) -> LimitValue {
    let bytes = |value: LimitValue| value.amount().unwrap_or(u64::MAX);
    one.filter(|one| bytes(*one) < bytes(other))
        .unwrap_or(other)
}
