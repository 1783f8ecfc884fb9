//! Columns of the process table: what they read and how they sort. [`COLUMNS`] is the list: adding a column
//! is adding a row there.

pub mod command;
mod list;

use std::cmp::Ordering;

use crate::app::view::columns;
use crate::app::view::processes::marks::Marks;
use crate::model::filter::FilterContext;
use crate::model::kernel::KernelRules;
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;

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
}

impl Sort {
    const fn largest_first(order: Order) -> Self {
        Self {
            largest_first: true,
            order,
        }
    }

    const fn smallest_first(order: Order) -> Self {
        Self {
            largest_first: false,
            order,
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

/// A column of the process table.
pub type Column = columns::Column<CellOf, Sort>;

/// A column of the process table on the screen.
pub type PlacedColumn = columns::Placed<CellOf, Sort>;

/// Makes the cell of a process.
type CellOf = fn(&Process, &CellContext<'_>) -> Cell;

/// The column of this id.
pub fn column(id: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|c| c.id == id)
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
        assert_eq!(ids(36), ["mark", "pid", "badness", "command"]);
        assert!(ids(80).contains(&"score") && ids(80).contains(&"protection"));
        assert_eq!(ids(200).len(), COLUMNS.len());
        for width in 36..300 {
            let used: u16 = fit(COLUMNS, width, &|_| None)
                .iter()
                .map(|p| p.width + 1)
                .sum::<u16>()
                - 1;
            assert_eq!(used, width, "the table fills its width");
        }
        assert!(!fit(COLUMNS, 0, &|_| None).is_empty());
    }
}
