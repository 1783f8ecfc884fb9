//! Columns of memory.

use super::badness::missing;
use super::{Align, Cell, CellContext, Column, Order, Raw, Shows, Sort, Width, ascending};
use crate::app::view::columns::cell;
use crate::model::process::{MemoryUse, Process};
use crate::text::format;
use crate::text::tone::Tone;

/// Zeros are dim, so that the eye skips them.
fn bytes(process: &Process, context: &CellContext<'_>, pick: fn(&MemoryUse) -> u64) -> Cell {
    match process.memory.as_ref().map(pick) {
        Some(0) => cell(Tone::Dim, "0"),
        Some(pages) => cell(Tone::Normal, format::size(pages * context.rules.page_size)),
        None => missing(process),
    }
}

fn raw(process: &Process, context: &CellContext<'_>, pick: fn(&MemoryUse) -> u64) -> Raw {
    let pages = process.memory.as_ref().map(pick);
    Raw::whole(pages.map(|pages| pages.saturating_mul(context.rules.page_size)))
}

/// Unknown values sort as the smallest.
fn pages(process: &Process, pick: fn(&MemoryUse) -> u64) -> i64 {
    let pages = process.memory.as_ref().map(pick);
    pages.map_or(i64::MIN, |pages| i64::try_from(pages).unwrap_or(i64::MAX))
}

pub(super) const RSS: Column = Column {
    id: "rss",
    title: "RSS",
    doc: "resident memory, as badness counts it",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 1,
    sort: Sort::largest_first(Order::Number(|p, _| pages(p, |m| m.rss))).lost_at_death(),
    cell: Shows::new(|p, c| bytes(p, c, |m| m.rss), |p, c| raw(p, c, |m| m.rss)),
};

pub(super) const SWAP: Column = Column {
    id: "swap",
    title: "SWAP",
    doc: "private memory swapped out",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 7,
    sort: Sort::largest_first(Order::Number(|p, _| pages(p, |m| m.swap))).lost_at_death(),
    cell: Shows::new(|p, c| bytes(p, c, |m| m.swap), |p, c| raw(p, c, |m| m.swap)).folds_unless(
        |p, c| c.snapshot.memory.swap_total > 0 || p.memory.is_some_and(|memory| memory.swap > 0),
    ),
};

pub(super) const PAGE_TABLES: Column = Column {
    id: "pgtab",
    title: "PGTAB",
    doc: "page tables, which badness counts too",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 11,
    sort: Sort::largest_first(Order::Number(|p, _| pages(p, |m| m.page_tables))).lost_at_death(),
    cell: Shows::new(
        |p, c| bytes(p, c, |m| m.page_tables),
        |p, c| raw(p, c, |m| m.page_tables),
    ),
};

pub(super) const GROWTH: Column = Column {
    id: "growth",
    title: "GROWTH",
    doc: "rss + swap per second, smoothed",
    width: Width::Fixed(8),
    align: Align::Right,
    rank: 3,
    sort: Sort::largest_first(Order::Number(|p, _| p.growth.map_or(i64::MIN, ascending)))
        .lost_at_death(),
    cell: Shows::new(
        |p, _| match p.growth {
            Some(growth) if growth.abs() >= 1024.0 => {
                let tone = if growth > 0.0 {
                    Tone::Watch
                } else {
                    Tone::Normal
                };
                cell(tone, format::rate(f64::from(growth)))
            }
            Some(_) => cell(Tone::Dim, "0"),
            None => cell(Tone::Dim, "-"),
        },
        |p, _| {
            p.growth
                .map_or(Raw::Nothing, |growth| Raw::Real(f64::from(growth)))
        },
    ),
};
