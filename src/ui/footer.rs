//! The last lines: a notice or what the keys act on, and the keys or an open prompt.

use ratatui::layout::{Position, Rect};

use super::canvas::Canvas;
use crate::app::State;
use crate::app::dialog::wrap::wrap;
use crate::app::input::keymap::Keymap;
use crate::app::input::prompt::Prompt;
use crate::app::notice::Notice;
use crate::app::view::layout::Panes;
use crate::text::cells::cells;
use crate::text::tone::{Line, Tone};

/// Draws the line; returns the position of the cursor in an open prompt.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) -> Option<Position> {
    let area = panes.footer;
    if area.height == 0 {
        return None;
    }
    if let Some(open) = &state.prompt {
        return Some(prompt(open, &state.keymap, area, canvas));
    }
    let Some(notice) = &state.notice else {
        keys(state, area, canvas);
        if panes.notice.height > 0 {
            canvas.line(panes.notice, &Line::of(Tone::Dim, target(state)));
        }
        return None;
    };
    if panes.notice.height == 0 {
        // The screen is so low that a notice takes the place of the keys.
        canvas.line(area, &words(notice));
        return None;
    }
    keys(state, area, canvas);
    if !state.dialogs.is_empty() {
        below_dialog(notice, panes, canvas);
        return None;
    }
    draw_notice(notice, panes, canvas);
    None
}

/// Draws a notice while a dialog covers the rows above: it may take the place of the keys, which do nothing now.
fn below_dialog(notice: &Notice, panes: &Panes, canvas: &mut Canvas<'_>) {
    let area = panes.footer;
    let lines = wrap(&words(notice), usize::from(area.width));
    let rows: &[Rect] = if panes.screen.height >= 22 {
        &[panes.notice, area]
    } else {
        &[area]
    };
    for (line, area) in lines.iter().zip(rows) {
        canvas.clear(*area);
        canvas.line(*area, line);
    }
    if let Some(last) = lines
        .get(rows.len() - 1)
        .filter(|_| lines.len() > rows.len())
    {
        // Even these rows are too few.
        let used = u16::try_from(last.width()).unwrap_or(u16::MAX);
        let x = area.x + used.min(area.width.saturating_sub(1));
        canvas.text(x, area.y, 1, "…", canvas.theme.style(notice.tone));
    }
}

/// Most rows of a notice.
const MOST_ROWS: usize = 4;

/// Draws a notice in its line; what does not fit there takes rows above it, and never the keys.
fn draw_notice(notice: &Notice, panes: &Panes, canvas: &mut Canvas<'_>) {
    let area = panes.notice;
    let mut lines = wrap(&words(notice), usize::from(area.width));
    let most = MOST_ROWS.min(usize::from(area.y / 3) + 1);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push(notice.tone, " …");
        }
    }
    let above = u16::try_from(lines.len().saturating_sub(1)).unwrap_or(0);
    for (y, line) in (area.y - above..).zip(&lines) {
        let row = Rect { y, ..area };
        canvas.clear(row);
        canvas.line(row, line);
    }
}

fn words(notice: &Notice) -> Line {
    Line::of(notice.tone, format!(" {}", notice.text))
}

/// What the keys act on: the selected process with its whole command line, for which the table may be too narrow.
fn target(state: &State) -> String {
    match state.pane_target() {
        Ok(process) => {
            let command = process.command.as_deref().unwrap_or("");
            format!(" {} {}  {command}", process.id.pid, process.comm)
        }
        Err(reason) => format!(" {reason}"),
    }
}

fn prompt(prompt: &Prompt, keymap: &Keymap, area: Rect, canvas: &mut Canvas<'_>) -> Position {
    let label = prompt.kind.label();
    let mut used = canvas.line(area, &Line::of(Tone::Accent, format!(" {label}")));
    let left = area.width.saturating_sub(used);
    // Long input scrolls: the text before the cursor stays visible.
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
        None => Line::of(Tone::Dim, prompt.kind.hint(keymap)),
    };
    canvas.line(rest, &hint);
    Position::new(at.x.min(area.right().saturating_sub(1)), at.y)
}

/// The keys that fit.
fn keys(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    for label in state.keybar(area.width) {
        let x = area.x + label.x;
        let (key, words) = (canvas.theme.key(), canvas.theme.key_label());
        let used = canvas.text(x, area.y, label.width, &label.key, key);
        canvas.text(x + used, area.y, label.width - used, &label.label, words);
    }
}
