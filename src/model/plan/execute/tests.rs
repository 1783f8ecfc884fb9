//! Several writes of one call.

use std::collections::BTreeMap;

use super::{Executor, run_all, undo};
use crate::model::cgroup::{CgroupPath, GroupId};
use crate::model::plan::receipt::{Failure, Reading, StepReceipt};
use crate::model::plan::step::{CgroupStep, Step};
use crate::model::plan::{Plan, build, inverse};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;

/// Processes that all share one memory, as after `clone(CLONE_VM)`.
#[derive(Default)]
struct Sharers(BTreeMap<ProcessId, OomScoreAdj>);

impl Executor for Sharers {
    fn look(&mut self, step: &Step) -> Result<Reading, Failure> {
        let Step::Adj { target, .. } = step else {
            return Ok(Reading::Nothing);
        };
        Ok(Reading::Adj(self.0[target]))
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        let before = self.look(step).unwrap_or(Reading::Nothing);
        let mut outcome = Ok(Reading::Nothing);
        if let Step::Adj { value, .. } = step {
            self.0.values_mut().for_each(|adj| *adj = *value);
            outcome = Ok(Reading::Adj(*value));
        }
        StepReceipt {
            step: step.clone(),
            before,
            outcome,
        }
    }
}

#[test]
fn what_each_had_before_the_first_write_is_what_each_gets_back() {
    let id = |pid| ProcessId {
        pid,
        start_ticks: 1,
    };
    let adj = |value| OomScoreAdj::new(value).expect("in range");
    let had = BTreeMap::from([(id(10), adj(0)), (id(11), adj(0))]);
    let mut kernel = Sharers(had.clone());
    let receipts = run_all(&mut kernel, &build::adj([id(10), id(11)], adj(30)));
    let before = receipts.iter().flat_map(|plan| &plan.steps);
    let before: Vec<_> = before.map(|step| step.before.clone()).collect();
    assert_eq!(before, [Reading::Adj(adj(0)), Reading::Adj(adj(0))]);
    let back = inverse::of_write(&receipts);
    undo(&mut kernel, &back, &[]);
    assert_eq!(kernel.0, had);
}

/// A kernel that gives each group that is made the number 7, and tells what plans were bound to.
#[derive(Default)]
struct Makes {
    bound: Vec<Vec<GroupId>>,
    met: Vec<GroupId>,
}

impl Executor for Makes {
    fn look(&mut self, _: &Step) -> Result<Reading, Failure> {
        Ok(Reading::Nothing)
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        if let Step::Cgroup(CgroupStep::Create(path)) = step {
            let (path, instance) = (path.clone(), 7);
            self.met.push(GroupId { path, instance });
        }
        StepReceipt {
            step: step.clone(),
            before: Reading::Nothing,
            outcome: Ok(Reading::Nothing),
        }
    }

    fn bind(&mut self, groups: &[GroupId]) {
        self.bound.push(groups.to_vec());
    }

    fn release(&mut self) -> Vec<GroupId> {
        std::mem::take(&mut self.met)
    }
}

#[test]
fn moves_go_into_the_group_that_the_plan_before_them_has_made() {
    let path = CgroupPath::new("/pen");
    let target = ProcessId {
        pid: 10,
        start_ticks: 1,
    };
    let make = Plan::from_iter([CgroupStep::Create(path.clone())]);
    let enter = Plan::from_iter([CgroupStep::Move(target, path.clone())]);
    let mut kernel = Makes::default();
    run_all(&mut kernel, &[make, enter]);
    let pen = GroupId { path, instance: 7 };
    assert_eq!(kernel.bound, [vec![], vec![pen]]);
}
