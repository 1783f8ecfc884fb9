//! [`Executor`]: who carries plans out. The kernel's is `linux::write::executor`; tests have one in memory.
//!
//! A plan is done whole or not at all: [`run`] looks at every process before the first write and takes back what
//! was done before a failure. An [`undo`] is the opposite: each of its steps makes things better, so it tries all.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Plan;
use super::inverse::{self, Expectation};
use super::receipt::{Failure, FailureKind, PlanReceipt, Reading, StepReceipt, TakenBack};
use super::step::{CgroupStep, Step};
use crate::model::cgroup::{CgroupPath, GroupId};
use crate::model::process::ProcessId;

/// Carries out steps.
pub trait Executor {
    /// What the step would find: the adj, the limit, the group of the process. Writes nothing.
    ///
    /// # Errors
    /// If the step cannot be done: its process is gone or may not be named by its pid, its group is not there.
    fn look(&mut self, step: &Step) -> Result<Reading, Failure>;

    /// Does one step and reads it back. It looks at what is there before it writes, so that the step can be
    /// taken back ([`super::inverse`]).
    fn step(&mut self, step: &Step) -> StepReceipt;

    /// From now on the path of each of these groups means that group alone, until [`Self::release`].
    fn bind(&mut self, _groups: &[GroupId]) {}

    /// Ends that. The groups that were written to, or that a process was found in, since then.
    fn release(&mut self) -> Vec<GroupId> {
        Vec::new()
    }

    /// Does one step of the way back of a failed plan.
    fn take_back(&mut self, step: &Step) -> StepReceipt {
        self.step(step)
    }
}

/// Carries out a plan as a whole: nothing is written if a process in it is gone, and a step that fails takes the
/// steps before it back. The receipt names what could not be taken back.
pub fn run<E: Executor + ?Sized>(executor: &mut E, plan: &Plan) -> PlanReceipt {
    executor.bind(&plan.groups);
    let mut receipt = refused(executor, &plan.steps).unwrap_or_else(|| run_bound(executor, plan));
    receipt.groups = executor.release();
    receipt
}

fn run_bound<E: Executor + ?Sized>(executor: &mut E, plan: &Plan) -> PlanReceipt {
    let mut receipt = PlanReceipt::default();
    for step in &plan.steps {
        receipt.steps.push(executor.step(step));
        if receipt.failure().is_some() {
            receipt.taken_back = take_back(executor, &receipt);
            break;
        }
    }
    receipt
}

/// Carries out several plans one after the other. One that fails does not keep the next from being tried, unless the next
/// one moves a process into a group that should have been made. A group that was made for moves of which none succeeds is
/// taken back.
pub fn run_all<E: Executor + ?Sized>(executor: &mut E, plans: &[Plan]) -> Vec<PlanReceipt> {
    run_while(executor, plans, |_| None)
}

/// As [`run_all`]. `stopped` has the receipt of a plan that shall not begin any more.
pub fn run_while<E: Executor + ?Sized>(
    executor: &mut E,
    plans: &[Plan],
    stopped: impl Fn(&Plan) -> Option<PlanReceipt>,
) -> Vec<PlanReceipt> {
    let mut receipts: Vec<PlanReceipt> = Vec::with_capacity(plans.len());
    let found = adjs(executor, plans);
    for (at, plan) in plans.iter().enumerate() {
        let before = plans.get(..at).unwrap_or_default();
        let mut receipt = stopped(plan)
            .or_else(|| homeless(plan, before, &receipts))
            .unwrap_or_else(|| run(executor, &after(plan, &receipts)));
        if !receipts.is_empty() {
            found_before(&mut receipt, &found);
        }
        receipts.push(receipt);
    }
    for at in 0..receipts.len() {
        if is_for_nobody(at, plans, &receipts)
            && let Some(receipt) = receipts.get_mut(at)
        {
            executor.bind(&receipt.groups);
            receipt.taken_back = take_back(executor, receipt);
            executor.release();
        }
    }
    receipts
}

/// The plan, bound to the groups that the plans before it have made.
fn after<'a>(plan: &'a Plan, receipts: &[PlanReceipt]) -> Cow<'a, Plan> {
    let made = receipts.iter().flat_map(|receipt| {
        let is_made = |path: &CgroupPath| {
            let mut steps = receipt.steps.iter();
            steps.any(|done| {
                let makes =
                    matches!(&done.step, Step::Cgroup(CgroupStep::Create(made)) if made == path);
                makes && done.outcome.is_ok()
            })
        };
        receipt
            .groups
            .iter()
            .filter(move |group| is_made(&group.path))
    });
    let made: Vec<GroupId> = made.cloned().collect();
    if made.is_empty() {
        return Cow::Borrowed(plan);
    }
    let groups = plan.groups.iter().cloned().chain(made).collect();
    Cow::Owned(Plan {
        groups,
        ..plan.clone()
    })
}

/// The adj of each process of several writes before the first of them. A write to one reaches all who share its memory
/// (fs/proc/base.c `__set_oom_adj`), so the next would be found with what this call has written.
fn adjs<E: Executor + ?Sized>(executor: &mut E, plans: &[Plan]) -> HashMap<ProcessId, Reading> {
    let steps = || plans.iter().flat_map(|plan| &plan.steps);
    let targets = steps().filter_map(|step| match step {
        Step::Adj { target, .. } => Some((*target, step)),
        _ => None,
    });
    if targets.clone().count() < 2 {
        return HashMap::new();
    }
    let found = targets.filter_map(|(target, step)| Some((target, executor.look(step).ok()?)));
    found.collect()
}

fn found_before(receipt: &mut PlanReceipt, found: &HashMap<ProcessId, Reading>) {
    for step in &mut receipt.steps {
        if let Step::Adj { target, .. } = step.step
            && step.outcome.is_ok()
            && let Some(before) = found.get(&target)
        {
            step.before = before.clone();
        }
    }
}

/// The receipt of a plan whose only step is a move into a group that a plan before it should have made.
fn homeless(plan: &Plan, before: &[Plan], receipts: &[PlanReceipt]) -> Option<PlanReceipt> {
    let (step, group) = only_move(plan)?;
    let failed = before.iter().zip(receipts);
    let mut failed = failed.filter(|(_, receipt)| receipt.failure().is_some());
    failed.find(|(plan, _)| makes(plan, group))?;
    let failure = Failure {
        kind: FailureKind::NoGroup,
        sentence: format!("Not moved: {group} was not made."),
    };
    Some(PlanReceipt::refused(step.clone(), failure))
}

/// The plan has made a group for moves that have plans of their own, and none of them has come.
fn is_for_nobody(at: usize, plans: &[Plan], receipts: &[PlanReceipt]) -> bool {
    let (Some(plan), Some(receipt)) = (plans.get(at), receipts.get(at)) else {
        return false;
    };
    let after = plans.iter().zip(receipts).skip(at + 1);
    let mut moves =
        after.filter(|(other, _)| only_move(other).is_some_and(|(_, group)| makes(plan, group)));
    let mut is_any = false;
    let all_failed = moves.all(|(_, receipt)| {
        is_any = true;
        let failure = receipt.failure();
        failure.is_some_and(|failure| !failure.kind.may_have_written())
    });
    is_any && all_failed && receipt.failure().is_none()
}

fn only_move(plan: &Plan) -> Option<(&Step, &CgroupPath)> {
    match plan.steps.as_slice() {
        [step @ Step::Cgroup(CgroupStep::Move(_, group))] => Some((step, group)),
        _ => None,
    }
}

fn makes(plan: &Plan, group: &CgroupPath) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| matches!(step, Step::Cgroup(CgroupStep::Create(made)) if made == group))
}

/// Undoes a write: all steps of all plans, whichever fails. If something is not as the write left it, nothing is
/// done, and the receipt holds a step of [`FailureKind::Changed`] for each; `before` is then the present value.
pub fn undo<E: Executor + ?Sized>(
    executor: &mut E,
    plans: &[Plan],
    expected: &[Expectation],
) -> Vec<PlanReceipt> {
    undo_while(executor, plans, expected, |_| None)
}

/// As [`undo`]. `stopped` has the receipt of a plan that shall not begin any more.
pub fn undo_while<E: Executor + ?Sized>(
    executor: &mut E,
    plans: &[Plan],
    expected: &[Expectation],
    stopped: impl Fn(&Plan) -> Option<PlanReceipt>,
) -> Vec<PlanReceipt> {
    let groups: Vec<_> = plans.iter().flat_map(|plan| plan.groups.clone()).collect();
    executor.bind(&groups);
    let changed = expected.iter().filter_map(|one| changed(executor, one));
    let changed: Vec<_> = changed.collect();
    executor.release();
    if !changed.is_empty() {
        return vec![PlanReceipt {
            steps: changed,
            ..PlanReceipt::default()
        }];
    }
    let mut every_step = |plan: &Plan| {
        executor.bind(&plan.groups);
        let steps = plan.steps.iter().map(|step| executor.step(step)).collect();
        PlanReceipt {
            steps,
            groups: executor.release(),
            ..PlanReceipt::default()
        }
    };
    let plans = plans.iter();
    plans
        .map(|plan| stopped(plan).unwrap_or_else(|| every_step(plan)))
        .collect()
}

/// A single step looks for itself.
fn refused<E: Executor + ?Sized>(executor: &mut E, steps: &[Step]) -> Option<PlanReceipt> {
    if steps.len() < 2 {
        return None;
    }
    let mut on_processes = steps.iter().filter(|step| !step.processes().is_empty());
    on_processes.find_map(|step| {
        let failure = executor.look(step).err()?;
        Some(PlanReceipt::refused(step.clone(), failure))
    })
}

fn take_back<E: Executor + ?Sized>(executor: &mut E, receipt: &PlanReceipt) -> Vec<TakenBack> {
    let mut done = Vec::new();
    for (step, back) in inverse::of_failed(receipt) {
        let failures = back.iter().map(|step| executor.take_back(step).outcome);
        let failures: Vec<_> = failures.filter_map(Result::err).collect();
        let outcome = failures.into_iter().next().map_or(Ok(()), Err);
        done.push(TakenBack { step, outcome });
    }
    // A limit of a new group is gone if its group is.
    let stays: Vec<_> = done
        .iter()
        .filter_map(|back| Some((made_by(receipt, back.step)?, back.outcome.clone().err()?)))
        .collect();
    for back in &mut done {
        let group = limited_by(receipt, back.step);
        let stays = stays.iter().find(|(made, _)| Some(*made) == group);
        if let (Ok(()), Some((_, why))) = (&back.outcome, stays) {
            back.outcome = Err(why.clone());
        }
    }
    done
}

fn made_by(receipt: &PlanReceipt, step: usize) -> Option<&CgroupPath> {
    match &receipt.steps.get(step)?.step {
        Step::Cgroup(CgroupStep::Create(group)) => Some(group),
        _ => None,
    }
}

fn limited_by(receipt: &PlanReceipt, step: usize) -> Option<&CgroupPath> {
    match &receipt.steps.get(step)?.step {
        Step::Cgroup(CgroupStep::Limit(group, _)) => Some(group),
        _ => None,
    }
}

fn changed<E: Executor + ?Sized>(executor: &mut E, expected: &Expectation) -> Option<StepReceipt> {
    // What cannot be looked at fails in its own step, with a better sentence.
    let now = executor.look(&expected.step).ok()?;
    let is_expected = now.agrees(&expected.left) || now.agrees(&expected.before);
    (!is_expected).then(|| StepReceipt {
        step: expected.step.clone(),
        before: now,
        outcome: Err(Failure {
            kind: FailureKind::Changed,
            sentence: "Somebody has changed it since; nothing was undone.".to_owned(),
        }),
    })
}

#[cfg(test)]
mod tests;
