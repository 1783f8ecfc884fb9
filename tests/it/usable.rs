//! What a person who lives in htop stumbled over, one table for each fault.

use std::sync::Arc;

use crate::common::scene::{Scene, host, kill_report, moment, process, processes, snapshot};
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::app::view::events::EventLog;
use oomtop::app::view::processes::marks::Marks;
use oomtop::model::filter::Filter;
use oomtop::model::snapshot::Host;
use oomtop::oomlog::OomEvent;
use oomtop::output::table::{Paper, plain};

/// Column and row of the corners of the dialog in front.
fn frame(scene: &Scene) -> [(usize, usize); 2] {
    let text = scene.text();
    let rows: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let find = |wanted: char| {
        let mut all = rows.iter().enumerate();
        let found = all.find_map(|(y, row)| Some((row.iter().position(|c| *c == wanted)?, y)));
        found.unwrap_or_else(|| panic!("no {wanted} in\n{text}"))
    };
    [find('┌'), find('┘')]
}

#[test]
fn dialogs_keep_their_size_and_place_while_typing() {
    for (open, typed) in [
        // A number as it grows, nonsense, and nothing again.
        ("a", "-1000x"),
        ("k", "15"),
        // Limits that change what the dialog foresees: refused, near, far beyond the host.
        ("c", "1M 512M 30G x"),
    ] {
        for (width, height) in [(80, 24), (120, 36), (200, 50)] {
            let mut scene = Scene::new(width, height);
            scene.keys(open).tell(Msg::Groups(Ok(Vec::new())));
            let before = frame(&scene);
            for part in typed.split(' ') {
                for letter in part.chars() {
                    scene.types(&letter.to_string());
                    let now = frame(&scene);
                    let text = scene.text();
                    assert_eq!(now, before, "{open} {part} {width}x{height}\n{text}");
                }
                for _ in part.chars() {
                    scene.keys("Backspace");
                    assert_eq!(frame(&scene), before, "{open} after {part}");
                }
            }
        }
    }
}

/// A strip of the table beside a dialog shows words cut in two.
#[test]
fn dialogs_leave_no_debris_beside_them() {
    for open in ["a", "k", "c", "i", "?", "Enter", "S", "R", "F6"] {
        for (width, height) in [(80, 24), (100, 30), (120, 36), (140, 40)] {
            let mut scene = Scene::new(width, height);
            scene.keys(open);
            let text = scene.text();
            let framed: Vec<Vec<char>> = text
                .lines()
                .map(|line| line.chars().collect::<Vec<_>>())
                .skip_while(|line| !line.contains(&'┌'))
                .take_while(|line| line.iter().any(|c| "┌│└".contains(*c)))
                .collect();
            assert!(framed.len() > 2, "{open} opens a dialog\n{text}");
            let edge = |c: &char| "┌┐".contains(*c);
            let left = framed[0].iter().position(edge).expect("a corner");
            let right = framed[0].iter().rposition(edge).expect("a corner");
            for line in framed {
                let mut beside: Vec<char> = line.iter().skip(right + 1).copied().collect();
                if left < 24 {
                    beside.extend(&line[..left]);
                    let is_blank = beside.iter().all(|c| *c == ' ');
                    assert!(is_blank, "{open} {width}x{height}: {beside:?}\n{text}");
                }
            }
        }
    }
}

#[test]
fn a_storm_of_kills_leaves_the_function_bar() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let mut scene = Scene::new(width, height);
        for n in 0..40_u32 {
            let second = 100 + u64::from(n);
            // A long name of a group must not push the keys away either.
            let group = format!("/{}/{n}", "deep".repeat(20));
            let name = format!("worker-{n}");
            let report = kill_report(second, second, 9000 + n, &name, Some(&group));
            scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
            let text = scene.text();
            let mut lines = text.lines().rev();
            let bar = lines.next().expect("a last line");
            let notice = lines.next().expect("a line above");
            for key in ["Help", "Quit"] {
                assert!(bar.contains(key), "{width}x{height}: {key} in\n{text}");
            }
            assert!(
                notice.contains(&name),
                "{width}x{height}: {name} in\n{text}"
            );
        }
    }
}

#[test]
fn the_forecast_of_a_limit_knows_which_end_is_nearer() {
    // RAM and swap of the host leave 14.4 GiB. A new group begins empty and may use 7.7 GiB of the swap.
    for (limit, host_is_first) in [
        ("1G", false),
        ("6G", false),
        ("7G", true),
        ("30G", true),
        ("100G", true),
    ] {
        let mut scene = Scene::new(120, 40);
        scene.keys("c").tell(Msg::Groups(Ok(Vec::new())));
        scene.types(limit);
        let text = scene.text();
        let said = text.contains("The host is out of memory first");
        assert_eq!(said, host_is_first, "{limit}\n{text}");
    }
}

#[test]
fn the_plain_table_is_for_eyes() {
    let command = format!("/usr/bin/python3 {}", "x".repeat(16_500));
    let mut all = processes();
    let mut long = process(77, "python3", 50, 0, 1);
    long.command = Some(command.as_str().into());
    let mut own = process(78, "oomtop", 20, 0, 1);
    own.command = Some("oomtop --once -F postgres".into());
    all.extend([long, own]);
    let sample = snapshot(30, all);
    let marks = Marks::new(&sample);
    let host = Host {
        own_pid: Some(78),
        ..host()
    };
    let printed = |filter: &str| {
        let settings = Settings {
            filter: Filter::parse(filter).expect("a filter"),
            ..Settings::default()
        };
        let events = EventLog::default();
        plain(
            &sample,
            &host,
            &marks,
            &events,
            &settings,
            (moment(30), Paper::WHOLE),
        )
    };
    let text = printed("");
    for line in text.lines() {
        assert!(line.chars().count() <= 300, "{}", line.chars().count());
    }
    for words in [
        // Who dies on the host, and who in the container, with how full it is.
        "next victim of the host: 2456 mysqld",
        ": 1892 java  3.3G of 3.5G",
        "memory 75.8% used of 24 GiB (WARNING)",
        " 77 root ",
        " 78 root ",
    ] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
    let own = |text: &str| text.lines().any(|line| line.contains(" 78 "));
    for (filter, lists_own) in [("postgres", false), ("name:oomtop", true), ("pid:78", true)] {
        assert_eq!(own(&printed(filter)), lists_own, "{filter}");
    }
}
