//! What oomtop has frozen: on the screen until it runs again, asked about before oomtop ends, told after it.

use std::sync::Arc;

use super::{
    asked, docker, freezer, froze, frozen, group_step, machine, opened, says, says_not, scene,
    survey, surveyed,
};
use crate::common::scene::Scene;
use crate::common::writes::{done, failed, receipt};
use oomtop::app::msg::{Control, Msg};
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::freezer::{Freezable, FreezerState};
use oomtop::model::incident::Survey;
use oomtop::model::plan::Plan;
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::CgroupStep;

/// A later sample, in which the group is as far as this.
fn later(scene: &mut Scene, state: Option<FreezerState>) {
    for _ in 0..3 {
        scene.sample(machine());
    }
    let mut snapshot = (*scene.state.snapshot).clone();
    snapshot.seq += 1;
    snapshot.frozen = vec![(Freezable::Group(docker()), state)];
    scene.tell(Msg::Sampled(Arc::new(snapshot)));
}

#[test]
fn freezing_takes_two_keys_and_stays_on_the_screen_until_it_is_thawed() {
    let mut scene = frozen();
    says(
        &scene,
        "FROZEN by oomtop for 0s: docker 4f5e6d7c8b9a i on its row thaws it",
    );
    later(&mut scene, Some(FreezerState::Frozen));
    says(&scene, "FROZEN by oomtop for 3s");
    // The same row offers the way back.
    scene.keys("i");
    surveyed(&mut scene, survey(&docker(), FreezerState::Frozen));
    says_not(&scene, "f freeze");
    scene.keys("t Enter");
    let thaw = CgroupStep::Freeze(docker(), false);
    assert_eq!(asked(&mut scene), [group_step(thaw.clone())]);
    let back = done(
        thaw,
        freezer(FreezerState::Frozen),
        freezer(FreezerState::Thawed),
    );
    scene.answer(vec![receipt(vec![back])]);
    scene.keys("Esc");
    says_not(&scene, "FROZEN");
}

#[test]
fn undo_thaws() {
    let mut scene = frozen();
    scene.keys("u");
    says(&scene, "Undo freeze of docker 4f5e6d7c8b9a");
    scene.keys("Enter");
    let thaw = CgroupStep::Freeze(docker(), false);
    assert_eq!(asked(&mut scene), [group_step(thaw.clone())]);
    let back = done(
        thaw,
        freezer(FreezerState::Frozen),
        freezer(FreezerState::Thawed),
    );
    scene.answer(vec![receipt(vec![back])]);
    says_not(&scene, "FROZEN");
    says(&scene, "runs again");
}

#[test]
fn what_somebody_else_thaws_or_removes_is_announced_no_more() {
    for (state, words) in [
        (
            Some(FreezerState::Thawed),
            "runs again: somebody else thawed it",
        ),
        (None, "is gone"),
    ] {
        let mut scene = frozen();
        later(&mut scene, state);
        says_not(&scene, "FROZEN");
        says(&scene, words);
    }
}

#[test]
fn a_sample_from_before_the_freeze_thaws_nothing() {
    let mut scene = opened(120, 36);
    scene.keys("Enter");
    scene.answer(vec![froze(&docker(), FreezerState::Frozen)]);
    let mut snapshot = (*scene.state.snapshot).clone();
    snapshot.seq += 1;
    snapshot.frozen = vec![(Freezable::Group(docker()), Some(FreezerState::Thawed))];
    scene.tell(Msg::Sampled(Arc::new(snapshot)));
    scene.keys("Esc");
    says(&scene, "FROZEN");
}

#[test]
fn a_group_that_a_limit_slows_down_is_freezing_not_frozen() {
    let mut scene = opened(120, 36);
    scene.keys("Enter");
    scene.answer(vec![froze(&docker(), FreezerState::Freezing)]);
    says(&scene, "freezing: a task still waits in the kernel");
    scene.keys("Esc");
    says(&scene, "FREEZING for 0s");
    says_not(&scene, "FROZEN");
    later(&mut scene, Some(FreezerState::Frozen));
    says(&scene, "FROZEN by oomtop");
}

#[test]
fn quitting_asks_while_something_is_frozen() {
    let mut scene = frozen();
    assert!(
        scene
            .state
            .frozen
            .word()
            .contains("it continues with: echo 0 > ")
    );
    scene.keys("q");
    assert_eq!(scene.control, None);
    says(&scene, "it stands still until somebody thaws it");
    scene.keys("Esc");
    assert_eq!(scene.control, None);
    // Whoever asks again means it.
    scene.keys("q q");
    assert_eq!(scene.control.take(), Some(Control::Quit));
    let mut scene = frozen();
    scene.keys("Ctrl-c Ctrl-c");
    assert_eq!(scene.control.take(), Some(Control::Quit));
    let mut scene = frozen();
    scene.keys("q Enter");
    let thaw = CgroupStep::Freeze(docker(), false);
    assert_eq!(asked(&mut scene), [group_step(thaw.clone())]);
    assert_eq!(scene.control, None, "first it must run");
    let back = done(
        thaw,
        freezer(FreezerState::Frozen),
        freezer(FreezerState::Thawed),
    );
    scene.answer(vec![receipt(vec![back])]);
    assert_eq!(scene.control.take(), Some(Control::Quit));
    assert_eq!(scene.state.frozen.word(), "");
}

#[test]
fn a_thaw_that_fails_keeps_oomtop_open_unless_the_group_is_gone() {
    for (kind, quits) in [(FailureKind::Denied, false), (FailureKind::NoGroup, true)] {
        let mut scene = frozen();
        scene.keys("q Enter");
        let thaw = CgroupStep::Freeze(docker(), false);
        let refused = failed(thaw, Reading::Nothing, kind, "No permission.");
        scene.answer(vec![receipt(vec![refused])]);
        assert_eq!(scene.control.is_some(), quits, "{kind:?}");
    }
}

#[test]
fn the_word_is_known_before_the_freeze() {
    let mut scene = opened(120, 36);
    scene.keys("Enter");
    let word = scene.state.frozen.word();
    assert!(word.contains("perhaps frozen: /docker/"), "{word}");
    let refused = failed(
        CgroupStep::Freeze(docker(), true),
        Reading::Nothing,
        FailureKind::Denied,
        "No permission.",
    );
    scene.answer(vec![receipt(vec![refused])]);
    assert_eq!(scene.state.frozen.word(), "");
    says(&scene, "No permission.");
}

#[test]
fn a_crowd_is_not_frozen_with_one_key() {
    let mut scene = scene(120, 36, CgroupVersion::V2);
    scene.keys("Down i");
    scene.asked();
    let crowd = Survey {
        members: 1511,
        ..survey(&docker(), FreezerState::Thawed)
    };
    surveyed(&mut scene, crowd);
    says(&scene, "freezes all 1511 processes");
    scene.keys("f Enter");
    assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0], "not yet");
    says(&scene, "Press Enter again to freeze all of");
    // Any other key withdraws it.
    scene.keys("Down Up Enter");
    assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0]);
    scene.keys("Enter");
    let freeze = CgroupStep::Freeze(docker(), true);
    assert_eq!(asked(&mut scene), [group_step(freeze)]);
}
