//! Writes to oomtop itself and to what it hangs from: warned of, and asked for twice; and keys that have nothing to do say why.

use oomtop::app::msg::{Effect, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::plan::Plan;
use oomtop::model::process::Process;
use oomtop::model::snapshot::Host;

use crate::common::scene::{Scene, host, processes};
use crate::common::writes::writes;

/// 4001 agent-01 is oomtop, below 4000 agent-00.
fn machine() -> Vec<Process> {
    let mut all = processes();
    let own = all.iter_mut().find(|p| p.id.pid == 4001).expect("agent-01");
    own.ppid = 4000;
    all
}

fn scene(systemd: bool) -> Scene {
    let host = Host {
        own_pid: Some(4001),
        cgroups: CgroupVersion::V2,
        systemd,
        ..host()
    };
    let mut scene = Scene::with(120, 40, Settings::default(), host);
    scene.sample(machine());
    scene.effects.clear();
    scene
}

/// Selects a process by its pid.
fn select(scene: &mut Scene, pid: u32) {
    scene.types(&pid.to_string()).keys("Enter");
    assert_eq!(scene.selected(), Some(pid), "{}", scene.text());
}

fn asked(scene: &mut Scene) -> Vec<Vec<Plan>> {
    let asked: Vec<Effect> = scene.asked();
    writes(&asked)
}

fn says(scene: &Scene, words: &str) {
    let text = scene.text();
    let flat: Vec<_> = text.split_whitespace().filter(|w| *w != "│").collect();
    let flat = flat.join(" ");
    assert!(flat.contains(words), "no {words:?} in\n{text}");
}

#[test]
fn a_signal_to_what_oomtop_hangs_from_is_warned_of_and_asked_for_twice() {
    for (pid, why) in [
        (4001, "4001 agent-01 is oomtop itself"),
        (
            4000,
            "4000 agent-00 is what oomtop and its terminal hang from",
        ),
    ] {
        let mut scene = scene(false);
        select(&mut scene, pid);
        scene.keys("k");
        says(&scene, why);
        scene.keys("Enter");
        assert!(asked(&mut scene).is_empty(), "the first Enter only asks");
        says(&scene, "Press Enter again to send it");
        // Another signal is another question.
        scene.keys("Down Up Enter");
        assert!(asked(&mut scene).is_empty());
        scene.keys("Enter");
        assert_eq!(asked(&mut scene).len(), 1, "{pid}");
    }
    let mut scene = scene(false);
    select(&mut scene, 1892);
    scene.keys("k Enter");
    assert_eq!(asked(&mut scene).len(), 1, "another process: at once");
}

/// The value of what the screen depends on: higher is asked for twice, lower only warned of.
#[test]
fn an_adj_of_what_oomtop_hangs_from_is_warned_of_and_a_higher_one_asked_for_twice() {
    for (pid, why) in [
        (4001, "4001 agent-01 is oomtop itself"),
        (
            4000,
            "4000 agent-00 is what oomtop and its terminal hang from",
        ),
    ] {
        let mut scene = scene(false);
        select(&mut scene, pid);
        scene.keys("a").types("900");
        says(&scene, why);
        says(&scene, "this screen can end");
        scene.keys("Enter");
        assert!(asked(&mut scene).is_empty(), "the first Enter only asks");
        says(&scene, "Press Enter again to write it");
        // Another value is another question.
        scene.keys("Backspace").types("1").keys("Enter");
        assert!(asked(&mut scene).is_empty());
        scene.keys("Enter");
        assert_eq!(asked(&mut scene).len(), 1, "{pid}");
    }
    let mut lower = scene(false);
    select(&mut lower, 4001);
    lower.keys("a").types("-900");
    says(&lower, "4001 agent-01 is oomtop itself: with a lower value");
    lower.keys("Enter");
    assert_eq!(asked(&mut lower).len(), 1, "a lower one: at once");
    let mut other = scene(false);
    select(&mut other, 1892);
    other.keys("a").types("900");
    assert!(!other.text().contains("this screen can end"));
    other.keys("Enter");
    assert_eq!(asked(&mut other).len(), 1, "another process: at once");
}

#[test]
fn a_limit_around_oomtop_is_warned_of_and_asked_for_twice() {
    let mut scene = scene(false);
    select(&mut scene, 4001);
    scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
    scene.types("500M");
    says(&scene, "4001 agent-01 is oomtop itself");
    says(&scene, "this screen can end");
    scene.keys("Enter");
    assert!(asked(&mut scene).is_empty(), "the first Enter only asks");
    says(&scene, "Press Enter again to do it");
    scene.keys("Enter");
    assert_eq!(asked(&mut scene).len(), 1);
}

#[test]
fn a_key_that_chooses_how_long_systemd_keeps_it_says_why_there_is_no_choice() {
    let mut scene = scene(false);
    select(&mut scene, 1892);
    for key in ["c", "a"] {
        scene.keys(key).keys("BackTab");
        says(
            &scene,
            "nothing to choose here: systemd does not run this machine",
        );
        scene.keys("Esc");
    }
}
