//! What takes a write back, computed from its receipts alone.

use super::Plan;
use super::receipt::{Failure, FailureKind, Home, PlanReceipt, Reading, StepReceipt};
use super::step::{CgroupStep, LimitWrite, Step, UnitLimit, UnitStep};
use crate::model::cgroup::CgroupPath;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::process::ProcessId;
use crate::model::rules::own::RuleEdit;
use crate::model::systemd::Left;
use crate::model::systemd::oomd::UnitOomd;

/// The steps that take one step back, in the order to do them. Empty where it changed nothing, where it cannot
/// be taken back, or where what was there before could not be read.
#[must_use]
pub fn of_step(receipt: &StepReceipt) -> Vec<Step> {
    if !took_effect(receipt) {
        return Vec::new();
    }
    match &receipt.step {
        Step::Adj { target, .. } => {
            let target = *target;
            let before = receipt.before.adj();
            let back = before.map(|value| Step::Adj { target, value });
            back.into_iter().collect()
        }
        Step::Rule(edit) => rule_back(edit, receipt).into_iter().collect(),
        Step::Stop { target, stop } => {
            let back = Step::Stop {
                target: *target,
                stop: !stop,
            };
            turned(receipt, *stop).then_some(back).into_iter().collect()
        }
        // Nothing calls a signal back, nor a dead process.
        Step::Signal { .. } | Step::Reap { .. } => Vec::new(),
        Step::Cgroup(CgroupStep::Freeze(group, frozen)) => {
            let back = CgroupStep::Freeze(group.clone(), !frozen);
            turned(receipt, *frozen)
                .then_some(back.into())
                .into_iter()
                .collect()
        }
        Step::Unit(step) => {
            let mut back = of_unit_step(step, &receipt.before);
            // Who has not come needs no way back.
            if let Ok(Reading::Came(all)) = &receipt.outcome {
                back.retain(|step| step.processes().iter().all(|target| has_come(all, *target)));
            }
            back
        }
        Step::Cgroup(step) => {
            let steps = of_cgroup_step(step, &receipt.before);
            steps.into_iter().map(Step::Cgroup).collect()
        }
    }
}

fn has_come(all: &[(ProcessId, Result<(), Failure>)], target: ProcessId) -> bool {
    all.iter().any(|(id, came)| *id == target && came.is_ok())
}

/// A rule that was in its file before stays there.
fn rule_back(edit: &RuleEdit, receipt: &StepReceipt) -> Option<Step> {
    let made = match &receipt.outcome {
        Ok(Reading::Rule(found)) => found.made,
        _ => 0,
    };
    match &receipt.before {
        Reading::Rule(found) if found.is_there != edit.add => Some(Step::Rule(edit.back(made))),
        _ => None,
    }
}

/// It ran before it was stopped, or the reverse: what somebody else had stopped already stays so.
fn turned(receipt: &StepReceipt, stop: bool) -> bool {
    let before = receipt.before.freezer();
    before.is_some_and(|before| before.is_stopped() != stop)
}

fn of_cgroup_step(step: &CgroupStep, before: &Reading) -> Vec<CgroupStep> {
    match step {
        // Memory control stays: other groups may use it by now, and alone it limits nothing. What was dropped or swapped
        // out comes back when it is used, the dead do not. `of_step` does the freezer.
        CgroupStep::EnableMemory(_)
        | CgroupStep::Reclaim(..)
        | CgroupStep::Kill(_)
        | CgroupStep::Freeze(..) => Vec::new(),
        CgroupStep::DisableMemory(group) => vec![CgroupStep::EnableMemory(group.clone())],
        CgroupStep::Create(group) => vec![CgroupStep::Remove(group.clone())],
        CgroupStep::Limit(group, LimitWrite { file, .. }) => {
            let back = before.limit().map(|value| (*file, value));
            limits(group, back).collect()
        }
        CgroupStep::Move(target, _) => {
            let from = before.group().cloned();
            let back = from.map(|from| CgroupStep::Move(*target, from));
            back.into_iter().collect()
        }
        CgroupStep::Remove(group) => {
            let create = std::iter::once(CgroupStep::Create(group.clone()));
            match before {
                Reading::Limits(had) => create.chain(limits(group, had.iter())).collect(),
                _ => create.collect(),
            }
        }
    }
}

fn of_unit_step(step: &UnitStep, before: &Reading) -> Vec<Step> {
    match (step, before) {
        (UnitStep::Limit(limit), Reading::UnitLimit(before)) => {
            let back = UnitLimit {
                write: LimitWrite {
                    file: limit.write.file,
                    value: before.property,
                },
                leave: Some(Left {
                    shown: before.shown,
                    kept: before.kept,
                }),
                ..limit.clone()
            };
            vec![UnitStep::Limit(back).into()]
        }
        (UnitStep::Oomd(oomd), Reading::UnitOomd(before)) => {
            let back = UnitOomd {
                value: before.value,
                leave: Some(before.kept),
                ..oomd.clone()
            };
            vec![UnitStep::Oomd(back).into()]
        }
        // It said so before: somebody else has written that.
        (UnitStep::DropIn(write), Reading::DropIn(before)) if before.text == write.text => {
            Vec::new()
        }
        (UnitStep::DropIn(write), Reading::DropIn(before)) => {
            vec![UnitStep::DropIn(write.back(before.directory)).into()]
        }
        // The scope ends with its last process.
        (UnitStep::Scope(scope), before) => {
            let back = |target: &ProcessId| {
                let from = before.group_of(*target)?.clone();
                Some(CgroupStep::Move(*target, from).into())
            };
            scope.targets.iter().filter_map(back).collect()
        }
        _ => Vec::new(),
    }
}

fn limits(
    group: &CgroupPath,
    values: impl IntoIterator<Item = (LimitFile, LimitValue)>,
) -> impl Iterator<Item = CgroupStep> {
    let limit = |(file, value)| CgroupStep::Limit(group.clone(), LimitWrite { file, value });
    values.into_iter().map(limit)
}

/// The step changed something. A limit that was not kept did: the kernel made something else of it. An adj or a
/// move that was not kept is another program's by now, and not ours to take back.
#[must_use]
pub fn took_effect(receipt: &StepReceipt) -> bool {
    match (&receipt.step, receipt.failure()) {
        (_, None) => true,
        // It is there, but may be gone after a power failure.
        (Step::Rule(_), Some(failure)) => failure.kind == FailureKind::NotKept,
        // systemd may do it later: a way back does no harm.
        (Step::Unit(UnitStep::Scope(_)), Some(failure)) => {
            matches!(failure.kind, FailureKind::NotKept | FailureKind::Unchecked)
        }
        // What systemd was told stays, too, where the kernel or another file says otherwise.
        (Step::Cgroup(CgroupStep::Limit(..)) | Step::Unit(_), Some(failure)) => {
            failure.kind == FailureKind::NotKept
        }
        (_, Some(_)) => false,
    }
}

/// What an undo expects to find, because the write left it so. What was there before the write does no harm
/// either: then somebody else has undone it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The step of the write: what it wrote to is looked at.
    pub step: Step,
    /// Read back after the write.
    pub left: Reading,
    /// Read before the write.
    pub before: Reading,
}

/// What to compare before a write is undone. A group that the write made is compared too: the undo removes it,
/// with the limits that somebody else may have given it.
#[must_use]
pub fn expectations(receipts: &[PlanReceipt]) -> Vec<Expectation> {
    let steps = receipts.iter().flat_map(PlanReceipt::lasting);
    steps.flat_map(|(_, receipt)| expected(receipt)).collect()
}

fn expected(receipt: &StepReceipt) -> Vec<Expectation> {
    let StepReceipt {
        step,
        before,
        outcome,
    } = receipt;
    let left = match (outcome, step) {
        (Ok(left), _) => left,
        // It was asked for: a process that is in another group by then was moved by another program.
        (Err(failure), Step::Unit(UnitStep::Scope(scope))) if failure.kind.may_have_written() => {
            &Reading::Group(scope.group.clone())
        }
        (Err(_), _) => return Vec::new(),
    };
    if let (Step::Unit(UnitStep::Scope(scope)), Reading::Homes(homes)) = (step, before) {
        let came = |home: &&Home| match left {
            Reading::Came(all) => has_come(all, home.process),
            _ => true,
        };
        let homes = homes.iter().filter(came);
        return homes
            .flat_map(|home| expected_of(home, &scope.group))
            .collect();
    }
    let own = Expectation {
        step: step.clone(),
        left: left.clone(),
        before: before.clone(),
    };
    match step {
        Step::Adj { .. }
        | Step::Rule(_)
        | Step::Stop { .. }
        | Step::Unit(UnitStep::Limit(_) | UnitStep::Oomd(_) | UnitStep::DropIn(_))
        | Step::Cgroup(CgroupStep::Limit(..) | CgroupStep::Freeze(..)) => vec![own],
        Step::Unit(UnitStep::Scope(_)) | Step::Cgroup(CgroupStep::Move(..)) => {
            let home = match before {
                Reading::Home(home, Some(limit)) => Some(is_as_it_was(home, *limit)),
                _ => None,
            };
            std::iter::once(own).chain(home).collect()
        }
        Step::Signal { .. }
        | Step::Reap { .. }
        | Step::Cgroup(
            CgroupStep::EnableMemory(_)
            | CgroupStep::DisableMemory(_)
            | CgroupStep::Create(_)
            | CgroupStep::Reclaim(..)
            | CgroupStep::Kill(_)
            | CgroupStep::Remove(_),
        ) => Vec::new(),
    }
}

/// One of several processes that came into the group together.
fn expected_of(home: &Home, group: &CgroupPath) -> impl Iterator<Item = Expectation> {
    let own = Expectation {
        step: CgroupStep::Move(home.process, group.clone()).into(),
        left: Reading::Group(group.clone()),
        before: Reading::Home(home.group.clone(), home.limit),
    };
    let limit = home.limit.map(|limit| is_as_it_was(&home.group, limit));
    std::iter::once(own).chain(limit)
}

/// A group of the name of the old one may be another one by now.
fn is_as_it_was(home: &CgroupPath, limit: LimitWrite) -> Expectation {
    Expectation {
        step: CgroupStep::Limit(home.clone(), limit).into(),
        left: Reading::Limit(limit.value),
        before: Reading::Limit(limit.value),
    }
}

/// The plans that take a whole write back: the last step of the last plan first. Each step goes back to a state
/// the kernel has taken before (v1 takes no memory + swap below memory). Limits of a group that goes away again
/// are left alone, and what a failed plan has taken back itself.
#[must_use]
pub fn of_write(receipts: &[PlanReceipt]) -> Vec<Plan> {
    let mut new = Vec::new();
    let mut plans: Vec<Plan> = Vec::new();
    for receipt in receipts {
        let back = backwards(receipt, &mut new, of_step);
        plans.push(Plan {
            steps: back.into_iter().flat_map(|(_, steps)| steps).collect(),
            groups: receipt.groups.clone(),
        });
    }
    plans.reverse();
    plans.retain(|plan| !plan.steps.is_empty());
    plans
}

/// For each step of a failed plan that changed something, its place and the steps that take it back, the last
/// first. No steps for a limit of a group that the plan made: it goes with the group. Nobody can have used yet what the plan made a moment ago, so memory control goes back too.
#[must_use]
pub fn of_failed(receipt: &PlanReceipt) -> Vec<(usize, Vec<Step>)> {
    backwards(receipt, &mut Vec::new(), |step| match &step.step {
        Step::Cgroup(CgroupStep::EnableMemory(group)) if was_enabled(step) => {
            vec![CgroupStep::DisableMemory(group.clone()).into()]
        }
        // What is not known to be done is not taken back at once: the process would go back before it is moved.
        Step::Unit(UnitStep::Scope(_))
            if step.failure().map(|failure| failure.kind) == Some(FailureKind::Unchecked) =>
        {
            Vec::new()
        }
        _ => of_step(step),
    })
}

/// The step itself enabled the controller; it was not enabled before.
fn was_enabled(receipt: &StepReceipt) -> bool {
    match &receipt.before {
        Reading::Controllers(list) => receipt.outcome.is_ok() && !lists_memory(list),
        _ => false,
    }
}

fn lists_memory(controllers: &str) -> bool {
    controllers.split_ascii_whitespace().any(|c| c == "memory")
}

fn backwards<'a>(
    receipt: &'a PlanReceipt,
    new: &mut Vec<&'a CgroupPath>,
    inverse: impl Fn(&StepReceipt) -> Vec<Step>,
) -> Vec<(usize, Vec<Step>)> {
    let mut back = Vec::new();
    for (at, step) in receipt.to_undo() {
        let steps = inverse(step);
        if is_limit_of(new, &step.step) {
            // It goes with its group.
            back.push((at, Vec::new()));
        } else if !steps.is_empty() {
            back.push((at, steps));
        }
        keep_track(new, step);
    }
    back.reverse();
    back
}

fn is_limit_of(groups: &[&CgroupPath], step: &Step) -> bool {
    matches!(step, Step::Cgroup(CgroupStep::Limit(group, _)) if groups.contains(&group))
}

/// Groups that the write has made up to here and not removed.
fn keep_track<'a>(new: &mut Vec<&'a CgroupPath>, receipt: &'a StepReceipt) {
    match &receipt.step {
        Step::Cgroup(CgroupStep::Create(group)) if receipt.outcome.is_ok() => new.push(group),
        Step::Cgroup(CgroupStep::Remove(group)) if receipt.outcome.is_ok() => {
            new.retain(|made| *made != group);
        }
        _ => {}
    }
}

/// The groups that a write has made, in the order they were made.
#[must_use]
pub fn made(receipts: &[PlanReceipt]) -> Vec<&CgroupPath> {
    let steps = receipts.iter().flat_map(PlanReceipt::lasting);
    let made = steps.filter(|(_, receipt)| receipt.outcome.is_ok());
    made.filter_map(|(_, receipt)| match &receipt.step {
        Step::Cgroup(CgroupStep::Create(group)) => Some(group),
        _ => None,
    })
    .collect()
}
