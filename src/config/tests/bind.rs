//! `[bind]`: what it takes, what it refuses, and what is said of it.

use super::Given;
use crate::app::input::actions::ACTIONS;
use crate::app::input::id::ActionId as Id;
use crate::app::input::keymap::{Binding, Bindings, Keymap};
use crate::app::input::presets::Preset;
use crate::app::input::scope::KeyScope;
use crate::config::Mode;
use crate::config::settings::SETTINGS;

impl Given {
    /// The keys in force.
    fn keymap(&self, line: &str) -> Keymap {
        let settings = self.screen(line).settings;
        Keymap::in_force(ACTIONS, settings.keys, &settings.bind)
    }

    fn printed(&self, line: &str) -> String {
        match self.resolve(line) {
            Ok(Mode::Print(text)) => text,
            other => panic!("{other:?}"),
        }
    }
}

fn what(keymap: &Keymap, scope: KeyScope, key: &str) -> Option<Id> {
    let key = key.parse().expect("a key");
    keymap.lookup(scope, key).map(|action| action.id)
}

#[test]
fn a_key_means_its_action_and_nothing_else_there() {
    let given = Given::new().user(
        "[bind]\nx = \"signal\"\nd = \"tree\"\nq = \"zoom\"\n\"C-d\" = \"domains\"\nF10 = \"none\"\no = [\"pause\", \"policy\"]\n",
    );
    let keymap = given.keymap("oomtop");
    assert_eq!(keymap.key(Id::Signal), "x", "the user's own comes first");
    assert_eq!(what(&keymap, KeyScope::Table, "k"), Some(Id::Signal));
    assert_eq!(what(&keymap, KeyScope::Table, "d"), Some(Id::Tree));
    assert_eq!(what(&keymap, KeyScope::Events, "d"), Some(Id::Tree));
    assert_eq!(keymap.key(Id::Domains), "Ctrl-d");
    assert_eq!(what(&keymap, KeyScope::Table, "F10"), None);
    assert_eq!(keymap.key(Id::Quit), "Ctrl-c", "q is zoom, F10 nothing");
    // Where the new action is not, the key goes on to mean what it did.
    assert_eq!(what(&keymap, KeyScope::Help, "q"), Some(Id::Close));
    assert_eq!(what(&keymap, KeyScope::Domain, "q"), Some(Id::Zoom));
    assert_eq!(what(&keymap, KeyScope::Table, "o"), Some(Id::Pause));
    assert_eq!(what(&keymap, KeyScope::Process, "o"), Some(Id::Policy));
    assert_eq!(what(&keymap, KeyScope::Adjust, "o"), Some(Id::Legacy));
    let up = Given::new()
        .user("[bind]\nup = \"page-up\"\nC-p = \"up\"")
        .keymap("oomtop");
    assert_eq!(what(&up, KeyScope::Help, "Up"), Some(Id::PageUp));
    // Its only key is another's now: sentences name the action itself.
    assert_eq!(keymap.key(Id::Older), "[older]");
    assert_eq!(keymap.keys_of(Id::Older), []);
}

#[test]
fn everything_wrong_with_keys_is_said_at_once() {
    let given = Given::new().user(
        "[bind]\nHyper-x = \"undo\"\nx = \"undoo\"\nkill = \"k\"\nundo = \"u\"\n\
         Ctrl-c = \"undo\"\n1 = \"tree\"\ny = [\"undo\", \"tree\"]\nCtrl-i = \"undo\"\n\
         w = 3\nv = \"frobnicate\"\nC-y = \"tree\"\nctrl-y = \"undo\"\nEsc = \"undo\"\n\
         PgDwn = \"undo\"\nb = [\"tree\", \"tree\"]\n",
    );
    let wrong = given.wrong("oomtop --once");
    let name = "oomtop: user/oomtop/config.toml";
    let expected = [
        "2: [bind] Hyper-x: there is no such key; keys are a, A, /, F5, Ctrl-x, Alt-x, Space, Enter, PgDn and the like",
        "3: [bind] x: there is no action 'undoo'; did you mean 'undo'?",
        "4: [bind] kill: there is no such key; keys are a, A, /, F5, Ctrl-x, Alt-x, Space, Enter, PgDn and the like",
        "4: [bind] kill: there is no action 'k'; `oomtop --print keys` lists them",
        "5: [bind] undo: is an action; the key comes first: u = \"undo\"",
        "10: [bind] w: takes the name of an action, in quotes, or a list of names",
        "11: [bind] v: there is no action 'frobnicate'; `oomtop --print keys` lists them",
    ];
    for line in expected {
        assert!(
            wrong.contains(&format!("{name}:{line}\n")),
            "{line}\n{wrong}"
        );
    }
    for part in [
        ":13: [bind] ctrl-y: is the same key as that of ",
        ":15: [bind] PgDwn: there is no such key; did you mean 'PgDn'?\n",
        ":16: [bind] b: names tree twice\n",
        ":6: [bind] Ctrl-c: always means quit\n",
        ":7: [bind] 1: types text in the process table; tree needs another key\n",
        ":8: [bind] y: cannot be undo and tree at once in the process table\n",
        ":9: [bind] Ctrl-i: never arrives: a terminal sends it as Tab: write Tab\n",
        ":14: [bind] Esc: was the last key for back in the process table; bind another key to back first\n",
    ] {
        assert!(wrong.contains(part), "{part}\n{wrong}");
    }
    assert_eq!(wrong.lines().count(), expected.len() + 8, "{wrong}");
}

#[test]
fn the_way_out_stays() {
    let wrong = |text: &str, line: &str| {
        let given = Given::new().user(&format!("[bind]\n{text}\n"));
        given.resolve(line).err().map(|stop| stop.text)
    };
    for (text, lost) in [
        ("F1 = \"none\"\n\"?\" = \"none\"\nh = \"none\"", "help"),
        ("Esc = \"none\"", "back"),
        // It is typed in a prompt.
        ("Esc = \"none\"\nx = \"back\"", "back"),
        ("Enter = \"none\"", "commit"),
        // An action that is left with keys that are typed where the old one worked.
        ("Up = \"none\"\nw = \"up\"", "up"),
    ] {
        let said = wrong(text, "oomtop").unwrap_or_default();
        let part = format!(" was the last key for {lost} in the ");
        assert!(said.contains(&part), "{text}: {said}");
    }
    for text in [
        "F1 = \"none\"",
        "Esc = \"none\"\nCtrl-g = \"back\"",
        "k = \"none\"\nF9 = \"none\"",
        "q = \"none\"\nF10 = \"none\"",
        "j = \"down\"\nk = \"up\"",
    ] {
        assert_eq!(wrong(text, "oomtop"), None, "{text}");
    }
    // vim's help has one key.
    let said = wrong("F1 = \"undo\"", "oomtop --keys vim").unwrap_or_default();
    assert!(said.contains("was the last key for help"), "{said}");
    assert_eq!(wrong("F1 = \"undo\"", "oomtop"), None);
}

#[test]
fn what_is_no_table_of_keys_says_where_keys_go() {
    for (text, says) in [
        ("[bind]\nx = \"kil\"", "did you mean 'signal'?"),
        ("bind = \"x\"", "bind: takes a table of keys"),
        (
            "[keys]\nx = \"undo\"",
            "keys: takes the name of a preset; keys of your own go into [bind]",
        ),
        (
            "[binds]\nx = \"undo\"",
            "there is no such setting; did you mean 'bind'?",
        ),
        ("[bind]\nx = \"undo\"\nx = \"tree\"", "duplicate key"),
    ] {
        let wrong = Given::new().user(text).wrong("oomtop");
        assert!(wrong.contains(says), "{text}: {wrong}");
    }
}

#[test]
fn a_stronger_file_replaces_single_keys() {
    let given = Given::new()
        .etc("[bind]\nx = \"signal\"\ny = \"undo\"\n")
        .user("keys = \"htop\"\n\n[bind]\nx = \"tree\"\n");
    let keymap = given.keymap("oomtop");
    assert_eq!(what(&keymap, KeyScope::Table, "x"), Some(Id::Tree));
    assert_eq!(what(&keymap, KeyScope::Table, "y"), Some(Id::Undo));
    assert_eq!(what(&keymap, KeyScope::Table, "Ctrl-u"), Some(Id::Undo));
    let config = given.printed("oomtop --print config");
    let line = |begin: &str| config.lines().find(|line| line.starts_with(begin));
    let of_x = line("bind x ").expect("x");
    assert!(
        of_x.contains(" tree ") && of_x.ends_with("config.toml:4"),
        "{config}"
    );
    let of_y = line("bind y ").expect("y");
    assert!(
        of_y.contains(" undo ") && of_y.ends_with("etc.toml:3"),
        "{config}"
    );
    assert_eq!(
        config
            .lines()
            .filter(|line| line.starts_with("bind "))
            .count(),
        2
    );
    let keys = given.printed("oomtop --print keys");
    let row = |action: &str| {
        let mut lines = keys.lines();
        lines.find(|line| line.split_whitespace().next() == Some(action))
    };
    assert!(row("tree").expect("a row").contains(" x t F5 "), "{keys}");
    assert!(row("undo").expect("a row").contains(" y Ctrl-u "), "{keys}");
}

/// Old files have no `[bind]`, and those with one have all settings beside it.
#[test]
fn settings_and_keys_stand_side_by_side() {
    let text = include_str!("../../../tests/fixtures/config/v1.toml");
    let given = Given::new().user(&format!("{text}\n[bind]\nCtrl-k = \"signal\"\n"));
    let configuration = given.configuration("oomtop");
    let from_file = SETTINGS.iter().filter(|setting| {
        configuration
            .origin(setting)
            .to_string()
            .contains("config.toml:")
    });
    assert_eq!(
        from_file.count(),
        text.lines().filter(|line| line.contains(" = ")).count()
    );
    assert_eq!(configuration.values.settings.bind.iter().count(), 1);
}

/// Whoever has bound a key and presses it while another pane has the keyboard must not start something else.
#[test]
fn a_key_of_a_pane_means_its_actions_in_every_pane_or_nothing() {
    let defaults = Keymap::defaults(ACTIONS);
    let of_panes = |id: Id| {
        let row = defaults.row(id).expect("a row");
        row.scopes().filter(|scope| scope.is_pane()).count()
    };
    let panes: Vec<_> = KeyScope::ALL.iter().filter(|s| s.is_pane()).collect();
    let (mut refused, mut was_another, mut pairs) = (0, 0, 0);
    // Those that are not everywhere, each with some keys of others.
    let some = Id::ALL
        .iter()
        .filter(|id| (1..panes.len()).contains(&of_panes(**id)));
    for (number, id) in some.enumerate() {
        let others = Id::ALL
            .iter()
            .filter(|old| *old != id && of_panes(**old) > 0);
        for old in others.skip(number % 9).step_by(9) {
            let Some(key) = defaults.keys_of(*old).first() else {
                continue;
            };
            let mut bindings = Bindings::default();
            bindings.bind(Binding {
                key: *key,
                actions: vec![*id],
            });
            pairs += 1;
            if Keymap::check(ACTIONS, Preset::Oomtop, &bindings).is_err() {
                refused += 1;
                continue;
            }
            let keymap = Keymap::in_force(ACTIONS, Preset::Oomtop, &bindings);
            for scope in &panes {
                let found = keymap.lookup(**scope, *key).map(|action| action.id);
                assert!(
                    found.is_none_or(|found| found == *id),
                    "{key} = {id} does {found:?} in the {}",
                    scope.name()
                );
                let before = defaults.lookup(**scope, *key);
                was_another += usize::from(found.is_none() && before.is_some());
            }
        }
    }
    assert!(
        was_another > 20 && refused < pairs / 2,
        "{was_another}, {refused} of {pairs}"
    );
}

/// A service has neither keys nor colours: what is wrong with them must not keep it from starting.
#[test]
fn a_service_starts_whatever_is_wrong_with_keys_and_looks() {
    let looks = [
        "[bind]\nx = \"undoo\"",
        "[bind]\nEsc = \"undo\"",
        "[bind]\nx = 3",
        "bind = \"x\"",
        "[binds]\nx = \"undo\"",
        "theme = \"nrod\"",
        "keys = \"emacs\"",
        "columns = \"pid,usr\"",
        "color = 7",
    ];
    let services = [
        "oomtop protect",
        "oomtop protect --check",
        "oomtop metrics",
        "oomtop watch",
        "oomtop record -o /x",
        "oomtop run --no-tui true",
    ];
    for line in services {
        for text in looks {
            let given = Given::new().user(text);
            let (mode, warnings) = given.warned(line);
            assert!(mode.is_ok(), "{line}, {text}: {mode:?}");
            assert_eq!(warnings.len(), 1, "{line}, {text}: {warnings:?}");
            assert!(warnings[0].contains("config.toml"), "{warnings:?}");
            given.wrong("oomtop --once");
        }
        // A setting that is misspelled may be one that forbids every write.
        for text in [
            "read_only = 7",
            "readonly = true",
            "delay = 0",
            "= x",
            "[settings]\nread_only = true",
        ] {
            let (mode, warnings) = Given::new().user(text).warned(line);
            assert!(mode.is_err(), "{line}, {text}");
            assert_eq!(warnings, Vec::<String>::new(), "{line}, {text}");
        }
        let (mode, warnings) = Given::new().user("[bind]\nx = \"undo\"").warned(line);
        assert!(mode.is_ok() && warnings.is_empty(), "{line}: {warnings:?}");
    }
    let forbidden = Given::new().user("read_only = true\n[bind]\nx = 3");
    assert!(forbidden.warned("oomtop protect").0.is_err());
}
