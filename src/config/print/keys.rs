//! `--print keys`: each action with the keys in force, in the order of the help.

use super::table;
use crate::app::input::action::Group;
use crate::app::input::actions::ACTIONS;
use crate::app::input::keymap::{Bindings, Keymap};
use crate::app::input::presets::Preset;

/// The keys as a table, the sections of the help one below the other.
pub(super) fn print(preset: Preset, own: &Bindings) -> String {
    let keymap = Keymap::in_force(ACTIONS, preset, own);
    let mut rows = vec![["ACTION", "KEYS", "DOES"].map(str::to_owned)];
    for group in Group::ALL {
        for action in keymap.actions().filter(|action| action.group == *group) {
            let keys = keymap.keys_of(action.id).iter().map(ToString::to_string);
            let keys = keys.collect::<Vec<_>>().join(" ");
            rows.push([
                action.id.name().to_owned(),
                // Its keys mean something else by now.
                if keys.is_empty() {
                    "-".to_owned()
                } else {
                    keys
                },
                action.doc.to_owned(),
            ]);
        }
    }
    table(&rows)
}
