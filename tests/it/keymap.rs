//! Keys are data: every key can be moved, bad bindings are all reported at once, and a key without a meaning in
//! this view says where it has one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::common::bound::{asked_again, bound, does, without_java};
use crate::common::scene::{Scene, host, kill_report};
use oomtop::app::input::actions::{ACTIONS, keymap};
use oomtop::app::input::id::ActionId as Id;
use oomtop::app::input::key::Key;
use oomtop::app::input::keymap::BadKey;
use oomtop::app::input::scope::KeyScope;
use oomtop::app::msg::{Control, Effect, Msg};
use oomtop::app::settings::Settings;
use oomtop::oomlog::OomEvent;
use proptest::prelude::*;
use proptest::sample::Index;

#[test]
fn every_action_has_one_row_and_the_defaults_are_sound() {
    for action in Id::ALL {
        let rows = ACTIONS.iter().copied().flatten();
        assert_eq!(rows.filter(|row| row.id == *action).count(), 1, "{action}");
        let named = Id::ALL.iter().filter(|other| other.name() == action.name());
        assert_eq!(named.count(), 1, "{action}");
    }
    for row in ACTIONS.iter().copied().flatten() {
        let scopes: Vec<_> = row.scopes().collect();
        assert!(!scopes.is_empty(), "{} exists nowhere", row.id);
        for scope in &scopes {
            let times = scopes.iter().filter(|other| *other == scope).count();
            assert_eq!(times, 1, "{} in the {}", row.id, scope.name());
        }
    }
    if let Err(bad) = keymap(&[]) {
        panic!("{bad}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let bad = keymap(&[
        ("undo", &["d", "Hyper-x"]),
        ("undone", &["x"]),
        ("tree", &[]),
        ("pause", &["Ctrl-c"]),
        ("up", &["w"]),
    ])
    .expect_err("five of five");
    assert_eq!(
        bad.to_string(),
        "undone: there is no action of this name\n\
         undo: 'Hyper-x' is not a key\n\
         tree: it needs a key\n\
         pause: Ctrl-c always means quit\n\
         domains: d is bound to undo already (in the process table)\n\
         up: its keys type text in the filter prompt; add one that does not\n\
         up: its keys type text in the search prompt; add one that does not\n\
         up: its keys type text in the cgroup dialog; add one that does not\n\
         up: its keys type text in the incident dialog; add one that does not\n\
         up: its keys type text in the settings dialog's field; add one that does not"
    );
    assert!(matches!(bad.0.first(), Some(BadKey::NoAction(name)) if name == "undone"));
    assert!(keymap(&[("up", &["w", "Up"]), ("undo", &["x"])]).is_ok());
}

#[test]
fn a_key_means_something_else_only_in_another_scope() {
    // Both are `o`, and one is not in the dialog.
    let map = keymap(&[]).expect("the defaults");
    let o = "o".parse().expect("a key");
    let what = |scope| map.lookup(scope, o).map(|action| action.id);
    assert_eq!(what(KeyScope::Table), Some(Id::Older));
    assert_eq!(what(KeyScope::Adjust), Some(Id::Legacy));
    assert_eq!(what(KeyScope::Cgroup), None, "it is typed there");
}

#[test]
fn sentences_name_the_key_that_works() {
    let mut scene = asked_again(bound(Scene::new(120, 36), &[("undo", &["x", "u"])]));
    assert!(
        scene.text().contains("press Enter to set 0"),
        "{}",
        scene.text()
    );
    scene.effects.clear();
    scene.keys("Enter");
    assert!(matches!(scene.asked().as_slice(), [Effect::Write { .. }]));

    let mut scene = bound(
        Scene::new(120, 36),
        &[("commit", &["Ctrl-s"]), ("signal", &["X"])],
    );
    scene.keys("a").types("-1000").keys("Enter");
    assert!(!scene.text().contains("again"), "Enter is no key here");
    scene.keys("Ctrl-s");
    assert!(
        scene.text().contains("Press Ctrl-s again to write it."),
        "{}",
        scene.text()
    );

    let mut scene = bound(Scene::new(120, 36), &[("signal", &["X"])]);
    scene.keys("Down").sample(without_java());
    scene.keys("X");
    assert!(
        scene
            .text()
            .contains("1892 java has ended; X again acts on"),
        "{}",
        scene.text()
    );
}

#[test]
fn what_does_not_apply_here_says_where_it_does() {
    for (keys, words) in [
        (
            "d Space",
            "only in the process table (d goes there): tag the process for adjust",
        ),
        (
            "d F",
            "only in the process table (d goes there): keep the selected process on the screen",
        ),
        (
            "e Space",
            "only in the process table (e goes there): tag the process for adjust",
        ),
        (
            "d W",
            "only in the process table (d goes there): choose whose processes are shown",
        ),
    ] {
        let mut scene = Scene::new(120, 36);
        scene.keys(keys);
        assert!(scene.text().contains(words), "{keys}\n{}", scene.text());
    }
    let mut scene = bound(Scene::new(120, 36), &[("domains", &["D"]), ("tag", &["A"])]);
    scene.keys("D A");
    assert!(
        scene
            .text()
            .contains("only in the process table (D goes there): tag the process")
    );
}

#[test]
fn read_only_is_refused_the_same_from_a_dialog() {
    let settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    for key in ["a", "c"] {
        let mut scene = Scene::with(120, 36, settings.clone(), host());
        let report = kill_report(9, 1, 956, "postgres", None);
        scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
        scene.keys("e Home Enter");
        assert_eq!(scene.state.key_scope(), KeyScope::Report);
        scene.effects.clear();
        scene.keys(key);
        assert_eq!(scene.asked(), []);
        assert_eq!(scene.state.key_scope(), KeyScope::Report, "{key}");
        assert!(
            scene.text().contains("oomtop is read-only"),
            "{}",
            scene.text()
        );
    }
}

#[test]
fn quitting_and_suspending_cannot_be_taken_away() {
    for open in ["", "?", "a", "c", "/", "F3", "e Enter"] {
        let mut scene = bound(
            Scene::new(120, 36),
            &[("quit", &["Q"]), ("suspend", &["Y"])],
        );
        scene.keys(open);
        scene.effects.clear();
        scene.keys("Ctrl-z");
        assert_eq!(scene.control.take(), Some(Control::Suspend), "{open}");
        scene.keys("Ctrl-c");
        assert_eq!(scene.control.take(), Some(Control::Quit), "{open}");
    }
    let mut scene = bound(Scene::new(200, 120), &[("quit", &["Q"])]);
    scene.keys("q ?");
    assert_eq!(scene.control, None, "q is no key any more");
    assert!(scene.text().contains("Q Ctrl-c "), "{}", scene.text());
}

#[test]
fn no_dialog_names_a_key() {
    let dialogs = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app/dialog");
    let mut folders = vec![dialogs];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("UTF-8");
            assert!(!text.contains("KeyCode"), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 20);
}

/// Keys that type nothing anywhere.
fn pool() -> Vec<String> {
    let function = (1..=60).map(|n| format!("F{n}"));
    let letters = || ('a'..='z').filter(|c| !matches!(c, 'c' | 'z'));
    let ctrl = letters().map(|c| format!("Ctrl-{c}"));
    let alt = letters().map(|c| format!("Alt-{c}"));
    function.chain(ctrl).chain(alt).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_action_is_reached_by_its_key_in_all_its_scopes(
        pool in Just(pool()).prop_shuffle(),
        one in any::<Index>(),
    ) {
        let keys: Vec<[&str; 1]> = pool.iter().map(|key| [key.as_str()]).collect();
        let names = Id::ALL.iter().map(|id| id.name());
        let overrides: Vec<(&str, &[&str])> = names.zip(keys.iter().map(|k| &k[..])).collect();
        let map = keymap(&overrides).unwrap_or_else(|bad| panic!("{bad}"));
        for (name, keys) in &overrides {
            let key: Key = keys[0].parse().expect("a key");
            for scope in KeyScope::ALL {
                let row = ACTIONS.iter().copied().flatten().find(|row| row.id.name() == *name);
                let exists = row.and_then(|row| row.place(*scope)).is_some();
                let found = map.lookup(*scope, key).map(|action| action.id.name());
                prop_assert_eq!(found, exists.then_some(*name), "{} in the {}", key, scope.name());
            }
        }
        // The same happens as with the defaults, in every pane: looked at for one action at a time.
        let in_table = map.actions().filter(|action| action.place(KeyScope::Table).is_some());
        let in_table: Vec<_> = in_table.collect();
        let action = one.get(&in_table);
        for pane in [&[][..], &[Id::Domains], &[Id::Events]] {
            let mut plain = Scene::new(100, 30);
            let mut moved = bound(Scene::new(100, 30), &overrides);
            for scene in [&mut plain, &mut moved] {
                does(scene, pane);
                if action.place(scene.state.key_scope()).is_some() {
                    does(scene, &[action.id]);
                }
            }
            prop_assert_eq!(&plain.effects, &moved.effects, "{}", action.id);
            prop_assert_eq!(plain.state.key_scope(), moved.state.key_scope(), "{}", action.id);
            prop_assert_eq!(plain.selected(), moved.selected(), "{}", action.id);
        }
    }
}
