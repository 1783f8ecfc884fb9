//! The incident on the main screen: a group of 300 MiB loses 20 MiB a second. Which group, who leaks, who dies and when
//! stand there three samples later, without a key; the leaking service is protected with three keys.

use oomtop::app::msg::{Effect, Msg};
use oomtop::model::cgroup::Cgroup;
use oomtop::model::incident::Survey;
use oomtop::model::plan::step::Step;
use oomtop::model::process::Process;
use oomtop::model::process::pace::Pace;

use crate::common::scene::{Scene, moment, process};
use crate::common::shop::{group, run};

/// The second after which it leaks.
const BEGINS: u64 = 130;
const RATE: u64 = 20;

/// Six groups that rest; in one a small process begins to leak.
fn six(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let names = ["orders", "billing", "search", "mail", "video", "shop"];
    let leaked = second.saturating_sub(BEGINS) * RATE;
    let mut groups = vec![group("/", None, 0, 0)];
    let mut processes = vec![process(1, "init", 10, 0, 0)];
    for (at, name) in (1_u32..).zip(names) {
        let usage = if at == 1 {
            90 + leaked
        } else {
            100 + u64::from(at) * 20
        };
        let mut own = group(&format!("/woken-test/shops/{name}"), Some(0), 300, usage);
        own.limits.swap_max = Some(0);
        groups.push(own);
        let main = process(at * 10, &format!("{name}-db"), 70, 0, at);
        processes.push(main);
    }
    let mut report = process(77, "orders-report", 20 + leaked, 0, 1);
    if leaked > 0 {
        let rate = (RATE << 20) as f32;
        report.growth = Some(rate);
        report.pace = Pace {
            growth: rate,
            steady: rate / 4.0,
            high: rate,
            low: rate,
            last: rate,
        };
    }
    processes.push(report);
    (groups, processes)
}

fn leaking(width: u16, height: u16, seconds: u64) -> Scene {
    let mut scene = Scene::new(width, height);
    run(&mut scene, 100, BEGINS + seconds - 99, six);
    scene
}

fn line(scene: &Scene) -> Option<String> {
    let text = scene.text();
    let found = text.lines().find(|line| line.starts_with("FULL IN"));
    found.map(|line| line.trim_end().to_owned())
}

#[test]
fn three_samples_after_the_start_all_four_answers_stand_on_the_main_screen() {
    for (width, height) in [(80, 24), (120, 36), (200, 50), (80, 16)] {
        let mut scene = Scene::new(width, height);
        run(&mut scene, 100, BEGINS - 99, six);
        assert_eq!(line(&scene), None, "it rests");
        run(&mut scene, BEGINS + 1, 3, six);
        let line = line(&scene).unwrap_or_else(|| panic!("{width}x{height}: {}", scene.text()));
        for word in ["~7s?", "orders", "grows", "orders-report", "dies: "] {
            assert!(
                line.contains(word),
                "{width}x{height}: no {word:?} in {line:?}"
            );
        }
        let leaker = line.split("grows").nth(1).unwrap_or_default();
        assert!(leaker.contains("orders-report"), "{line}");
        // Where the last seconds alone say so, a line with room says how many.
        assert!(width < 120 || line.contains("in the last 3 s"), "{line}");
    }
}

#[test]
fn the_end_of_the_growth_is_said_and_the_line_goes_away() {
    let mut scene = leaking(120, 36, 4);
    assert!(line(&scene).is_some());
    // What it has stays; the rest of the minute is calm.
    let rests = |_: u64| {
        let (groups, mut processes) = six(BEGINS + 4);
        for process in &mut processes {
            (process.growth, process.pace) = (Some(0.0), Pace::default());
        }
        (groups, processes)
    };
    run(&mut scene, BEGINS + 5, 5, rests);
    assert!(scene.text().contains("WAS FILLING"), "{}", scene.text());
    run(&mut scene, BEGINS + 10, 20, rests);
    assert!(!scene.text().contains("WAS FILLING"), "{}", scene.text());
}

#[test]
fn growth_that_no_process_has_is_not_blamed_on_one() {
    let cache = |second| {
        let (groups, mut processes) = six(second);
        for process in &mut processes {
            (process.growth, process.pace) = (Some(0.0), Pace::default());
        }
        (groups, processes)
    };
    let mut scene = Scene::new(200, 50);
    run(&mut scene, 100, BEGINS - 96, cache);
    let line = line(&scene).expect("a line");
    assert!(line.contains("grows: no process: page cache"), "{line}");
}

#[test]
fn the_dialog_blames_whom_the_line_blames() {
    // The orders-report grows by a fourth of what fills the group; the rest is page cache.
    let mixed = |second| {
        let (groups, mut processes) = six(second);
        for process in &mut processes {
            let own = process.id.pid == 77;
            let growth = if own { (RATE << 18) as f32 } else { 0.0 };
            (process.growth, process.pace) = (Some(growth), Pace::default());
        }
        (groups, processes)
    };
    let opened = |kind: &dyn Fn(u64) -> (Vec<Cgroup>, Vec<Process>)| {
        let mut scene = Scene::new(200, 50);
        run(&mut scene, 100, BEGINS - 97, kind);
        let told = line(&scene).expect("a line");
        scene.keys("d i");
        let path = scene
            .state
            .domains
            .selected_path()
            .expect("a group")
            .clone();
        scene.tell(Msg::Surveyed(path.clone(), Ok(Survey::of_nothing(path))));
        (
            told,
            scene.text().contains("let 77 orders-report die before"),
        )
    };
    let (told, exposed) = opened(&mixed);
    assert!(told.contains("grows: no process"), "{told}");
    assert!(!exposed, "the line blames nobody");
    let (told, exposed) = opened(&six);
    assert!(told.contains("orders-report"), "{told}");
    assert!(exposed);
}

#[test]
fn three_keys_protect_the_victim_that_the_line_names() {
    let mut scene = leaking(80, 24, 3);
    scene.asked();
    scene.keys("d ]");
    let text = scene.text();
    assert!(text.contains("orders"), "{text}");
    scene.keys("Enter");
    let asked = scene.asked();
    let written = asked.iter().find_map(|effect| match effect {
        Effect::Write { plans, .. } => Some(plans),
        _ => None,
    });
    let plans = written.unwrap_or_else(|| panic!("nothing written: {asked:?}, {}", scene.text()));
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let protected: Vec<(u32, i32)> = steps
        .filter_map(|step| match step {
            Step::Adj { target, value } => Some((target.pid, i32::from(value.get()))),
            _ => None,
        })
        .collect();
    assert!(
        matches!(protected[..], [(77 | 10, adj)] if adj < 0),
        "{plans:?}"
    );
}

#[test]
fn three_keys_let_the_leaker_die_first_where_nobody_may_be_protected() {
    // The leaker is still smaller than the service it would take along.
    let mut scene = leaking(120, 36, 2);
    assert!(line(&scene).is_some_and(|line| line.contains("dies: 10 orders-db")));
    scene.keys("d i");
    let path = scene
        .state
        .domains
        .selected_path()
        .expect("the group")
        .clone();
    scene.tell(Msg::Surveyed(path.clone(), Ok(Survey::of_nothing(path))));
    scene.asked();
    scene.keys("Enter");
    let exposed = scene.asked().into_iter().find_map(|effect| match effect {
        Effect::Write { plans, .. } => plans.first().and_then(|plan| plan.steps.first().cloned()),
        _ => None,
    });
    assert!(
        matches!(exposed, Some(Step::Adj { target, value }) if target.pid == 77 && value.get() > 0),
        "{exposed:?} {}",
        scene.text()
    );
}

#[test]
fn what_fills_up_first_comes_first_and_the_others_are_counted() {
    let two = |second: u64| {
        let (mut groups, mut processes) = six(second);
        let leaked = second.saturating_sub(BEGINS) * 30;
        groups[2].usage = Some((60 + leaked) << 20);
        processes[2] = process(20, "billing-db", 60 + leaked, 0, 2);
        processes[2].growth = Some(if leaked > 0 { 30e6 } else { 0.0 });
        (groups, processes)
    };
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, BEGINS - 96, two);
    let line = line(&scene).expect("a line");
    assert!(
        line.contains("billing") && line.contains("and 1 more (d)"),
        "{line}"
    );
    scene.tell(Msg::Tick(moment(BEGINS + 5)));
    scene.keys("d");
    let selected = scene.state.domains.selected_path().map(ToString::to_string);
    assert_eq!(selected.as_deref(), Some("/woken-test/shops/billing"));
}

#[test]
fn the_details_say_of_each_domain_who_dies_along() {
    // The outer group is killed as a whole, but not by an OOM of the inner one.
    let pods = |_: u64| {
        let mut outer = group("/pods", Some(0), 0, 90);
        outer.limits.oom_group = true;
        let mut inner = group("/pods/shop", Some(1), 100, 80);
        inner.limits.swap_max = Some(0);
        let processes = vec![
            process(1, "init", 10, 0, 0),
            process(10, "shop", 70, 0, 2),
            process(11, "proxy", 9, 0, 1),
            process(12, "cron", 8, 0, 2),
        ];
        (vec![group("/", None, 0, 0), outer, inner], processes)
    };
    let mut scene = Scene::new(140, 50);
    run(&mut scene, 100, 3, pods);
    scene.keys("/").types("pid:10").keys("Enter Enter");
    let text = scene.text();
    let line = |with: &str| {
        let found = text.lines().position(|line| line.contains(with));
        found.unwrap_or_else(|| panic!("no {with:?} in {text}"))
    };
    let inner = line("if full     /pods/shop");
    let alone = line("dies with   nobody");
    let host = line("if full     the host");
    let whole = line("dies with   2 others in pods");
    assert!(inner < alone && alone < host && host < whole, "{text}");
}

#[test]
fn a_search_does_not_make_samples_wait() {
    let mut scene = Scene::new(80, 24);
    run(&mut scene, 100, 2, six);
    scene.effects.clear();
    scene.keys("/").types("orders").keys("Enter");
    run(&mut scene, 102, 2, six);
    scene.tell(Msg::Tick(moment(110)));
    let asked = scene.effects.iter().filter_map(|effect| match effect {
        Effect::Sample(needs) => Some(needs),
        _ => None,
    });
    let searched: Vec<_> = asked.filter(|needs| needs.all_commands).collect();
    assert!(!searched.is_empty(), "{:?}", scene.effects);
    assert!(searched.iter().all(|needs| !needs.complete));
}

#[test]
fn the_start_of_a_process_is_no_filling() {
    // 60 MiB in three seconds, and 220 are left.
    let starts = |second: u64| {
        let grown = second.clamp(BEGINS, BEGINS + 3) - BEGINS;
        let (mut groups, processes) = six(BEGINS + grown);
        groups[1].usage = Some((20 + grown * RATE) << 20);
        (groups, processes)
    };
    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, BEGINS - 96, starts);
    assert!(line(&scene).is_some(), "so far it may be a leak");
    run(&mut scene, BEGINS + 4, 2, starts);
    let text = scene.text();
    assert!(!text.contains("WAS FILLING"), "{text}");
    assert_eq!(
        scene.state.domains.urgent(),
        1,
        "only the shop at 73 %\n{text}"
    );
}
