//! [`ProcessTable`]: which processes are rows of the table, and in which order.
//!
//! The [`List`] keeps the selection on its process. A process that ends is skipped by the kernel or loses its memory
//! first, and so would sink to the bottom of a ranked table: the selected one keeps its place until it is gone. In an
//! order by what it does not lose, such as its number, it stands where the order has it.

mod life;
mod shown;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::app::view::list::{Hold, List};
use crate::app::view::processes::columns::chosen::ChosenColumns;
use crate::app::view::processes::columns::{COLUMNS, CellContext, Column, Order, column};
use crate::app::view::processes::folding::Folding;
use crate::app::view::processes::row::Row;
use crate::app::view::processes::tree;
use crate::app::view::processes::wanted::{Held, Wanted};
use crate::model::filter::Filter;
use crate::model::oom_domain::enclosing::is_member;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

use life::Life;
pub use life::has_ended;

/// The table's own state.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of the view, each with a key of its own"
)]
pub struct ProcessTable {
    /// Sort column.
    pub sort: &'static Column,
    /// Sorted against the column's natural direction.
    pub inverted: bool,
    /// The filter in force.
    pub filter: Filter,
    /// Kernel threads are shown.
    pub kernel_threads: bool,
    /// Children below their parents.
    pub tree: bool,
    /// Scroll so that the selected process stays on the screen.
    pub follow: bool,
    /// Only the processes of this domain, ranked by it.
    pub zoom: Option<Scope>,
    /// Tagged processes.
    pub tagged: BTreeSet<ProcessId>,
    /// Processes whose children the tree hides.
    collapsed: BTreeSet<ProcessId>,
    /// A process that must be seen in the tree.
    wanted_row: Option<ProcessId>,
    /// Columns that somebody asked for.
    pub chosen: ChosenColumns,
    /// Command lines are shown as they are, with directories.
    pub whole_commands: bool,
    /// Cells that command lines are scrolled by.
    scrolled: u16,
    /// Columns that have nothing to say.
    folding: Folding,
    /// Cells that the longest command and the longest group of the rows fill.
    wanted: Held,
    list: List<Row>,
    /// Sort keys of the rows; a field only to reuse its allocation.
    keys: Vec<((i64, i64), Row)>,
    /// The selected process had memory at some time since it was selected.
    lived: bool,
    /// What the rows were last arranged by.
    arrangement: Option<Arrangement>,
}

/// What rows are arranged by: after a change, a place in the old order means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrangement {
    sort: &'static str,
    inverted: bool,
    filter: Filter,
    kernel_threads: bool,
    tree: bool,
    zoom: Option<Scope>,
}

impl Default for ProcessTable {
    fn default() -> Self {
        Self {
            sort: column("badness").unwrap_or(&COLUMNS[0]),
            inverted: false,
            filter: Filter::default(),
            kernel_threads: false,
            tree: false,
            follow: false,
            zoom: None,
            tagged: BTreeSet::new(),
            collapsed: BTreeSet::new(),
            wanted_row: None,
            chosen: ChosenColumns::default(),
            whole_commands: false,
            scrolled: 0,
            folding: Folding::default(),
            wanted: Held::default(),
            list: List::default(),
            keys: Vec::new(),
            lived: false,
            arrangement: None,
        }
    }
}

impl ProcessTable {
    /// The rows, the selection and what is on the screen.
    pub fn list(&self) -> &List<Row> {
        &self.list
    }

    /// The rows in order.
    pub fn rows(&self) -> &[Row] {
        self.list.rows()
    }

    /// True while the selection is whichever row is first.
    pub fn is_on_top(&self) -> bool {
        self.list.is_on_top()
    }

    /// Row of the selected process.
    pub fn cursor(&self) -> usize {
        self.list.cursor()
    }

    /// The selected process.
    pub fn selected(&self) -> Option<ProcessId> {
        self.list.selected()
    }

    /// Sets how many rows the screen has room for.
    pub fn set_height(&mut self, rows: usize) {
        self.list.set_height(rows);
    }

    /// Takes a new sample, or a new order or filter of the same one.
    pub fn arrange(&mut self, context: &CellContext<'_>) {
        let snapshot = context.snapshot;
        self.forget_ended_tags(snapshot);
        let mut rows = self.shown_rows(context);
        self.put_in_order(&mut rows, context);
        if self.tree {
            self.reveal(snapshot);
            rows = tree::arrange(&rows, &snapshot.processes);
            rows = tree::collapse(rows, &self.collapsed);
        }
        self.wanted.learn(Wanted::by(&rows, context), snapshot.seq);
        self.folding.learn(&rows, context);
        self.list.keep_in_view(self.follow);
        // A tag or the key to follow says that it is about this process, not about the first.
        let held = self
            .list
            .selected()
            .is_some_and(|id| self.tagged.contains(&id));
        self.list.stay_on_top(!self.follow && !held);
        let widened = self.is_widened();
        if widened {
            self.list.widen();
        }
        self.take_rows(rows, snapshot);
        if widened && self.list.cursor() == 0 {
            self.list.select(0);
        }
    }

    /// A filter or a zoom has been dropped since the last rows.
    fn is_widened(&self) -> bool {
        self.arrangement.as_ref().is_some_and(|before| {
            let filter = !before.filter.is_empty() && self.filter.is_empty();
            filter || (before.zoom.is_some() && self.zoom.is_none())
        })
    }

    fn shown_rows(&self, context: &CellContext<'_>) -> Vec<Row> {
        let processes = context.snapshot.processes.iter().enumerate();
        processes
            .filter(|(_, process)| self.shows(process, context))
            .map(|(index, process)| Row::new(index, process))
            .collect()
    }

    fn shows(&self, process: &Process, context: &CellContext<'_>) -> bool {
        (self.kernel_threads || !process.kernel_thread)
            && self
                .zoom
                .is_none_or(|scope| is_member(process, scope, context.snapshot))
            && self.filter.matches(process, &context.filtering())
    }

    /// Sorts by the column; equal rows by pid, so that they do not change places.
    fn put_in_order(&mut self, rows: &mut [Row], context: &CellContext<'_>) {
        let get = |row: &Row| row.process(context.snapshot);
        let descending = self.is_descending();
        match self.sort.sort.order {
            Order::Number(number) => self.sort_by_numbers(rows, context, |p, c| (number(p, c), 0)),
            Order::Ranked(numbers) => self.sort_by_numbers(rows, context, numbers),
            Order::Text(compare) => rows.sort_unstable_by(|a, b| match (get(a), get(b)) {
                (Some(a), Some(b)) => {
                    let order = compare(a, b, context);
                    let order = if descending { order.reverse() } else { order };
                    order.then(a.id.cmp(&b.id))
                }
                _ => Ordering::Equal,
            }),
        }
    }

    /// Sorts by numbers, computed once per row.
    fn sort_by_numbers(
        &mut self,
        rows: &mut [Row],
        context: &CellContext<'_>,
        numbers: impl Fn(&Process, &CellContext<'_>) -> (i64, i64),
    ) {
        let descending = self.is_descending();
        self.keys.clear();
        self.keys.extend(rows.iter().filter_map(|row| {
            let process = row.process(context.snapshot)?;
            let (first, second) = numbers(process, context);
            // `!` reverses the order and cannot overflow.
            let key = if descending {
                (!first, !second)
            } else {
                (first, second)
            };
            Some((key, *row))
        }));
        self.keys
            .sort_unstable_by_key(|(key, row)| (*key, row.id.pid, row.index));
        for (row, (_, sorted)) in rows.iter_mut().zip(&self.keys) {
            *row = *sorted;
        }
    }

    /// Keeps the selection on its process. If that process is gone or has lost its memory, selects the
    /// process that is now in its old place.
    fn take_rows(&mut self, rows: Vec<Row>, snapshot: &Snapshot) {
        let (before, lived) = (self.list.selected(), self.lived);
        let mut alive = false;
        let in_tree = self.tree;
        let arrangement = Some(self.arrangement());
        let sinks = self.sort.sort.lost_at_death && self.arrangement == arrangement;
        self.arrangement = arrangement;
        self.list.set_rows(rows, |row| {
            let life = row
                .process(snapshot)
                .map_or(Life::Ended, Life::from_process);
            alive = life != Life::Ended;
            match life {
                Life::Ended if lived => Hold::Lost,
                // The user chose a zombie.
                Life::Ended | Life::Alive => Hold::Firm,
                Life::SkippedByKernel if !sinks => Hold::Firm,
                Life::SkippedByKernel if in_tree => Hold::Sinking,
                Life::SkippedByKernel => Hold::Staying,
            }
        });
        self.lived |= alive;
        if self.list.selected() != before {
            self.note_whether_it_lives(snapshot);
        }
    }

    fn arrangement(&self) -> Arrangement {
        Arrangement {
            sort: self.sort.id,
            inverted: self.inverted,
            filter: self.filter.clone(),
            kernel_threads: self.kernel_threads,
            tree: self.tree,
            zoom: self.zoom,
        }
    }

    /// Records whether the selected process still has memory.
    fn note_whether_it_lives(&mut self, snapshot: &Snapshot) {
        let process = self.selected_process(snapshot);
        self.lived = process.is_some_and(|process| !has_ended(process));
    }

    /// Selects a process; the next [`Self::arrange`] goes to its row, if it is in the table.
    pub fn choose(&mut self, id: ProcessId) {
        self.list.choose(id);
        self.lived = false;
        self.wanted_row = Some(id);
    }

    fn forget_ended_tags(&mut self, snapshot: &Snapshot) {
        if !self.tagged.is_empty() {
            let alive: BTreeSet<_> = snapshot
                .processes
                .iter()
                .map(|p| p.id)
                .filter(|id| self.tagged.contains(id))
                .collect();
            self.tagged = alive;
        }
    }

    /// The process in a row.
    pub fn process_at<'a>(&self, row: usize, snapshot: &'a Snapshot) -> Option<&'a Process> {
        self.rows().get(row)?.process(snapshot)
    }

    /// The selected process, if it is in the table.
    pub fn selected_process<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Process> {
        self.list.selected_row()?.process(snapshot)
    }

    /// Selects a row, or the last one, and scrolls to it.
    pub fn select_row(&mut self, row: usize, snapshot: &Snapshot) {
        self.list.select(row);
        self.note_whether_it_lives(snapshot);
    }

    /// Moves the selection by so many rows.
    pub fn move_by(&mut self, rows: isize, snapshot: &Snapshot) {
        self.list.move_by(rows);
        self.note_whether_it_lives(snapshot);
    }

    /// Selects what is in this line of the screen, if there is a row.
    pub fn click(&mut self, line: usize, snapshot: &Snapshot) -> bool {
        let hit = self.list.click(line);
        if hit {
            self.note_whether_it_lives(snapshot);
        }
        hit
    }

    /// Scrolls without moving the selection (the wheel).
    pub fn scroll_by(&mut self, rows: isize) {
        self.list.scroll_by(rows);
    }

    /// The next row after the selection whose process passes; wraps around at the end.
    pub fn find_next(
        &self,
        backwards: bool,
        snapshot: &Snapshot,
        passes: impl Fn(&Process) -> bool,
    ) -> Option<usize> {
        let (n, cursor) = (self.list.len(), self.list.cursor());
        (1..=n)
            .map(|step| {
                if backwards {
                    (cursor + n - step) % n
                } else {
                    (cursor + step) % n
                }
            })
            .find(|row| self.process_at(*row, snapshot).is_some_and(&passes))
    }

    /// Tags or untags the selected process.
    pub fn toggle_tag(&mut self) {
        if let Some(id) = self.list.selected()
            && !self.tagged.remove(&id)
        {
            self.tagged.insert(id);
        }
    }

    /// Chooses a sort column; choosing the same again reverses the order.
    pub fn sort_by(&mut self, column: &'static Column) {
        if std::ptr::eq(self.sort, column) {
            self.inverted = !self.inverted;
        } else {
            self.sort = column;
            self.inverted = false;
        }
    }

    /// True if the largest is on top.
    pub fn is_descending(&self) -> bool {
        self.sort.sort.largest_first != self.inverted
    }
}
