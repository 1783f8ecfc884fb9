//! What the mouse does: select, scroll, sort.

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::msg::{Effect, Mouse, MouseAction};
use crate::app::update::key::to_dialog;
use crate::app::view::columns;
use crate::app::view::layout::Pane;

/// Rows the wheel scrolls.
const WHEEL: isize = 3;

/// Handles one mouse action.
pub(in crate::app) fn on_mouse(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    if !state.dialogs.is_empty() {
        let action = match mouse.action {
            MouseAction::ScrollUp => ActionId::Up,
            MouseAction::ScrollDown => ActionId::Down,
            MouseAction::Click => return Vec::new(),
        };
        return to_dialog(state, |dialog, context| dialog.on_action(action, context));
    }
    let panes = state.panes();
    let at = ratatui::layout::Position::new(mouse.x, mouse.y);
    let in_events = panes.events_rows.contains(at) || panes.events_title.contains(at);
    match mouse.action {
        MouseAction::ScrollUp | MouseAction::ScrollDown => {
            let by = if mouse.action == MouseAction::ScrollUp {
                -WHEEL
            } else {
                WHEEL
            };
            if in_events {
                state.events.move_by(by);
            } else if state.domains.open {
                state.domains.move_by(by);
            } else {
                state.table.scroll_by(by);
            }
        }
        MouseAction::Click if panes.table_rows.contains(at) => {
            state.touch_selection();
            click_row(state, usize::from(mouse.y - panes.table_rows.y));
        }
        MouseAction::Click if panes.table_head.contains(at) && state.domains.open => {}
        MouseAction::Click if panes.table_head.contains(at) => {
            let columns = state.table.columns(panes.table_head.width);
            if let Some(column) = columns::at(&columns, mouse.x) {
                state.table.sort_by(column);
                state.arrange();
            }
        }
        MouseAction::Click if in_events => {
            state.focus = Pane::Events;
            state.events.unread = 0;
            if let Some(line) = mouse.y.checked_sub(panes.events_rows.y) {
                state.events.click(usize::from(line));
            }
        }
        MouseAction::Click => {}
    }
    Vec::new()
}

/// Selects the row at this line of the screen, if there is a row.
fn click_row(state: &mut State, y: usize) {
    state.focus = Pane::Processes;
    if state.domains.open {
        state.domains.click(y);
    } else {
        state.table.click(y, &state.snapshot);
    }
}
