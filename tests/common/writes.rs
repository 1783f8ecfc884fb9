//! Requested writes, and receipts for them.

use crate::common::scene::{Scene, id};
use oomtop::app::msg::{Effect, Msg, Receipt};
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::plan::Plan;
use oomtop::model::plan::receipt::{Failure, FailureKind, PlanReceipt, Reading, StepReceipt};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step};
use oomtop::model::process::score::OomScoreAdj;

pub(crate) fn adj(pid: u32, value: i64) -> Step {
    Step::Adj {
        target: id(pid),
        value: OomScoreAdj::clamped(value),
    }
}

pub(crate) fn limit(path: &CgroupPath, file: LimitFile, value: LimitValue) -> CgroupStep {
    CgroupStep::Limit(path.clone(), LimitWrite { file, value })
}

/// A write of one plan.
pub(crate) fn one<S: Into<Step>>(steps: impl IntoIterator<Item = S>) -> Vec<Plan> {
    vec![steps.into_iter().collect()]
}

/// The writes among the effects, without their ids.
pub(crate) fn writes(effects: &[Effect]) -> Vec<Vec<Plan>> {
    let plans = |effect: &Effect| match effect {
        Effect::Write { plans, .. } => Some(plans.clone()),
        _ => None,
    };
    effects.iter().filter_map(plans).collect()
}

/// A plan of one step, done.
pub(crate) fn adj_done(pid: u32, before: i64, after: i64) -> PlanReceipt {
    let reading = |value| Reading::Adj(OomScoreAdj::clamped(value));
    receipt(vec![done(adj(pid, after), reading(before), reading(after))])
}

/// A limit that was written and kept.
pub(crate) fn limit_done(step: CgroupStep, before: LimitValue, after: LimitValue) -> StepReceipt {
    done(step, Reading::Limit(before), Reading::Limit(after))
}

pub(crate) fn done(step: impl Into<Step>, before: Reading, after: Reading) -> StepReceipt {
    StepReceipt {
        step: step.into(),
        before,
        outcome: Ok(after),
    }
}

/// An undo that found another value and did nothing.
pub(crate) fn changed(step: impl Into<Step>, now: Reading) -> PlanReceipt {
    receipt(vec![failed(step, now, FailureKind::Changed, "")])
}

pub(crate) fn failed(
    step: impl Into<Step>,
    before: Reading,
    kind: FailureKind,
    sentence: &str,
) -> StepReceipt {
    StepReceipt {
        step: step.into(),
        before,
        outcome: Err(Failure {
            kind,
            sentence: sentence.to_owned(),
        }),
    }
}

pub(crate) fn receipt(steps: Vec<StepReceipt>) -> PlanReceipt {
    PlanReceipt {
        steps,
        ..PlanReceipt::default()
    }
}

impl Scene {
    /// Answers the last requested write with these receipts.
    pub(crate) fn answer(&mut self, plans: Vec<PlanReceipt>) -> &mut Self {
        let id = self.write;
        self.tell(Msg::Done(Receipt::Write { id, plans }))
    }
}

/// How often `Down` goes from the row of one limit to that of another in the cgroup dialog.
pub(crate) fn rows_between(from: LimitFile, to: LimitFile) -> usize {
    let offered = |file: &LimitFile| file.row().offered;
    let rows: Vec<_> = LimitFile::of(to.row().version).filter(offered).collect();
    let at = |file| rows.iter().position(|row| *row == file).expect("a row");
    at(to).checked_sub(at(from)).expect("a row below")
}

/// Goes down from the row of one limit to that of another.
pub(crate) fn go(scene: &mut Scene, from: LimitFile, to: LimitFile) -> &mut Scene {
    scene.keys(&"Down ".repeat(rows_between(from, to)))
}
