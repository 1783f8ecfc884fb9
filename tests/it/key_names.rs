//! Screens name only keys that work: when all keys are moved, no screen shows a default key.

use std::collections::HashMap;
use std::sync::Arc;

use crate::common::bound::{asked_again, bound, does, without_java};
use crate::common::scene::Scene;
use oomtop::app::input::action::Label;
use oomtop::app::input::actions::ACTIONS;
use oomtop::app::input::id::ActionId as Id;
use oomtop::app::input::key::Key;
use oomtop::app::msg::Msg;
use oomtop::oomlog::OomEvent;

/// Every action on one key that no default uses: F13 and up, in the order of the actions.
fn moved(scene: Scene) -> Scene {
    let keys: Vec<String> = (0..Id::ALL.len()).map(|n| format!("F{}", n + 13)).collect();
    let keys: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
    let names = Id::ALL.iter().map(|id| id.name());
    let overrides: Vec<(&str, &[&str])> = names.zip(keys.iter().map(|k| &k[..])).collect();
    bound(scene, &overrides)
}

/// Every pane, prompt and dialog, with its sentences, drawn in `scene`'s keys.
fn screens(fresh: &dyn Fn() -> Scene) -> HashMap<&'static str, String> {
    let mut shown = HashMap::new();
    let mut show = |name, actions: &[Id], typed: &str, then: &[Id]| {
        let mut scene = fresh();
        // A notice would cover the footer.
        scene.state.notice = None;
        does(&mut scene, actions).tell(Msg::Groups(Ok(Vec::new())));
        scene.tell(Msg::Rules(Arc::default()));
        does(scene.types(typed), then);
        shown.insert(name, scene.text());
    };
    show("table", &[], "", &[]);
    show("domains", &[Id::Domains], "", &[]);
    show("events", &[Id::Events], "", &[]);
    show("filter", &[Id::Filter], "zzz", &[]);
    show("filtered", &[Id::Filter], "zzz", &[Id::Commit]);
    show("domains filter", &[Id::Domains, Id::Filter], "zzz", &[]);
    show(
        "domains filtered",
        &[Id::Domains, Id::Filter],
        "zzz",
        &[Id::Commit],
    );
    show("events filter", &[Id::Events, Id::Filter], "zzz", &[]);
    show(
        "events filtered",
        &[Id::Events, Id::Filter],
        "zzz",
        &[Id::Commit],
    );
    show("search", &[Id::Search], "java", &[]);
    show("pid", &[], "12", &[]);
    show("help", &[Id::Help], "", &[]);
    show("adjust", &[Id::Adjust], "-1000", &[]);
    show("adjust armed", &[Id::Adjust], "-1000", &[Id::Commit]);
    show("legacy", &[Id::Adjust, Id::Legacy, Id::Switch], "", &[]);
    show("new group", &[Id::Cgroup], "1G", &[]);
    show("taken group", &[Id::Cgroup], "", &[Id::Up]);
    show("move", &[Id::Cgroup, Id::Switch], "", &[]);
    show(
        "limits",
        &[Id::Down, Id::Cgroup, Id::Switch, Id::Switch],
        "3G",
        &[],
    );
    show(
        "limits insisted",
        &[Id::Down, Id::Cgroup, Id::Switch, Id::Switch],
        "3G",
        &[Id::Commit],
    );
    show("signal", &[Id::Signal], "", &[]);
    show("sort", &[Id::Sort], "", &[]);
    show("details", &[Id::Details], "", &[]);
    show("domain", &[Id::Domains, Id::Details], "", &[]);
    show(
        "report memory",
        &[Id::Events, Id::Details, Id::NextPage],
        "",
        &[],
    );
    show(
        "report tasks",
        &[Id::Events, Id::Details, Id::PreviousPage, Id::PreviousPage],
        "",
        &[],
    );
    show("settings", &[Id::Settings], "", &[]);
    show("setup", &[Id::Setup], "", &[]);
    show("rules", &[Id::Rules], "", &[]);
    show("rule", &[Id::Adjust, Id::Rule], "", &[]);
    shown.insert("undo", asked_again(fresh()).text());
    let mut scene = fresh();
    scene.tell(Msg::Oom(OomEvent::Gap { at: None, lost: 3 }));
    shown.insert(
        "event",
        does(&mut scene, &[Id::Events, Id::Home, Id::Details]).text(),
    );
    let mut scene = fresh();
    does(&mut scene, &[Id::Down]).sample(without_java());
    shown.insert("moved", does(&mut scene, &[Id::Signal]).text());
    shown
}

/// Words of a screen that are names of default keys. Skips `a`, which is an article too, and signs, which are
/// also dashes and arithmetic.
fn default_keys_in(text: &str) -> Vec<String> {
    let rows = ACTIONS.iter().copied().flatten();
    let names: Vec<&str> = rows.flat_map(|row| row.keys).copied().collect();
    // Beside a dialog stand the halves of words.
    let inside = |line: &str| match (line.find('│'), line.rfind('│')) {
        (Some(from), Some(to)) if from < to => line[from..to].to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<String> = text.lines().map(inside).collect();
    let text = text.join("\n");
    let words = text.split(|c: char| c.is_whitespace() || "│┌┐└┘─();:,".contains(c));
    let mut before = "";
    let mut found = Vec::new();
    for word in words {
        let telling = word.len() > 1 || word.chars().all(char::is_alphabetic);
        // `10 s` are seconds.
        let is_unit = word == "s" && before.parse::<f64>().is_ok();
        // Ctrl-c and Ctrl-z cannot be moved.
        let is_exempt = is_unit || matches!(word, "a" | "Ctrl-c" | "Ctrl-z");
        if telling && !is_exempt && names.contains(&word) {
            found.push(word.to_owned());
        }
        before = word;
    }
    found
}

#[test]
fn no_screen_names_a_default_key_when_all_have_moved() {
    let plain = screens(&|| Scene::new(200, 170));
    let moved = screens(&|| moved(Scene::new(200, 170)));
    for (name, text) in &moved {
        assert_eq!(default_keys_in(text), [] as [String; 0], "{name}\n{text}");
        let is_key = |word: &str| word.len() == 3 && word.parse::<Key>().is_ok();
        assert!(text.split_whitespace().any(is_key), "{name}\n{text}");
        assert!(!text.contains("↑↓"), "{name}\n{text}");
    }
    for row in ACTIONS.iter().copied().flatten() {
        let labels = row.places.iter().filter_map(|place| match place.label {
            Label::Words(words) => Some(words),
            Label::Hidden | Label::Of(_) => None,
        });
        for old in
            labels.flat_map(|label| row.keys.iter().map(move |key| format!("{key} {label} ")))
        {
            assert!(
                moved.values().all(|text| !text.contains(&old)),
                "{old} is in a footer"
            );
        }
    }
    // Make sure that these screens name keys at all.
    for (name, text) in &plain {
        let footer = text.contains("F1 Help  a Adjust");
        assert!(
            footer || !default_keys_in(text).is_empty(),
            "{name}\n{text}"
        );
    }
    for (name, words) in [
        (
            "table",
            "F13 Help  F14 Adjust  F17 Cgroup  F18 Kill  F65 Fix  F21 Filter",
        ),
        (
            "domains",
            "F13 Help  F14 Adjust  F17 Cgroup  F18 Kill  F65 Fix  F21 Filter",
        ),
        (
            "events",
            "F13 Help  F14 Adjust  F17 Cgroup  F18 Kill  F65 Fix  F21 Filter",
        ),
        ("undo", "press F57 to set 0"),
        ("moved", "; F18 again acts on"),
        ("adjust armed", "Press F57 again to write it."),
        ("limits insisted", "Press F57 again to write it"),
        ("search", "F57 stays, F33 next, F44 leaves"),
        ("filtered", "(F44 clears it)"),
        ("domains filtered", "(F44 clears it)"),
        ("events filtered", "(F44 clears it)"),
        ("help", "Domains (F22)"),
        ("help", "  F14, F17 and F18 act on the next victim"),
    ] {
        let text = moved.get(name).expect("a screen");
        assert!(text.contains(words), "{name}: {words}\n{text}");
    }
}
