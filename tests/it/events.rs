//! The events pane: log events and counters in, rows and sentences out.

use std::sync::Arc;

use crate::common::scene::{Scene, kill_report, processes, snapshot};
use oomtop::app::msg::{Effect, Msg, OlderBoot, OlderBoots};
use oomtop::model::event_source::EventSource;
use oomtop::model::snapshot::KillCounters;
use oomtop::model::time::Monotonic;
use oomtop::oomlog::OomEvent;

#[test]
fn a_kill_is_a_row_a_notice_and_remembers_its_victim() {
    let mut scene = Scene::new(200, 50);
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9,
        2,
        1892,
        "java",
        Some("/docker/x"),
    )))));
    let text = scene.text();
    assert!(text.contains("the kernel killed 1892 java"), "{text}");
    assert!(text.contains("limit 3.5G of /docker/x"), "{text}");
    scene.keys("e Enter");
    let text = scene.text();
    assert!(
        text.contains("java -Xmx3g -jar /opt/shop/shop.jar"),
        "{text}"
    );
    assert!(text.contains("rank 2 of the host, user tomcat"), "{text}");
    // The same report again (the reaper came) is the same row.
    let rows = scene.state.events.len();
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9,
        2,
        1892,
        "java",
        Some("/docker/x"),
    )))));
    assert_eq!(scene.state.events.len(), rows);
}

#[test]
fn an_old_kill_is_not_joined_to_whoever_has_its_pid_now() {
    let mut scene = Scene::new(200, 50);
    let mut report = kill_report(9, 0, 1892, "java", None);
    report.kills[0].at = Some(Monotonic(5_000_000));
    scene
        .tell(Msg::Oom(OomEvent::Report(Arc::new(report))))
        .keys("e Enter");
    assert!(
        !scene.text().contains("of the host, user"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_counter_that_rises_without_a_line_is_a_row_of_its_own() {
    let mut scene = Scene::new(120, 36);
    let with_kills = |second, host| {
        let mut sample = snapshot(second, processes());
        sample.kills = KillCounters { host: Some(host) };
        Msg::Sampled(Arc::new(sample))
    };
    scene.tell(with_kills(3, 2)).tell(with_kills(4, 2));
    assert_eq!(scene.state.events.len(), 1, "the line may still come");
    scene.tell(with_kills(5, 2));
    assert_eq!(scene.state.events.len(), 2);
    assert!(
        scene.text().contains("no line in the log"),
        "{}",
        scene.text()
    );
    scene
        .tell(with_kills(6, 2))
        .tell(with_kills(7, 2))
        .tell(with_kills(8, 2));
    assert_eq!(scene.state.events.len(), 2, "told once");
    // A kill that is in the log and in a counter makes one row.
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9, 9, 1892, "java", None,
    )))));
    for second in 9..14 {
        scene.tell(with_kills(second, 3));
    }
    assert_eq!(scene.state.events.len(), 3);
    // Without a log, a counted kill makes a row at once.
    let missing = "no permission".to_owned();
    scene.tell(Msg::Source(EventSource {
        name: "counters only".to_owned(),
        missing,
        caught_up: true,
        ..EventSource::default()
    }));
    scene.tell(with_kills(15, 5));
    assert_eq!(scene.state.events.len(), 4);
}

#[test]
fn gaps_show() {
    let mut scene = Scene::new(120, 36);
    scene.tell(Msg::Oom(OomEvent::Gap { at: None, lost: 17 }));
    assert!(
        scene.text().contains("17 log records were overwritten"),
        "{}",
        scene.text()
    );
}

/// A kill of `comm` at a second of the scene.
fn killed(key: u64, second: u64, pid: u32, comm: &str, memcg: Option<&str>) -> Msg {
    Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        key, second, pid, comm, memcg,
    ))))
}

#[test]
fn the_pane_filters_by_victim_scope_pid_and_time() {
    let mut scene = Scene::new(120, 36);
    let shop = Some("/shop.slice/docker-4f5e6d7c8b9a.scope");
    scene.tell(killed(2, 1, 1892, "java", shop));
    scene.tell(killed(3, 2, 1893, "shop-worker", shop));
    // The first kill of the scene was 400 seconds before it: stress, on the host.
    for (filter, rows) in [
        ("java", 1),
        ("shop", 2),
        ("scope:host", 1),
        ("scope:container", 2),
        ("scope:cgroup", 2),
        ("scope:unit", 0),
        ("pid:1893", 1),
        ("last:1m", 2),
        ("last:1h", 3),
        ("nobody", 0),
        ("scope:host|unit", 1),
        ("pid:1893|1892", 2),
        // A colon of a path is no key.
        ("cri-containerd:3f|java", 1),
        ("\"cri:3f\"|java", 1),
    ] {
        scene.keys("e / Ctrl-u").types(filter).keys("Enter");
        assert_eq!(scene.state.events.len(), rows, "{filter}\n{}", scene.text());
        assert!(
            scene.text().contains(&format!("filter: {filter}")),
            "{}",
            scene.text()
        );
        scene.keys("Esc Esc");
    }
    assert_eq!(scene.state.events.len(), 3);
    scene.keys("e /").types("last:soon");
    assert!(
        scene.text().contains("last: takes a time"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_name_that_dies_again_and_again_is_counted() {
    let mut scene = Scene::new(120, 36);
    for n in 0..7 {
        scene.tell(killed(
            10 + n,
            1,
            2000 + u32::try_from(n).expect("small"),
            "java",
            None,
        ));
    }
    assert!(scene.text().contains("java ×7 in 1 h"), "{}", scene.text());
    for _ in 0..3700 {
        scene.sample(Vec::new());
    }
    assert!(!scene.text().contains("in 1 h"), "{}", scene.text());
}

#[test]
fn older_boots_come_from_the_journal_and_are_not_counted_as_this_boots() {
    let mut scene = Scene::new(120, 36);
    scene.keys("o o o o");
    assert_eq!(
        scene.asked(),
        [Effect::ReadOlderBoots],
        "a read in flight is not started again"
    );
    scene.tell(Msg::Older(Err("the disk is slow".to_owned())));
    scene.keys("o");
    assert_eq!(
        scene.asked(),
        [Effect::ReadOlderBoots],
        "one that failed is"
    );
    let old = |key, pid, stamp: &str| {
        let mut report = kill_report(key, 0, pid, "mysqld", None);
        report.at = None;
        report.kills[0].at = None;
        report.stamp = Some(stamp.to_owned());
        Arc::new(report)
    };
    // Three days before the scene, by the journal's wall clock; the keys are those of this boot's too.
    let reports = vec![
        old(1, 71, "1763560800000000"),
        old(2, 72, "1763560860000000"),
    ];
    scene.tell(Msg::Older(Ok(OlderBoots {
        boots: vec![OlderBoot {
            boot: -1,
            reports,
            ..OlderBoot::default()
        }],
        cut: None,
    })));
    assert_eq!(
        (scene.state.events.len(), scene.state.events.kills()),
        (3, 1)
    );
    let text = scene.text();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("mysqld") && line.contains("killed"))
        .collect();
    assert!(
        rows.len() == 2 && rows.iter().all(|row| row.starts_with("3d ago")),
        "{text}"
    );
    // A report of this boot with the same key is another report.
    scene.tell(killed(2, 3, 1892, "java", None));
    assert_eq!(scene.state.events.len(), 4);
    scene.keys("o");
    assert_eq!(scene.asked(), []);
    let mut refused = Scene::new(120, 36);
    refused.tell(Msg::Older(Err("no older boot could be read".to_owned())));
    assert!(
        refused.text().contains("no older boot"),
        "{}",
        refused.text()
    );
}
