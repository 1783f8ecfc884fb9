//! Columns that say who dies first.

use super::bar;
use super::{Align, Cell, CellContext, Column, Order, Raw, Shows, Sort, Width, or_least};
use crate::app::view::columns::cell;
use crate::app::view::processes::marks::Mark;
use crate::model::oom_domain::victim::age_rank;
use crate::model::process::Process;
use crate::model::process::badness::{badness, score};
use crate::model::process::score::OomScoreAdj;
use crate::text::format;
use crate::text::tone::Tone;

fn shown_score(process: &Process, context: &CellContext<'_>) -> Option<u32> {
    score(process, &context.snapshot.memory, context.rules)
}

fn points(process: &Process, context: &CellContext<'_>) -> Option<i64> {
    badness(process, context.total).points()
}

/// What the mark of a row means. Red is who dies first: the victim of the host, or of a cgroup that is nearer to its end.
pub(super) fn mark_tone(process: &Process, context: &CellContext<'_>) -> Tone {
    match context.marks.mark(process) {
        Mark::Victim | Mark::OrThis | Mark::GroupVictim | Mark::OrInGroup => {
            if context.marks.dies_first(process) {
                Tone::Critical
            } else {
                Tone::Danger
            }
        }
        Mark::Immune | Mark::Protected => Tone::Good,
        Mark::None => Tone::Normal,
    }
}

pub(super) const MARK: Column = Column {
    id: "mark",
    title: "",
    doc: "! next victim  ? as likely  * a cgroup's victim  = protected  # immune",
    width: Width::Fixed(1),
    align: Align::Left,
    rank: 0,
    sort: Sort::smallest_first(Order::Number(|p, c| c.marks.mark(p) as i64)).lost_at_death(),
    cell: Shows::new(
        |p, c| {
            let mark = c.marks.mark(p);
            cell(mark_tone(p, c), mark.sign())
        },
        |p, c| Raw::Text(c.marks.mark(p).sign().trim().to_owned()),
    ),
};

pub(super) const SCORE: Column = Column {
    id: "score",
    title: "SCORE",
    doc: "/proc/PID/oom_score: the kernel's scale of the badness on the host",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 9,
    sort: Sort::largest_first(Order::Number(|p, c| or_least(shown_score(p, c)))).lost_at_death(),
    cell: Shows::new(
        |p, c| match shown_score(p, c) {
            Some(0) => cell(Tone::Dim, "0"),
            Some(score) => cell(Tone::Normal, score.to_string()),
            None => cell(Tone::Dim, "n/a"),
        },
        |p, c| Raw::whole(shown_score(p, c)),
    ),
};

pub(super) const ADJ: Column = Column {
    id: "adj",
    title: "ADJ",
    doc: "oom_score_adj: -1000 never .. 1000 first",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 1,
    sort: Sort::largest_first(Order::Number(|p, _| or_least(p.adj.map(OomScoreAdj::get)))),
    cell: Shows::new(
        |p, _| match p.adj {
            Some(adj) if adj.get() < 0 => cell(Tone::Good, adj.to_string()),
            Some(adj) if adj.get() > 0 => cell(Tone::Watch, format!("+{adj}")),
            Some(_) => cell(Tone::Dim, "0"),
            None => cell(Tone::Dim, "n/a"),
        },
        |p, _| Raw::whole(p.adj.map(OomScoreAdj::get)),
    ),
};

pub(super) const BAR: Column = Column {
    id: "bar",
    title: "",
    doc: "the badness as a bar: full is the whole OOM domain",
    width: Width::Fixed(bar::CELLS),
    align: Align::Left,
    rank: 2,
    sort: BADNESS.sort,
    cell: Shows::drawn(|p, c| {
        let text = points(p, c).map_or_else(String::new, |points| bar::bar(points, c.total));
        cell(mark_tone(p, c), text)
    }),
};

pub(super) const BADNESS: Column = Column {
    id: "badness",
    title: "BAD\u{2030}",
    doc: "badness: the share of the OOM domain, per mille, adj included",
    width: Width::Fixed(5),
    align: Align::Right,
    rank: 0,
    sort: Sort::largest_first(Order::Ranked(|p, c| {
        (or_least(points(p, c)), age_rank(p.id, c.rules.tie))
    }))
    .lost_at_death(),
    cell: Shows::new(
        |p, c| match points(p, c) {
            Some(points) => {
                let tone = if points > 0 {
                    Tone::Strong
                } else {
                    Tone::Normal
                };
                cell(tone, format::permille(points, c.total))
            }
            None => missing(p),
        },
        |p, c| {
            let share = |points: i64| points as f64 * 1000.0 / c.total.max(1) as f64;
            points(p, c).map_or(Raw::Nothing, |points| Raw::Real(share(points)))
        },
    ),
};

pub(super) const PROTECTION: Column = Column {
    id: "protection",
    title: "PROTECTION",
    doc: "the level of its adj, or that it dies next; empty for adj 0",
    width: Width::Fixed(13),
    align: Align::Left,
    rank: 10,
    sort: Sort::smallest_first(Order::Number(|p, c| {
        let adj = p
            .adj
            .map_or(i64::from(i16::MIN), |adj| i64::from(adj.get()));
        ((c.marks.mark(p) as i64) << 16) + adj
    }))
    .lost_at_death(),
    cell: Shows::new(
        |p, c| {
            let mark = c.marks.mark(p);
            let tone = match mark {
                Mark::None if p.adj.is_some_and(|a| a.get() >= 100) => Tone::Watch,
                Mark::None => Tone::Dim,
                _ => mark_tone(p, c),
            };
            let ends = p.state.is_dead() || p.skipped_by_kernel;
            let nothing = mark == Mark::None && !ends && p.adj == Some(OomScoreAdj::ZERO);
            cell(tone, if nothing { "" } else { c.marks.word(p) })
        },
        |p, c| Raw::Text(c.marks.word(p).to_owned()),
    )
    // Who dies next has its sign in the first column.
    .folds_unless(|p, _| p.adj.is_some_and(|adj| adj != OomScoreAdj::ZERO)),
};

/// The cell of a value that a process does not have, or that cannot be read.
pub(super) fn missing(process: &Process) -> Cell {
    cell(Tone::Dim, if process.unreadable { "n/a" } else { "-" })
}
