//! What the mouse does: select, scroll, sort, and press what the screen names: keys of the function bar, hints, tabs and
//! choices of a dialog. A click runs what the key would run, with the same checks.

mod dialog;

use std::time::Duration;

use ratatui::layout::{Position, Rect};

use crate::app::State;
use crate::app::input::confirmation::Question;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, Mouse, MouseAction};
use crate::app::update::key::{perform, to_dialog};
use crate::app::view::columns;
use crate::app::view::domains::Sorting;
use crate::app::view::domains::columns as of_domains;
use crate::app::view::layout::{HeaderLine, Pane, Panes};
use crate::app::view::processes::columns as of_processes;
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
    /// It was the first, second, … of quick clicks on one cell.
    count: u32,
    hit: Hit,
}

/// What the last click met. The second click of a pair means the same, whatever has moved below the pointer since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Hit {
    #[default]
    Nothing,
    /// It selected a row of a pane.
    Row,
    /// It was for a dialog and chose no item.
    Dialog,
    /// It chose this item of the list in a dialog, which asked this from then on.
    Item(usize, Option<Question>),
}

impl Clicks {
    /// Takes a click.
    fn take(&mut self, x: u16, y: u16, at: Monotonic) {
        let before = self.last.replace((x, y, at));
        let is_quick = before.is_some_and(|(old_x, old_y, then)| {
            (old_x, old_y) == (x, y) && at.since(then) <= DOUBLE
        });
        self.count = if is_quick {
            self.count.saturating_add(1)
        } else {
            1
        };
    }

    /// The second of a double click. A third click is the first of another pair.
    fn is_double(self) -> bool {
        self.count.is_multiple_of(2)
    }

    /// Nothing quick before it on this cell.
    fn is_first(self) -> bool {
        self.count == 1
    }
}

/// Handles one mouse action.
pub(in crate::app) fn on_mouse(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    let at = Position::new(mouse.x, mouse.y);
    if mouse.action == MouseAction::Click {
        let now = state.confirmation.read_at().unwrap_or(state.now.monotonic);
        state.clicks.take(mouse.x, mouse.y, now);
    }
    if !state.dialogs.is_empty() {
        let action = match mouse.action {
            MouseAction::ScrollUp => ActionId::Up,
            MouseAction::ScrollDown => ActionId::Down,
            MouseAction::Click => return dialog::click(state, at),
        };
        return to_dialog(state, |dialog, context| dialog.on_action(action, context));
    }
    let panes = state.panes();
    match mouse.action {
        MouseAction::ScrollUp => scroll(state, &panes, at, -WHEEL),
        MouseAction::ScrollDown => scroll(state, &panes, at, WHEEL),
        MouseAction::Click => return click(state, &panes, at),
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

fn click(state: &mut State, panes: &Panes, at: Position) -> Vec<Effect> {
    let before = std::mem::take(&mut state.clicks.hit);
    let is_double = state.clicks.is_double();
    if is_double && matches!(before, Hit::Dialog | Hit::Item(..)) {
        // The first click closed the dialog.
        return Vec::new();
    }
    if panes.footer.contains(at) {
        return click_key(state, panes.footer, at.x);
    }
    if let Some(action) = state.title_key_at(panes, (at.x, at.y)) {
        return run(state, action);
    }
    if let Some(scope) = domain_at(state, panes, at) {
        return state.show_domain(scope);
    }
    // The second click means the row that the first one selected: a sample or the focus may have moved the rows.
    if is_double && before == Hit::Row {
        return run(state, ActionId::Details);
    }
    if panes.table_rows.contains(at) {
        state.touch_selection();
        if click_row(state, usize::from(at.y - panes.table_rows.y)) {
            state.clicks.hit = Hit::Row;
        }
    } else if panes.table_head.contains(at) {
        click_head(state, panes, at);
    } else if is_in_events(panes, at) {
        state.focus = Pane::Events;
        state.events.looked_at();
        if let Some(line) = at.y.checked_sub(panes.events_rows.y) {
            state.touch_selection();
            if state.events.click(usize::from(line)) {
                state.clicks.hit = Hit::Row;
            }
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
    if let Some(place) = panes.domain_below_at(at) {
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
            let bar = column.id == "bar";
            let share = of_domains::COLUMNS.iter().find(|share| share.id == "kept");
            let column = share.filter(|_| bar).unwrap_or(column);
            state.sort_domains(Sorting::Column(column));
        }
        return;
    }
    let columns = state.table.columns(panes.table_head.width);
    if let Some(column) = columns::at(&columns, x) {
        // The bar has no heading: whoever clicks over it means the number that it draws.
        let badness = of_processes::column("badness").filter(|_| column.id == "bar");
        state.table.sort_by(badness.unwrap_or(column));
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
        let mut is_double = |x, y, millis: u64| {
            clicks.take(x, y, Monotonic(millis * 1000));
            clicks.is_double()
        };
        assert!(!is_double(1, 1, 0));
        assert!(is_double(1, 1, 300));
        assert!(!is_double(1, 1, 400), "the third");
        assert!(!is_double(1, 2, 500), "another row");
        assert!(!is_double(1, 2, 1000), "too late");
    }
}
