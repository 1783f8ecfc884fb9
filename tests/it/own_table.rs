//! The table and the keys as somebody wants them: columns in the settings dialog, and `[bind]` on the screen.

use crate::common::scene::{Scene, host};
use crate::setup::scene;
use oomtop::app::input::id::ActionId as Id;
use oomtop::app::input::keymap::{Binding, Bindings};
use oomtop::app::input::presets::Preset;
use oomtop::app::input::scope::KeyScope;
use oomtop::app::msg::{Effect, FileId};
use oomtop::app::settings::Settings;

#[test]
fn columns_are_chosen_while_the_table_shows_them() {
    let mut scene = scene(Preset::Oomtop);
    let head = |scene: &Scene| {
        let columns = scene.state.table.columns(118);
        let ids = columns
            .iter()
            .map(|placed| (placed.column.id, placed.width));
        ids.collect::<Vec<_>>()
    };
    let is_shown = |scene: &Scene, id: &str| head(scene).iter().any(|(own, _)| *own == id);
    let before = head(&scene);
    assert!(is_shown(&scene, "command"));
    scene.keys("F2 Down Down Down Down Down Right");
    assert_eq!(scene.state.key_scope(), KeyScope::Columns);
    let text = scene.text();
    assert!(
        text.contains("Columns of the process table") && text.contains("[x] PID"),
        "{text}"
    );
    // mark, pid, user
    scene.keys("Down Down Space");
    assert!(!is_shown(&scene, "user"));
    assert!(is_shown(&scene, "command"), "what else was there stays");
    // What was left out stands below the others now, and is still the chosen one.
    scene.keys("Space");
    assert!(is_shown(&scene, "user"), "{:?}", head(&scene));
    scene.keys("PgUp PgUp PgUp Down F8");
    let ids: Vec<_> = head(&scene).iter().map(|(id, _)| *id).collect();
    let at = |id| ids.iter().position(|own| *own == id);
    assert!(at("pid") > at("name"), "{ids:?}");
    scene.types("12");
    assert!(head(&scene).contains(&("pid", 12)), "{:?}", head(&scene));
    scene.types("x000");
    let chosen = scene.state.table.chosen.to_string();
    assert!(chosen.contains("pid:120,"), "no digit too many: {chosen}");
    scene.keys("Backspace Backspace Left");
    assert!(
        !head(&scene).contains(&("pid", 1)),
        "below one cell: its own width"
    );
    scene.types("9");
    scene.keys("Enter");
    assert_eq!(scene.state.key_scope(), KeyScope::Setup);
    let chosen = scene.state.table.chosen.to_string();
    assert!(chosen.contains("pid:9,"), "{chosen}");
    scene.asked();
    scene.keys("W");
    assert_eq!(
        scene.asked(),
        [Effect::DraftSettings(FileId(1), vec![("columns", chosen)])]
    );
    // Esc from the list takes back the list, Esc from the dialog everything.
    scene.keys("Esc Right Space Esc");
    assert!(scene.state.table.chosen.to_string().contains("pid:9,"));
    scene.keys("Esc");
    assert_eq!(head(&scene), before);
    assert!(scene.state.table.chosen.is_empty());
}

#[test]
fn keys_of_ones_own_are_on_the_screen_and_refuse_a_preset_they_do_not_suit() {
    let key = |name: &str| name.parse().expect("a key");
    let mut bind = Bindings::default();
    for (name, actions) in [
        ("x", vec![Id::Signal]),
        ("d", vec![Id::Tree]),
        ("F1", vec![Id::Undo]),
    ] {
        bind.bind(Binding {
            key: key(name),
            actions,
        });
    }
    let settings = Settings {
        bind,
        ..Settings::default()
    };
    let mut scene = Scene::with(200, 150, settings, host());
    let text = scene.text();
    assert!(
        text.contains("? Help ") && text.contains("x Kill ") && text.contains("d Tree "),
        "{text}"
    );
    assert!(!text.contains("d Domains"), "no key goes there");
    scene.keys("?");
    let text = scene.text();
    assert!(
        text.contains("  x k F9                send a signal"),
        "{text}"
    );
    assert!(
        text.contains("  -                     OOM domains: "),
        "{text}"
    );
    scene.keys("Esc d");
    assert!(scene.state.table.tree);
    // vim's help is on F1 alone.
    scene.keys("F2 Down Right Right");
    let text = scene.text();
    assert!(
        text.contains("keys: with vim, F1 of your [bind] was the last key for help"),
        "{text}"
    );
    assert_eq!(scene.state.settings.keys, Preset::Htop);
}
