//! The keys that leave: `q` and `F10` do in every dialog what `Esc` does, and nothing but letters in a text field.

use std::sync::Arc;

use crate::common::bound::asked_again;
use crate::common::scene::{Scene, kill_report};
use oomtop::app::dialog::compare::CompareDialog;
use oomtop::app::dialog::leave::LeaveDialog;
use oomtop::app::input::scope::KeyScope;
use oomtop::app::msg::{Control, Msg};
use oomtop::app::replay::Replay;
use oomtop::app::replay::timeline::Timeline;
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::snapshot::Host;
use oomtop::oomlog::OomEvent;

/// A screen with the dialog of this scope in front; `None` for what is no dialog. The compiler asks for new ones.
fn opened(scope: KeyScope) -> Option<Scene> {
    let mut scene = Scene::new(120, 36);
    let keys = match scope {
        KeyScope::Table
        | KeyScope::Domains
        | KeyScope::Events
        | KeyScope::Prompt
        | KeyScope::Search
        | KeyScope::Pid => return None,
        KeyScope::Help => "?",
        KeyScope::Adjust => "a",
        KeyScope::Cgroup => "c",
        KeyScope::Signal => "k",
        KeyScope::History => "H",
        KeyScope::Sort => "F6",
        KeyScope::Users => "W",
        KeyScope::Process => "Enter",
        KeyScope::Domain => "d Enter",
        KeyScope::Settings => "S",
        KeyScope::Setup => "F2",
        KeyScope::SetupField => "F2 Down Down Down Down Down Down",
        KeyScope::Columns => "F2 Down Down Down Down Down Right",
        KeyScope::Ledger => "m",
        KeyScope::Incident => "i",
        KeyScope::Rules => "R",
        KeyScope::Rule => "a r",
        KeyScope::Undo => {
            scene = asked_again(scene);
            ""
        }
        KeyScope::Event => {
            scene.tell(Msg::Oom(OomEvent::Gap { at: None, lost: 3 }));
            "e Home Enter"
        }
        KeyScope::Report => {
            let report = kill_report(9, 1, 956, "postgres", None);
            scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
            "e Home Enter"
        }
        KeyScope::Compare => {
            let nothing = Timeline::default();
            scene.state.replay = Some(Replay::new("r".to_owned(), Arc::new(nothing)));
            let mark = Arc::clone(&scene.state.snapshot);
            scene.state.dialogs.push(Box::new(CompareDialog::new(mark)));
            ""
        }
        KeyScope::Leave => {
            let dialog = Box::new(LeaveDialog::new(Vec::new()));
            scene.state.dialogs.push(dialog);
            ""
        }
    };
    scene.keys(keys);
    assert_eq!(scene.state.key_scope(), scope, "{keys}\n{}", scene.text());
    Some(scene)
}

#[test]
fn every_dialog_is_left_by_the_keys_of_htop() {
    let mut dialogs = 0;
    for scope in KeyScope::ALL.iter().copied() {
        for key in ["q", "F10"] {
            let Some(mut scene) = opened(scope) else {
                continue;
            };
            dialogs += 1;
            let before = scene.text();
            scene.keys(key);
            let what = format!("{key} in the {}\n{}", scope.name(), scene.text());
            if scope == KeyScope::Leave {
                // It asks whether to quit: whoever says so again means it.
                assert_eq!(scene.control, Some(Control::Quit), "{what}");
            } else if key == "q" && matches!(scope, KeyScope::Cgroup | KeyScope::SetupField) {
                assert_eq!(scene.state.key_scope(), scope, "{what}");
                assert_ne!(scene.text(), before, "{what}: it is a letter");
            } else {
                let mut by_esc = opened(scope).expect("it has opened before");
                by_esc.keys("Esc");
                assert_eq!(scene.state.key_scope(), by_esc.state.key_scope(), "{what}");
                assert_ne!(scene.state.key_scope(), scope, "{what}");
                assert_eq!(scene.text(), by_esc.text(), "{what}");
                assert_eq!(scene.control, None, "{what}");
            }
        }
    }
    assert!(dialogs > 40, "{dialogs}");
}

#[test]
fn where_no_field_has_the_cursor_no_letter_is_typed() {
    // Without cgroups the dialog only says so.
    let host = Host {
        cgroups: CgroupVersion::None,
        ..crate::common::scene::host()
    };
    let mut scene = Scene::with(120, 36, Settings::default(), host);
    scene.keys("c");
    assert_eq!(scene.state.key_scope(), KeyScope::Cgroup);
    scene.keys("q");
    assert_eq!(scene.state.key_scope(), KeyScope::Table, "{}", scene.text());
    assert_eq!(scene.control, None);
}

#[test]
fn help_and_dialogs_name_the_key() {
    let help = opened(KeyScope::Help).expect("a dialog").text();
    assert!(help.contains("Esc q leave"), "{help}");
    let field = opened(KeyScope::Cgroup).expect("a dialog").text();
    assert!(field.contains("Esc leave"), "it is a letter there\n{field}");
    let mut tall = Scene::new(120, 170);
    let help = tall.keys("?").text();
    let line = "q F10                 leave a dialog; in a text field a letter is text";
    assert!(help.contains(line), "{help}");
}
