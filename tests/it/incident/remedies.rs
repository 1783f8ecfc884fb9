//! Raise, reclaim, kill, stop, reap, expose: the plan of each, and what is said of it.

use super::{
    asked, docker, freezer, group_step, machine, opened, process_step, says, says_not, scene,
    survey, surveyed,
};
use crate::common::scene::{GIB, MIB, id, process};
use crate::common::writes::{done, receipt};
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::freezer::FreezerState;
use oomtop::model::plan::Plan;
use oomtop::model::plan::receipt::{Reading, Reaped};
use oomtop::model::plan::step::{CgroupStep, LimitWrite, Step};
use oomtop::model::process::TaskState;
use oomtop::model::process::score::OomScoreAdj;

#[test]
fn the_limit_is_raised_by_a_share_or_to_a_size_and_it_is_said_who_runs_out_first() {
    let step = |bytes: u64| {
        let write = LimitWrite {
            file: LimitFile::Max,
            value: LimitValue::Amount(bytes),
        };
        group_step(CgroupStep::Limit(docker(), write))
    };
    let limit = 3584 * MIB;
    for (keys, bytes) in [
        ("r Enter", limit + limit / 10),
        ("r Tab Enter", limit + limit / 4),
        ("r Tab Tab Enter", limit + limit / 2),
        ("r Tab Tab Tab Enter", limit + limit / 10),
        ("r 4 G Enter", 4 * GIB),
        ("r + 5 1 2 M Enter", limit + 512 * MIB),
        ("r 2 0 % Enter", limit + limit / 5),
    ] {
        let mut scene = opened(120, 36);
        scene.keys(keys);
        assert_eq!(asked(&mut scene), [step(bytes)], "{keys}");
    }
    let mut scene = opened(120, 36);
    scene.keys("r 4 0 G");
    says(&scene, "The host is out of memory first: it has");
    says(&scene, "2456 mysqld dies, as things stand");
    says(&scene, "That is more than the host has (24 GiB)");
    // Less than now is no raise, and nonsense is nothing.
    for typed in ["r 1 G Enter", "r 1 % % Enter", "r + Enter"] {
        let mut scene = opened(120, 36);
        scene.keys(typed);
        assert_eq!(asked(&mut scene), [] as [Vec<Plan>; 0], "{typed}");
    }
    let mut scene = opened(120, 36);
    scene.keys("r 1 G");
    says(&scene, "that is not above the present limit");
}

#[test]
fn what_came_back_of_a_reclaim_is_told() {
    let usage = 3_400 * MIB;
    let mut scene = opened(120, 36);
    scene.keys("c Tab Enter");
    let step = CgroupStep::Reclaim(docker(), usage / 4);
    assert_eq!(asked(&mut scene), [group_step(step.clone())]);
    let back = done(step, Reading::Reclaimed(0), Reading::Reclaimed(100 * MIB));
    scene.answer(vec![receipt(vec![back])]);
    says(&scene, "only 100 of 850 MiB could be reclaimed");
    scene.keys("Esc u");
    says(&scene, "nothing to undo");
}

#[test]
fn killing_a_group_is_asked_twice_and_names_whom_it_hits() {
    let mut scene = opened(120, 36);
    scene.keys("x");
    says(&scene, "Ends 1892 java, 1893 shop-worker.");
    scene.keys("Enter");
    assert_eq!(
        asked(&mut scene),
        [] as [Vec<Plan>; 0],
        "the first Enter only asks"
    );
    says(&scene, "Press Enter again to kill all of /docker/");
    scene.keys("Up");
    says_not(&scene, "Press Enter again");
    scene.keys("x Enter Enter");
    let step = CgroupStep::Kill(docker());
    assert_eq!(asked(&mut scene), [group_step(step.clone())]);
    let killed = done(step, Reading::Members(2), Reading::Members(0));
    scene.answer(vec![receipt(vec![killed])]);
    says(&scene, "the group is empty");
    scene.keys("Esc u");
    says(&scene, "nothing to undo");
}

#[test]
fn one_process_is_stopped_run_on_and_reaped() {
    let mut scene = opened(120, 36);
    scene.keys("s Enter");
    let stop = |stop| Step::Stop {
        target: id(1892),
        stop,
    };
    assert_eq!(asked(&mut scene), [process_step(stop(true))]);
    let stopped = done(
        stop(true),
        freezer(FreezerState::Thawed),
        freezer(FreezerState::Frozen),
    );
    scene.answer(vec![receipt(vec![stopped])]);
    scene.keys("Esc");
    says(&scene, "FROZEN by oomtop for 0s: 1892 java");
    let word = scene.state.frozen.word();
    assert!(word.contains("kill -CONT 1892"), "{word}");
    let mut stopped = machine();
    stopped
        .iter_mut()
        .find(|p| p.id.pid == 1892)
        .expect("java")
        .state = TaskState('T');
    scene.sample(stopped).keys("i");
    surveyed(&mut scene, survey(&docker(), FreezerState::Thawed));
    scene.effects.clear();
    scene.keys("s Enter");
    assert_eq!(asked(&mut scene), [process_step(stop(false))]);
    let mut scene = opened(120, 36);
    scene.keys("k Enter");
    let reap = Step::Reap { target: id(1892) };
    assert_eq!(asked(&mut scene), [process_step(reap.clone())]);
    let reaped = done(reap, Reading::Nothing, Reading::Reaped(Reaped::NoReaper));
    scene.answer(vec![receipt(vec![reaped])]);
    says(&scene, "this kernel has no process_mrelease (Linux 5.15)");
}

#[test]
fn the_one_that_grows_is_exposed_instead_of_the_first_victim() {
    let mut scene = scene(120, 36, CgroupVersion::V2);
    let mut all = machine();
    // In the container java dies first, and the worker grows.
    let mut worker = process(1893, "shop-worker", 300, 0, 4);
    worker.growth = Some(20_000_000.0);
    *all.iter_mut().find(|p| p.id.pid == 1893).expect("it") = worker;
    scene.sample(all);
    scene.keys("d");
    scene.sample(scene.state.snapshot.processes.clone());
    while scene.state.domains.selected_path() != Some(&docker()) {
        scene.keys("Down");
    }
    scene.effects.clear();
    scene.keys("i");
    surveyed(&mut scene, survey(&docker(), FreezerState::Thawed));
    says(
        &scene,
        "e expose let 1893 shop-worker die before the others",
    );
    scene.keys("e");
    says(
        &scene,
        "1893 shop-worker then dies before 1892 java, as things stand",
    );
    scene.effects.clear();
    scene.keys("Enter");
    let plans = asked(&mut scene);
    let [plans] = plans.as_slice() else {
        panic!("{plans:?}")
    };
    let Step::Adj { target, value } = plans[0].steps[0] else {
        panic!("{plans:?}")
    };
    assert_eq!(target, id(1893));
    // 3.5 GiB and 8 GiB of swap: a thousandth weighs 11.5 MiB.
    assert_eq!(value, OomScoreAdj::clamped(350));
}
