//! The Tasks page: the kernel's own table, ranked.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::process::Pid;
use crate::oomlog::analysis::ranking::Ranking;
use crate::oomlog::{OomReport, TaskRow, TaskTable};
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// What the kernel thought of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskBadness {
    /// The report lacks the numbers that badness is computed from.
    Unknown,
    /// Never chosen: adj -1000.
    Never,
    /// Badness in pages.
    Points(i64),
}

/// The badness of each row, in the order of the table.
pub fn badness(table: &TaskTable, ranking: Option<&Ranking>) -> Vec<TaskBadness> {
    let Some(ranking) = ranking else {
        return vec![TaskBadness::Unknown; table.rows.len()];
    };
    let by_pid: HashMap<Pid, i64> = ranking
        .rows
        .iter()
        .map(|row| (row.pid, row.badness))
        .collect();
    let of = |row: &TaskRow| {
        by_pid
            .get(&row.process())
            .map_or(TaskBadness::Never, |points| TaskBadness::Points(*points))
    };
    table.rows.iter().map(of).collect()
}

/// What the table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskOrder {
    /// As the kernel ranks: the victim first.
    #[default]
    Badness,
    /// Resident memory.
    Rss,
    /// `oom_score_adj`, the most protected first.
    Adj,
    /// Name.
    Name,
    /// Pid.
    Pid,
}

impl TaskOrder {
    /// The next order; the first one after the last.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Badness => Self::Rss,
            Self::Rss => Self::Adj,
            Self::Adj => Self::Name,
            Self::Name => Self::Pid,
            Self::Pid => Self::Badness,
        }
    }

    /// Its name in the title.
    pub fn name(self) -> &'static str {
        match self {
            Self::Badness => "badness",
            Self::Rss => "rss",
            Self::Adj => "adj",
            Self::Name => "name",
            Self::Pid => "pid",
        }
    }
}

/// Row numbers of the table in this order. Sorts by memory where badness is not known.
pub fn order(table: &TaskTable, badness: &[TaskBadness], by: TaskOrder) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..table.rows.len()).collect();
    let row = |at: &usize| table.rows.get(*at);
    match by {
        TaskOrder::Badness => {
            let size = |at: &usize| row(at).and_then(|r| r.rss);
            rows.sort_by_key(|at| Reverse((badness.get(*at).copied(), size(at))));
        }

        TaskOrder::Rss => rows.sort_by_key(|at| Reverse(row(at).and_then(|r| r.rss))),
        TaskOrder::Adj => rows.sort_by_key(|at| row(at).and_then(|r| r.adj)),
        TaskOrder::Name => rows.sort_by_key(|at| row(at).map(|r| r.comm.clone())),
        TaskOrder::Pid => rows.sort_by_key(|at| row(at).map(|r| r.pid)),
    }
    rows
}

/// The column headers.
pub fn head() -> Line {
    Line::of(
        Tone::Accent,
        format!(
            "  {:>8} {:>7} {:>8} {:>8} {:>6} {:>9}  {}",
            "PID", "UID", "RSS", "SWAP", "ADJ", "BADNESS", "NAME"
        ),
    )
}

/// One row; the dead are marked.
pub fn line(task: &TaskRow, badness: TaskBadness, page_kb: u64, report: &OomReport) -> Line {
    let size = |pages: Option<u64>| {
        pages.map_or_else(
            || "-".to_owned(),
            |pages| format::size(pages.saturating_mul(page_kb * 1024)),
        )
    };
    let died = report.kills.iter().any(|kill| kill.pid == task.process());
    let tone = if died { Tone::Critical } else { Tone::Normal };
    let uid = task
        .uid
        .map_or_else(|| "-".to_owned(), |uid| uid.to_string());
    let adj = task
        .adj
        .map_or_else(|| "-".to_owned(), |adj| adj.to_string());
    let badness = match badness {
        TaskBadness::Points(points) if points < 0 => {
            format!("-{}", size(Some(points.unsigned_abs())))
        }
        TaskBadness::Points(points) => size(Some(points.unsigned_abs())),
        TaskBadness::Never => "never".to_owned(),
        TaskBadness::Unknown => "n/a".to_owned(),
    };
    Line::of(tone, if died { "x " } else { "  " })
        .add(
            tone,
            format!(
                "{:>8} {uid:>7} {:>8} {:>8} {adj:>6} {badness:>9}  {}",
                task.pid,
                size(task.rss),
                size(task.swapents),
                task.comm
            ),
        )
        .add(Tone::Critical, if died { "  killed" } else { "" })
}
