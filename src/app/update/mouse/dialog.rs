//! Clicks on the front dialog: its choices, its tabs, the keys in its bottom line.

use ratatui::layout::Position;

use super::Hit;
use crate::app::State;
use crate::app::dialog::rows::{ITEM_INDENT, Page, Pick, placed_hints, placed_tabs};
use crate::app::dialog::{DialogView, Section};
use crate::app::input::confirmation::Question;
use crate::app::input::id::ActionId;
use crate::app::input::key::Key;
use crate::app::msg::Effect;
use crate::app::update::key::{on_key, perform, to_dialog};

/// Does what is under the pointer. The second click of a pair means the item that the first one chose: the list may
/// have scrolled below the pointer.
pub(super) fn click(state: &mut State, at: Position) -> Vec<Effect> {
    let before = std::mem::replace(&mut state.clicks.hit, Hit::Dialog);
    let Some(view) = front(state) else {
        return Vec::new();
    };
    if state.clicks.is_double() {
        match before {
            Hit::Item(item, asked) => return commit_item(state, &view, item, asked),
            // The first click opened the dialog.
            Hit::Nothing | Hit::Row => return Vec::new(),
            Hit::Dialog => {}
        }
    }
    let ascii = state.settings.ascii;
    let page = Page::of(&view, state.size, ascii);
    let frame = page.frame(state.size.0);
    let inner = Page::inner(frame);
    if at.y + 1 == frame.bottom() {
        // The second of two quick clicks must not answer the question that the first one led to.
        let key = key_at(&view, at.x.wrapping_sub(inner.x), inner.width, ascii);
        let key = key.filter(|_| state.clicks.is_first());
        return key.map_or_else(Vec::new, |key| on_key(state, key));
    }
    if !inner.contains(at) {
        return Vec::new();
    }
    let row = page.first(view.scroll) + usize::from(at.y - inner.y);
    match page.rows.get(row).and_then(|row| row.pick) {
        Some(Pick::Choice(item)) => click_item(state, item, at.x - inner.x),
        Some(Pick::Tabs) => turn_to(state, &view, at.x - inner.x),
        None => Vec::new(),
    }
}

/// Chooses an item, and does what the cell of it means.
fn click_item(state: &mut State, item: usize, x: u16) -> Vec<Effect> {
    // The mark of the chosen item stands in front.
    let cell = x.checked_sub(ITEM_INDENT);
    let dialog = state.dialogs.last();
    let meant = dialog.zip(cell).and_then(|(d, cell)| d.clicked(item, cell));
    let mut effects = choose(state, item);
    match meant {
        // A second click means the same once more.
        Some(action) => effects.extend(to_dialog(state, |dialog, context| {
            dialog.on_action(action, context)
        })),
        None => state.clicks.hit = Hit::Item(item, state.question()),
    }
    effects
}

/// Confirms with the item that the first click chose, if it is still the choice and the dialog asks the same.
fn commit_item(
    state: &mut State,
    view: &DialogView,
    item: usize,
    asked: Option<Question>,
) -> Vec<Effect> {
    if choice(view) == Some(item) && state.question() == asked {
        commit(state)
    } else {
        Vec::new()
    }
}

fn front(state: &State) -> Option<DialogView> {
    state.dialog_view(state.dialogs.len().checked_sub(1)?)
}

/// The key in the bottom line at this cell: of several, the one that the pointer is on.
fn key_at(view: &DialogView, x: u16, width: u16, ascii: bool) -> Option<Key> {
    let hints = placed_hints(view, width, ascii);
    let hint = hints
        .iter()
        .find(|hint| (hint.x..hint.x + hint.width).contains(&x))?;
    if !hint.keys.contains(' ') {
        return hint.keys.parse().ok();
    }
    // A blank stands in front of the first.
    let mut from = hint.x + 1;
    for name in hint.keys.split(' ') {
        let cells = u16::try_from(name.chars().count()).ok()?;
        if (from..from + cells).contains(&x) {
            return name.parse().ok();
        }
        from += cells + 1;
    }
    None
}

/// The chosen item of the list in a dialog.
fn choice(view: &DialogView) -> Option<usize> {
    view.sections.iter().find_map(|section| match section {
        Section::Choices { selected, .. } => *selected,
        _ => None,
    })
}

/// Goes to an item as the arrow keys would: a dialog knows no other way.
fn choose(state: &mut State, item: usize) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut at = front(state).as_ref().and_then(choice);
    // Where a typed value decides, the first arrow chooses.
    let mut steps = item.max(at.unwrap_or(0)) + 2;
    while at != Some(item) && steps > 0 {
        steps -= 1;
        let arrow = if at.is_some_and(|at| at > item) {
            ActionId::Up
        } else {
            ActionId::Down
        };
        effects.extend(to_dialog(state, |dialog, context| {
            dialog.on_action(arrow, context)
        }));
        let now = front(state).as_ref().and_then(choice);
        if now == at {
            break;
        }
        at = now;
    }
    effects
}

/// Confirms, if the key would.
fn commit(state: &mut State) -> Vec<Effect> {
    let scope = state.key_scope();
    match state.keymap.row(ActionId::Commit) {
        Some(action) => perform(state, scope, action),
        None => Vec::new(),
    }
}

/// Turns to the page whose tab is at this cell.
fn turn_to(state: &mut State, view: &DialogView, x: u16) -> Vec<Effect> {
    let tabs = |view: &DialogView| {
        view.sections.iter().find_map(|section| match section {
            Section::Tabs {
                names, selected, ..
            } => Some((placed_tabs(names), *selected)),
            _ => None,
        })
    };
    let Some((places, _)) = tabs(view) else {
        return Vec::new();
    };
    let wanted = places
        .iter()
        .position(|(from, width)| (*from..from + width).contains(&x));
    let mut effects = Vec::new();
    for _ in 0..places.len() {
        let shown = front(state).as_ref().and_then(tabs).map(|(_, shown)| shown);
        if wanted.is_none() || shown == wanted {
            break;
        }
        effects.extend(to_dialog(state, |dialog, context| {
            dialog.on_action(ActionId::NextPage, context)
        }));
    }
    effects
}
