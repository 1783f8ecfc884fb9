//! The settings dialog, and the presets of keys.

use std::time::Duration;

use crate::common::scene::{Scene, host};
use oomtop::app::input::actions::ACTIONS;
use oomtop::app::input::id::ActionId as Id;
use oomtop::app::input::keymap::Keymap;
use oomtop::app::input::presets::Preset;
use oomtop::app::input::scope::KeyScope;
use oomtop::app::msg::{Control, Effect, FileId, Msg};
use oomtop::app::settings::Settings;
use oomtop::app::settings::draft::Draft;
use oomtop::app::settings::text::show_bands;

#[test]
fn every_preset_is_sound() {
    for preset in Preset::ALL {
        if let Err(bad) = Keymap::check_preset(ACTIONS, *preset) {
            panic!("{}: {bad}", preset.name());
        }
        assert!(preset.unknown().is_empty(), "{:?}", preset.unknown());
        assert_eq!(Preset::named(preset.name()), Some(*preset));
    }
}

pub(super) fn scene(preset: Preset) -> Scene {
    let settings = Settings {
        keys: preset,
        themes: ["oomtop", "dark", "nord"].map(str::to_owned).into(),
        ..Settings::default()
    };
    Scene::with(120, 36, settings, host())
}

#[test]
fn hands_that_know_htop_find_what_htop_has() {
    let mut scene = scene(Preset::Htop);
    scene.keys("/");
    assert_eq!(scene.state.key_scope(), KeyScope::Search);
    scene.keys("Esc \\");
    assert_eq!(scene.state.key_scope(), KeyScope::Prompt);
    scene.keys("Esc N");
    assert_eq!(scene.state.table.sort.id, "pid");
    scene.keys("M");
    assert_eq!(scene.state.table.sort.id, "rss");
    scene.keys(">");
    assert_eq!(scene.state.key_scope(), KeyScope::Sort);
    scene.keys("Esc c");
    assert!(!scene.state.table.tagged.is_empty());
    scene.keys("U S");
    assert_eq!(scene.state.key_scope(), KeyScope::Setup);
    scene.keys("Esc H");
    let text = scene.text();
    assert!(
        text.contains("H: threads: oomtop shows processes"),
        "{text}"
    );
    // The footer names what is bound.
    scene.state.notice = None;
    assert!(scene.text().contains("L Cgroup"), "{}", scene.text());
}

#[test]
fn hands_that_know_vim_move_and_do_not_kill() {
    let mut scene = scene(Preset::Vim);
    let first = scene.selected();
    scene.keys("j");
    assert_ne!(scene.selected(), first);
    scene.keys("k");
    assert_eq!(scene.selected(), first);
    scene.keys("G");
    assert_ne!(scene.selected(), first);
    scene.keys("g g");
    assert_eq!(scene.selected(), first);
    scene.keys("x");
    assert_eq!(scene.state.key_scope(), KeyScope::Signal);
    scene.keys("j k Esc F2 j l");
    assert_eq!(scene.state.settings.keys, Preset::Oomtop);
}

#[test]
fn a_key_without_a_meaning_says_so_once() {
    let mut scene = scene(Preset::Oomtop);
    scene.keys("l");
    assert!(
        scene.text().contains("l: open files: oomtop lists none"),
        "{}",
        scene.text()
    );
    scene.state.notice = None;
    scene.keys("l");
    assert_eq!(scene.state.notice, None);
    scene.keys("A");
    assert!(
        scene.text().contains("A does nothing; F1 lists the keys"),
        "{}",
        scene.text()
    );
}

#[test]
fn settings_take_effect_at_once_and_are_taken_back_as_a_whole() {
    let mut scene = scene(Preset::Oomtop);
    let before = scene.state.settings.clone();
    scene.keys("F2 Right");
    assert_eq!(scene.state.settings.theme, "dark");
    // keys, delay, bands
    scene.keys("Down Right Down Right Down");
    assert_eq!(scene.state.settings.keys, Preset::Htop);
    assert_eq!(scene.state.settings.delay, Duration::from_secs(2));
    scene.types("5,6,7");
    assert_eq!(show_bands(&scene.state.settings.thresholds), "5,6,7");
    scene.types(",");
    assert!(
        scene.text().contains("bands: takes three"),
        "{}",
        scene.text()
    );
    assert_eq!(show_bands(&scene.state.settings.thresholds), "5,6,7");
    // sort, columns, filter: a field of text
    scene.keys("Down Right Down Down");
    assert_eq!(scene.state.key_scope(), KeyScope::SetupField);
    scene.types("Wu");
    assert_eq!(scene.state.table.filter.text(), "Wu");
    assert!(scene.state.table.rows().is_empty());
    // kernel_threads, tree, ascii, mouse
    scene.keys("Down Right Down Right Down Right Down Right");
    assert!(scene.state.table.kernel_threads && scene.state.table.tree);
    assert!(scene.state.settings.ascii);
    assert!(!scene.state.settings.mouse);
    assert_eq!(scene.control, Some(Control::Mouse(false)));
    scene.keys("Esc");
    assert!(scene.state.dialogs.is_empty());
    let after = &scene.state.settings;
    assert_eq!(
        (&after.theme, after.keys, after.delay),
        (&before.theme, before.keys, before.delay)
    );
    assert_eq!(after.thresholds, before.thresholds);
    assert_eq!((after.ascii, after.mouse), (false, true));
    assert!(scene.state.table.filter.is_empty());
    assert_eq!(scene.state.table.sort.id, "badness");
    assert!(!scene.state.table.kernel_threads && !scene.state.table.tree);
    assert_eq!(scene.control, Some(Control::Mouse(true)));
    scene.keys("F2 Left Enter");
    assert_eq!(scene.state.settings.theme, "nord");
}

#[test]
fn a_value_that_is_refused_is_not_left_in_silence() {
    let mut scene = scene(Preset::Oomtop);
    let before = scene.state.settings.thresholds;
    // theme, keys, delay, bands
    scene.keys("F2 Down Down Down 8 0 x");
    for key in ["Enter", "F2"] {
        scene.keys(key);
        assert!(scene.text().contains("80x"), "{key}: {}", scene.text());
    }
    assert_eq!(scene.state.settings.thresholds, before);
    scene.keys("BackSpace Enter");
    assert!(
        scene.state.dialogs.is_empty() || scene.text().contains("80"),
        "{}",
        scene.text()
    );
    scene.keys("Esc");
    assert!(scene.state.dialogs.is_empty(), "Esc undoes all");
}

#[test]
fn what_was_pasted_is_in_force_after_a_look_at_it() {
    let mut scene = scene(Preset::Oomtop);
    // theme, keys, delay, bands, sort, columns, filter
    scene.keys("F2 Down Down Down Down Down Down");
    scene.tell(Msg::Paste("mysqld".to_owned()));
    assert!(
        scene.state.table.filter.is_empty(),
        "a paste confirms nothing"
    );
    scene.keys("Enter");
    assert_eq!(scene.state.table.filter.text(), "mysqld");
    assert_eq!(scene.state.dialogs.len(), 1);
    scene.keys("Enter");
    assert!(scene.state.dialogs.is_empty());
    assert_eq!(scene.state.table.filter.text(), "mysqld");
}

#[test]
fn what_differs_is_saved_after_a_look_at_it() {
    let mut scene = scene(Preset::Oomtop);
    scene.keys("F2 W");
    assert!(scene.text().contains("nothing differs"), "{}", scene.text());
    scene.asked();
    scene.keys("Right W");
    let changes = vec![("theme", "dark".to_owned())];
    let asked = |id, changes: &Changes| [Effect::DraftSettings(FileId(id), changes.clone())];
    assert_eq!(scene.asked(), asked(1, &changes));
    let draft = draft("theme = \"dark\"\n");
    scene.tell(Msg::SettingsDraft(FileId(1), Ok(draft.clone())));
    let text = scene.text();
    assert!(
        text.contains("Change /home/me/.config/oomtop/config.toml"),
        "{text}"
    );
    assert!(text.contains("+ theme = \"dark\""), "{text}");
    assert!(text.contains("OOMTOP_THEME is stronger"), "{text}");
    // Back to the settings, and again.
    scene.keys("Esc");
    assert!(scene.text().contains("Settings of oomtop"));
    scene.keys("W");
    assert_eq!(scene.asked(), asked(2, &changes));
    scene.tell(Msg::SettingsDraft(FileId(2), Ok(draft.clone())));
    scene.keys("Enter");
    assert_eq!(scene.asked(), [Effect::WriteSettings(FileId(3), draft)]);
    let done = Ok("the file is written".to_owned());
    scene.tell(Msg::SettingsWritten(FileId(3), done));
    assert!(scene.text().contains("the file is written"));
    scene.keys("W");
    assert!(scene.text().contains("nothing differs"), "{}", scene.text());
    let key = scene.state.key(Id::Setup);
    assert_eq!(key, "F2");
}

type Changes = Vec<(&'static str, String)>;

fn draft(added: &str) -> Draft {
    Draft {
        path: "/home/me/.config/oomtop/config.toml".into(),
        before: Some("# mine\ndelay = 2\n".to_owned()),
        after: format!("# mine\ndelay = 2\n{added}"),
        notes: vec!["OOMTOP_THEME is stronger than the file's theme".to_owned()],
    }
}

#[test]
fn the_draft_that_is_shown_is_the_one_that_was_asked_for_last() {
    let mut scene = scene(Preset::Oomtop);
    scene.keys("F2 Right W");
    scene.asked();
    // Another value, and the first draft is still being read.
    scene.keys("Esc Right W");
    assert_eq!(scene.asked(), [], "one read at a time");
    scene.tell(Msg::SettingsDraft(
        FileId(1),
        Ok(draft("theme = \"dark\"\n")),
    ));
    assert!(!scene.text().contains("+ theme"), "{}", scene.text());
    let changes = vec![("theme", "nord".to_owned())];
    assert_eq!(scene.asked(), [Effect::DraftSettings(FileId(2), changes)]);
    scene.tell(Msg::SettingsDraft(
        FileId(2),
        Ok(draft("theme = \"nord\"\n")),
    ));
    assert!(
        scene.text().contains("+ theme = \"nord\""),
        "{}",
        scene.text()
    );
}

#[test]
fn nobody_waits_for_a_disk() {
    let mut scene = scene(Preset::Oomtop);
    scene.keys("F2 Right W");
    scene.tell(Msg::SettingsDraft(
        FileId(1),
        Ok(draft("theme = \"dark\"\n")),
    ));
    scene.keys("Enter");
    assert!(scene.text().contains("a moment"), "{}", scene.text());
    // Back to the list, another value, out of the dialog.
    scene.keys("Esc Right");
    assert_eq!(scene.state.settings.theme, "nord");
    scene.keys("W");
    scene.tell(Msg::SettingsDraft(
        FileId(3),
        Ok(draft("theme = \"nord\"\n")),
    ));
    scene.asked();
    scene.keys("Enter");
    assert_eq!(scene.asked(), [], "one write at a time");
    assert!(
        scene.text().contains("still being written"),
        "{}",
        scene.text()
    );
    scene.keys("Esc Esc");
    assert!(scene.state.dialogs.is_empty());
    assert_eq!(scene.state.settings.theme, "oomtop");
    let done = Ok("the file is written".to_owned());
    scene.tell(Msg::SettingsWritten(FileId(2), done));
    assert!(scene.text().contains("the file is written"));
    // The file has what was written, not what is in force.
    assert_eq!(scene.state.started.theme, "dark");
    scene.asked();
    scene.keys("F2 W");
    let changes = vec![("theme", "oomtop".to_owned())];
    assert_eq!(scene.asked(), [Effect::DraftSettings(FileId(4), changes)]);
}

#[test]
fn what_went_wrong_with_the_file_is_no_fault_of_the_chosen_row() {
    let mut scene = scene(Preset::Oomtop);
    scene.keys("F2 Right Down W");
    scene.tell(Msg::SettingsDraft(
        FileId(1),
        Err("HOME is not set".to_owned()),
    ));
    let text = scene.text();
    assert!(
        text.contains("HOME is not set") && !text.contains("keys: HOME"),
        "{text}"
    );
}

#[test]
fn esc_gives_the_order_back_as_it_was() {
    let mut scene = scene(Preset::Oomtop);
    scene.keys("I");
    let before: Vec<_> = scene.state.table.rows().iter().map(|row| row.id).collect();
    // theme, keys, delay, bands, sort
    scene.keys("F2 Down Down Down Down Right Right");
    assert_ne!(scene.state.table.sort.id, "badness");
    scene.keys("Esc");
    assert!(scene.state.table.inverted);
    let after: Vec<_> = scene.state.table.rows().iter().map(|row| row.id).collect();
    assert_eq!(before, after);
}
