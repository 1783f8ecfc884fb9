//! The events pane: log events and counters in, rows and sentences out.

mod common;

use std::sync::Arc;

use common::scene::{Scene, kill_report, processes, snapshot};
use oomtop::app::msg::{EventSource, Msg};
use oomtop::domain::oom::OomEvent;
use oomtop::domain::snapshot::KillCounters;
use oomtop::domain::time::Monotonic;

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
    // A kill that the log tells is not told twice.
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9, 9, 1892, "java", None,
    )))));
    for second in 9..14 {
        scene.tell(with_kills(second, 3));
    }
    assert_eq!(scene.state.events.len(), 3);
    // Without a log there is nothing to wait for.
    let missing = "no permission".to_owned();
    scene.tell(Msg::Source(EventSource {
        name: "counters only".to_owned(),
        missing,
        caught_up: true,
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
