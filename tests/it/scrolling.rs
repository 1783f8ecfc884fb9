//! Scrolling in dialogs: the same keys in all of them, and none is swallowed past the end.

use crate::common::corpus::lab_events;
use crate::common::scene::Scene;
use crate::common::shop;
use oomtop::app::msg::Msg;
use oomtop::oomlog::OomEvent;

/// The first row on the screen and how many there are, as the frame says; 0 if it says nothing.
fn place(scene: &Scene) -> (usize, usize) {
    let text = scene.text();
    let after = text.split_once(" row ").map_or("", |(_, after)| after);
    let mut numbers = after.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.find_map(|word| word.parse().ok()).unwrap_or(0);
    (next(), next())
}

/// A real report of many lines, most of them wider than the dialog.
fn report(width: u16, height: u16) -> (Scene, Vec<String>) {
    let mut scene = Scene::new(width, height);
    let mut lines = Vec::new();
    for event in lab_events("5.10-v1memcg.kmsg") {
        if let OomEvent::Report(report) = &event {
            lines = report.raw.lines().map(str::to_owned).collect();
        }
        scene.tell(Msg::Oom(event));
    }
    (scene, lines)
}

/// A scene that is too low for any dialog, and the keys that open one.
fn low() -> Vec<(&'static str, Scene)> {
    let (width, height) = (50, 12);
    vec![
        ("F1", Scene::new(width, height)),
        ("Enter", Scene::new(width, height)),
        ("S", Scene::new(width, height)),
        ("Home Down Enter", shop::scene(width, height)),
        ("e Home Enter 4", report(width, height).0),
    ]
}

#[test]
fn the_last_row_is_at_the_bottom_and_the_next_key_moves() {
    for (open, mut scene) in low() {
        scene.keys(open);
        let (first, all) = place(&scene);
        assert_eq!(first, 1, "{open}");
        scene.keys("End");
        let end = place(&scene);
        assert!(end.0 > 1 && end.0 < all, "{open}: {end:?}");
        let at_end = scene.text();
        scene.keys("Down PgDn Space Space End");
        assert_eq!(scene.text(), at_end, "{open}");
        scene.keys("Up");
        assert_eq!(place(&scene), (end.0 - 1, all), "{open}");
        scene.keys("Down");
        assert_eq!(scene.text(), at_end, "{open}");
        scene.keys("Home");
        assert_eq!(place(&scene), (1, all), "{open}");
    }
}

#[test]
fn a_page_is_what_the_dialog_shows() {
    // A report's rows are lines of the log, some of which are wrapped.
    let others = low().into_iter().filter(|(open, _)| !open.ends_with('4'));
    for (open, mut scene) in others {
        scene.keys(open);
        let shown = |scene: &Scene| {
            let text = scene.text();
            text.lines()
                .filter(|line| line.trim_start().starts_with('│'))
                .count()
        };
        let page = shown(&scene);
        scene.keys("PgDn");
        assert_eq!(place(&scene).0, 1 + page, "{open}");
        scene.keys("PgUp");
        assert_eq!(place(&scene).0, 1, "{open}");
    }
}

#[test]
fn a_screen_that_grows_at_the_end_still_moves_at_once() {
    for (open, mut scene) in low() {
        scene.keys(open).keys("End");
        scene.tell(Msg::Resized(50, 14));
        let before = place(&scene).0;
        scene.keys("Up");
        assert!(place(&scene).0 < before, "{open}");
    }
}

#[test]
fn no_line_of_a_report_is_passed_over_by_a_page() {
    let (mut scene, lines) = report(50, 12);
    scene.keys("e Home Enter 4");
    for key in ["PgDn", "PgUp"] {
        let mut seen = String::new();
        for _ in 0..lines.len() {
            seen.push_str(&scene.text());
            scene.keys(key);
        }
        for line in &lines {
            let start: String = line.chars().take(12).collect();
            assert!(seen.contains(start.trim()), "{key}: {line}");
        }
    }
}
