//! The process table: title, column headers, and the rows that are on the screen.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::pane;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::columns::Cell;
use crate::app::view::layout::{Pane, Panes};
use crate::app::view::processes::columns::PlacedColumn;
use crate::app::view::processes::row::Row;
use crate::app::view::title_keys::Title;
use crate::text::apart::{Apart, Keeps};
use crate::text::cells::prefix;
use crate::text::tone::Tone;

/// Draws the pane.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let focused = state.focus == Pane::Processes;
    let table = &state.table;
    let columns = table.columns(panes.table_head.width);
    let head = (Title::Table, panes.table_title);
    pane::title(state, head, state.table_said(&columns), focused, canvas);
    pane::heads(panes.table_head, &columns, Some(table.sort), canvas);
    scrolled_head(state, panes.table_head, &columns, canvas);
    let selected = canvas.theme.selected(focused);
    let cells = state.cells();
    // The last levels of a path name the service or the container.
    let column = ("cgroup", Keeps::Last);
    let apart = pane::apart(table.list(), &columns, column, canvas.ascii, |row| {
        let column = columns.iter().find(|placed| placed.column.id == "cgroup")?;
        Some((column.column.cell.cell)(
            row.process(&state.snapshot)?,
            &cells,
        ))
    });
    pane::rows(
        panes.table_rows,
        table.list(),
        Some(&selected),
        canvas,
        |row, area, canvas| draw_row(state, row, area, (&columns, &apart), canvas),
    );
    if table.rows().is_empty() && state.snapshot.seq > 0 {
        let text = if table.filter.is_empty() {
            "no processes".to_owned()
        } else {
            format!(
                "no process passes the filter ({} clears it)",
                state.key(ActionId::Back)
            )
        };
        pane::sentence(panes.table_rows, 0, &text, canvas);
    }
}

fn draw_row(
    state: &State,
    row: &Row,
    area: Rect,
    (columns, apart): (&[PlacedColumn], &Apart),
    canvas: &mut Canvas<'_>,
) {
    let Some(process) = row.process(&state.snapshot) else {
        return;
    };
    let (context, ascii) = (state.cells(), canvas.ascii);
    let tagged = state.table.tagged.contains(&process.id);
    let named = columns.iter().any(|placed| placed.column.id == "name");
    let branching = if named { "name" } else { "command" };
    let placed = columns.iter().find(|placed| placed.column.id == branching);
    let room = placed.map_or(0, |placed| placed.width);
    pane::cells(area, columns, apart, canvas, |column| {
        let mut cell = (column.cell.cell)(process, &context);
        if tagged {
            cell.tone = Tone::Watch;
        }
        if column.id == "command" {
            scroll(&mut cell, state.table.scrolled(), ascii);
        }
        if column.id == branching && row.depth > 0 {
            cell.text.insert_str(0, &branch(row, room));
        }
        if column.id == branching && row.collapsed {
            cell.text.push_str(" +");
            cell.text.push_str(&row.below.to_string());
        }
        cell
    });
}

/// How far the command lines are scrolled, over their heading.
fn scrolled_head(state: &State, area: Rect, columns: &[PlacedColumn], canvas: &mut Canvas<'_>) {
    let scrolled = state.table.scrolled();
    let command = columns.iter().find(|placed| placed.column.id == "command");
    let Some(placed) = command.filter(|_| scrolled > 0 && area.height > 0) else {
        return;
    };
    let text = format!("«{scrolled} {}", placed.column.title);
    let style = canvas.theme.heading();
    let text = if canvas.ascii {
        text.replace('«', "<")
    } else {
        text
    };
    canvas.text(area.x + placed.x, area.y, placed.width, &text, style);
}

/// Takes so many cells from the left of a cell.
fn scroll(cell: &mut Cell, by: u16, ascii: bool) {
    if by == 0 {
        return;
    }
    let (bytes, _) = prefix(&cell.text, usize::from(by), ascii);
    cell.text.drain(..bytes);
    let (start, end) = (cell.strong.start, cell.strong.end);
    cell.strong = start.saturating_sub(bytes)..end.saturating_sub(bytes);
}

/// The lines of the tree in front of a child. Where they would leave no room for its name, the outermost are left out.
fn branch(row: &Row, room: u16) -> String {
    const NAME: u16 = 10;
    let most = (room.saturating_sub(NAME) / 2).max(1);
    let more = |level: u16| {
        let bit = 1_u32.checked_shl(u32::from(level)).unwrap_or(0);
        row.siblings_below & bit != 0
    };
    let depth = row.depth;
    let from = depth.saturating_sub(most) + 1;
    let above = (from..depth).map(|level| match level {
        _ if level == from && from > 1 => "… ",
        _ if more(level) => "│ ",
        _ => "  ",
    });
    let own = if more(depth) { "├ " } else { "└ " };
    above.chain(std::iter::once(own)).collect()
}
