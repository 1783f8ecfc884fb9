//! What all panes share: column heads, rows with the selected one shaded, aligned cells.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::theme::Theme;
use crate::app::State;
use crate::app::view::columns::{Align, Cell, Column, Placed};
use crate::app::view::list::{List, ListRow};
use crate::app::view::said::Said;
use crate::app::view::title_keys::Title;
use crate::text::apart::{Apart, Keeps};
use crate::text::cells::cells as cells_of;
use crate::text::tone::{Line, Tone};

/// Draws the title of a pane, with what there is room for.
pub(super) fn title(
    state: &State,
    (title, area): (Title, Rect),
    said: Said,
    focused: bool,
    canvas: &mut Canvas<'_>,
) {
    let fitted = state.fitted(title, area, said);
    let kept = fitted.taken.saturating_sub(2);
    canvas.rule(area, (&fitted.words, &fitted.remark), kept, focused);
    let Some(first) = fitted.keys.first() else {
        return;
    };
    canvas.clear(Rect {
        x: first.x - 1,
        width: area.right() - first.x,
        ..area
    });
    let dim = canvas.theme.style(Tone::Dim);
    for key in &fitted.keys {
        let style = canvas.theme.key();
        let used = canvas.text(key.x, area.y, key.width, &key.key, style);
        canvas.text(key.x + used, area.y, key.width - used, &key.label, dim);
    }
}

/// Draws the column heads, the one that the rows are sorted by marked.
pub(super) fn heads<C, S>(
    area: Rect,
    columns: &[Placed<C, S>],
    sorted: Option<&'static Column<C, S>>,
    canvas: &mut Canvas<'_>,
) {
    if area.height == 0 {
        return;
    }
    let heading = canvas.theme.heading();
    canvas.shade(area, heading);
    for placed in columns {
        let is_sorted = sorted.is_some_and(|sorted| std::ptr::eq(sorted, placed.column));
        let style = if is_sorted {
            canvas.theme.sorted_heading()
        } else {
            heading
        };
        put(area, placed, placed.column.title, style, canvas);
    }
}

/// Draws the rows on the screen with `draw`, each in an area one line high, and the selected one with its own theme.
pub(super) fn rows<R: ListRow>(
    area: Rect,
    list: &List<R>,
    selected: Option<&Theme>,
    canvas: &mut Canvas<'_>,
    mut draw: impl FnMut(&R, Rect, &mut Canvas<'_>),
) {
    for (y, (at, row)) in (area.y..area.bottom()).zip(list.visible()) {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        match selected.filter(|_| at == list.cursor()) {
            Some(theme) => {
                canvas.shade(line, theme.ground());
                draw(row, line, &mut canvas.themed(theme));
            }
            None => draw(row, line, canvas),
        }
    }
}

/// How the paths of the rows on the screen are cut in this column, so that each differs from the others. `text` gives a row's.
pub(super) fn apart<R: ListRow, C, S>(
    list: &List<R>,
    columns: &[Placed<C, S>],
    (id, keeps): (&str, Keeps),
    ascii: bool,
    text: impl Fn(&R) -> Option<Cell>,
) -> Apart {
    let Some(placed) = columns.iter().find(|placed| placed.column.id == id) else {
        return Apart::default();
    };
    let cells = list.visible().filter_map(|(_, row)| text(row));
    let names = cells.filter(|cell| cell.ends).map(|cell| cell.text);
    Apart::new(names, keeps, usize::from(placed.width), ascii)
}

/// Draws one row: the cell of each column. `apart` cuts paths.
pub(super) fn cells<C, S>(
    area: Rect,
    columns: &[Placed<C, S>],
    apart: &Apart,
    canvas: &mut Canvas<'_>,
    mut cell: impl FnMut(&'static Column<C, S>) -> Cell,
) {
    for placed in columns {
        let cell = cell(placed.column);
        let style = canvas.theme.style_of(cell.tone, &cell.text);
        if cell.ends {
            let room = usize::from(placed.width);
            let text = apart.cut(&cell.text, room, canvas.ascii);
            put(area, placed, &text, style, canvas);
        } else {
            put(area, placed, &cell.text, style, canvas);
        }
        if !cell.strong.is_empty() {
            stand_out(area, placed, &cell, canvas);
        }
    }
}

/// Draws a sentence below so many rows, if there is room.
pub(super) fn sentence(area: Rect, rows: usize, text: &str, canvas: &mut Canvas<'_>) {
    let below = u16::try_from(rows).unwrap_or(u16::MAX);
    let y = area.y.saturating_add(below);
    if y < area.bottom() {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        canvas.line(line, &Line::of(Tone::Dim, text));
    }
}

/// Makes a part of a cell stand out, as far as it is on the screen. Only cells of text have such a part.
fn stand_out<C, S>(area: Rect, placed: &Placed<C, S>, cell: &Cell, canvas: &mut Canvas<'_>) {
    let width = |text: Option<&str>| {
        let wide = cells_of(text.unwrap_or(""), canvas.ascii);
        u16::try_from(wide).unwrap_or(u16::MAX)
    };
    let before = width(cell.text.get(..cell.strong.start));
    if before < placed.width {
        let part = width(cell.text.get(cell.strong.clone()));
        let strong = Rect {
            x: area.x.saturating_add(placed.x + before),
            width: part.min(placed.width - before),
            ..area
        };
        let style = canvas.theme.style(Tone::Strong);
        canvas.shade(strong, style);
    }
}

fn put<C, S>(area: Rect, placed: &Placed<C, S>, text: &str, style: Style, canvas: &mut Canvas<'_>) {
    let x = area.x.saturating_add(placed.x);
    match placed.column.align {
        Align::Left => {
            canvas.text(x, area.y, placed.width, text, style);
        }
        Align::Right => canvas.text_right(x, area.y, placed.width, text, style),
    }
}
