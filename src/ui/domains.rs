//! The domains view, in the place of the process table.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::table::aligned;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::domains::Order;
use crate::app::view::domains::columns::{DomainCell, DomainColumn, branch, fit};
use crate::app::view::domains::rows::Row;
use crate::app::view::layout::{Pane, Panes};
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
    heads(panes.table_head, &columns, canvas);
    let domains = &state.domains;
    let shown = domains.rows().iter().enumerate().skip(domains.offset);
    for (y, (at, row)) in (panes.table_rows.y..panes.table_rows.bottom()).zip(shown) {
        let area = Rect {
            y,
            height: 1,
            ..panes.table_rows
        };
        draw_row(state, row, area, &columns, canvas);
        if at == domains.cursor() {
            canvas.shade(area, canvas.theme.selection(focused));
        }
    }
    if panes.table_rows.height == 0 || state.snapshot.seq == 0 {
        return;
    }
    if let Some(text) = nothing(state) {
        let below = u16::try_from(domains.rows().len()).unwrap_or(u16::MAX);
        let area = Rect {
            y: panes.table_rows.y.saturating_add(below),
            height: 1,
            ..panes.table_rows
        };
        if area.y < panes.table_rows.bottom() {
            canvas.line(area, &Line::of(Tone::Dim, text));
        }
    }
}

/// Why there is no group among the rows.
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

fn title(state: &State) -> Line {
    let domains = &state.domains;
    let groups = state.snapshot.domains.len().saturating_sub(1);
    let mut line = Line::of(Tone::Strong, "OOM domains");
    let order = match domains.order {
        Order::Urgency => "by urgency",
        Order::Path => "by path",
    };
    line.push(Tone::Dim, format!(" {order}  "));
    let limits = if groups == 1 {
        "cgroup with a limit"
    } else {
        "cgroups with a limit"
    };
    line.push(Tone::Dim, format!("host + {groups} {limits}"));
    match domains.urgent() {
        0 => line.push(Tone::Good, "  all calm"),
        urgent => line.push(Tone::Watch, format!("  {urgent} not calm")),
    }
    if !domains.filter.is_empty() {
        line.push(Tone::Watch, format!("  filter: {}", domains.filter));
    }
    line
}

/// Which rows are on the screen.
fn remark(state: &State, panes: &Panes) -> Line {
    let (rows, height) = (state.domains.rows().len(), panes.table_height());
    if rows <= height {
        return Line::new();
    }
    let first = state.domains.offset;
    let last = (first + height).min(rows);
    Line::of(Tone::Dim, format!("{}-{last} of {rows}", first + 1))
}

fn heads(area: Rect, columns: &[(&'static DomainColumn, u16)], canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let heading = canvas.theme.heading();
    canvas.shade(area, heading);
    let mut x = area.x;
    for (column, width) in columns {
        aligned(
            canvas,
            x,
            area.y,
            *width,
            column.title,
            column.align,
            heading,
        );
        x = x.saturating_add(width + 1);
    }
}

fn draw_row(
    state: &State,
    row: &Row,
    area: Rect,
    columns: &[(&'static DomainColumn, u16)],
    canvas: &mut Canvas<'_>,
) {
    let (scope, index, parent, depth) = match row {
        Row::Domain {
            scope,
            index,
            parent,
            depth,
        } => (*scope, *index, *parent, *depth),
        Row::Fold {
            count, open, depth, ..
        } => {
            canvas.line(area, &fold(*count, *open, *depth));
            return;
        }
    };
    // A row may be a sample behind the domains: never show another domain's numbers.
    let domain = state.snapshot.domains.get(index);
    let (Some(domain), Some(watch)) = (
        domain.filter(|domain| domain.scope == scope),
        state.domains.watch(scope),
    ) else {
        return;
    };
    let context = DomainCell {
        domain,
        group: scope.memcg().and_then(|key| state.snapshot.cgroup(key)),
        watch,
        parent,
        depth,
        snapshot: &state.snapshot,
        host: &state.host,
    };
    let mut x = area.x;
    for (column, width) in columns {
        let cell = (column.cell)(&context);
        let style = canvas.theme.style(cell.tone);
        aligned(canvas, x, area.y, *width, &cell.text, column.align, style);
        x = x.saturating_add(width + 1);
    }
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
