//! What the numbers about kills count, and until when a word about one is true.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::app::view::events::EventLog;
use oomtop::model::cgroup::Cgroup;
use oomtop::model::event_source::EventSource;
use oomtop::model::process::Process;
use oomtop::model::snapshot::KillCounters;
use oomtop::oomlog::{OomEvent, OomReport, Outcome};

use crate::common::scene::{Scene, kill_report, moment, process, snapshot};
use crate::common::shop::{group, run};

fn killed(key: u64, second: u64) -> OomReport {
    let pid = 2000 + u32::try_from(key).expect("small");
    kill_report(key, second, pid, "java", None)
}

fn told(report: OomReport) -> Msg {
    Msg::Oom(OomEvent::Report(Arc::new(report)))
}

fn says(scene: &Scene, words: &str) {
    let text = scene.text();
    assert!(text.contains(words), "no {words:?} in\n{text}");
}

fn says_not(scene: &Scene, words: &str) {
    let text = scene.text();
    assert!(!text.contains(words), "{words:?} in\n{text}");
}

#[test]
fn what_is_new_counts_kills_and_names_the_other_rows() {
    let mut scene = Scene::new(120, 36);
    // The log held a kill when oomtop was started: no news.
    says_not(&scene, " new");
    scene.tell(told(killed(2, 1)));
    says(&scene, "  1 new kill ");
    scene.tell(told(killed(3, 1)));
    scene.tell(Msg::Oom(OomEvent::Gap { at: None, lost: 17 }));
    let mut pending = killed(4, 1);
    pending.kills.clear();
    pending.outcome = Outcome::Pending;
    scene.tell(told(pending));
    says(&scene, "  2 new kills, 2 other new rows ");
    // The victim of the last one has its line: the same row, and a kill.
    scene.tell(told(killed(4, 1)));
    says(&scene, "  3 new kills, 1 other new row ");
    scene.keys("e");
    says_not(&scene, " new ");
    scene.keys("Esc");
    says_not(&scene, " new ");
}

#[test]
fn a_kill_is_new_although_an_old_one_makes_room_for_it() {
    let mut scene = Scene::new(120, 36);
    // As many as are kept.
    for key in 2..2010 {
        scene.tell(told(killed(key, 1)));
    }
    scene.keys("e Esc");
    says_not(&scene, " new ");
    scene.tell(told(killed(3000, 2)));
    says(&scene, "  1 new kill ");
}

#[test]
fn who_died_often_is_counted_from_the_oldest_record_where_older_ones_are_gone() {
    let log = |all: u64| {
        let mut log = EventLog::default();
        let source = EventSource {
            name: "/dev/kmsg".to_owned(),
            caught_up: true,
            ..EventSource::default()
        };
        log.set_source(source, moment(0).monotonic);
        for key in 0..5 {
            log.accept(OomEvent::Report(Arc::new(killed(key, 600 + key * 60))), &[]);
        }
        log.set_clock(moment(1000));
        let mut sample = snapshot(1000, Vec::new());
        sample.kills = KillCounters { host: Some(all) };
        log.reconcile(&sample, &sample);
        let repeated = log.repeated(&sample).expect("five");
        repeated.words(moment(1000).wall)
    };
    assert_eq!(log(5), "java ×5 in 1 h", "the kernel counts no more");
    // 122 kills have no record any more: nobody knows who they were.
    let words = log(127);
    let since = oomtop::text::format::day_or_time(moment(600).wall, moment(1000).wall);
    assert_eq!(words, format!("java ×5 since {since}"));
}

#[test]
fn a_gap_in_the_log_is_where_the_count_begins() {
    let mut scene = Scene::new(120, 36);
    for key in 2..6 {
        scene.tell(told(killed(key, 1)));
    }
    says(&scene, "java ×4 in 1 h");
    let at = Some(moment(1).monotonic);
    scene.tell(Msg::Oom(OomEvent::Gap { at, lost: 900 }));
    says(&scene, "java ×4 since ");
}

#[test]
fn a_victim_that_no_line_names_is_waited_for_a_minute_and_no_longer() {
    let mut scene = Scene::new(120, 36);
    let mut pending = killed(2, 1);
    pending.kills.clear();
    pending.outcome = Outcome::Pending;
    scene.tell(told(pending));
    says(&scene, "out of memory, choosing …");
    for _ in 0..70 {
        scene.sample(Vec::new());
    }
    says_not(&scene, "choosing");
    says(&scene, "out of memory, victim not in this log");
    // It comes after all.
    scene.tell(told(killed(2, 1)));
    says(&scene, "killed 2002 java");
    says_not(&scene, "victim not in this log");
}

/// A group that loses a process at second 110.
fn loses_one(second: u64) -> (Vec<Cgroup>, Vec<Process>) {
    let mut shop = group("/shop", Some(0), 500, 100);
    let kills = u64::from(second >= 110);
    shop.events.oom = Some(kills);
    shop.events.own_oom = Some(kills);
    shop.events.oom_kill = Some(kills);
    let groups = vec![group("/", None, 0, 0), shop];
    (groups, vec![process(10, "web", 100, 0, 1)])
}

#[test]
fn a_kill_is_of_the_last_minute_for_a_minute() {
    let mut scene = Scene::new(160, 36);
    run(&mut scene, 100, 70, loses_one);
    scene.keys("d");
    says(&scene, "KILLED");
    run(&mut scene, 170, 1, loses_one);
    says(&scene, "(1m00s)");
    for second in 171..185 {
        run(&mut scene, second, 1, loses_one);
        says_not(&scene, "KILLED");
        says_not(&scene, "(1m");
    }
}
