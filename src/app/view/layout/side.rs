//! The pane on the right of a wide screen, divided.

use ratatui::layout::{Position, Rect};

/// From this width on there is a pane on the right.
const WIDE: u16 = 160;
/// Columns of the table beside it: a wider screen must not show less of a process than a narrow one.
const TABLE: u16 = 120;
/// Columns of the pane.
const LEAST: u16 = 44;
const MOST: u16 = 72;
/// From this height on.
const HIGH: u16 = 22;

/// Rows of a part that say more than its graph or list: title, axis, words.
const AROUND_GRAPH: u16 = 3;
/// Title and two lines.
const STALLS: u16 = 3;
/// The graph keeps room for so many domains more.
const STEP: u16 = 4;
/// Rows of a graph beyond which it says no more.
const MOST_GRAPH: u16 = 20;
/// Rows that details mostly fill, with their title.
const DETAILS: u16 = 11;
/// Rows that details need to be worth their title.
const LEAST_DETAILS: u16 = 4;
/// Rows of a domain.
const DOMAIN_ROWS: u16 = 2;

/// The parts of the pane; each has its title in its first row. A part without room is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// The line between the table and the pane.
    pub edge: Rect,
    /// Memory used, as a graph.
    pub history: Rect,
    /// Memory pressure.
    pub stalls: Rect,
    /// The OOM domains, each in two rows.
    pub domains: Rect,
    /// The selected row.
    pub details: Rect,
}

impl Side {
    /// The domain whose rows contain this cell, by its place in the list.
    pub fn domain_at(&self, at: Position) -> Option<usize> {
        if !self.domains.contains(at) {
            return None;
        }
        let row = at.y.checked_sub(self.domains.y + 1)?;
        Some(usize::from(row / DOMAIN_ROWS))
    }

    /// How many domains there is room for.
    pub fn domain_count(&self) -> usize {
        usize::from(self.domains.height.saturating_sub(1) / DOMAIN_ROWS)
    }
}

/// Columns of the pane, with the line in front of it; 0 on a screen that is too small.
pub(super) fn width(columns: u16, rows: u16) -> u16 {
    if columns < WIDE || rows < HIGH {
        return 0;
    }
    columns.saturating_sub(TABLE).clamp(LEAST, MOST)
}

/// Divides the pane. `domains` is how many there are to show.
pub(super) fn divide(area: Rect, domains: usize) -> Side {
    let mut side = Side {
        edge: Rect {
            width: 1.min(area.width),
            ..area
        },
        ..Side::default()
    };
    let inner = Rect {
        x: area.x + side.edge.width,
        width: area.width - side.edge.width,
        ..area
    };
    let mut top = inner.y;
    let mut take = |rows: u16| {
        let rows = rows.min(inner.bottom() - top);
        let part = Rect {
            y: top,
            height: rows,
            ..inner
        };
        top += rows;
        part
    };
    let stalls = if area.height >= 24 { STALLS } else { 0 };
    let wanted = u16::try_from(domains).unwrap_or(u16::MAX);
    // The graph has what domains and details leave over, in steps: a domain that comes or goes must not move all.
    let others = wanted
        .checked_next_multiple_of(STEP)
        .unwrap_or(u16::MAX)
        .saturating_mul(DOMAIN_ROWS)
        .saturating_add(1 + stalls + AROUND_GRAPH + DETAILS);
    let least = (area.height / 5).clamp(3, 8);
    let graph = area.height.saturating_sub(others).clamp(least, MOST_GRAPH);
    side.history = take(graph + AROUND_GRAPH);
    side.stalls = take(stalls);
    let left = area
        .height
        .saturating_sub(side.history.height + side.stalls.height);
    let room = left.saturating_sub(1 + LEAST_DETAILS) / DOMAIN_ROWS;
    let most = room.min((left / 2 / DOMAIN_ROWS).max(2));
    side.domains = take(match wanted.min(most) {
        0 => 0,
        shown => 1 + shown * DOMAIN_ROWS,
    });
    side.details = take(u16::MAX);
    side
}
