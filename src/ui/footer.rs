//! The last line: a prompt while one is open, else a notice while one is fresh, else the keys.

use ratatui::layout::{Position, Rect};

use super::canvas::Canvas;
use crate::app::State;
use crate::app::dialog::wrap::wrap;
use crate::app::input::action::{Action, Group, Label};
use crate::app::input::id::ActionId;
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
    if panes.notice.height == 0 {
        // The screen is too low for a line of its own.
        match &state.notice {
            Some(notice) => {
                canvas.line(area, &words(notice));
            }
            None => keys(state, area, canvas),
        }
        return None;
    }
    keys(state, area, canvas);
    let Some(notice) = &state.notice else {
        canvas.line(panes.notice, &Line::of(Tone::Dim, target(state)));
        return None;
    };
    let width = usize::from(area.width);
    let lines = wrap(&words(notice), width);
    for (line, area) in lines.iter().zip([panes.notice, area]) {
        canvas.clear(area);
        canvas.line(area, line);
    }
    if let [_, second, _, ..] = lines.as_slice() {
        // Even two lines are too short.
        let used = u16::try_from(second.width()).unwrap_or(u16::MAX);
        let at = used.min(area.width.saturating_sub(1));
        canvas.text(area.x + at, area.y, 1, "…", canvas.theme.style(notice.tone));
    }
    None
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

/// The keys that fit, from the action table; the key to quit always fits.
fn keys(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let mut actions: Vec<_> = state.keymap.actions().collect();
    if state.replay.is_some() {
        // What a replay is for comes before what every screen has, but for the help.
        actions.sort_by_key(|action| action.id != ActionId::Help && action.group != Group::Time);
    }
    let hints = actions.into_iter().filter_map(|action| hint(action, state));
    let hints: Vec<_> = hints.collect();
    let ascii = canvas.ascii;
    let width = |(key, label): &(String, String)| {
        u16::try_from(cells(key, ascii) + cells(label, ascii) + 2).unwrap_or(u16::MAX)
    };
    let last = hints.last().map_or(0, width);
    let mut x = area.x;
    for (at, hint) in hints.iter().enumerate() {
        let kept = if at + 1 == hints.len() { 0 } else { last };
        if x.saturating_add(width(hint)).saturating_add(kept) > area.right() {
            continue;
        }
        let (key, label) = hint;
        x += canvas.text(x, area.y, area.right() - x, key, canvas.theme.key());
        let label = format!("{label} ");
        x += canvas.text(
            x,
            area.y,
            area.right() - x,
            &label,
            canvas.theme.key_label(),
        );
        x += 1;
    }
}

/// Key and words of an action that the footer shows now.
fn hint(action: &Action, state: &State) -> Option<(String, String)> {
    if action.writes() && state.settings.read_only {
        return None;
    }
    let scope = state.pane_scope();
    let label = match action.place(scope)?.label {
        Label::Hidden => return None,
        Label::Words(words) => words.to_owned(),
        Label::Of(words) => words(state)?,
    };
    Some((state.keymap.name_in(scope, action.id), label))
}
