//! What the mouse does: select, scroll, sort, and press what the screen names: keys of the function bar, hints, tabs and
//! choices of a dialog. A click runs what the key would run, with the same checks.

mod dialog;

use std::time::Duration;

use ratatui::layout::{Position, Rect};

use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, Mouse, MouseAction};
use crate::app::update::key::{perform, to_dialog};
use crate::app::view::columns;
use crate::app::view::layout::{HeaderLine, Pane, Panes};
use crate::model::oom_domain::victim::Scope;
use crate::model::time::Monotonic;

/// Rows the wheel scrolls.
const WHEEL: isize = 3;

/// Two clicks on one cell within this time are a double click, as in most desktops.
const DOUBLE: Duration = Duration::from_millis(400);

/// The last click.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clicks {
    last: Option<(u16, u16, Monotonic)>,
    /// It selected a row.
    hit: bool,
}

impl Clicks {
    /// Takes a click; true if it is the second of a double click.
    fn take(&mut self, x: u16, y: u16, at: Monotonic) -> bool {
        let before = self.last.replace((x, y, at));
        let is_double = before.is_some_and(|(old_x, old_y, then)| {
            (old_x, old_y) == (x, y) && at.since(then) <= DOUBLE
        });
        if is_double {
            // A third click is the first of another pair.
            self.last = None;
        }
        is_double
    }
}

/// Handles one mouse action.
pub(in crate::app) fn on_mouse(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    let at = Position::new(mouse.x, mouse.y);
    let is_double = mouse.action == MouseAction::Click && {
        let now = state.confirmation.read_at().unwrap_or(state.now.monotonic);
        state.clicks.take(mouse.x, mouse.y, now)
    };
    if !state.dialogs.is_empty() {
        let action = match mouse.action {
            MouseAction::ScrollUp => ActionId::Up,
            MouseAction::ScrollDown => ActionId::Down,
            MouseAction::Click => return dialog::click(state, at, is_double),
        };
        return to_dialog(state, |dialog, context| dialog.on_action(action, context));
    }
    let panes = state.panes();
    match mouse.action {
        MouseAction::ScrollUp => scroll(state, &panes, at, -WHEEL),
        MouseAction::ScrollDown => scroll(state, &panes, at, WHEEL),
        MouseAction::Click => return click(state, &panes, at, is_double),
    }
    Vec::new()
}

fn is_in_events(panes: &Panes, at: Position) -> bool {
    panes.events_rows.contains(at) || panes.events_title.contains(at)
}

/// Scrolls the pane under the pointer.
fn scroll(state: &mut State, panes: &Panes, at: Position, by: isize) {
    if at.x >= panes.table_rows.right() && panes.side.edge.height > 0 {
        // The pane on the right has nothing to scroll.
    } else if is_in_events(panes, at) {
        state.events.move_by(by);
    } else if state.domains.open {
        state.domains.move_by(by);
    } else {
        state.table.scroll_by(by);
    }
}

fn click(state: &mut State, panes: &Panes, at: Position, is_double: bool) -> Vec<Effect> {
    if panes.footer.contains(at) {
        return click_key(state, panes.footer, at.x);
    }
    if let Some(scope) = domain_at(state, panes, at) {
        return state.show_domain(scope);
    }
    // The second click means the row that the first one selected: a sample or the focus may have moved the rows.
    if is_double && state.clicks.hit {
        return run(state, ActionId::Details);
    }
    state.clicks.hit = false;
    if panes.table_rows.contains(at) {
        state.touch_selection();
        state.clicks.hit = click_row(state, usize::from(at.y - panes.table_rows.y));
    } else if panes.table_head.contains(at) {
        click_head(state, panes, at);
    } else if is_in_events(panes, at) {
        state.focus = Pane::Events;
        state.events.unread = 0;
        if let Some(line) = at.y.checked_sub(panes.events_rows.y) {
            state.touch_selection();
            state.clicks.hit = state.events.click(usize::from(line));
        }
    }
    Vec::new()
}

/// Runs the action whose label is under the pointer.
fn click_key(state: &mut State, footer: Rect, x: u16) -> Vec<Effect> {
    // The prompt stands there, or on the lowest screens a notice.
    let covers = state.notice.is_some() && state.panes().notice.height == 0;
    if state.prompt.is_some() || covers {
        return Vec::new();
    }
    let x = x - footer.x;
    let labels = state.keybar(footer.width);
    let under = labels
        .iter()
        .find(|label| (label.x..label.x + label.width).contains(&x));
    under.map_or_else(Vec::new, |label| run(state, label.action))
}

/// The domain whose line is under the pointer.
fn domain_at(state: &State, panes: &Panes, at: Position) -> Option<Scope> {
    let attention = &state.attention;
    if let Some(place) = panes.side.domain_at(at) {
        return attention.nearest.get(place).copied();
    }
    let (line, _) = panes.header.iter().find(|(_, area)| area.contains(at))?;
    let alarm = match line {
        HeaderLine::Alarm(place) => attention.alarms.get(usize::from(*place)),
        HeaderLine::Domain(place) => attention.calm.get(usize::from(*place)),
        _ => None,
    };
    alarm?.scope
}

fn click_head(state: &mut State, panes: &Panes, at: Position) {
    let x = at.x - panes.table_head.x;
    if state.domains.open {
        let columns = state.domain_columns(panes.table_head.width);
        if let Some(column) = columns::at(&columns, x) {
            state.sort_domains(Some(column));
        }
        return;
    }
    let columns = state.table.columns(panes.table_head.width);
    if let Some(column) = columns::at(&columns, x) {
        state.table.sort_by(column);
        state.arrange();
    }
}

/// Selects the row at this line of the screen; false if there is no row.
fn click_row(state: &mut State, y: usize) -> bool {
    state.focus = Pane::Processes;
    if state.domains.open {
        state.domains.click(y)
    } else {
        state.table.click(y, &state.snapshot)
    }
}

/// Runs an action of the pane with the keyboard.
fn run(state: &mut State, action: ActionId) -> Vec<Effect> {
    let scope: KeyScope = state.pane_scope();
    match state.keymap.row(action) {
        Some(row) => perform(state, scope, row),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Clicks;
    use crate::model::time::Monotonic;

    #[test]
    fn two_quick_clicks_on_one_cell_are_a_double_click_and_the_third_is_not() {
        let mut clicks = Clicks::default();
        let at = |millis: u64| Monotonic(millis * 1000);
        assert!(!clicks.take(1, 1, at(0)));
        assert!(clicks.take(1, 1, at(300)));
        assert!(!clicks.take(1, 1, at(400)), "the third");
        assert!(!clicks.take(1, 2, at(500)), "another row");
        assert!(!clicks.take(1, 2, at(1000)), "too late");
    }
}
