//! The domains view, in the place of the process table.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use super::pane;
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::view::columns::fit;
use crate::app::view::domains::columns::{COLUMNS, DomainCell, PlacedDomainColumn, branch};
use crate::app::view::domains::rows::Row;
use crate::app::view::domains::{Order, name};
use crate::app::view::layout::{Pane, Panes};
use crate::model::cgroup::limits::LimitFile;
use crate::model::oom_domain::victim::Scope;
use crate::text::tone::{Line, Tone};

/// Draws the pane.
pub fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let focused = state.focus == Pane::Processes;
    canvas.rule(
        panes.table_title,
        &title(state),
        &pane::window(state.domains.list()),
        focused,
    );
    let names = longest_name(state);
    let wants = |id: &str| names.filter(|_| id == "domain");
    let columns = fit(COLUMNS, panes.table_head.width, &wants);
    pane::heads(panes.table_head, &columns, None, canvas);
    let domains = &state.domains;
    let selection = canvas.theme.selection(focused);
    pane::rows(
        panes.table_rows,
        domains.list(),
        Some(selection),
        canvas,
        |row, area, canvas| draw_row(state, row, area, &columns, canvas),
    );
    if let Some(text) = nothing(state).filter(|_| state.snapshot.seq > 0) {
        pane::sentence(panes.table_rows, domains.rows().len(), &text, canvas);
    }
}

/// Cells of the longest name of a group with its branch; the name of the host may be cut. `None` without groups.
fn longest_name(state: &State) -> Option<u16> {
    // A name that is further down may be cut: measuring thousands would cost more than it gives.
    const MEASURED: usize = 500;
    let rows = state.domains.rows().iter().take(MEASURED);
    let names = rows.filter_map(|row| match row {
        Row::Domain {
            scope,
            parent,
            depth,
            ..
        } if *scope != Scope::Host => {
            let own = name(*scope, *parent, &state.host.name, &state.snapshot);
            Some(branch(*depth).width() + own.width())
        }
        _ => None,
    });
    names.max().and_then(|cells| u16::try_from(cells).ok())
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

fn title(state: &State) -> Line {
    let domains = &state.domains;
    let all = &state.snapshot.domains;
    let slowed = all.iter().filter(|domain| domain.throttles_only).count();
    let groups = all.len().saturating_sub(1 + slowed);
    let mut line = Line::of(Tone::Strong, "OOM domains");
    line.spans.extend(pane::age(state).spans);
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
    if slowed > 0 {
        line.push(
            Tone::Dim,
            format!(" + {slowed} with {}", LimitFile::High.name()),
        );
    }
    match domains.urgent() {
        0 => line.push(Tone::Good, "  all calm"),
        urgent => line.push(Tone::Watch, format!("  {urgent} not calm")),
    }
    if !domains.filter.is_empty() {
        line.push(Tone::Watch, format!("  filter: {}", domains.filter));
    }
    line
}

fn draw_row(
    state: &State,
    row: &Row,
    area: Rect,
    columns: &[PlacedDomainColumn],
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
    // The row may be from an older sample than the domains: never show the numbers of another domain.
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
    pane::cells(area, columns, canvas, |column| (column.cell)(&context));
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
