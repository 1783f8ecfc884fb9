//! Columns of the process table: what they read and how they sort. [`COLUMNS`] is the list: adding a column
//! is adding a row there.

mod badness;
pub mod bar;
pub mod chosen;
pub mod command;
mod identity;
mod list;
mod memory;
mod time;

use std::cmp::Ordering;

use crate::app::view::columns;
use crate::app::view::processes::marks::Marks;
use crate::model::filter::FilterContext;
use crate::model::kernel::KernelRules;
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use command::Commands;

pub use crate::app::view::columns::{Align, Cell, Width};
pub use list::COLUMNS;

/// What a cell may read besides its process.
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
    /// Clock ticks per second of start times.
    pub ticks: u64,
    /// How much of command lines is shown.
    pub commands: Commands,
}

impl<'a> CellContext<'a> {
    /// What a filter may read.
    pub fn filtering(&self) -> FilterContext<'a> {
        FilterContext {
            snapshot: self.snapshot,
            rules: self.rules,
            total: self.total,
        }
    }
}

/// How a column sorts. A number is computed once for each row, not for each comparison.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Ascending by this number.
    Number(fn(&Process, &CellContext<'_>) -> i64),
    /// Ascending by the first number, equals by the second.
    Ranked(fn(&Process, &CellContext<'_>) -> (i64, i64)),
    /// By comparison.
    Text(fn(&Process, &Process, &CellContext<'_>) -> Ordering),
}

/// How processes are sorted by a column.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// Sorting starts with the largest.
    pub largest_first: bool,
    /// Ascending order; unknown values are smallest.
    pub order: Order,
    /// A process that dies loses what it is sorted by, before it is gone.
    pub lost_at_death: bool,
}

impl Sort {
    const fn lost_at_death(self) -> Self {
        Self {
            lost_at_death: true,
            ..self
        }
    }

    const fn largest_first(order: Order) -> Self {
        Self {
            largest_first: true,
            order,
            lost_at_death: false,
        }
    }

    const fn smallest_first(order: Order) -> Self {
        Self {
            largest_first: false,
            order,
            lost_at_death: false,
        }
    }

    /// Ascending order of two processes.
    pub fn compare(&self, a: &Process, b: &Process, context: &CellContext<'_>) -> Ordering {
        match self.order {
            Order::Number(number) => number(a, context).cmp(&number(b, context)),
            Order::Ranked(numbers) => numbers(a, context).cmp(&numbers(b, context)),
            Order::Text(compare) => compare(a, b, context),
        }
    }
}

/// A value as a program wants it: base units, nothing cut.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// Not known, or there is none.
    Nothing,
    /// Bytes, pids, counts.
    Whole(i64),
    /// Shares, rates and seconds.
    Real(f64),
    /// Names.
    Text(String),
}

impl Raw {
    fn whole(value: Option<impl TryInto<i64>>) -> Self {
        value
            .and_then(|value| value.try_into().ok())
            .map_or(Self::Nothing, Self::Whole)
    }
}

/// Makes the cell of a process.
type CellOf = fn(&Process, &CellContext<'_>) -> Cell;

/// Makes the value of a process.
type RawOf = fn(&Process, &CellContext<'_>) -> Raw;

/// True if the column tells something about this process.
type Says = fn(&Process, &CellContext<'_>) -> bool;

/// What a column shows of a process.
#[derive(Debug, Clone, Copy)]
pub struct Shows {
    /// Text and tone.
    pub cell: CellOf,
    /// The value for a program; `None` for a column that only draws.
    pub raw: Option<RawOf>,
    /// If it may have nothing to tell about a whole table: then the column folds away.
    pub says: Option<Says>,
    /// It is shown without being asked for.
    pub by_default: bool,
}

impl Shows {
    const fn new(cell: CellOf, raw: RawOf) -> Self {
        Self {
            cell,
            raw: Some(raw),
            says: None,
            by_default: true,
        }
    }

    const fn drawn(cell: CellOf) -> Self {
        Self {
            cell,
            raw: None,
            says: None,
            by_default: true,
        }
    }

    /// Folds away while this is true of no process.
    const fn folds_unless(self, says: Says) -> Self {
        Self {
            says: Some(says),
            ..self
        }
    }

    /// Is shown if asked for.
    const fn on_demand(self) -> Self {
        Self {
            by_default: false,
            ..self
        }
    }
}

/// A column of the process table.
pub type Column = columns::Column<Shows, Sort>;

impl Column {
    /// True if its cells read processor time.
    pub fn reads_cpu(&self) -> bool {
        matches!(self.id, "cpu" | "time")
    }
}

/// A column of the process table on the screen.
pub type PlacedColumn = columns::Placed<Shows, Sort>;

/// The column of this id.
pub fn column(id: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|c| c.id == id)
}

/// Unknown values sort as the smallest.
fn or_least(value: Option<impl Into<i64>>) -> i64 {
    value.map_or(i64::MIN, Into::into)
}

/// A whole number that sorts as the value does (from `f32::total_cmp`).
fn ascending(value: f32) -> i64 {
    let bits = value.to_bits().cast_signed();
    i64::from(if bits < 0 { bits ^ i32::MAX } else { bits })
}

#[cfg(test)]
mod tests {
    use super::COLUMNS;
    use crate::app::view::columns::fit;

    #[test]
    fn what_matters_most_stays_when_it_gets_narrow() {
        let ids = |w| {
            fit(COLUMNS, w, &|_| None)
                .iter()
                .map(|p| p.column.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(44), ["mark", "pid", "name", "badness", "command"]);
        // Nobody says how much room the names want: they take all they may.
        for kept in ["bar", "rss", "growth"] {
            assert!(ids(100).contains(&kept), "{kept}: {:?}", ids(100));
        }
        for width in 72..300 {
            let used: u16 = fit(COLUMNS, width, &|_| None)
                .iter()
                .map(|p| p.width + 1)
                .sum::<u16>()
                - 1;
            assert_eq!(used, width, "the table fills {width}");
        }
        assert!(!fit(COLUMNS, 0, &|_| None).is_empty());
    }
}
