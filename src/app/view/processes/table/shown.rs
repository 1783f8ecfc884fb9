//! Which columns the table shows, how much of command lines, and which parts of the tree.

use std::collections::BTreeMap;

use super::ProcessTable;
use crate::app::view::columns::{Asked, fit_asked, lend};
use crate::app::view::processes::columns::command::Commands;
use crate::app::view::processes::columns::{COLUMNS, Column, PlacedColumn};
use crate::model::snapshot::Snapshot;

/// Cells that the lines of the tree leave to command lines.
const COMMAND: u16 = 12;
/// And to their heading.
const HEAD: u16 = 7;

impl ProcessTable {
    /// The columns of a pane that is so wide: those that were chosen, the first ones longest; otherwise those that have
    /// something to say, by their ranks. The sort column always.
    pub fn columns(&self, width: u16) -> Vec<PlacedColumn> {
        let sorted = |column: &Column| std::ptr::eq(column, self.sort);
        let mut asked: Vec<_> = if self.chosen.is_empty() {
            let shown = COLUMNS.iter().filter(|column| {
                sorted(column) || (column.cell.by_default && !self.folding.is_folded(column))
            });
            shown.map(Asked::plain).collect()
        } else {
            let chosen = self.chosen.choices().zip(1..);
            chosen
                .map(|((column, width), rank)| Asked {
                    column,
                    rank,
                    width,
                    named: true,
                })
                .collect()
        };
        for asked in &mut asked {
            if sorted(asked.column) {
                asked.rank = 0;
            }
        }
        let wanted = self.wanted.shown();
        let mut columns = fit_asked(&asked, width, &|id| wanted.of(id));
        // The lines of the tree stand before the names: columns must not come and go with them.
        let keeps = wanted
            .of("command")
            .map_or(COMMAND, |own| own.clamp(HEAD, COMMAND));
        lend(&mut columns, "command", "name", wanted.branches(), keeps);
        columns
    }

    /// How much of command lines is shown.
    pub fn commands(&self) -> Commands {
        if self.whole_commands {
            Commands::Whole
        } else {
            self.chosen.commands()
        }
    }

    /// Cells that command lines are scrolled by.
    pub fn scrolled(&self) -> u16 {
        self.scrolled
    }

    /// Scrolls command lines by so many cells, as far as the longest reaches.
    pub fn scroll_commands(&mut self, cells: i16) {
        let most = self.wanted.shown().longest().saturating_sub(1);
        self.scrolled = self.scrolled.saturating_add_signed(cells).min(most);
    }

    /// True if the processor time of processes is shown in so many cells, or decides which are.
    pub fn shows_cpu(&self, width: u16) -> bool {
        let columns = self.columns(width);
        columns.iter().any(|placed| placed.column.reads_cpu())
            || self.sort.reads_cpu()
            || self.filter.needs_cpu()
    }

    /// Hides what is below the selected process in the tree, or shows it; `None` toggles. False if nothing is
    /// below it.
    pub fn collapse(&mut self, hide: Option<bool>) -> bool {
        let row = self.list.selected_row().filter(|row| row.below > 0);
        let Some(row) = row.copied() else {
            return false;
        };
        if hide.unwrap_or(!row.collapsed) {
            self.collapsed.insert(row.id)
        } else {
            self.collapsed.remove(&row.id)
        };
        true
    }

    /// Shows what hides the process that was chosen, and forgets the processes that have ended.
    pub(super) fn reveal(&mut self, snapshot: &Snapshot) {
        if self.collapsed.is_empty() {
            self.wanted_row = None;
            return;
        }
        let processes: BTreeMap<_, _> = snapshot.processes.iter().map(|p| (p.id.pid, p)).collect();
        self.collapsed
            .retain(|id| processes.get(&id.pid).is_some_and(|p| p.id == *id));
        let mut above = self.wanted_row.take().map(|id| id.pid);
        for _ in 0..snapshot.processes.len() {
            let Some(process) = above.and_then(|pid| processes.get(&pid)) else {
                return;
            };
            let parent = processes.get(&process.ppid);
            if let Some(parent) = parent {
                self.collapsed.remove(&parent.id);
            }
            above = parent.map(|parent| parent.id.pid);
        }
    }
}
