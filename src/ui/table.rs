//! The process table: title, column headers, and the rows that are on the screen.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::pane;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::layout::{Pane, Panes};
use crate::app::view::processes::columns::PlacedColumn;
use crate::app::view::processes::row::Row;
use crate::model::oom_domain::victim::Scope;
use crate::text::tone::{Line, Tone};
use crate::text::wording::short_group;

/// Draws the pane.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let focused = state.focus == Pane::Processes;
    canvas.rule(panes.table_title, &title(state), &remark(state), focused);
    let table = &state.table;
    let columns = table.columns(panes.table_head.width);
    pane::heads(panes.table_head, &columns, Some(table.sort), canvas);
    let selection = canvas.theme.selection(focused);
    pane::rows(
        panes.table_rows,
        table.list(),
        Some(selection),
        canvas,
        |row, area, canvas| draw_row(state, row, area, &columns, canvas),
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

fn title(state: &State) -> Line {
    let table = &state.table;
    let mut line = Line::of(Tone::Strong, "Processes");
    line.spans.extend(pane::age(state).spans);
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

/// Which rows are on the screen, and the selected process if it is not among them.
fn remark(state: &State) -> Line {
    let list = state.table.list();
    let mut line = Line::new();
    if list.is_selection_hidden()
        && let Some(process) = state.table.selected_process(&state.snapshot)
    {
        let (id, row) = (process.id.pid, list.cursor() + 1);
        let text = format!("selected: {id} {} in row {row}  ", process.comm);
        line.push(Tone::Watch, text);
    }
    line.spans.extend(pane::window(list).spans);
    line
}

fn draw_row(
    state: &State,
    row: &Row,
    area: Rect,
    columns: &[PlacedColumn],
    canvas: &mut Canvas<'_>,
) {
    let Some(process) = row.process(&state.snapshot) else {
        return;
    };
    let context = state.cells();
    let tagged = state.table.tagged.contains(&process.id);
    pane::cells(area, columns, canvas, |column| {
        let mut cell = (column.cell)(process, &context);
        if tagged {
            cell.tone = Tone::Watch;
        }
        if column.id == "command" && row.depth > 0 {
            cell.text = format!("{}{}", branch(row), cell.text);
        }
        cell
    });
}

/// The lines of the tree in front of a child.
fn branch(row: &Row) -> String {
    const DEEPEST: u16 = 20;
    let more = |level: u16| {
        let bit = 1_u32.checked_shl(u32::from(level)).unwrap_or(0);
        row.siblings_below & bit != 0
    };
    let depth = row.depth.min(DEEPEST);
    let above = (1..depth).map(|level| if more(level) { "│ " } else { "  " });
    let own = if more(depth) { "├ " } else { "└ " };
    above.chain(std::iter::once(own)).collect()
}
