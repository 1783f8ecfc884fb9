//! The keys and the columns as items of a page.

use super::roff::Roff;
use crate::app::input::action::Group;
use crate::app::input::actions::ACTIONS;
use crate::app::input::keymap::Keymap;
use crate::app::view::domains::columns;
use crate::app::view::processes::columns::COLUMNS;

/// Each action with its default keys, below the headings of the help.
pub(super) fn keys(roff: &mut Roff) {
    let keymap = Keymap::defaults(ACTIONS);
    for group in Group::ALL {
        roff.subsection(group.title());
        for action in keymap.actions().filter(|action| action.group == *group) {
            let keys = keymap.keys_of(action.id).iter();
            let keys: Vec<_> = keys.map(|key| format!("`{key}`")).collect();
            roff.item(&keys.join(" "), [action.doc]);
        }
    }
}

/// The columns of both tables.
pub(super) fn columns(roff: &mut Roff) {
    roff.subsection("Processes");
    for column in COLUMNS {
        roff.item(&format!("**{}**", column.heading()), [column.doc]);
    }
    roff.subsection("OOM domains");
    for column in columns::COLUMNS {
        roff.item(&format!("**{}**", column.title), [column.doc]);
    }
}
