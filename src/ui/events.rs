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
    let mut title = Line::of(Tone::Strong, "OOM events");
    let kills = events.kills();
    title.push(
        if kills > 0 { Tone::Critical } else { Tone::Dim },
        format!("  kills: {}", events.tally().words()),
    );
    // The log may hold no more; the kernel's own count of this boot is whole.
    title.push(Tone::Watch, events.since_boot(&state.snapshot));
    if let Some(repeated) = events.repeated(&state.snapshot) {
        title.push(Tone::Watch, format!("  {}", repeated.words(state.now.wall)));
    }
    if !events.filter_text.is_empty() {
        title.push(Tone::Watch, format!("  filter: {}", events.filter_text));
    }
    let unread = events.unread.words();
    if !unread.is_empty() && !focused {
        title.push(Tone::Watch, format!("  {unread}"));
    }
    let source = &events.source;
    let live = match state.replay {
        Some(_) => "recorded",
        None => "live",
    };
    let remark = match (source.missing.is_empty(), source.caught_up) {
        // The row below says what is missing.
        (false, _) if source.is_traced() => Line::of(
            Tone::Watch,
            format!("{live} from {}, not explained", source.name),
        ),
        (false, _) => Line::of(Tone::Watch, format!("{}, incomplete", source.name)),
        (true, _) if source.name.is_empty() => Line::of(Tone::Dim, "opening the log …"),
        (true, true) => Line::of(Tone::Dim, format!("{live} from {}", source.name)),
        (true, false) => Line::of(Tone::Dim, format!("reading {}", source.name)),
    };
    // Who looks at the pane learns why kills wait for the log, if there is room to say so.
    let remark = match source
        .untraced()
        .filter(|_| focused && source.missing.is_empty())
    {
        None => remark,
        Some(why) => {
            let longer = remark.clone().add(Tone::Dim, format!("; {why}"));
            let room = usize::from(panes.events_title.width).saturating_sub(title.width() + 8);
            if longer.width() <= room {
                longer
            } else {
                remark
            }
        }
    };
    let head = (Title::Events, panes.events_title);
    pane::title(state, head, (&title, &remark), focused, canvas);
    if panes.events_note.height > 0 {
        let note = state.events_note().unwrap_or_default();
        canvas.line(panes.events_note, &Line::of(Tone::Watch, note));
    }
    if events.list().is_empty() {
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
