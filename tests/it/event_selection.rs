//! The selection of the events pane is an event, not a row number: it stays on the selected event while other
//! events come, go or grow.

use std::sync::Arc;

use crate::common::scene::{Scene, kill_report, moment, processes, snapshot};
use oomtop::app::msg::{Msg, OlderBoot, OlderBoots};
use oomtop::model::event_source::EventSource;
use oomtop::model::snapshot::KillCounters;
use oomtop::oomlog::{OomEvent, OomReport};
use oomtop::ui::theme::Theme;
use ratatui::style::Modifier;

/// A report of this boot.
fn report(key: u64, second: u64, pid: u32, comm: &str) -> OomReport {
    kill_report(key, second, pid, comm, None)
}

fn told(report: OomReport) -> Msg {
    Msg::Oom(OomEvent::Report(Arc::new(report)))
}

/// A sample in which the kernel's own counter of kills stands at `host`.
fn counted(second: u64, host: u64) -> Msg {
    let mut sample = snapshot(second, processes());
    sample.kills = KillCounters { host: Some(host) };
    Msg::Sampled(Arc::new(sample))
}

/// Kills of alpha, beta and gamma, the newest first; the pane has the keyboard.
fn three_kills() -> Scene {
    let mut scene = Scene::new(120, 36);
    for (key, comm) in [(11, "gamma"), (12, "beta"), (13, "alpha")] {
        scene.tell(told(report(
            key,
            2,
            5000 + u32::try_from(key).expect("small"),
            comm,
        )));
    }
    // The log has these three kills and one from before the scene.
    scene.tell(counted(3, 4)).keys("e");
    scene
}

/// The row of the pane that is highlighted; empty if none is on the screen.
fn selected(scene: &Scene) -> String {
    let area = scene.state.panes().events_rows;
    let buffer = scene.buffer(&Theme::mono());
    let is_highlighted = |y: &u16| {
        let cell = buffer.cell((area.x, *y));
        cell.is_some_and(|cell| cell.modifier.contains(Modifier::REVERSED))
    };
    let row = (area.top()..area.bottom()).find(is_highlighted);
    let text = scene.text();
    row.and_then(|y| text.lines().nth(usize::from(y)))
        .unwrap_or_default()
        .to_owned()
}

/// Checks that the row of `words` is the selected one, and that it is on the screen.
fn expect(scene: &Scene, words: &str) {
    let row = selected(scene);
    assert!(
        row.contains(words),
        "{words} is not in {row:?}\n{}",
        scene.text()
    );
}

#[test]
fn a_kill_that_nobody_logged_moves_no_selection() {
    let mut scene = three_kills();
    scene.keys("Down");
    expect(&scene, "beta");
    for second in 4..8 {
        scene.tell(counted(second, 5));
    }
    assert!(
        scene.text().contains("no line in the log"),
        "{}",
        scene.text()
    );
    expect(&scene, "beta");
}

#[test]
fn an_older_report_that_grows_moves_no_selection() {
    let mut scene = three_kills();
    scene.keys("Down");
    let mut grown = report(11, 2, 5011, "gamma");
    let mut member = grown.kills[0].clone();
    (member.pid, member.comm) = (6000, "delta".to_owned());
    grown.kills.push(member);
    scene.tell(told(grown));
    expect(&scene, "beta");
}

#[test]
fn a_selected_row_keeps_its_place_when_its_own_report_grows() {
    let mut scene = three_kills();
    scene.keys("Down Down");
    let mut grown = report(11, 2, 5011, "gamma");
    let mut member = grown.kills[0].clone();
    (member.pid, member.comm) = (6000, "delta".to_owned());
    grown.kills.push(member);
    scene.tell(told(grown)).keys("Up Up");
    expect(&scene, "beta");
}

#[test]
fn a_filter_keeps_the_row_it_lets_through() {
    let mut scene = three_kills();
    scene.keys("Down Down /").types("a").keys("Enter");
    expect(&scene, "gamma");
    scene.keys("/ Ctrl-u").types("gamma").keys("Enter Esc");
    expect(&scene, "gamma");
    // If the filter hides the selected row, its neighbour is selected.
    scene.keys("/").types("pid:5012").keys("Enter");
    expect(&scene, "beta");
}

#[test]
fn a_filter_by_age_lets_rows_go_without_moving_the_selection() {
    let mut scene = three_kills();
    scene.tell(told(report(14, 50, 5014, "omega")));
    scene.tell(Msg::Tick(moment(50)));
    scene.keys("/").types("last:60s").keys("Enter Home");
    for second in 51..110 {
        scene.tell(Msg::Tick(moment(second)));
    }
    assert_eq!(scene.state.events.len(), 1);
    expect(&scene, "omega");
}

#[test]
fn rows_that_are_kept_no_more_move_no_selection() {
    let mut scene = Scene::new(120, 36);
    for key in 0..2000 {
        scene.tell(told(report(
            100 + key,
            2,
            10_000 + u32::try_from(key).expect("small"),
            "many",
        )));
    }
    scene.keys("e Down Down Down");
    expect(&scene, "11996");
    for key in 0..5 {
        scene.tell(told(report(5000 + key, 3, 20_000, "more")));
    }
    expect(&scene, "11996");
}

#[test]
fn older_boots_come_in_below_the_selection() {
    let mut scene = three_kills();
    scene.keys("End");
    expect(&scene, "stress");
    let mut old = report(1, 0, 71, "mysqld");
    (old.at, old.kills[0].at) = (None, None);
    let reports = vec![Arc::new(old)];
    scene.tell(Msg::Older(Ok(OlderBoots {
        boots: vec![OlderBoot {
            boot: -1,
            reports,
            ..OlderBoot::default()
        }],
        cut: None,
    })));
    expect(&scene, "stress");
    scene.keys("Down");
    expect(&scene, "mysqld");
}

/// A log that lags, and a counted kill of second 4 whose line has not come.
fn counted_before_logged() -> Scene {
    let mut scene = three_kills();
    scene.tell(Msg::Source(EventSource {
        name: "the journal".to_owned(),
        missing: "it lags".to_owned(),
        caught_up: true,
        ..EventSource::default()
    }));
    for second in 4..8 {
        scene.tell(counted(second, 5));
    }
    assert!(
        scene.text().contains("no line in the log"),
        "{}",
        scene.text()
    );
    scene
}

#[test]
fn a_counted_kill_that_is_logged_late_keeps_the_selection() {
    let mut scene = counted_before_logged();
    // Select the counted kill, which is not the first row.
    scene.tell(told(report(20, 60, 7000, "later")));
    scene.keys("Home Down");
    expect(&scene, "counter");
    scene.tell(told(report(21, 4, 7001, "silent")));
    scene.tell(counted(8, 6));
    assert!(
        !scene.text().contains("no line in the log"),
        "{}",
        scene.text()
    );
    expect(&scene, "silent");
}

#[test]
fn a_counted_kill_that_goes_away_moves_no_other_selection() {
    let mut scene = counted_before_logged();
    scene.keys("Home Down Down");
    expect(&scene, "beta");
    scene.tell(told(report(21, 4, 7001, "silent")));
    scene.tell(counted(8, 5));
    expect(&scene, "beta");
}

#[test]
fn the_first_row_stays_selected_until_the_user_moves() {
    let mut scene = three_kills();
    expect(&scene, "alpha");
    scene.tell(told(report(20, 3, 7000, "newest")));
    expect(&scene, "newest");
    scene.keys("Down Up");
    scene.tell(told(report(21, 3, 7001, "newer still")));
    expect(&scene, "newer still");
}

#[test]
fn a_pane_that_grows_shows_rows_instead_of_blanks() {
    let mut scene = Scene::new(120, 24);
    for key in 0..40 {
        scene.tell(told(report(100 + key, 2, 10_000, "many")));
    }
    scene.keys("e End").tell(Msg::Resized(120, 40));
    let text = scene.text();
    let rows = text
        .lines()
        .filter(|line| line.contains(" anon adj "))
        .count();
    let height = scene.state.panes().events_height();
    assert_eq!(rows, height, "{text}");
    expect(&scene, "stress");
}

/// Pids of the rows that pass the filter.
fn pids(scene: &Scene) -> Vec<u32> {
    let rows = scene.state.events.rows();
    rows.filter_map(|row| row.kill.map(|kill| kill.pid))
        .collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever messages come, a selected kill stays selected and on the screen as long as its row exists.
    #[test]
    fn a_selected_kill_stays_selected_and_on_the_screen(
        steps in proptest::collection::vec((0_u32..7, 0_u64..12), 1..60),
    ) {
        let mut scene = three_kills();
        scene.keys("Down");
        // By report, the number of its kills so far.
        let mut kills = [0_u32; 12];
        let (mut second, mut counter) = (3, 4);
        for (what, which) in steps {
            let selected = |scene: &Scene| scene.state.events.selected_row().and_then(|row| Some(row.kill?.pid));
            let before = (selected(&scene), scene.state.events.list().cursor());
            match what {
                0..=1 => {
                    let key = usize::try_from(which).expect("small");
                    kills[key] += 1;
                    let first = 6000 + 100 * u32::try_from(which).expect("small");
                    let mut grown = report(100 + which, 3, first, "grows");
                    for more in 1..kills[key] {
                        let mut kill = grown.kills[0].clone();
                        kill.pid += more;
                        grown.kills.push(kill);
                    }
                    scene.tell(told(grown));
                }
                2..=3 => {
                    second += 1;
                    counter += u64::from(what == 2);
                    scene.tell(counted(second, counter));
                }
                4 => {
                    scene.keys("/ Ctrl-u").types(["", "a", "grows", "nobody"][usize::try_from(which % 4).expect("small")]).keys("Enter");
                }
                5 => {
                    scene.tell(Msg::Resized(120, 20 + u16::try_from(which).expect("small")));
                }
                _ => {
                    scene.keys(["Down", "End", "PgDn", "Up"][usize::try_from(which % 4).expect("small")]);
                    continue;
                }
            }
            let list = scene.state.events.list();
            if let (Some(pid), 1..) = before && pids(&scene).contains(&pid) {
                proptest::prop_assert_eq!(selected(&scene), Some(pid));
            }
            proptest::prop_assert!(list.is_empty() || !list.is_selection_hidden());
        }
    }
}
