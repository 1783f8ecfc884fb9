//! A group that stands still does not fill: nobody in it allocates, whatever its trend was before.

use oomtop::app::msg::Effect;
use oomtop::model::cgroup::{Cgroup, CgroupPath};
use oomtop::model::freezer::{Freezable, FreezerState};
use oomtop::model::process::Process;

use crate::common::scene::{Scene, id, process};
use crate::common::shop::{group, run, run_frozen};

/// One group that leaks 2 MiB a second for 60 seconds and rests from then on; another that rests.
fn leaking(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let leaked = second.saturating_sub(100).min(60) * 2;
    let mut shop = group("/shop", Some(0), 600, 100 + leaked);
    shop.limits.swap_max = Some(0);
    let groups = vec![
        group("/", None, 0, 0),
        shop,
        group("/calm", Some(0), 500, 50),
    ];
    let processes = vec![
        process(10, "leak", 100 + leaked, 0, 1),
        process(11, "helper", 5, 0, 1),
        process(20, "calm", 50, 0, 2),
    ];
    (groups, processes)
}

/// The growth and the time of the shop, as the list of domains has them.
fn told(scene: &Scene) -> (String, String) {
    let text = scene.text();
    let row = text.lines().find(|line| line.starts_with("/shop"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    let head = text.lines().find(|line| line.starts_with("DOMAIN"));
    let head = head.unwrap_or_else(|| panic!("{text}"));
    let cell = |title: &str| {
        let end = head.find(title).unwrap_or_else(|| panic!("{head}")) + title.len();
        let cells: Vec<char> = row.chars().take(end).collect();
        let from = cells.iter().rposition(|c| *c == ' ').map_or(0, |at| at + 1);
        cells[from..].iter().collect::<String>()
    };
    (cell("GROWTH"), cell("FULL IN"))
}

fn scene() -> Scene {
    let mut scene = Scene::new(160, 36);
    run(&mut scene, 100, 60, leaking);
    scene.keys("d");
    let (growth, time) = told(&scene);
    assert!(
        growth.starts_with('+') && time.starts_with('~'),
        "{growth} {time}"
    );
    scene
}

fn frozen_group(path: &str) -> [(Freezable, Option<FreezerState>); 1] {
    let group = Freezable::Group(CgroupPath::new(path));
    [(group, Some(FreezerState::Frozen))]
}

#[test]
fn a_kill_in_a_frozen_group_does_not_let_it_run() {
    let mut scene = scene();
    let frozen = frozen_group("/shop");
    run_frozen(&mut scene, 160, 1, leaking, &frozen);
    let killed = |second| {
        let (mut groups, processes) = leaking(second);
        groups[1].events.oom_kill = Some(1);
        groups[1].events.own_oom = Some(1);
        (groups, processes)
    };
    run_frozen(&mut scene, 161, 3, killed, &frozen);
    assert_eq!(told(&scene).0, "frozen");
}

#[test]
fn a_frozen_group_has_no_forecast_and_a_thawed_one_begins_anew() {
    for path in ["/shop", "/"] {
        let mut scene = scene();
        run_frozen(&mut scene, 160, 1, leaking, &frozen_group(path));
        assert_eq!(told(&scene), ("frozen".into(), "-".into()), "{path}");
        run_frozen(&mut scene, 161, 30, leaking, &frozen_group(path));
        assert_eq!(told(&scene), ("frozen".into(), "-".into()), "{path}");
        let text = scene.text();
        assert!(
            !text.contains("full in") && !text.contains("FULL IN ~"),
            "{text}"
        );
        // What it did not do while it stood still says nothing of what it does now.
        run(&mut scene, 191, 1, leaking);
        assert_eq!(told(&scene).0, "…", "{path}");
        run(&mut scene, 192, 2, |second| {
            let (mut groups, mut processes) = leaking(160);
            let more = (second - 190) * 40;
            groups[1].usage = groups[1].usage.map(|usage| usage + (more << 20));
            processes[0] = process(10, "leak", 220 + more, 0, 1);
            (groups, processes)
        });
        let (growth, time) = told(&scene);
        assert!(
            growth.starts_with('+') && growth.ends_with('?'),
            "{path}: {growth}"
        );
        assert!(time.starts_with('~'), "{path}: {time}");
    }
}

#[test]
fn other_groups_and_one_that_is_only_freezing_keep_their_forecast() {
    let mut scene = scene();
    run_frozen(&mut scene, 160, 1, leaking, &frozen_group("/calm"));
    assert!(told(&scene).0.starts_with('+'));
    let group = Freezable::Group(CgroupPath::new("/shop"));
    let freezing = [(group, Some(FreezerState::Freezing))];
    run_frozen(&mut scene, 161, 1, leaking, &freezing);
    assert!(told(&scene).0.starts_with('+'), "a task of it still runs");
}

#[test]
fn stopped_growers_end_the_forecast_and_all_of_them_freeze_the_group() {
    let stopped = |pids: &[u32]| -> Vec<_> {
        let stopped = |pid: &u32| (Freezable::Process(id(*pid)), Some(FreezerState::Frozen));
        pids.iter().map(stopped).collect()
    };
    let mut scene = scene();
    run_frozen(&mut scene, 160, 1, leaking, &stopped(&[10]));
    assert_eq!(
        told(&scene),
        ("…".into(), "-".into()),
        "the helper may grow"
    );
    run_frozen(&mut scene, 161, 20, leaking, &stopped(&[10]));
    assert_eq!(told(&scene), ("0".into(), "-".into()));
    run_frozen(&mut scene, 181, 1, leaking, &stopped(&[10, 11]));
    assert_eq!(told(&scene), ("frozen".into(), "-".into()));
}

#[test]
fn a_group_that_grows_is_asked_whether_somebody_else_froze_it() {
    let mut scene = scene();
    let asked = |scene: &Scene| {
        let needs = scene.effects.iter().rev().find_map(|effect| match effect {
            Effect::Sample(needs) => Some(needs),
            _ => None,
        });
        let growing = &needs.expect("a request for a sample").growing;
        growing.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(asked(&scene), ["/shop"]);
    run_frozen(&mut scene, 160, 5, leaking, &frozen_group("/shop"));
    assert_eq!(asked(&scene), ["/shop"], "as long as it stands still");
    run(&mut scene, 165, 30, |_| leaking(160));
    assert!(asked(&scene).is_empty());
}
