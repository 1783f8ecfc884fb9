//! Clicks, judged from the frame: a label is looked for in what is drawn, and a click there does what its key does.

use std::sync::Arc;

use oomtop::app::msg::{Effect, Mouse, MouseAction, Msg};
use oomtop::app::view::layout::Pane;
use oomtop::oomlog::OomEvent;

use crate::common::corpus::lab_events;
use crate::common::scene::{Scene, moment, processes, snapshot};
use crate::common::shop;
use crate::limits::without_swap;

/// The first cell of a text on the screen, below line `from`.
fn cell_of(scene: &Scene, text: &str, from: usize) -> (u16, u16) {
    let screen = scene.text();
    let found = screen.lines().enumerate().skip(from).find_map(|(y, line)| {
        let x = line.find(text)?;
        // Everything that is looked for here has one cell for each letter before it.
        Some((line.get(..x)?.chars().count(), y))
    });
    let (x, y) = found.unwrap_or_else(|| panic!("no {text:?} in\n{screen}"));
    (
        u16::try_from(x).expect("a column"),
        u16::try_from(y).expect("a row"),
    )
}

pub(crate) fn click(scene: &mut Scene, (x, y): (u16, u16)) {
    scene.tell(Msg::Mouse(Mouse {
        x,
        y,
        action: MouseAction::Click,
    }));
}

#[test]
fn a_click_on_the_function_bar_does_what_the_key_does() {
    for (width, height) in [(40, 10), (80, 24), (120, 36), (200, 50)] {
        for pane in ["", "d", "e"] {
            let opened = || {
                let mut scene = Scene::new(width, height);
                scene.keys(pane);
                scene
            };
            let labels = opened().state.keybar(width);
            assert!(labels.len() >= 4, "{width} {pane}: {labels:?}");
            for label in labels {
                let (mut clicked, mut pressed) = (opened(), opened());
                let text = format!("{}{}", label.key, label.label.trim_end());
                let at = cell_of(&clicked, &text, usize::from(height) - 1);
                assert_eq!(at.0, label.x, "{text}");
                let last = (at.0 + label.width - 1, at.1);
                click(&mut clicked, last);
                pressed.keys(&label.key);
                assert_eq!(clicked.text(), pressed.text(), "{text} at {width}x{height}");
                assert_eq!(clicked.control, pressed.control, "{text}");
            }
        }
    }
}

#[test]
fn a_double_click_on_a_row_is_enter() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut scene = Scene::new(width, height);
        let row = cell_of(
            &scene,
            "1892 ",
            usize::from(scene.state.panes().table_rows.y),
        );
        click(&mut scene, row);
        assert_eq!(
            (scene.selected(), scene.state.dialogs.len()),
            (Some(1892), 0)
        );
        click(&mut scene, row);
        assert!(
            scene.text().contains("Details of 1892 java"),
            "{}",
            scene.text()
        );
        // Slowly it is two clicks.
        let mut scene = Scene::new(width, height);
        click(&mut scene, row);
        scene.tell(Msg::Tick(moment(30)));
        click(&mut scene, row);
        assert_eq!(scene.state.dialogs.len(), 0);
        // An event.
        let event = cell_of(&scene, "killed 2211", 5);
        click(&mut scene, event);
        assert_eq!(scene.state.focus, Pane::Events);
        click(&mut scene, event);
        assert!(
            scene.text().contains("OOM report: 2211"),
            "{}",
            scene.text()
        );
    }
}

#[test]
fn a_click_on_a_domain_of_the_main_screen_goes_to_it() {
    for (width, height) in [(80, 24), (120, 36), (200, 50)] {
        let mut scene = shop::scene(width, height);
        scene.keys("d");
        let panes = scene.state.panes();
        // The table is short: below it there is a list.
        let listed = panes.below.height > 0;
        assert_eq!((listed, panes.side.domains.height), (width >= 120, 0));
        let named = scene.state.attention.nearest.get(1).copied();
        let at = if listed {
            (panes.below.x + 2, panes.below.y + 3)
        } else {
            let calm = scene.state.attention.calm.iter();
            let place = calm.clone().position(|alarm| alarm.scope == named);
            let alarms = scene.state.attention.alarms.len();
            let y = 5 + alarms + place.unwrap_or_else(|| panic!("{}", scene.text()));
            (20, u16::try_from(y).expect("a row"))
        };
        click(&mut scene, at);
        assert!(scene.state.domains.open, "{width}");
        assert_eq!(scene.state.domains.selected(), named, "{}", scene.text());
    }
}

#[test]
fn the_pane_on_the_right_takes_no_click_that_is_meant_for_another() {
    let mut scene = Scene::new(200, 50);
    let before = scene.text();
    let side = scene.state.panes().side;
    for y in side.edge.top()..side.edge.bottom() {
        if side.domains.contains((side.domains.x, y).into()) {
            continue;
        }
        for x in [side.edge.x, side.details.x, side.details.right() - 1] {
            click(&mut scene, (x, y));
            for action in [MouseAction::ScrollDown, MouseAction::ScrollUp] {
                scene.tell(Msg::Mouse(Mouse { x, y, action }));
            }
        }
    }
    assert_eq!(scene.text(), before);
}

#[test]
fn choices_hints_and_tabs_of_a_dialog() {
    let mut scene = Scene::new(120, 36);
    scene.keys("F6");
    let at = cell_of(&scene, "│   RSS ", 0);
    let at = (at.0 + 4, at.1);
    assert!(scene.text().contains("Sort by"), "{}", scene.text());
    click(&mut scene, at);
    assert!(scene.text().contains("> RSS"), "{}", scene.text());
    click(&mut scene, at);
    assert_eq!(
        (scene.state.table.sort.id, scene.state.dialogs.len()),
        ("rss", 0),
        "a double click is Enter"
    );

    scene.keys("a");
    let leave = cell_of(&scene, "Esc q leave", 0);
    click(&mut scene, leave);
    assert_eq!(scene.state.dialogs.len(), 0, "{}", scene.text());

    for event in lab_events("5.10-v1memcg.kmsg") {
        scene.tell(Msg::Oom(event));
    }
    scene.keys("e Home Enter");
    for (tab, shown) in [
        ("Tasks", "[Tasks]"),
        ("Summary", "[Summary]"),
        ("Raw", "[Raw]"),
    ] {
        let at = cell_of(&scene, &format!(" {tab} "), 0);
        click(&mut scene, (at.0 + 1, at.1));
        assert!(scene.text().contains(shown), "{shown}: {}", scene.text());
    }
}

/// The items of the list on the screen, each with its row: the chosen one has a `>`.
fn items(scene: &Scene) -> Vec<(String, bool, u16)> {
    let screen = scene.text();
    let rows = screen.lines().zip(0..);
    rows.filter_map(|(line, y)| {
        let inside = line.split_once("│ ")?.1;
        let is_chosen = inside.starts_with("> ");
        let item = inside
            .strip_prefix("> ")
            .or_else(|| inside.strip_prefix("  "))?;
        let item = item.split_whitespace().next()?;
        Some((item.to_owned(), is_chosen, y))
    })
    .collect()
}

#[test]
fn a_double_click_in_a_long_list_means_the_item_below_the_first_click() {
    // The list has room for a few of its items and scrolls with the choice.
    let mut scene = Scene::new(80, 24);
    scene.keys("F6");
    let shown = items(&scene);
    assert!(scene.text().contains("more below"), "{}", scene.text());
    let below: Vec<_> = shown.iter().skip_while(|(_, chosen, _)| !chosen).collect();
    let (wanted, _, y) = below
        .get(1)
        .copied()
        .unwrap_or_else(|| panic!("{shown:?}"))
        .clone();
    let at = (cell_of(&scene, "> ", 1).0 + 2, y);
    click(&mut scene, at);
    let scrolled = items(&scene);
    let under = scrolled.iter().find(|(_, _, row)| *row == y);
    assert!(
        under.is_some_and(|(item, ..)| *item != wanted),
        "{scrolled:?}"
    );
    let is_chosen = |(item, chosen, _): &(String, bool, u16)| *chosen && *item == wanted;
    assert!(scrolled.iter().any(is_chosen), "{wanted}: {scrolled:?}");
    click(&mut scene, at);
    assert_eq!(scene.state.dialogs.len(), 0, "{}", scene.text());
    let sort = scene.state.table.sort;
    assert!(
        [sort.title, sort.id].contains(&wanted.as_str()),
        "{wanted}: {}",
        sort.id
    );
}

#[test]
fn a_double_click_on_a_key_is_one_press() {
    // The first click asks whether to do it all the same.
    let mut scene = without_swap(120, 36, "1G");
    let enter = cell_of(&scene, "Enter do it", 5);
    for _ in 0..3 {
        click(&mut scene, enter);
    }
    assert!(
        scene.text().contains("Enter do it all the same"),
        "{}",
        scene.text()
    );
    let wrote = |scene: &mut Scene| {
        let asked = scene.asked();
        asked
            .iter()
            .any(|effect| matches!(effect, Effect::Write { .. }))
    };
    assert!(!wrote(&mut scene));
    // Slowly it is an answer.
    scene.tell(Msg::Tick(moment(60)));
    click(&mut scene, enter);
    assert!(wrote(&mut scene), "{}", scene.text());
}

#[test]
fn the_click_that_closes_a_dialog_is_no_half_of_a_double_click_below_it() {
    let mut scene = Scene::new(80, 24);
    let row = cell_of(&scene, "1892 ", 5);
    click(&mut scene, row);
    click(&mut scene, row);
    let leave = cell_of(&scene, "Esc q leave", 1);
    click(&mut scene, leave);
    let after = scene.text();
    click(&mut scene, leave);
    assert_eq!((scene.text(), scene.state.dialogs.len()), (after, 0));
}

#[test]
fn a_click_confirms_no_write_that_a_key_would_not_confirm() {
    let at = |millis: u64| oomtop::model::time::Monotonic(moment(3).monotonic.0 + millis * 1000);
    for drawn in [false, true] {
        let mut scene = Scene::new(120, 36);
        scene.tell(Msg::Read(at(0)));
        scene.keys("a Down Down");
        let choice = cell_of(&scene, "> ", 8);
        if drawn {
            scene.state.drawn(at(10));
        }
        scene.asked();
        for millis in [20, 60] {
            scene.tell(Msg::Read(at(millis)));
            click(&mut scene, choice);
        }
        let wrote = scene
            .asked()
            .iter()
            .any(|effect| matches!(effect, Effect::Write { .. }));
        assert_eq!(wrote, drawn, "{}", scene.text());
    }
}

#[test]
fn heads_of_the_domains_sort_and_back_leads_from_the_zoom_to_the_domains() {
    let mut scene = shop::scene(120, 36);
    let head = cell_of(&scene, "LIMIT", 3);
    let limits = |scene: &Scene| {
        let text = scene.text();
        let rows = text
            .lines()
            .skip(usize::from(scene.state.panes().table_rows.y));
        let names = ["host", "docker", "backup", "pod 1a2b", "/frozen"];
        let shown: Vec<_> = rows
            .filter_map(|row| names.into_iter().find(|name| row.starts_with(name)))
            .collect();
        shown.join(" ")
    };
    click(&mut scene, head);
    assert!(
        limits(&scene).starts_with("host docker"),
        "{}",
        scene.text()
    );
    click(&mut scene, head);
    assert!(limits(&scene).starts_with("/frozen"), "{}", scene.text());
    scene.keys("F6 PgUp PgUp PgUp Enter");
    assert!(scene.state.domains.by.is_none());
    scene.keys("Home Down z");
    assert!(!scene.state.domains.open && scene.state.table.zoom.is_some());
    scene.keys("Esc");
    assert!(scene.state.domains.open && scene.state.table.zoom.is_none());
    // A zoom from the table leads back to the table.
    scene.keys("d z z Esc");
    assert!(!scene.state.domains.open);
}

#[test]
fn the_function_bar_stays_while_a_notice_is_shown() {
    let long = "a sentence that is much longer than the line it has for itself on a narrow screen "
        .repeat(3);
    for (width, height) in [(40, 10), (60, 12), (80, 16), (80, 24), (120, 36)] {
        let mut scene = Scene::new(width, height);
        let bar = |scene: &Scene| scene.text().lines().last().unwrap_or_default().to_owned();
        let before = bar(&scene);
        assert!(before.contains("Quit"), "{before}");
        scene
            .state
            .say(oomtop::text::tone::Tone::Watch, long.clone());
        scene.tell(Msg::Tick(moment(4)));
        assert_eq!(bar(&scene), before, "{width}x{height}");
        assert!(
            scene.text().contains("a sentence that is much longer"),
            "{}",
            scene.text()
        );
    }
    // A storm of kills, too.
    let mut scene = Scene::new(80, 24);
    for key in 2..9 {
        let report = crate::common::scene::kill_report(key, key, 4000, "agent", None);
        scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
        scene.tell(Msg::Sampled(Arc::new(snapshot(key, processes()))));
        assert!(
            scene
                .text()
                .lines()
                .last()
                .is_some_and(|line| line.contains("Quit"))
        );
    }
}

#[test]
fn the_arrows_beside_a_setting_are_clicked() {
    let mut scene = Scene::new(120, 36);
    scene.keys("F2 Down Down");
    let arrow = |scene: &Scene, name: &str, sign: &str| {
        let (x, y) = cell_of(scene, name, 0);
        let text = scene.text();
        let line = text.lines().nth(usize::from(y)).expect("a row").to_owned();
        let from = line.find(name).expect("the name");
        let at = from + line[from..].find(sign).expect("an arrow");
        let before = line[..at].chars().count();
        (x.max(u16::try_from(before).expect("a column")), y)
    };
    let seconds = |scene: &Scene| scene.state.settings.delay.as_secs();
    let right = arrow(&scene, "delay", ">");
    click(&mut scene, right);
    assert_eq!(seconds(&scene), 2);
    // A quick second click goes on, and confirms nothing.
    click(&mut scene, right);
    assert_eq!((seconds(&scene), scene.state.dialogs.len()), (3, 1));
    let left = arrow(&scene, "delay", "<");
    click(&mut scene, left);
    assert_eq!(seconds(&scene), 2);
    // Of a row that is not chosen: it is chosen and changed.
    let (x, _) = left;
    let (_, y) = cell_of(&scene, "kernel_threads", 0);
    click(&mut scene, (x, y));
    assert!(scene.state.table.kernel_threads);
    // The mark of a column.
    let (_, y) = cell_of(&scene, "columns", 0);
    click(&mut scene, (x, y));
    let mark = cell_of(&scene, "[x] PID", 0);
    click(&mut scene, mark);
    assert!(scene.text().contains("[ ] PID"), "{}", scene.text());
}
