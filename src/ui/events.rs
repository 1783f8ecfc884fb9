//! The OOM events pane: what just died.

use super::canvas::Canvas;
use super::pane;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::events::row::row;
use crate::app::view::layout::{Pane, Panes};
use crate::app::view::title_keys::Title;
use crate::text::tone::{Line, Tone};

/// Draws the pane.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    if panes.events_title.height == 0 {
        return;
    }
    let focused = state.focus == Pane::Events;
    let events = &state.events;
    let head = (Title::Events, panes.events_title);
    let said = state.events_said(panes.events_title.width);
    pane::title(state, head, said, focused, canvas);
    if panes.events_note.height > 0 {
        let note = state.events_note().unwrap_or_default();
        canvas.line(panes.events_note, &Line::of(Tone::Watch, note));
    }
    if events.list().is_empty() {
        let source = &events.source;
        let text = match (source.caught_up, source.has_log()) {
            _ if !events.filter.is_empty() => format!(
                "no event passes the filter ({} clears it)",
                state.key(ActionId::Back)
            ),
            (false, _) => String::new(),
            (true, true) => "none since the log begins".to_owned(),
            (true, false) => "none since oomtop was started".to_owned(),
        };
        pane::sentence(panes.events_rows, 0, &text, canvas);
    }
    let selected = focused.then(|| canvas.theme.selected(true));
    pane::rows(
        panes.events_rows,
        events.list(),
        selected.as_ref(),
        canvas,
        |place, area, canvas| {
            if let Some(event) = events.row(place) {
                canvas.line(area, &row(event, state.now, area.width));
            }
        },
    );
}
