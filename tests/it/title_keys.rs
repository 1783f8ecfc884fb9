//! The keys in the titles of panes.

use std::collections::BTreeSet;

use crate::clicks::click;
use crate::common::scene::{Scene, host, moment};
use crate::common::shop::{crowd, run};
use oomtop::app::State;
use oomtop::app::settings::Settings;
use oomtop::app::view::layout::Panes;
use oomtop::app::view::title_keys::Title;
use ratatui::layout::Rect;

/// The titles of a screen. What is below the table has one of two.
fn titles(state: &State, panes: &Panes) -> [(Title, Rect); 6] {
    let below = if state.attention.nearest.is_empty() {
        Title::History
    } else {
        Title::Domains
    };
    [
        (Title::Table, panes.table_title),
        (Title::Events, panes.events_title),
        (below, panes.below),
        (Title::History, panes.side.history),
        (Title::Domains, panes.side.domains),
        (Title::Selected, panes.side.details),
    ]
}

#[test]
fn a_click_on_a_key_in_a_title_does_what_the_key_does() {
    let (mut seen, mut below) = (0, BTreeSet::new());
    // The last two have room below the table.
    for (width, height) in [
        (80, 24),
        (120, 36),
        (160, 40),
        (200, 50),
        (120, 60),
        (120, 90),
    ] {
        for pane in ["", "d", "e", "t", "Down z", "Down z t"] {
            let opened = || {
                let mut scene = Scene::new(width, height);
                scene.keys(pane);
                scene
            };
            let scene = opened();
            let panes = scene.state.panes();
            for (title, area) in titles(&scene.state, &panes) {
                let keys = scene.state.title_keys(title, area);
                assert!(width > 80 || keys.is_empty(), "no room for keys");
                for key in keys {
                    seen += 1;
                    if area == panes.below {
                        below.insert(key.label.clone());
                    }
                    let row = scene
                        .text()
                        .lines()
                        .nth(usize::from(area.y))
                        .map(str::to_owned);
                    let row: String = row.unwrap_or_default().chars().skip(key.x.into()).collect();
                    let words = format!("{}{}", key.key, key.label);
                    assert!(row.starts_with(&format!("{words} ")), "{words}: {row}");
                    for x in [key.x, key.x + key.width - 1] {
                        let (mut clicked, mut pressed) = (opened(), opened());
                        click(&mut clicked, (x, area.y));
                        pressed.keys(&key.key);
                        assert_eq!(
                            clicked.text(),
                            pressed.text(),
                            "{words} at {width}x{height}"
                        );
                        assert_eq!(clicked.control, pressed.control, "{words}");
                    }
                }
            }
        }
    }
    assert!(seen >= 20, "{seen} keys were clicked");
    assert!(!below.is_empty(), "nothing below the table was clicked");
}

/// The words of the keys in the title of the table.
fn words(scene: &Scene) -> Vec<String> {
    let keys = scene
        .state
        .title_keys(Title::Table, scene.state.panes().table_title);
    keys.iter()
        .map(|key| format!("{}{}", key.key, key.label))
        .collect()
}

#[test]
fn the_words_say_what_the_key_does_now() {
    let mut scene = Scene::new(120, 36);
    assert_eq!(words(&scene), ["t tree", "z its domain"]);
    scene.keys("t");
    assert_eq!(words(&scene), ["t list", "z its domain"]);
    scene.keys("t Down z");
    assert!(scene.state.table.zoom.is_some(), "{}", scene.text());
    assert_eq!(words(&scene), ["t tree", "z all"]);
    scene.keys("t");
    assert_eq!(words(&scene), ["t list", "z all"]);

    let mut scene = Scene::new(120, 36);
    run(&mut scene, 100, 3, crowd);
    scene.keys("d");
    assert_eq!(words(&scene), ["z its processes", "Enter details"]);
    scene.keys("End");
    let rows = scene.state.domains.rows().len();
    assert_eq!(words(&scene), ["Enter show"]);
    scene.keys("Enter");
    assert!(scene.state.domains.rows().len() > rows);
    assert_eq!(words(&scene), ["Enter hide"]);
}

#[test]
fn while_a_prompt_is_open_no_title_offers_a_key() {
    for (width, height) in [(120, 36), (200, 50), (120, 90)] {
        for pane in ["/", "d /"] {
            let mut scene = Scene::new(width, height);
            scene.keys(pane);
            assert!(scene.state.prompt.is_some());
            let panes = scene.state.panes();
            for (title, area) in titles(&scene.state, &panes) {
                assert!(scene.state.title_keys(title, area).is_empty(), "{title:?}");
            }
            assert!(!scene.text().contains("what holds it"));
            assert!(!scene.text().contains("t tree"));
        }
    }
}

#[test]
fn before_the_first_sample_a_click_beside_or_below_the_table_does_nothing() {
    for size in [(200, 50), (120, 90)] {
        let empty = || {
            let mut scene = Scene::new(size.0, size.1);
            scene.state = State::new(Settings::default(), host(), size, moment(0));
            scene
        };
        let panes = empty().state.panes();
        let mut keys = 0;
        for (title, area) in titles(&empty().state, &panes).into_iter().skip(2) {
            for key in empty().state.title_keys(title, area) {
                keys += 1;
                let mut scene = empty();
                let before = scene.text();
                click(&mut scene, (key.x, area.y));
                assert_eq!(scene.text(), before, "{title:?}");
            }
        }
        assert!(size.0 < 200 || keys > 0, "{size:?}");
    }
}

#[test]
fn a_filter_is_not_cut_by_keys() {
    for open in ["", "d"] {
        let mut scene = Scene::new(120, 36);
        scene.keys(open);
        let title = |scene: &Scene| {
            let text = scene.text();
            let mut lines = text.lines().map(str::to_owned);
            lines.find(|line| line.contains("Processes by") || line.contains("OOM domains by"))
        };
        assert!(title(&scene).is_some_and(|line| line.contains("z its ")));
        scene.keys("/ s h o p Enter");
        let filtered = title(&scene).expect("a title");
        assert!(filtered.contains("filter: shop"), "{filtered}");
        // With room for both the keys stay; a longer one pushes them out.
        let times = if open.is_empty() { 8 } else { 4 };
        assert!(filtered.contains("z its "), "{filtered}");
        scene
            .keys("/")
            .types(&"|shopping".repeat(times))
            .keys("Enter");
        let filtered = title(&scene).expect("a title");
        assert!(filtered.contains(&"|shopping".repeat(times)), "{filtered}");
        assert!(!filtered.contains("z its "), "{filtered}");
    }
}

/// The line of a title on the screen.
fn drawn(scene: &Scene, area: Rect) -> String {
    let text = scene.text();
    let line = text.lines().nth(usize::from(area.y));
    line.unwrap_or_default().to_owned()
}

#[test]
fn what_is_in_force_and_what_is_a_count_outlasts_keys_and_words() {
    let states = [
        ("", &["by badness"][..]),
        ("t p F", &["by badness"]),
        ("/ j a v a Enter", &["by badness", "filter: java"]),
        ("Space Space t", &["by badness", "2 tagged"]),
        ("Down z", &["by badness", "only docker"]),
        (
            "Down z Space / j a Enter",
            &["only docker", "filter: ja", "1 tagged"],
        ),
        ("d", &["by urgency", "host + "]),
        ("d / d o Enter", &["by urgency", "filter: do"]),
        ("e / j Enter", &["kills: ", "filter: j"]),
    ];
    for (keys, kept) in states {
        for width in 40..=200 {
            let mut scene = Scene::new(width, 36);
            scene.keys(keys);
            scene.state.notice = None;
            let panes = scene.state.panes();
            let (title, area) = if keys.starts_with("e ") {
                (Title::Events, panes.events_title)
            } else {
                (Title::Table, panes.table_title)
            };
            let line = drawn(&scene, area);
            // Below 80 columns even what must stay may have no room.
            let room = width < 80;
            for words in kept {
                assert!(
                    room || line.contains(words),
                    "{keys} {width}: {words} in {line}"
                );
            }
            let offered = scene.state.title_keys(title, area);
            for key in &offered {
                let at: String = line.chars().skip(key.x.into()).collect();
                let words = format!("{}{} ", key.key, key.label);
                assert!(at.starts_with(&words), "{keys} {width}: {words} in {line}");
            }
            let optional = ["with a limit", "whole command lines", "live from"];
            let is_short = optional.iter().any(|words| line.contains(words));
            // Words go only after all keys have.
            assert!(
                offered.is_empty() || is_short || !keys.contains("t p F"),
                "{keys} {width}: {line}"
            );
        }
    }
}

#[test]
fn a_key_that_can_be_clicked_is_on_the_screen_at_every_width() {
    let mut offered = 0;
    for height in [36, 60] {
        for width in (100..=220).step_by(4) {
            let mut scene = Scene::new(width, height);
            run(&mut scene, 100, 3, crowd);
            let panes = scene.state.panes();
            for (title, area) in titles(&scene.state, &panes) {
                let line = if area.height > 0 {
                    drawn(&scene, area)
                } else {
                    continue;
                };
                for key in scene.state.title_keys(title, area) {
                    offered += 1;
                    let at: String = line.chars().skip(key.x.into()).collect();
                    let words = format!("{}{} ", key.key, key.label);
                    assert!(
                        at.starts_with(&words),
                        "{title:?} {width}: {words} in {line}"
                    );
                }
            }
        }
    }
    assert!(offered > 100, "{offered}");
}
