//! Columns of the process table: what a column is, and which ones fit. [`COLUMNS`] is the list: adding a
//! column is adding a row there.

mod list;

use std::cmp::Ordering;

use crate::app::view::processes::marks::Marks;
use crate::model::cgroup::container;
use crate::model::filter::FilterContext;
use crate::model::kernel::KernelRules;
use crate::model::process::Process;
use crate::model::snapshot::Snapshot;
use crate::text::tone::Tone;

pub use list::COLUMNS;

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

impl<'a> CellContext<'a> {
    /// What a filter looks at.
    pub fn filtering(&self) -> FilterContext<'a> {
        FilterContext {
            snapshot: self.snapshot,
            rules: self.rules,
            total: self.total,
        }
    }
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

/// What a column is sorted by. A number is taken once for each row and not for each comparison.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Ascending by this number.
    Number(fn(&Process, &CellContext<'_>) -> i64),
    /// Ascending by the first number, equals by the second.
    Ranked(fn(&Process, &CellContext<'_>) -> (i64, i64)),
    /// By comparing.
    Text(fn(&Process, &Process, &CellContext<'_>) -> Ordering),
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
    pub order: Order,
    /// Text and tone.
    pub cell: fn(&Process, &CellContext<'_>) -> Cell,
}

impl Column {
    /// Ascending order of two processes.
    pub fn compare(&self, a: &Process, b: &Process, context: &CellContext<'_>) -> Ordering {
        match self.order {
            Order::Number(number) => number(a, context).cmp(&number(b, context)),
            Order::Ranked(numbers) => numbers(a, context).cmp(&numbers(b, context)),
            Order::Text(compare) => compare(a, b, context),
        }
    }
}

/// What a group is called: what its path tells (container, pod, unit: [`container::label`]), otherwise the
/// end of the path with one level above it.
pub fn short_group(path: &str) -> String {
    if let Some(label) = container::label(path) {
        return label;
    }
    let mut parts = path.rsplit('/').filter(|p| !p.is_empty());
    let Some(last) = parts.next() else {
        return "/".to_owned();
    };
    match parts.next() {
        Some(above) => format!("{above}/{}", short_id(last)),
        None => short_id(last).to_owned(),
    }
}

/// A container's id as its tools shorten it: twelve of its many hex digits.
pub fn short_id(name: &str) -> &str {
    let is_id = name.len() >= 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id {
        name.get(..12).unwrap_or(name)
    } else {
        name
    }
}

/// The column of this id.
pub fn column(id: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|c| c.id == id)
}

/// The columns that fit into `width` cells, with the cells each takes.
pub fn fit(width: u16) -> Vec<(&'static Column, u16)> {
    fitted(COLUMNS, width, |c| (c.width, c.rank), |c| c.id == "command")
}

/// The columns of a list that fit into `width` cells, with the cells each takes.
///
/// The least important are dropped first, by the rank that `of` tells; what is left over goes to the
/// flexible ones: two thirds to the `main` one, a third to the other.
pub fn fitted<C>(
    columns: &'static [C],
    width: u16,
    of: impl Fn(&C) -> (Width, u8),
    main: impl Fn(&C) -> bool,
) -> Vec<(&'static C, u16)> {
    let least = |c: &C| match of(c).0 {
        Width::Fixed(w) | Width::AtLeast(w) => w,
    };
    let needed = |max_rank: u8| -> u16 {
        columns
            .iter()
            .filter(|c| of(c).1 <= max_rank)
            .map(|c| least(c) + 1)
            .sum::<u16>()
            .saturating_sub(1)
    };
    let highest = columns.iter().map(|c| of(c).1).max().unwrap_or(0);
    let rank = (0..=highest)
        .rev()
        .find(|r| needed(*r) <= width)
        .unwrap_or(0);
    let mut fitted: Vec<_> = columns
        .iter()
        .filter(|c| of(c).1 <= rank)
        .map(|c| (c, least(c)))
        .collect();
    let spare = width.saturating_sub(needed(rank));
    let is_flexible = |c: &C| matches!(of(c).0, Width::AtLeast(_));
    let flexible = fitted.iter().filter(|(c, _)| is_flexible(c)).count();
    for (column, width) in &mut fitted {
        if is_flexible(column) {
            *width += if main(column) && flexible > 1 {
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
        assert_eq!(ids(36), ["mark", "pid", "badness", "command"]);
        assert!(ids(80).contains(&"score") && ids(80).contains(&"protection"));
        assert_eq!(ids(200).len(), COLUMNS.len());
        for width in 36..300 {
            let used: u16 = fit(width).iter().map(|(_, w)| w + 1).sum::<u16>() - 1;
            assert_eq!(used, width, "the table fills its width");
        }
        assert!(!fit(0).is_empty());
    }

    #[test]
    fn groups_are_named_by_their_end() {
        assert_eq!(short_group("/system.slice/mysql.service"), "mysql.service");
        assert_eq!(
            short_group(&format!("/docker/{}", "0123456789abcdef".repeat(4))),
            "docker 0123456789ab"
        );
        assert_eq!(short_group("/"), "/");
    }
}
