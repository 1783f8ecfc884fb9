//! What the process table shows of its rows.

use crate::app::State;
use crate::app::dialog::users::UsersDialog;
use crate::app::input::scope::KeyScope;
use crate::app::msg::Effect;
use crate::text::tone::Tone;

pub(in crate::app::input::actions) fn scroll_commands(state: &mut State, by: i16) -> Vec<Effect> {
    state.table.scroll_commands(by);
    Vec::new()
}

pub(in crate::app::input::actions) fn whole_commands(state: &mut State) -> Vec<Effect> {
    state.table.whole_commands = !state.table.whole_commands;
    state.arrange()
}

/// Hides or shows what is below the selected process.
pub(in crate::app::input::actions) fn collapse(state: &mut State) -> Vec<Effect> {
    fold(state, None)
}

/// In the tree, hides what is below the selected process, or shows it; elsewhere samples come less or more often.
pub(in crate::app::input::actions) fn plus_or_minus(state: &mut State, plus: bool) -> Vec<Effect> {
    if state.table.tree && state.pane_scope() == KeyScope::Table {
        fold(state, Some(!plus))
    } else {
        state.change_delay(plus)
    }
}

fn fold(state: &mut State, hide: Option<bool>) -> Vec<Effect> {
    let why = if state.table.tree {
        (!state.table.collapse(hide)).then_some("nothing is below this process")
    } else {
        Some("only the tree has something to hide below a process")
    };
    if let Some(why) = why {
        state.say(Tone::Normal, why);
        return Vec::new();
    }
    state.arrange()
}

pub(in crate::app::input::actions) fn users(state: &mut State) -> Vec<Effect> {
    let dialog = UsersDialog::new(&state.dialog_context(), &state.table.filter);
    state.open(dialog)
}
