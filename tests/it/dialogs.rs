//! The cgroup and signal dialogs: keys typed, plans asked for.

#![expect(clippy::panic, reason = "a helper of tests fails the test")]

use std::sync::Arc;

use crate::common::scene::{Scene, host, id, processes, snapshot as scene_snapshot};
use crate::common::writes::{done, failed, go, limit, one, receipt, writes};
use oomtop::app::msg::{Effect, GroupChoice, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::limits::{LimitFile, LimitValue};
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::filter;
use oomtop::model::plan::receipt::{FailureKind, Reading, StepReceipt};
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::snapshot::Host;

fn groups() -> Msg {
    let group = |path: &str| GroupChoice {
        path: CgroupPath::new(path),
        limit: Some(1 << 30),
        usage: Some(1 << 20),
        writable: true,
        has_memory: false,
    };
    Msg::Groups(Ok(vec![
        group("/"),
        group("/batch"),
        group("/system.slice"),
        group("/web"),
    ]))
}

fn plan(effects: &[Effect]) -> Vec<Step> {
    match writes(effects).as_slice() {
        [plans] if plans.len() == 1 => plans[0].steps.clone(),
        other => panic!("{other:?}"),
    }
}

fn steps(steps: impl IntoIterator<Item = CgroupStep>) -> Vec<Step> {
    steps.into_iter().map(Step::Cgroup).collect()
}

#[test]
fn creates_a_group_with_limits_on_v2() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c");
    assert_eq!(scene.asked(), [Effect::ListGroups]);
    scene.tell(groups());
    scene.types("12G");
    go(&mut scene, LimitFile::Max, LimitFile::High).types("11G");
    go(&mut scene, LimitFile::High, LimitFile::OomGroup).types("1");
    scene.keys("Enter");
    let path = CgroupPath::new("/oomtop-mysqld-2456");
    assert_eq!(
        plan(&scene.asked()),
        steps([
            CgroupStep::EnableMemory(CgroupPath::root()),
            CgroupStep::Create(path.clone()),
            limit(&path, LimitFile::High, LimitValue::Amount(11 << 30)),
            limit(&path, LimitFile::OomGroup, LimitValue::Switch(true)),
            // The limit that can kill is written last.
            limit(&path, LimitFile::Max, LimitValue::Amount(12 << 30)),
            CgroupStep::Move(id(2456), path),
        ])
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
    let path = CgroupPath::new("/oomtop-mysqld-2456");
    let asked = plan(&scene.asked().split_off(1));
    let expected = limit(&path, LimitFile::V1Limit, LimitValue::Amount(512 << 20));
    assert_eq!(asked[1], Step::Cgroup(expected));
    assert_eq!(asked.len(), 3);
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
    let asked = plan(&scene.asked().split_off(1));
    let batch = CgroupPath::new("/batch");
    assert_eq!(asked, steps([CgroupStep::Move(id(2456), batch)]));
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
    let service = CgroupPath::new("/system.slice/mysql.service");
    let outcome = |step: Step| -> StepReceipt {
        let (before, after) = match &step {
            Step::Cgroup(CgroupStep::Limit(_, write)) => (
                Reading::Limit(LimitValue::Unlimited),
                Reading::Limit(write.value),
            ),
            Step::Cgroup(CgroupStep::Move(_, to)) => {
                (Reading::Group(service.clone()), Reading::Group(to.clone()))
            }
            _ => (Reading::Nothing, Reading::Nothing),
        };
        done(step, before, after)
    };
    let asked = plan(&scene.asked().split_off(1));
    scene.answer(vec![receipt(asked.into_iter().map(outcome).collect())]);
    let text = scene.text();
    assert!(
        text.contains("done") && text.contains("12884901888"),
        "{text}"
    );
    scene.keys("Enter");
    assert!(scene.state.dialogs.is_empty());
    scene.effects.clear();
    scene.keys("u Enter");
    let path = CgroupPath::new("/oomtop-mysqld-2456");
    let back = [
        CgroupStep::Move(id(2456), service),
        CgroupStep::Remove(path),
    ];
    assert_eq!(writes(&scene.asked()), [one(back)]);
}

#[test]
fn a_step_that_fails_is_told_and_what_was_made_can_be_removed() {
    let mut scene = Scene::new(120, 36);
    scene.keys("c").tell(groups()).types("12G").keys("Enter");
    let asked = plan(&scene.asked().split_off(1));
    let outcome = |step: Step| match step {
        Step::Cgroup(CgroupStep::Limit(..)) => {
            let none = Reading::Limit(LimitValue::Unlimited);
            failed(step, none, FailureKind::Denied, "you need write access")
        }
        step => done(step, Reading::Nothing, Reading::Nothing),
    };
    let receipts = asked.into_iter().take(3).map(outcome).collect();
    scene.answer(vec![receipt(receipts)]);
    assert!(
        scene.text().contains("you need write access"),
        "{}",
        scene.text()
    );
    scene.keys("Esc");
    scene.effects.clear();
    scene.keys("u Enter");
    let remove = CgroupStep::Remove(CgroupPath::new("/oomtop-mysqld-2456"));
    assert_eq!(writes(&scene.asked()), [one([remove])]);
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
    let asked = plan(&scene.asked());
    let [Step::Signal { target, signal }] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!((*target, signal.number), (id(2456), 9));
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
fn help_and_manual_name_every_term_of_the_filter() {
    let mut scene = Scene::new(200, 200);
    scene.keys("?");
    let help = scene.text();
    let manual = include_str!("../../assets/manual.md");
    for key in filter::keys() {
        let term = format!("{key}:");
        assert!(help.contains(&format!(" {term}")), "the help lacks {term}");
        assert!(
            manual.contains(&format!("`{term}")),
            "the manual lacks {term}"
        );
    }
    let is_word = |c: char| c.is_ascii_lowercase();
    for field in filter::fields() {
        for (place, text) in [("help", help.as_str()), ("manual", manual)] {
            let mut terms = text.lines().filter(|line| line.contains("adj<0"));
            let is_there = terms.any(|line| line.split(|c| !is_word(c)).any(|word| word == field));
            assert!(is_there, "the {place} lacks {field}");
        }
    }
}

#[test]
fn the_manual_lists_every_key() {
    let manual = include_str!("../../assets/manual.md");
    for action in oomtop::app::input::actions::ACTIONS
        .iter()
        .copied()
        .flatten()
    {
        let keys: Vec<_> = action.keys.iter().map(|key| format!("`{key}`")).collect();
        let row = format!("| {} | {} |", keys.join(" "), action.doc);
        assert!(
            manual.lines().any(|line| line == row),
            "the manual lacks the row\n{row}"
        );
    }
}

#[test]
fn a_user_makes_groups_where_systemd_lets_the_user() {
    let group = |path: &str, writable| GroupChoice {
        path: CgroupPath::new(path),
        limit: None,
        usage: Some(1 << 20),
        writable,
        has_memory: path != "/",
    };
    let told = |writable: bool| {
        Msg::Groups(Ok(vec![
            group("/", false),
            group("/system.slice", writable),
            group("/system.slice/mysql.service", writable),
        ]))
    };
    let mut scene = Scene::new(120, 40);
    scene.keys("c").tell(told(true));
    scene.types("1G");
    let text = scene.text();
    // The unit holds the process itself: the group around it may hold groups.
    assert!(text.contains("/system.slice/oomtop-mysqld-"), "{text}");
    assert!(!text.contains("let / share out memory"), "{text}");
    scene.keys("Enter");
    assert!(!writes(&scene.effects).is_empty());
    let mut scene = Scene::new(120, 40);
    scene.keys("c").tell(told(false));
    scene.types("1G");
    let text = scene.text();
    assert!(text.contains("no right to make a group in /"), "{text}");
    scene.keys("Enter");
    assert!(writes(&scene.effects).is_empty());
}

#[test]
fn a_new_adj_of_a_service_says_what_makes_it_last() {
    let mut scene = Scene::new(120, 40);
    scene.keys("a");
    scene.types("-300");
    let text = scene.text();
    assert!(
        text.contains("A restart of mysql.service drops it"),
        "{text}"
    );
    assert!(text.contains("systemctl edit mysql.service"), "{text}");
}

#[test]
fn high_without_swap_is_said_to_throttle_without_end() {
    let said = "slowed down without end";
    for (swap, warned) in [(0, true), (1 << 30, false)] {
        let mut scene = Scene::new(120, 40);
        let mut sample = scene_snapshot(9, processes());
        sample.memory.swap_free = swap;
        scene.tell(Msg::Sampled(Arc::new(sample)));
        scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
        scene.keys("Down");
        scene.types("1G");
        assert_eq!(scene.text().contains(said), warned, "{}", scene.text());
    }
}
