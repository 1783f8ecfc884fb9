//! The process table: title, column headers, and the rows that are on the screen.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::app::State;
use crate::app::view::layout::{Pane, Panes};
use crate::app::view::processes::columns::{Align, Column, fit, short_group};
use crate::app::view::processes::table::Row;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::Process;
use crate::text::tone::{Line, Tone};

/// Draws the pane.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let focused = state.focus == Pane::Processes;
    canvas.rule(
        panes.table_title,
        &title(state),
        &remark(state, panes),
        focused,
    );
    let columns = fit(panes.table_head.width);
    heads(state, panes.table_head, &columns, canvas);
    let mut y = panes.table_rows.y;
    for (at, row) in state.table.visible(panes.table_height()) {
        let Some(process) = state.table.process_at(at, &state.snapshot) else {
            continue;
        };
        let area = Rect {
            y,
            height: 1,
            ..panes.table_rows
        };
        draw_row(state, process, row, area, &columns, canvas);
        if at == state.table.cursor() {
            canvas.shade(area, canvas.theme.selection(focused));
        }
        y += 1;
    }
    if state.table.rows().is_empty() && panes.table_rows.height > 0 && state.snapshot.seq > 0 {
        let text = if state.table.filter.is_empty() {
            "no processes"
        } else {
            "no process passes the filter (Esc clears it)"
        };
        canvas.line(
            Rect {
                height: 1,
                ..panes.table_rows
            },
            &Line::of(Tone::Dim, text),
        );
    }
}

fn title(state: &State) -> Line {
    let table = &state.table;
    let mut line = Line::of(Tone::Strong, "Processes");
    let arrow = if table.is_descending() { "↓" } else { "↑" };
    line.push(Tone::Dim, format!(" by {} {arrow}", table.sort.id));
    if table.tree {
        line.push(Tone::Dim, "  tree");
    }
    if let Some(Scope::Memcg(key)) = table.zoom {
        let group = state.snapshot.cgroup(key);
        let name = group.map_or_else(String::new, |g| short_group(g.path.as_str()));
        line.push(Tone::Watch, format!("  only {name}"));
    }
    if !table.filter.text().is_empty() {
        line.push(Tone::Watch, format!("  filter: {}", table.filter.text()));
    }
    if !table.tagged.is_empty() {
        line.push(Tone::Watch, format!("  {} tagged", table.tagged.len()));
    }
    if table.follow {
        line.push(Tone::Watch, "  following");
    }
    line
}

/// Which rows are on the screen; and the selected process when it is not among them.
fn remark(state: &State, panes: &Panes) -> Line {
    let (rows, height) = (state.table.rows().len(), panes.table_height());
    let mut line = Line::new();
    let cursor = state.table.cursor();
    let off_screen = cursor < state.table.offset || cursor >= state.table.offset + height;
    if off_screen && let Some(process) = state.table.selected_process(&state.snapshot) {
        line.push(
            Tone::Watch,
            format!(
                "selected: {} {} in row {}  ",
                process.id.pid,
                process.comm,
                cursor + 1
            ),
        );
    }
    if rows > height {
        line.push(
            Tone::Dim,
            format!(
                "{}-{} of {rows}",
                state.table.offset + 1,
                (state.table.offset + height).min(rows)
            ),
        );
    }
    line
}

fn heads(state: &State, area: Rect, columns: &[(&'static Column, u16)], canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let heading = canvas.theme.heading();
    canvas.shade(area, heading);
    let mut x = area.x;
    for (column, width) in columns {
        let sorted = std::ptr::eq(*column, state.table.sort);
        let style = if sorted {
            canvas.theme.sorted_heading()
        } else {
            heading
        };
        aligned(canvas, x, area.y, *width, column.title, column.align, style);
        x = x.saturating_add(width + 1);
    }
}

fn draw_row(
    state: &State,
    process: &Process,
    row: Row,
    area: Rect,
    columns: &[(&'static Column, u16)],
    canvas: &mut Canvas<'_>,
) {
    let context = state.cells();
    let tagged = state.table.tagged.contains(&process.id);
    let mut x = area.x;
    for (column, width) in columns {
        let mut cell = (column.cell)(process, &context);
        if tagged {
            cell.tone = Tone::Watch;
        }
        if column.id == "command" && row.depth > 0 {
            cell.text = format!("{}{}", branch(row.depth), cell.text);
        }
        let style = canvas.theme.style(cell.tone);
        aligned(canvas, x, area.y, *width, &cell.text, column.align, style);
        x = x.saturating_add(width + 1);
    }
}

/// The indentation of a child in the tree.
fn branch(depth: u16) -> String {
    format!("{}└ ", "  ".repeat(usize::from(depth.min(20)) - 1))
}

/// Draws a cell's text on its side.
pub(super) fn aligned(
    canvas: &mut Canvas<'_>,
    x: u16,
    y: u16,
    width: u16,
    text: &str,
    align: Align,
    style: ratatui::style::Style,
) {
    match align {
        Align::Left => {
            canvas.text(x, y, width, text, style);
        }
        Align::Right => canvas.text_right(x, y, width, text, style),
    }
}
