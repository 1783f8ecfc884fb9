//! The cgroup and signal dialogs: keys typed, plans asked for.

#![expect(clippy::panic, reason = "a helper of tests fails the test")]

use crate::common::scene::{Scene, host, id, processes};
use oomtop::app::msg::{Effect, GroupChoice, Msg, Receipt};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::plan::step::{
    CgroupStep, Failure, FailureKind, LimitWrite, PlanReceipt, StepResult,
};
use oomtop::model::snapshot::Host;

fn groups() -> Msg {
    let group = |path: &str| GroupChoice {
        path: CgroupPath::new(path),
        limit: Some(1 << 30),
        usage: Some(1 << 20),
    };
    Msg::Groups(Ok(vec![
        group("/"),
        group("/batch"),
        group("/system.slice"),
        group("/web"),
    ]))
}

fn limit(path: &str, file: &'static str, value: &str) -> CgroupStep {
    CgroupStep::Limit(
        CgroupPath::new(path),
        LimitWrite {
            file,
            value: value.to_owned(),
        },
    )
}

fn plan(effects: &[Effect]) -> Vec<CgroupStep> {
    match effects {
        [
            Effect::RunPlan {
                target,
                steps,
                undo: false,
            },
        ] => {
            assert_eq!(*target, Some(id(2456)));
            steps.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn creates_a_group_with_limits_on_v2() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c");
    assert_eq!(scene.asked(), [Effect::ListGroups]);
    scene.tell(groups());
    scene
        .types("12G")
        .keys("Down")
        .types("11G")
        .keys("Down Down Down Down")
        .types("1")
        .keys("Enter");
    let path = CgroupPath::new("/oomtop-mysqld-2456");
    assert_eq!(
        plan(&scene.asked()),
        [
            CgroupStep::EnableMemory(CgroupPath::root()),
            CgroupStep::Create(path.clone()),
            limit(path.as_str(), "memory.max", &(12_u64 << 30).to_string()),
            limit(path.as_str(), "memory.high", &(11_u64 << 30).to_string()),
            limit(path.as_str(), "memory.oom.group", "1"),
            CgroupStep::Move(id(2456), path),
        ]
    );
}

#[test]
fn no_plan_before_it_is_known_which_groups_there_are() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c").types("1G").keys("Enter");
    assert_eq!(scene.asked(), [Effect::ListGroups]);
    assert!(
        scene.text().contains("reading the groups"),
        "{}",
        scene.text()
    );
    scene.tell(groups()).keys("Enter");
    assert_eq!(plan(&scene.asked()).len(), 4);
}

#[test]
fn creates_a_group_with_limits_on_v1() {
    let host = Host {
        cgroups: CgroupVersion::Hybrid,
        ..host()
    };
    let mut scene = Scene::with(120, 36, Settings::default(), host);
    scene.keys("c").tell(groups()).types("512M").keys("Enter");
    let path = "/oomtop-mysqld-2456";
    let steps = plan(&scene.asked().split_off(1));
    assert_eq!(steps[1], limit(path, "memory.limit_in_bytes", "536870912"));
    assert_eq!(steps.len(), 3);
}

#[test]
fn warns_before_a_limit_below_what_it_uses() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c").tell(groups()).types("1G");
    let text = scene.text();
    assert!(text.contains("It uses 9.9 GiB, more than"), "{text}");
    assert!(text.contains("stays with the old group"), "{text}");
}

#[test]
fn nonsense_limits_and_paths_are_not_carried_out() {
    for (keys, text) in [
        ("lots", "not a size"),
        ("99999999999999999999", "more than the kernel can count"),
        ("100", "one page"),
    ] {
        let mut scene = Scene::new(120, 36);
        scene.keys("c").tell(groups()).types(keys).keys("Enter");
        assert_eq!(scene.asked(), [Effect::ListGroups], "{keys}");
        assert!(scene.text().contains(text), "{keys}: {}", scene.text());
    }
    let mut scene = Scene::new(120, 36);
    scene
        .keys("c Up Ctrl-u")
        .tell(groups())
        .types("/web")
        .keys("Enter");
    assert_eq!(scene.asked(), [Effect::ListGroups]);
    assert!(scene.text().contains("exists already"), "{}", scene.text());
}

#[test]
fn moves_into_a_group_found_by_typing() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("c Tab")
        .tell(groups())
        .types("bat")
        .keys("Enter");
    let steps = plan(&scene.asked().split_off(1));
    assert_eq!(
        steps,
        [CgroupStep::Move(id(2456), CgroupPath::new("/batch"))]
    );
    let mut scene = Scene::new(120, 36);
    scene
        .keys("c Tab")
        .tell(groups())
        .types("nowhere")
        .keys("Enter");
    assert_eq!(scene.asked(), [Effect::ListGroups]);
}

#[test]
fn shows_what_was_read_back_and_undo_removes_what_was_made() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c").tell(groups()).types("12G").keys("Enter");
    let steps = plan(&scene.asked().split_off(1));
    let done = |step: CgroupStep| StepResult {
        step,
        before: None,
        outcome: Ok("12884901888".to_owned()),
    };
    let receipt = PlanReceipt {
        target: Some(id(2456)),
        before: Some(CgroupPath::new("/system.slice/mysql.service")),
        steps: steps.into_iter().map(done).collect(),
    };
    scene.tell(Msg::Done(Receipt::Plan {
        receipt,
        undo: false,
    }));
    let text = scene.text();
    assert!(
        text.contains("done") && text.contains("12884901888"),
        "{text}"
    );
    scene.keys("Enter");
    assert!(scene.state.dialogs.is_empty());
    scene.effects.clear();
    scene.keys("u");
    let path = CgroupPath::new("/oomtop-mysqld-2456");
    assert_eq!(
        scene.asked(),
        [Effect::RunPlan {
            target: Some(id(2456)),
            steps: vec![
                CgroupStep::Move(id(2456), CgroupPath::new("/system.slice/mysql.service")),
                CgroupStep::Remove(path)
            ],
            undo: true,
        }]
    );
}

#[test]
fn a_step_that_fails_is_told_and_what_was_made_can_be_removed() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c").tell(groups()).types("12G").keys("Enter");
    let steps = plan(&scene.asked().split_off(1));
    let failure = Failure {
        kind: FailureKind::Denied,
        sentence: "you need write access".to_owned(),
    };
    let outcome = |step: CgroupStep| {
        let outcome = if matches!(step, CgroupStep::Limit(..)) {
            Err(failure.clone())
        } else {
            Ok(String::new())
        };
        StepResult {
            step,
            before: None,
            outcome,
        }
    };
    let receipt = PlanReceipt {
        target: Some(id(2456)),
        before: None,
        steps: steps.into_iter().take(3).map(outcome).collect(),
    };
    scene.tell(Msg::Done(Receipt::Plan {
        receipt,
        undo: false,
    }));
    assert!(
        scene.text().contains("you need write access"),
        "{}",
        scene.text()
    );
    scene.keys("Esc");
    scene.effects.clear();
    scene.keys("u");
    let remove = CgroupStep::Remove(CgroupPath::new("/oomtop-mysqld-2456"));
    assert_eq!(
        scene.asked(),
        [Effect::RunPlan {
            target: None,
            steps: vec![remove],
            undo: true
        }]
    );
}

#[test]
fn nothing_is_done_for_a_process_that_has_ended() {
    for open in ["c", "k", "a"] {
        let mut scene = Scene::new(120, 36);
        scene.keys(open).tell(groups());
        let mut left = processes();
        left.retain(|p| p.id.pid != 2456);
        scene.sample(left);
        scene.effects.clear();
        scene.keys("Enter");
        assert_eq!(scene.asked(), [], "{open}");
        assert!(
            scene.text().contains("has ended"),
            "{open}: {}",
            scene.text()
        );
        scene.keys("Esc");
        assert!(scene.state.dialogs.is_empty());
    }
}

#[test]
fn without_a_memory_controller_the_dialog_says_so() {
    let host = Host {
        cgroups: CgroupVersion::None,
        ..host()
    };
    let mut scene = Scene::with(120, 36, Settings::default(), host);
    scene.keys("c Enter");
    assert_eq!(scene.asked(), [Effect::ListGroups]);
    assert!(
        scene.text().contains("No memory controller"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_signal_by_number_goes_to_the_pinned_process() {
    let mut scene = Scene::new(120, 36);
    scene.keys("k 9 Enter");
    let effects = scene.asked();
    let [Effect::SendSignal { targets, signal }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (targets.as_slice(), signal.number),
        ([id(2456)].as_slice(), 9)
    );
}

#[test]
fn the_help_lists_every_action_and_column() {
    let mut scene = Scene::new(200, 200);
    scene.keys("?");
    let text = scene.text();
    for action in scene.state.keymap.actions() {
        assert!(text.contains(action.doc), "{}", action.id);
    }
    for column in oomtop::app::view::processes::columns::COLUMNS {
        assert!(text.contains(column.doc), "{}", column.id);
    }
    for column in oomtop::app::view::domains::columns::COLUMNS {
        let row = format!("  {:<22}{}", column.title, column.doc);
        assert!(text.contains(&row), "{}", column.id);
    }
}

#[test]
fn the_readme_lists_every_key() {
    let readme = include_str!("../../README.md");
    for action in oomtop::app::input::actions::ACTIONS
        .iter()
        .copied()
        .flatten()
    {
        let keys: Vec<_> = action.keys.iter().map(|key| format!("`{key}`")).collect();
        let row = format!("| {} | {} |", keys.join(" "), action.doc);
        assert!(
            readme.lines().any(|line| line == row),
            "the README lacks the row\n{row}"
        );
    }
}
