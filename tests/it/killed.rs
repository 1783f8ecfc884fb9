//! A process that the kernel has killed is nobody's next victim from that moment on, whatever samples still show.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::model::process::MemoryUse;
use oomtop::model::time::Monotonic;
use oomtop::model::traced::{FactSource, HowTaken, Traced, TracedKill};
use oomtop::oomlog::OomEvent;

use crate::common::scene::{Scene, id, kill_report, moment, processes, snapshot};

/// The first to die in its container, and who is the next there.
const FIRST: u32 = 1892;
const SECOND: &str = "1893 shop-worker";

fn report() -> Msg {
    let report = kill_report(9, 1, FIRST, "java", Some("/docker/x"));
    Msg::Oom(OomEvent::Report(Arc::new(report)))
}

fn traced() -> Msg {
    let kill = TracedKill {
        number: 1,
        pid: FIRST,
        thread: None,
        start_ticks: Some(id(FIRST).start_ticks),
        comm: "java".into(),
        at: moment(1).monotonic,
        how: HowTaken::Killed,
        counted: 1,
        uid: None,
        adj: None,
        memory: Some(MemoryUse::default()),
        page_size: 4096,
        cgroup_id: None,
        cgroup: None,
        asked_by: None,
        facts: FactSource::Tracepoint,
    };
    Msg::Traced(Traced::Kill(Box::new(kill)))
}

fn next(scene: &Scene) -> String {
    let text = scene.text();
    let line = text.lines().find(|line| line.starts_with("Next victim"));
    let words: Vec<_> = line.expect("a header").split_whitespace().collect();
    words.get(2..4).expect("pid and name").join(" ")
}

/// The rows of the table that are marked as the next victim of a group.
fn marked(scene: &Scene) -> Vec<String> {
    let text = scene.text();
    let rows = text.lines().filter(|line| line.starts_with("* "));
    rows.map(str::to_owned).collect()
}

#[test]
fn the_dead_do_not_die_next() {
    for kill in [report, traced] {
        let mut scene = Scene::new(120, 36);
        assert_eq!(next(&scene), "1892 java");
        scene.tell(kill());
        assert_eq!(next(&scene), SECOND);
        let rows = marked(&scene);
        assert!(
            rows.len() == 1 && rows.iter().all(|row| row.contains("shop-worker")),
            "{rows:?}"
        );
        // Dying takes a while: the next sample still has it, with all its memory.
        scene.tell(Msg::Sampled(Arc::new(snapshot(2, processes()))));
        assert_eq!(next(&scene), SECOND);
        scene.keys("d");
        let text = scene.text();
        let row = text.lines().find(|line| line.starts_with("docker "));
        let row = row.unwrap_or_else(|| panic!("{text}"));
        assert!(row.contains("1893 shop-") && !row.contains("java"), "{row}");
    }
}

#[test]
fn who_dies_next_on_the_host_changes_with_a_kill_too() {
    let host_victim = |scene: &Scene| {
        let text = scene.text();
        let line = text.lines().find(|line| line.starts_with("Next victim"));
        let line = line.expect("a header").to_owned();
        let (_, who) = line.split_once("host: ").unwrap_or_default();
        who.split_whitespace().next().map(str::to_owned)
    };
    let mut scene = Scene::new(120, 36);
    assert_eq!(host_victim(&scene).as_deref(), Some("2456"));
    let report = kill_report(9, 1, 2456, "mysqld", None);
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
    assert_ne!(host_victim(&scene).as_deref(), Some("2456"));
    // What is remembered of it is from before: it was the first.
    scene.keys("e Enter");
    let text = scene.text();
    assert!(text.contains("2456"), "{text}");
}

#[test]
fn a_kill_of_long_ago_takes_nobody_out_of_the_ranking() {
    let mut scene = Scene::new(120, 36);
    let mut old = kill_report(9, 1, FIRST, "java", None);
    let long_ago = Monotonic(5_000_000);
    old.at = Some(long_ago);
    for kill in &mut old.kills {
        kill.at = Some(long_ago);
    }
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(old))));
    assert_eq!(next(&scene), "1892 java");
}
