//! A plan that fails half way: what the dialog and the footer say of it, and what is left to undo.

use crate::common::scene::Scene;
use crate::common::writes::{failed, limit_done as done, one};
use crate::limits::{NONE, asked, mib, says, step, without_swap};
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::plan::receipt::{Failure, FailureKind, PlanReceipt, Reading, TakenBack};

/// What a plan did before it failed.
fn failed_plan(back: Result<(), Failure>) -> Scene {
    let mut scene = without_swap(120, 36, "6G");
    scene.keys("Enter");
    let swap = step(LimitFile::SwapMax, LimitValue::Amount(0));
    let refused = failed(
        step(LimitFile::Max, mib(6144)),
        Reading::Limit(mib(3584)),
        FailureKind::Denied,
        "No permission.",
    );
    let steps = vec![done(swap, NONE, LimitValue::Amount(0)), refused];
    scene.answer(vec![PlanReceipt {
        steps,
        taken_back: vec![TakenBack {
            step: 0,
            outcome: back,
        }],
        ..PlanReceipt::default()
    }]);
    scene
}

#[test]
fn a_failed_plan_says_that_it_was_taken_back_and_leaves_nothing_to_undo() {
    let mut scene = failed_plan(Ok(()));
    says(&scene, "taken back write 0 to");
    says(
        &scene,
        "No permission. What was done before was taken back.",
    );
    assert!(!scene.text().contains("done  "), "{}", scene.text());
    scene.effects.clear();
    scene.keys("Esc u");
    assert_eq!(asked(&mut scene).len(), 0);
    says(&scene, "nothing to undo");
}

#[test]
fn what_a_failed_plan_could_not_take_back_is_named_and_can_be_undone() {
    let kept = failed(
        step(LimitFile::SwapMax, NONE),
        Reading::Nothing,
        FailureKind::Other,
        "It stays.",
    );
    let mut scene = failed_plan(kept.outcome.map(|_| ()));
    says(&scene, "done, not taken back write 0 to");
    says(&scene, "Not taken back: memory.swap.max of /docker/");
    scene.keys("Esc");
    scene.effects.clear();
    scene.keys("u Enter");
    assert_eq!(
        asked(&mut scene),
        [one(vec![step(LimitFile::SwapMax, NONE)])]
    );
}
