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
const DYING: &str = "nobody while 1892 java is dying";

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

/// Who dies next, as the header says.
fn next(scene: &Scene) -> String {
    let text = scene.text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Next victim "));
    let (who, _) = line.expect("a header").split_once("  ").expect("where");
    who.to_owned()
}

/// The last sample with a victim that holds so many pages.
fn sample_with_victim(scene: &mut Scene, second: u64, pages: Option<u64>) {
    let mut all = processes();
    for victim in all.iter_mut().filter(|process| process.id.pid == FIRST) {
        victim.memory = pages.map(|rss| MemoryUse {
            rss,
            ..MemoryUse::default()
        });
    }
    scene.tell(Msg::Sampled(Arc::new(snapshot(second, all))));
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
        // The kernel waits for its memory and kills nobody else meanwhile.
        assert_eq!(next(&scene), DYING);
        assert_eq!(marked(&scene), [""; 0]);
        scene.keys("d");
        let row = |scene: &Scene| {
            let text = scene.text();
            let row = text.lines().find(|line| line.starts_with("docker "));
            row.unwrap_or_else(|| panic!("{text}")).to_owned()
        };
        assert!(row(&scene).contains("nobody while"), "{}", row(&scene));
        sample_with_victim(&mut scene, 2, Some(500));
        assert!(row(&scene).contains("nobody while"), "{}", row(&scene));
        sample_with_victim(&mut scene, 3, None);
        assert!(row(&scene).contains("1893 shop-"), "{}", row(&scene));
        scene.keys("d");
        assert_eq!(next(&scene), SECOND);
        let rows = marked(&scene);
        assert!(
            rows.len() == 1 && rows.iter().all(|row| row.contains("shop-worker")),
            "{rows:?}"
        );
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
