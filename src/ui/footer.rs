//! The last line: a prompt while one is open, else a notice while one is fresh, else the keys.

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, cells};
use crate::app::State;
use crate::app::actions::ACTIONS;
use crate::app::layout::Panes;
use crate::app::prompt::Prompt;
use crate::app::text::{Line, Tone};

/// Draws the line; returns where the cursor of an open prompt is.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) -> Option<Position> {
    let area = panes.footer;
    if area.height == 0 {
        return None;
    }
    if let Some(open) = &state.prompt {
        return Some(prompt(open, area, canvas));
    }
    match &state.notice {
        Some(notice) => {
            canvas.line(area, &Line::of(notice.tone, format!(" {}", notice.text)));
        }
        None => keys(state, area, canvas),
    }
    None
}

fn prompt(prompt: &Prompt, area: Rect, canvas: &mut Canvas<'_>) -> Position {
    let label = prompt.kind.label();
    let mut used = canvas.line(area, &Line::of(Tone::Accent, format!(" {label}")));
    let left = area.width.saturating_sub(used);
    // Long input scrolls: what is before the cursor stays visible.
    let before = prompt.input.before_cursor();
    let cursor_cells = cells(before, canvas.ascii);
    let room = usize::from(left.saturating_sub(1));
    let mut text = prompt.input.text();
    let mut cursor = cursor_cells;
    while cursor > room {
        let Some(first) = text.chars().next() else {
            break;
        };
        text = &text[first.len_utf8()..];
        cursor = cursor.saturating_sub(cells(first.encode_utf8(&mut [0; 4]), canvas.ascii).max(1));
    }
    let style = canvas.theme.style(Tone::Strong);
    let typed = canvas.text(area.x + used, area.y, left, text, style);
    let at = Position::new(area.x + used + u16::try_from(cursor).unwrap_or(0), area.y);
    used += typed + 2;
    let rest = Rect {
        x: area.x + used.min(area.width),
        width: area.width.saturating_sub(used),
        ..area
    };
    let hint = match &prompt.error {
        Some(error) => Line::of(Tone::Watch, error.clone()),
        None => Line::of(Tone::Dim, prompt.kind.hint()),
    };
    canvas.line(rest, &hint);
    Position::new(at.x.min(area.right().saturating_sub(1)), at.y)
}

/// The keys that fit, out of the action table; `u` says what it would take back.
fn keys(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let mut x = area.x;
    for action in ACTIONS.iter().filter(|a| !a.label.is_empty()) {
        if action.writes && state.settings.read_only {
            continue;
        }
        let Some(key) = action.keys.first() else {
            continue;
        };
        let label = match (action.id, state.undo.last()) {
            ("undo", Some(change)) => format!("Undo {}", change.undo_label()),
            ("undo", None) => continue,
            _ => action.label.to_owned(),
        };
        let width = u16::try_from(cells(key, canvas.ascii) + cells(&label, canvas.ascii) + 2)
            .unwrap_or(u16::MAX);
        if x.saturating_add(width) > area.right() {
            // A long undo label gives way to the short one; other keys are left out.
            continue;
        }
        x += canvas.text(x, area.y, area.right() - x, key, canvas.theme.key());
        x += canvas.text(
            x,
            area.y,
            area.right() - x,
            &format!("{label} "),
            canvas.theme.key_label(),
        );
        x += 1;
    }
}
