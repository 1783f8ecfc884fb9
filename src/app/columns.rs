//! [`COLUMNS`]: one row for each column of the process table. Adding a column is adding a row here.

use std::cmp::Ordering;

use super::format;
use super::marks::{Mark, Marks};
use super::text::Tone;
use crate::domain::badness::badness;
use crate::domain::kernel::KernelRules;
use crate::domain::process::Process;
use crate::domain::score::oom_score;
use crate::domain::snapshot::Snapshot;

/// What a cell may look at besides its process.
#[derive(Debug, Clone, Copy)]
pub struct CellContext<'a> {
    /// The sample the process is from.
    pub snapshot: &'a Snapshot,
    /// Rules of the kernel.
    pub rules: &'a KernelRules,
    /// Total pages of the domain the table ranks by.
    pub total: u64,
    /// Who dies next.
    pub marks: &'a Marks,
}

/// Text and tone of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text, uncut.
    pub text: String,
    /// Its meaning.
    pub tone: Tone,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Exactly so many cells.
    Fixed(u16),
    /// A share of what is left, not less than this.
    AtLeast(u16),
}

/// Which side a cell's text is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column of the process table.
#[derive(Debug)]
pub struct Column {
    /// Its name for `--sort`.
    pub id: &'static str,
    /// Its header.
    pub title: &'static str,
    /// What it shows, for the help and the sort dialog.
    pub doc: &'static str,
    /// Width.
    pub width: Width,
    /// Side.
    pub align: Align,
    /// Columns with the smallest rank stay longest when the screen is narrow; 0 stays always.
    pub rank: u8,
    /// Sorting by it starts with the largest.
    pub largest_first: bool,
    /// Ascending order; unknown values are smallest.
    pub compare: fn(&Process, &Process, &CellContext<'_>) -> Ordering,
    /// Text and tone.
    pub cell: fn(&Process, &CellContext<'_>) -> Cell,
}

fn cell(tone: Tone, text: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        tone,
    }
}

/// Dim zeros: they are read past, not read.
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

/// The kernel's `oom_score`, computed (reading it for every process would cost more than the scan).
pub fn score(process: &Process, context: &CellContext<'_>) -> Option<u32> {
    if process.unreadable {
        return None;
    }
    // The file always measures against RAM + swap, even inside a group.
    let total = context
        .snapshot
        .memory
        .host_total_pages(context.rules.page_size);
    Some(oom_score(
        badness(process, total).points(),
        total,
        context.rules.score,
    ))
}

fn points(process: &Process, context: &CellContext<'_>) -> Option<i64> {
    badness(process, context.total).points()
}

fn memory(
    process: &Process,
    context: &CellContext<'_>,
    pick: fn(&crate::domain::process::MemoryUse) -> u64,
) -> Cell {
    match &process.memory {
        Some(memory) => bytes(Some(pick(memory) * context.rules.page_size)),
        None => missing(process),
    }
}

fn group<'a>(process: &Process, context: &CellContext<'a>) -> Option<&'a str> {
    Some(context.snapshot.cgroup(process.cgroup?)?.path.as_str())
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
        largest_first: false,
        compare: |a, b, c| c.marks.mark(a).cmp(&c.marks.mark(b)),
        cell: |p, c| {
            let mark = c.marks.mark(p);
            let tone = match mark {
                Mark::Victim | Mark::OrThis => Tone::Critical,
                Mark::GroupVictim => Tone::Danger,
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
        largest_first: false,
        compare: |a, b, _| a.id.pid.cmp(&b.id.pid),
        cell: |p, _| cell(Tone::Normal, p.id.pid.to_string()),
    },
    Column {
        id: "user",
        title: "USER",
        doc: "effective user",
        width: Width::Fixed(8),
        align: Align::Left,
        rank: 3,
        largest_first: false,
        compare: |a, b, c| (c.snapshot.user(a.uid), a.uid).cmp(&(c.snapshot.user(b.uid), b.uid)),
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
        doc: "oom_score as the kernel shows it (0..2000 since 5.9; an idle process is about 666)",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 2,
        largest_first: true,
        compare: |a, b, c| score(a, c).cmp(&score(b, c)),
        cell: |p, c| match score(p, c) {
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
        largest_first: true,
        compare: |a, b, _| a.adj.cmp(&b.adj),
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
        doc: "badness: the share of the OOM domain the kernel compares, per mille, adj included",
        width: Width::Fixed(5),
        align: Align::Right,
        rank: 0,
        largest_first: true,
        compare: |a, b, c| points(a, c).cmp(&points(b, c)),
        cell: |p, c| match badness(p, c.total).permille(c.total) {
            Some(permille) if permille > 0 => cell(Tone::Strong, permille.to_string()),
            Some(permille) => cell(Tone::Normal, permille.to_string()),
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
        largest_first: true,
        compare: |a, b, _| a.memory.map(|m| m.rss).cmp(&b.memory.map(|m| m.rss)),
        cell: |p, c| memory(p, c, |m| m.rss),
    },
    Column {
        id: "swap",
        title: "SWAP",
        doc: "private memory swapped out",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 5,
        largest_first: true,
        compare: |a, b, _| a.memory.map(|m| m.swap).cmp(&b.memory.map(|m| m.swap)),
        cell: |p, c| memory(p, c, |m| m.swap),
    },
    Column {
        id: "pgtab",
        title: "PGTAB",
        doc: "page tables, which badness counts too",
        width: Width::Fixed(6),
        align: Align::Right,
        rank: 7,
        largest_first: true,
        compare: |a, b, _| {
            a.memory
                .map(|m| m.page_tables)
                .cmp(&b.memory.map(|m| m.page_tables))
        },
        cell: |p, c| memory(p, c, |m| m.page_tables),
    },
    Column {
        id: "growth",
        title: "GROWTH",
        doc: "rss + swap per second, smoothed",
        width: Width::Fixed(8),
        align: Align::Right,
        rank: 3,
        largest_first: true,
        compare: |a, b, _| {
            a.growth
                .unwrap_or(f32::MIN)
                .total_cmp(&b.growth.unwrap_or(f32::MIN))
        },
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
        width: Width::Fixed(12),
        align: Align::Left,
        rank: 4,
        largest_first: false,
        compare: |a, b, c| (c.marks.mark(a), a.adj).cmp(&(c.marks.mark(b), b.adj)),
        cell: |p, c| {
            let tone = match c.marks.mark(p) {
                Mark::Victim | Mark::OrThis => Tone::Critical,
                Mark::GroupVictim => Tone::Danger,
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
        rank: 6,
        largest_first: false,
        compare: |a, b, c| group(a, c).cmp(&group(b, c)),
        cell: |p, c| match group(p, c) {
            Some(path) => cell(Tone::Dim, short_group(path)),
            None => cell(Tone::Dim, "-"),
        },
    },
    Column {
        id: "command",
        title: "COMMAND",
        doc: "command line, or the short name where it has none",
        width: Width::AtLeast(12),
        align: Align::Left,
        rank: 0,
        largest_first: false,
        compare: |a, b, _| a.comm.cmp(&b.comm),
        cell: |p, _| {
            cell(
                if p.kernel_thread {
                    Tone::Dim
                } else {
                    Tone::Normal
                },
                command(p),
            )
        },
    },
];

/// The command line; a kernel thread's name in brackets, as ps does.
fn command(process: &Process) -> String {
    if process.kernel_thread {
        format!("[{}]", process.comm.text())
    } else {
        process.title().into_owned()
    }
}

/// The telling end of a group's path: the unit, scope or container, with one level above it when the
/// end alone says little.
pub fn short_group(path: &str) -> String {
    let mut parts = path.rsplit('/').filter(|p| !p.is_empty());
    let Some(last) = parts.next() else {
        return "/".to_owned();
    };
    let is_unit = [".service", ".scope", ".slice"]
        .iter()
        .any(|end| last.ends_with(end));
    match parts.next() {
        Some(above) if !is_unit => format!("{above}/{last}"),
        _ => last.to_owned(),
    }
}

/// The column of this id.
pub fn column(id: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|c| c.id == id)
}

/// The columns that fit into `width` cells, with the cells each takes.
///
/// The least important are dropped first; what is left over goes to the flexible ones.
pub fn fit(width: u16) -> Vec<(&'static Column, u16)> {
    let least = |c: &Column| match c.width {
        Width::Fixed(w) | Width::AtLeast(w) => w,
    };
    let needed = |max_rank: u8| -> u16 {
        COLUMNS
            .iter()
            .filter(|c| c.rank <= max_rank)
            .map(|c| least(c) + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    let highest = COLUMNS.iter().map(|c| c.rank).max().unwrap_or(0);
    let rank = (0..=highest)
        .rev()
        .find(|r| needed(*r) <= width)
        .unwrap_or(0);
    let mut fitted: Vec<_> = COLUMNS
        .iter()
        .filter(|c| c.rank <= rank)
        .map(|c| (c, least(c)))
        .collect();
    let spare = width.saturating_sub(needed(rank));
    let flexible = fitted
        .iter()
        .filter(|(c, _)| matches!(c.width, Width::AtLeast(_)))
        .count();
    // The cgroup takes a third of what is left, the command the rest.
    for (column, width) in &mut fitted {
        if let Width::AtLeast(_) = column.width {
            *width += if column.id == "command" && flexible > 1 {
                spare - spare / 3
            } else if flexible > 1 {
                spare / 3
            } else {
                spare
            };
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, fit, short_group};

    #[test]
    fn what_matters_most_stays_when_it_gets_narrow() {
        let ids = |w| fit(w).iter().map(|(c, _)| c.id).collect::<Vec<_>>();
        assert_eq!(ids(20), ["mark", "pid", "badness", "command"]);
        assert!(ids(80).contains(&"score") && ids(80).contains(&"protection"));
        assert_eq!(ids(200).len(), COLUMNS.len());
        for width in 28..300 {
            let used: u16 = fit(width).iter().map(|(_, w)| w + 1).sum::<u16>() - 1;
            assert_eq!(used, width, "the table fills its width");
        }
        assert!(!fit(0).is_empty());
    }

    #[test]
    fn groups_are_named_by_their_end() {
        assert_eq!(short_group("/system.slice/mysql.service"), "mysql.service");
        assert_eq!(short_group("/docker/0123456789ab"), "docker/0123456789ab");
        assert_eq!(short_group("/"), "/");
    }
}
