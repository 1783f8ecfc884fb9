//! The OOM events pane: what just died.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::app::State;
use crate::app::event_text::row;
use crate::app::layout::{Pane, Panes};
use crate::app::text::{Line, Tone};

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
        format!("  {kills} killed"),
    );
    if events.unread > 0 && !focused {
        title.push(Tone::Watch, format!("  {} new", events.unread));
    }
    let source = &events.source;
    let remark = if source.missing.is_empty() {
        let live = if source.caught_up {
            "live from"
        } else {
            "reading"
        };
        Line::of(
            Tone::Dim,
            if source.name.is_empty() {
                "opening the log …".to_owned()
            } else {
                format!("{live} {}", source.name)
            },
        )
    } else {
        Line::of(Tone::Watch, format!("{}: {}", source.name, source.missing))
    };
    canvas.rule(panes.events_title, &title, &remark, focused);
    let mut y = panes.events_rows.y;
    // Where the title has no room for it, the first row says what is missing.
    if !source.missing.is_empty()
        && title.width() + remark.width() + 8 > usize::from(panes.events_title.width)
        && panes.events_rows.height > 0
    {
        canvas.line(
            Rect {
                y,
                height: 1,
                ..panes.events_rows
            },
            &remark,
        );
        y += 1;
    }
    if events.is_empty() {
        if y < panes.events_rows.bottom() {
            let text = if source.caught_up {
                "none since the log begins"
            } else {
                ""
            };
            canvas.line(
                Rect {
                    y,
                    height: 1,
                    ..panes.events_rows
                },
                &Line::of(Tone::Dim, text),
            );
        }
        return;
    }
    for (at, event) in events.rows().enumerate().skip(events.offset) {
        if y >= panes.events_rows.bottom() {
            break;
        }
        let area = Rect {
            y,
            height: 1,
            ..panes.events_rows
        };
        canvas.line(area, &row(event, state.now, area.width));
        if focused && at == events.selected {
            canvas.shade(area, canvas.theme.selection(true));
        }
        y += 1;
    }
}
