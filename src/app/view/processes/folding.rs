//! [`Folding`]: columns that have nothing to say fold away, and come back when they do.

use super::row::Row;
use crate::app::view::processes::columns::{COLUMNS, CellContext, Column};

/// A column folds after so many samples without a word: one that speaks now and then must not flicker.
pub(super) const PATIENCE: u64 = 30;

/// Which columns had something to say, and when.
///
/// Bound: one number for each column.
#[derive(Debug, Default)]
pub(super) struct Folding {
    /// For each column the last sample in which it had; 0 if it never had.
    spoke: Vec<u64>,
    /// The newest sample.
    now: u64,
}

impl Folding {
    /// Looks at the rows of a sample.
    pub(super) fn learn(&mut self, rows: &[Row], context: &CellContext<'_>) {
        self.now = context.snapshot.seq;
        self.spoke.resize(COLUMNS.len(), 0);
        for (column, spoke) in COLUMNS.iter().zip(&mut self.spoke) {
            let Some(says) = column.cell.says else {
                continue;
            };
            let mut processes = rows.iter().filter_map(|row| row.process(context.snapshot));
            if processes.any(|process| says(process, context)) {
                *spoke = self.now;
            }
        }
    }

    /// True if the column has had nothing to say for some time.
    pub(super) fn is_folded(&self, column: &Column) -> bool {
        let at = COLUMNS.iter().position(|c| std::ptr::eq(c, column));
        let spoke = at.and_then(|at| self.spoke.get(at)).copied().unwrap_or(0);
        column.cell.says.is_some() && (spoke == 0 || self.now.saturating_sub(spoke) > PATIENCE)
    }
}
