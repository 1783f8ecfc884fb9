//! Below a short table: the OOM domains as a list, or where no group has a limit, the history of memory.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::{pane, side};
use crate::app::State;
use crate::app::view::domains::rows::Row;
use crate::app::view::layout::Panes;
use crate::app::view::title_keys::Title;
use crate::text::apart::Apart;

/// Draws it, if the table leaves room.
pub(super) fn draw(state: &State, panes: &Panes, canvas: &mut Canvas<'_>) {
    let area = panes.below;
    if area.height == 0 || state.snapshot.seq == 0 {
        return;
    }
    let nearest = &state.attention.nearest;
    if nearest.is_empty() {
        side::history(state, area, canvas);
        return;
    }
    let line = |at: u16| Rect {
        y: area.y + at,
        height: 1,
        ..area
    };
    let shown = nearest.iter().take(Panes::domains_below(area));
    let head = (Title::Domains, line(0));
    let said = state.nearest_said(Panes::domains_below(area));
    pane::title(state, head, said, false, canvas);
    let columns = state.domain_columns(area.width);
    pane::heads(line(1), &columns, None, canvas);
    for (at, scope) in (2..area.height).zip(shown) {
        let domains = state.snapshot.domains.iter();
        let index = domains.clone().position(|domain| domain.scope == *scope);
        let row = index.map(|index| Row::Domain {
            scope: *scope,
            index,
            parent: None,
            depth: 0,
        });
        let context = row.and_then(|row| state.domains.cell(&row, &state.snapshot, &state.host));
        let Some(context) = context else { continue };
        pane::cells(line(at), &columns, &Apart::default(), canvas, |column| {
            (column.cell)(&context)
        });
    }
}
