//! `--print keys`: each action of the preset in force with its keys, in the order of the help.

use super::table;
use crate::app::input::action::Group;
use crate::app::input::actions::ACTIONS;
use crate::app::input::keymap::Keymap;
use crate::app::input::presets::Preset;

/// The keys as a table, the sections of the help one below the other.
pub(super) fn print(preset: Preset) -> String {
    let keymap = Keymap::preset(ACTIONS, preset);
    let mut rows = vec![["ACTION", "KEYS", "DOES"].map(str::to_owned)];
    for group in Group::ALL {
        for action in keymap.actions().filter(|action| action.group == *group) {
            let keys = keymap.keys_of(action.id).iter().map(ToString::to_string);
            rows.push([
                action.id.name().to_owned(),
                keys.collect::<Vec<_>>().join(" "),
                action.doc.to_owned(),
            ]);
        }
    }
    table(&rows)
}
