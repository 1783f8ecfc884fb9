//! The columns themselves: their order, what each is sorted by and shows.

use super::command;
use super::{Align, Cell, CellContext, Column, Order, Sort, Width};
use crate::app::view::columns::cell;
use crate::app::view::processes::marks::Mark;
use crate::model::oom_domain::victim::age_rank;
use crate::model::process::badness::{badness, score};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{MemoryUse, Process};
use crate::text::format;
use crate::text::tone::Tone;
use crate::text::wording::short_group;

/// Zeros are dim, so that the eye skips them.
fn bytes(value: Option<u64>) -> Cell {
    match value {
        Some(0) => cell(Tone::Dim, "0"),
        Some(bytes) => cell(Tone::Normal, format::size(bytes)),
        None => cell(Tone::Dim, "-"),
    }
}

fn missing(process: &Process) -> Cell {
    cell(Tone::Dim, if process.unreadable { "n/a" } else { "-" })
}

fn shown_score(process: &Process, context: &CellContext<'_>) -> Option<u32> {
    score(process, &context.snapshot.memory, context.rules)
}

fn points(process: &Process, context: &CellContext<'_>) -> Option<i64> {
    badness(process, context.total).points()
}

fn memory(process: &Process, context: &CellContext<'_>, pick: fn(&MemoryUse) -> u64) -> Cell {
    match &process.memory {
        Some(memory) => bytes(Some(pick(memory) * context.rules.page_size)),
        None => missing(process),
    }
}

fn group<'a>(process: &Process, context: &CellContext<'a>) -> Option<&'a str> {
    Some(context.snapshot.cgroup(process.cgroup?)?.path.as_str())
}

/// Unknown values sort as the smallest.
fn or_least(value: Option<impl Into<i64>>) -> i64 {
    value.map_or(i64::MIN, Into::into)
}

fn pages(process: &Process, pick: fn(&MemoryUse) -> u64) -> i64 {
    let pages = process.memory.as_ref().map(pick);
    pages.map_or(i64::MIN, |pages| i64::try_from(pages).unwrap_or(i64::MAX))
}

/// A whole number that sorts as the value does (from `f32::total_cmp`).
fn ascending(value: f32) -> i64 {
    let bits = value.to_bits().cast_signed();
    i64::from(if bits < 0 { bits ^ i32::MAX } else { bits })
}

/// All columns, in the order they are shown.
pub static COLUMNS: &[Column] = &[
    Column {
        id: "mark",
        title: "",
        doc: "! next victim  ? as likely  * a cgroup's victim  = protected  # immune",
        width: Width::Fixed(1),
        align: Align::Left,
        rank: 0,
        sort: Sort::smallest_first(Order::Number(|p, c| c.marks.mark(p) as i64)),
        cell: |p, c| {
            let mark = c.marks.mark(p);
            let tone = match mark {
                Mark::Victim | Mark::OrThis => Tone::Critical,
                Mark::GroupVictim | Mark::OrInGroup => Tone::Danger,
                Mark::Immune | Mark::Protected => Tone::Good,
                Mark::None => Tone::Normal,
            };
            cell(tone, mark.sign())
        },
    },
    Column {
        id: "pid",
        title: "PID",
        doc: "process number",
        width: Width::Fixed(7),
        align: Align::Right,
        rank: 0,
        sort: Sort::smallest_first(Order::Number(|p, _| i64::from(p.id.pid))),
        cell: |p, _| cell(Tone::Normal, p.id.pid.to_string()),
    },
    Column {
        id: "user",
        title: "USER",
        doc: "effective user",
        width: Width::Fixed(8),
        align: Align::Left,
        rank: 5,
        sort: Sort::smallest_first(Order::Text(|a, b, c| {
            (c.snapshot.user(a.uid), a.uid).cmp(&(c.snapshot.user(b.uid), b.uid))
        })),
        cell: |p, c| {
            cell(
                Tone::Dim,
                c.snapshot
                    .user(p.uid)
                    .map_or_else(|| p.uid.to_string(), str::to_owned),
            )
        },
    },
    Column {
        id: "score",
        title: "SCORE",
        doc: "/proc/PID/oom_score: the kernel's scale of the badness on the host",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 2,
        sort: Sort::largest_first(Order::Number(|p, c| or_least(shown_score(p, c)))),
        cell: |p, c| match shown_score(p, c) {
            Some(0) => cell(Tone::Dim, "0"),
            Some(score) => cell(Tone::Normal, score.to_string()),
            None => cell(Tone::Dim, "n/a"),
        },
    },
    Column {
        id: "adj",
        title: "ADJ",
        doc: "oom_score_adj: -1000 never .. 1000 first",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 1,
        sort: Sort::largest_first(Order::Number(|p, _| or_least(p.adj.map(OomScoreAdj::get)))),
        cell: |p, _| match p.adj {
            Some(adj) if adj.get() < 0 => cell(Tone::Good, adj.to_string()),
            Some(adj) if adj.get() > 0 => cell(Tone::Watch, format!("+{adj}")),
            Some(_) => cell(Tone::Dim, "0"),
            None => cell(Tone::Dim, "n/a"),
        },
    },
    Column {
        id: "badness",
        title: "BAD\u{2030}",
        doc: "badness: the share of the OOM domain, per mille, adj included",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 0,
        sort: Sort::largest_first(Order::Ranked(|p, c| {
            (or_least(points(p, c)), age_rank(p.id, c.rules.tie))
        })),
        cell: |p, c| match points(p, c) {
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
    },
    Column {
        id: "rss",
        title: "RSS",
        doc: "resident memory, as badness counts it",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 1,
        sort: Sort::largest_first(Order::Number(|p, _| pages(p, |m| m.rss))),
        cell: |p, c| memory(p, c, |m| m.rss),
    },
    Column {
        id: "swap",
        title: "SWAP",
        doc: "private memory swapped out",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 6,
        sort: Sort::largest_first(Order::Number(|p, _| pages(p, |m| m.swap))),
        cell: |p, c| memory(p, c, |m| m.swap),
    },
    Column {
        id: "pgtab",
        title: "PGTAB",
        doc: "page tables, which badness counts too",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 8,
        sort: Sort::largest_first(Order::Number(|p, _| pages(p, |m| m.page_tables))),
        cell: |p, c| memory(p, c, |m| m.page_tables),
    },
    Column {
        id: "growth",
        title: "GROWTH",
        doc: "rss + swap per second, smoothed",
        width: Width::Fixed(8),
        align: Align::Right,
        rank: 3,
        sort: Sort::largest_first(Order::Number(|p, _| p.growth.map_or(i64::MIN, ascending))),
        cell: |p, _| match p.growth {
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
    },
    Column {
        id: "protection",
        title: "PROTECTION",
        doc: "the level of its adj, or that it dies next",
        width: Width::Fixed(13),
        align: Align::Left,
        rank: 4,
        sort: Sort::smallest_first(Order::Number(|p, c| {
            let adj = p
                .adj
                .map_or(i64::from(i16::MIN), |adj| i64::from(adj.get()));
            ((c.marks.mark(p) as i64) << 16) + adj
        })),
        cell: |p, c| {
            let tone = match c.marks.mark(p) {
                Mark::Victim | Mark::OrThis => Tone::Critical,
                Mark::GroupVictim | Mark::OrInGroup => Tone::Danger,
                Mark::Immune | Mark::Protected => Tone::Good,
                Mark::None if p.adj.is_some_and(|a| a.get() >= 100) => Tone::Watch,
                Mark::None => Tone::Dim,
            };
            cell(tone, c.marks.word(p))
        },
    },
    Column {
        id: "cgroup",
        title: "CGROUP",
        doc: "memory cgroup or systemd unit",
        width: Width::AtLeast(16),
        align: Align::Left,
        rank: 7,
        sort: Sort::smallest_first(Order::Text(|a, b, c| group(a, c).cmp(&group(b, c)))),
        cell: |p, c| match group(p, c) {
            Some(path) => cell(Tone::Dim, short_group(path)),
            None => cell(Tone::Dim, "-"),
        },
    },
    Column {
        id: "command",
        title: "COMMAND",
        doc: "name, and command line without directories",
        width: Width::AtLeast(20),
        align: Align::Left,
        rank: 0,
        sort: Sort::smallest_first(Order::Text(|a, b, _| a.comm.cmp(&b.comm))),
        cell: |p, _| {
            cell(
                if p.kernel_thread {
                    Tone::Dim
                } else {
                    Tone::Normal
                },
                match p.command_blocks {
                    // What an htop user would wonder about: the finding is a fact of this row.
                    Some(seconds) if p.command.is_none() => format!(
                        "{} (reading its command line blocks since {seconds:.0} s: somebody holds its mmap lock)",
                        p.comm
                    ),
                    _ => command::short(p).into_owned(),
                },
            )
        },
    },
];
