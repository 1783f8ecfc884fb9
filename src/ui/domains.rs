//! The domains view, in the place of the process table.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::pane;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::domains::columns::{PlacedDomainColumn, branch};
use crate::app::view::domains::rows::Row;
use crate::app::view::layout::{Pane, Panes};
use crate::app::view::title_keys::Title;
use crate::text::apart::{Apart, Keeps};
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// Draws the pane.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let focused = state.focus == Pane::Processes;
    let columns = state.domain_columns(panes.table_head.width);
    let head = (Title::Table, panes.table_title);
    pane::title(state, head, state.domains_said(&columns), focused, canvas);
    let sorted = state.domains.by.map(|by| by.column);
    pane::heads(panes.table_head, &columns, sorted, canvas);
    let domains = &state.domains;
    let selected = canvas.theme.selected(focused);
    let column = ("domain", Keeps::Ends);
    let apart = pane::apart(domains.list(), &columns, column, canvas.ascii, |row| {
        let context = domains.cell(row, &state.snapshot, &state.host)?;
        let column = columns.iter().find(|placed| placed.column.id == "domain")?;
        Some((column.column.cell)(&context))
    });
    pane::rows(
        panes.table_rows,
        domains.list(),
        Some(&selected),
        canvas,
        |row, area, canvas| draw_row(state, row, area, (&columns, &apart), canvas),
    );
    members(state, panes.members, canvas);
    if let Some(text) = nothing(state).filter(|_| state.snapshot.seq > 0) {
        pane::sentence(panes.table_rows, domains.rows().len(), &text, canvas);
    }
}

/// Draws the members of the selected domain below the list.
fn members(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let Some(members) = state.members().filter(|_| area.height > 2) else {
        return;
    };
    let line = |at: u16| Rect {
        y: area.y + at,
        height: 1,
        ..area
    };
    let name = wording::domain(members.domain.scope, &state.snapshot);
    let title = Line::of(Tone::Strong, "Members of ").add(Tone::Normal, name);
    let shown = usize::from(area.height - 2);
    let remark = match members.all {
        all if all > shown => Line::of(Tone::Dim, format!("the first {shown} of {all}")),
        _ => Line::new(),
    };
    canvas.rule(line(0), (&title, &remark), 0, false);
    let columns = state.table.columns(area.width);
    pane::heads(line(1), &columns, None, canvas);
    let context = members.cells(state);
    for (at, process) in (2..area.height).zip(&members.processes) {
        pane::cells(line(at), &columns, &Apart::default(), canvas, |column| {
            (column.cell.cell)(process, &context)
        });
    }
    if members.processes.is_empty() {
        pane::sentence(line(2), 0, "no process is in it", canvas);
    }
}

/// Why the rows show no group.
fn nothing(state: &State) -> Option<String> {
    if !state.domains.filter.is_empty() && state.domains.rows().is_empty() {
        let key = state.key(ActionId::Back);
        Some(format!(
            "no domain has this in its name or path ({key} clears it)"
        ))
    } else if state.snapshot.domains.len() < 2 && state.domains.filter.is_empty() {
        let text = "no cgroup has a memory limit of its own: the host is the only domain";
        Some(text.to_owned())
    } else {
        None
    }
}

fn draw_row(
    state: &State,
    row: &Row,
    area: Rect,
    (columns, apart): (&[PlacedDomainColumn], &Apart),
    canvas: &mut Canvas<'_>,
) {
    if let Row::Fold {
        count, open, depth, ..
    } = row
    {
        canvas.line(area, &fold(*count, *open, *depth));
        return;
    }
    let Some(context) = state.domains.cell(row, &state.snapshot, &state.host) else {
        return;
    };
    pane::cells(area, columns, apart, canvas, |column| {
        (column.cell)(&context)
    });
}

fn fold(count: usize, open: bool, depth: u16) -> Line {
    let indent = branch(depth);
    let key = if open {
        "Left folds them"
    } else {
        "Right shows them"
    };
    Line::of(Tone::Dim, format!("{indent}… {count} calm domains  {key}"))
}
