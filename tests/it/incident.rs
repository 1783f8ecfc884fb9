//! The keys that end an incident: what is offered, the plan, the questions, and what undo takes back.

mod frozen;
mod remedies;

use crate::common::scene::{Scene, host, id, processes};
use crate::common::styled::{dialog, styled_view};
use crate::common::writes::{done, receipt, writes};
use oomtop::app::msg::{Effect, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::{CgroupPath, CgroupVersion};
use oomtop::model::freezer::FreezerState;
use oomtop::model::incident::{Freezer, Survey};
use oomtop::model::plan::Plan;
use oomtop::model::plan::receipt::Reading;
use oomtop::model::plan::step::{CgroupStep, Step};
use oomtop::model::snapshot::Host;
use oomtop::ui::theme::Theme;

fn docker() -> CgroupPath {
    CgroupPath::new(&format!("/docker/{}", "4f5e6d7c8b9a0123".repeat(4)))
}

fn survey(group: &CgroupPath, state: FreezerState) -> Survey {
    Survey {
        group: group.clone(),
        freezer: Some(Freezer {
            state,
            held_from_above: false,
            thaw: format!("echo 0 > /sys/fs/cgroup{}/cgroup.freeze", group.as_str()),
        }),
        kills_at_once: true,
        reclaims: true,
        members: 2,
    }
}

fn surveyed(scene: &mut Scene, survey: Survey) -> &mut Scene {
    let group = survey.group.clone();
    scene.tell(Msg::Surveyed(group, Ok(survey)))
}

/// The machine of the scene; 4001 agent-01 is oomtop, below 4000 agent-00.
fn scene(width: u16, height: u16, version: CgroupVersion) -> Scene {
    let host = Host {
        own_pid: Some(4001),
        cgroups: version,
        ..host()
    };
    let mut scene = Scene::with(width, height, Settings::default(), host);
    scene.sample(machine());
    scene.effects.clear();
    scene
}

fn machine() -> Vec<oomtop::model::process::Process> {
    let mut all = processes();
    let own = all.iter_mut().find(|p| p.id.pid == 4001).expect("agent-01");
    own.ppid = 4000;
    all
}

/// The dialog on java's container: 3584 MiB of which 3400 are used.
fn opened(width: u16, height: u16) -> Scene {
    let mut scene = scene(width, height, CgroupVersion::V2);
    scene.keys("Down i");
    assert_eq!(scene.asked(), [Effect::Survey(docker())]);
    surveyed(&mut scene, survey(&docker(), FreezerState::Thawed));
    scene
}

fn says(scene: &Scene, words: &str) {
    let text = scene.text();
    let flat: Vec<_> = text.split_whitespace().filter(|w| *w != "│").collect();
    let flat = flat.join(" ");
    assert!(flat.contains(words), "no {words:?} in\n{text}");
}

fn says_not(scene: &Scene, words: &str) {
    let text = scene.text();
    assert!(!text.contains(words), "{words:?} in\n{text}");
}

fn asked(scene: &mut Scene) -> Vec<Vec<Plan>> {
    writes(&scene.asked())
}

fn group_step(step: CgroupStep) -> Vec<Plan> {
    vec![Plan::from_iter([step])]
}

fn process_step(step: Step) -> Vec<Plan> {
    vec![Plan::from_iter([step])]
}

fn freezer(state: FreezerState) -> Reading {
    Reading::Freezer(state)
}

fn froze(group: &CgroupPath, state: FreezerState) -> oomtop::model::plan::receipt::PlanReceipt {
    let step = CgroupStep::Freeze(group.clone(), true);
    receipt(vec![done(
        step,
        freezer(FreezerState::Thawed),
        freezer(state),
    )])
}

/// Two keys freeze the domain of the selected process; the banner stays until it is thawed.
fn frozen() -> Scene {
    let mut scene = opened(120, 36);
    scene.keys("Enter");
    let freeze = CgroupStep::Freeze(docker(), true);
    assert_eq!(asked(&mut scene), [group_step(freeze)]);
    scene.answer(vec![froze(&docker(), FreezerState::Frozen)]);
    surveyed(&mut scene, survey(&docker(), FreezerState::Frozen));
    scene.keys("Esc");
    scene.effects.clear();
    scene
}

#[test]
fn nothing_is_offered_for_a_group_before_it_was_looked_at() {
    let mut scene = scene(120, 36, CgroupVersion::V2);
    scene.keys("Down i f x Enter");
    assert_eq!(writes(&scene.asked()), [] as [Vec<Plan>; 0]);
    says(&scene, "looking at it");
    says_not(&scene, "freeze ");
    let why = "/docker is not there (any more).".to_owned();
    scene.tell(Msg::Surveyed(docker(), Err(why)));
    says(&scene, "is not there (any more)");
}

#[test]
fn whom_the_terminal_hangs_from_is_neither_frozen_nor_killed() {
    let mut scene = scene(120, 36, CgroupVersion::V2);
    // agent-02 is in /system.slice, as oomtop and the process above it are.
    let slice = CgroupPath::new("/system.slice");
    scene.keys("/").types("pid:4002").keys("Enter i");
    surveyed(&mut scene, survey(&slice, FreezerState::Thawed));
    says(
        &scene,
        "not here: freeze, kill all: it holds 4001 agent-01, which is oomtop itself",
    );
    scene.keys("f Enter x Enter Enter");
    let plans = asked(&mut scene);
    let is_kept = |plan: &Plan| {
        !plan.steps.iter().any(|step| {
            matches!(
                step,
                Step::Cgroup(CgroupStep::Freeze(..) | CgroupStep::Kill(_))
            )
        })
    };
    assert!(plans.iter().flatten().all(is_kept), "{plans:?}");
    // Nor oomtop's shell alone.
    scene
        .keys("Esc")
        .keys("/ Ctrl-u")
        .types("pid:4000")
        .keys("Enter i");
    surveyed(&mut scene, survey(&slice, FreezerState::Thawed));
    says(
        &scene,
        "stop, kill one: 4000 agent-00, which is what oomtop and its terminal hang from",
    );
    scene.effects.clear();
    scene.keys("s Enter k Enter");
    let plans = asked(&mut scene);
    let is_kept = |plan: &Plan| {
        !plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::Stop { .. } | Step::Reap { .. }))
    };
    assert!(plans.iter().flatten().all(is_kept), "{plans:?}");
}

#[test]
fn a_foreign_proc_offers_nothing_that_could_hit_oomtop() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down i");
    surveyed(&mut scene, survey(&docker(), FreezerState::Thawed));
    says(&scene, "another pid namespace");
    says_not(&scene, "f freeze");
    says(&scene, "r raise limit");
}

#[test]
fn v1_without_a_freezer_stops_each_process_and_says_why_there_is_no_reclaim() {
    let mut scene = scene(120, 36, CgroupVersion::V1);
    scene.keys("Down i");
    let mut there = survey(&docker(), FreezerState::Thawed);
    (there.freezer, there.reclaims, there.kills_at_once) = (None, false, false);
    surveyed(&mut scene, there);
    says(
        &scene,
        "not here: reclaim: cgroup v1 has only memory.force_empty",
    );
    says(&scene, "each is stopped by a signal");
    scene.effects.clear();
    scene.keys("Enter");
    let stop = |pid| {
        Plan::from_iter([Step::Stop {
            target: id(pid),
            stop: true,
        }])
    };
    assert_eq!(asked(&mut scene), [vec![stop(1892), stop(1893)]]);
}

#[test]
fn the_next_remedy_is_one_key_away_and_a_second_enter_does_nothing_else() {
    let mut scene = opened(120, 36);
    scene.keys("Enter");
    scene.answer(vec![froze(&docker(), FreezerState::Frozen)]);
    // What is offered is looked at again.
    assert!(scene.asked().contains(&Effect::Survey(docker())));
    surveyed(&mut scene, survey(&docker(), FreezerState::Frozen));
    says(&scene, "t thaw");
    scene.keys("r Enter");
    assert_eq!(asked(&mut scene).len(), 1, "the limit is raised");
    scene.answer(Vec::new());
    scene.keys("Enter");
    assert_eq!(
        asked(&mut scene),
        [] as [Vec<Plan>; 0],
        "it closes the dialog"
    );
    says_not(&scene, "Incident in");
}

#[test]
fn without_a_group_only_the_process_is_acted_on() {
    let mut scene = scene(120, 36, CgroupVersion::V2);
    scene.keys("d Home i");
    assert_eq!(writes(&scene.asked()), [] as [Vec<Plan>; 0]);
    says(&scene, "Incident");
    says_not(&scene, "looking at it");
}

#[test]
fn read_only_opens_nothing() {
    let settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    let mut scene = Scene::with(120, 36, settings, host());
    scene.keys("Down i");
    says_not(&scene, "Incident in");
    says(&scene, "read-only");
}

#[test]
fn frames() {
    for (width, height) in [(120, 36), (80, 24), (40, 10)] {
        let mut scene = opened(width, height);
        let shot = |scene: &Scene| styled_view(&dialog(&scene.buffer(&Theme::colours())));
        insta::assert_snapshot!(format!("incident_{width}x{height}"), shot(&scene));
        if width == 120 {
            scene.keys("r Tab");
            insta::assert_snapshot!("incident_raise", shot(&scene));
            scene.keys("Up x Enter");
            insta::assert_snapshot!("incident_kill", shot(&scene));
        }
    }
    let mut scene = frozen();
    let banner = |scene: &Scene| {
        let buffer = scene.buffer(&Theme::colours());
        let row = scene.state.panes().banner;
        styled_view(&crate::common::styled::cropped(&buffer, row))
    };
    insta::assert_snapshot!("incident_banner", banner(&scene));
    scene.keys("q");
    let shot = styled_view(&dialog(&scene.buffer(&Theme::colours())));
    insta::assert_snapshot!("incident_leave", shot);
}

#[test]
fn no_size_panics_with_the_banner_and_a_dialog() {
    let mut scene = frozen();
    scene.keys("i");
    surveyed(&mut scene, survey(&docker(), FreezerState::Frozen));
    scene.keys("r");
    for width in [0, 1, 3, 4, 9, 20, 40, 79, 80, 300] {
        for height in (0..30).chain([50, 100]) {
            scene.tell(Msg::Resized(width, height));
            scene.buffer(&Theme::colours());
        }
    }
}

#[test]
fn no_key_to_choose_is_named_where_nothing_can_be_chosen() {
    let text = |survey: Survey| {
        let mut scene = scene(120, 36, CgroupVersion::V2);
        scene.keys("Down i");
        surveyed(&mut scene, survey);
        scene.text()
    };
    assert!(text(survey(&docker(), FreezerState::Thawed)).contains("a letter choose"));
    let mut all = machine();
    all.retain(|process| process.id.pid != 1892);
    let mut scene = scene(120, 36, CgroupVersion::V2);
    scene.keys("Down i");
    // The survey has not come: nothing is offered yet.
    let text = scene.text();
    assert!(
        text.contains("Incident in") && !text.contains("choose"),
        "{text}"
    );
}
