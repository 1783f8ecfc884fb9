//! [`ProcessTable`]: order, filter, selection and scrolling of the process table.
//!
//! The selection is a [`ProcessId`], never a row: rows move every second in a ranked table. A process that
//! ends loses its memory first and sinks to the bottom: the selection does not go there with it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::app::view::processes::columns::{COLUMNS, CellContext, Column, Order, column};
use crate::app::view::processes::filter::Filter;
use crate::app::view::processes::tree;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::badness::{Badness, Immunity, badness};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// One row: which process of the sample, and how deep in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Index into [`Snapshot::processes`].
    pub index: u32,
    /// Depth in the tree; 0 in the flat list.
    pub depth: u16,
}

/// The table's own state.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of the view, each with a key of its own"
)]
pub struct ProcessTable {
    /// Sort column.
    pub sort: &'static Column,
    /// Against the column's natural direction.
    pub inverted: bool,
    /// The filter as typed.
    pub filter_text: String,
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
    /// The selected process.
    pub selected: Option<ProcessId>,
    /// First row on the screen.
    pub offset: usize,
    rows: Vec<Row>,
    /// What the rows are sorted by; kept for its memory.
    keys: Vec<((i64, i64), Pid, u32)>,
    /// Row of the selected process, kept up to date with `rows`.
    cursor: usize,
    /// Row the selected process had while the kernel could still choose it.
    home: usize,
    /// The selected process has had memory since it was selected.
    lived: bool,
}

impl Default for ProcessTable {
    fn default() -> Self {
        Self {
            sort: column("badness").unwrap_or(&COLUMNS[0]),
            inverted: false,
            filter_text: String::new(),
            filter: Filter::default(),
            kernel_threads: false,
            tree: false,
            follow: false,
            zoom: None,
            tagged: BTreeSet::new(),
            selected: None,
            offset: 0,
            rows: Vec::new(),
            keys: Vec::new(),
            cursor: 0,
            home: 0,
            lived: false,
        }
    }
}

impl ProcessTable {
    /// The rows in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Row of the selected process.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Takes a new sample, or a new order or filter of the same one.
    pub fn arrange(&mut self, context: &CellContext<'_>, height: usize) {
        let snapshot = context.snapshot;
        self.forget_ended_tags(snapshot);
        let mut rows = std::mem::take(&mut self.rows);
        self.refill(&mut rows, context);
        self.put_in_order(&mut rows, context);
        if self.tree {
            rows = tree::arrange(&rows, &snapshot.processes);
        }
        self.rows = rows;
        self.place_cursor(snapshot);
        if self.follow {
            self.scroll_to_cursor(height);
        }
        self.clamp_offset(height);
    }

    fn refill(&self, rows: &mut Vec<Row>, context: &CellContext<'_>) {
        rows.clear();
        for (index, process) in context.snapshot.processes.iter().enumerate() {
            if self.shows(process, context) {
                rows.push(Row {
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    depth: 0,
                });
            }
        }
    }

    fn shows(&self, process: &Process, context: &CellContext<'_>) -> bool {
        (self.kernel_threads || !process.kernel_thread)
            && self
                .zoom
                .is_none_or(|scope| is_member(process, scope, context.snapshot))
            && self.filter.matches(process, context)
    }

    /// The column's order in its direction; equals by pid, so that rows do not dance.
    fn put_in_order(&mut self, rows: &mut [Row], context: &CellContext<'_>) {
        let processes = &context.snapshot.processes;
        let get = |row: &Row| processes.get(row.index as usize);
        let descending = self.is_descending();
        match self.sort.order {
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

    /// Takes the numbers once for each row.
    fn sort_by_numbers(
        &mut self,
        rows: &mut [Row],
        context: &CellContext<'_>,
        numbers: impl Fn(&Process, &CellContext<'_>) -> (i64, i64),
    ) {
        let descending = self.is_descending();
        self.keys.clear();
        self.keys.extend(rows.iter().filter_map(|row| {
            let process = context.snapshot.processes.get(row.index as usize)?;
            let (first, second) = numbers(process, context);
            // `!` turns the order round and has no overflow.
            let key = if descending {
                (!first, !second)
            } else {
                (first, second)
            };
            Some((key, process.id.pid, row.index))
        }));
        self.keys.sort_unstable();
        for (row, (_, _, index)) in rows.iter_mut().zip(&self.keys) {
            row.index = *index;
        }
    }

    /// The selection stays on its process; if that is gone or has no memory left, on whoever has the row
    /// now that it had while it lived.
    fn place_cursor(&mut self, snapshot: &Snapshot) {
        let before = self.selected;
        let found = self.selected.and_then(|id| self.row_of(id, snapshot));
        let life = found.and_then(|row| Some(Life::of(self.process_at(row, snapshot)?)));
        let last = self.rows.len().saturating_sub(1);
        self.cursor = match (found, life) {
            (Some(row), Some(life)) if !(self.lived && life == Life::Ended) => {
                self.lived |= life != Life::Ended;
                if life != Life::SkippedByKernel {
                    self.home = row;
                }
                row
            }
            _ => self.home.min(last),
        };
        self.selected = self.process_at(self.cursor, snapshot).map(|p| p.id);
        if self.selected != before {
            self.settle(snapshot);
        }
    }

    /// Takes note of the process that is selected now.
    fn settle(&mut self, snapshot: &Snapshot) {
        self.home = self.cursor;
        let process = self.process_at(self.cursor, snapshot);
        self.lived = process.is_some_and(|process| !has_ended(process));
    }

    /// Selects a process; the next [`Self::arrange`] goes to its row, if it is in the table.
    pub fn choose(&mut self, id: ProcessId) {
        self.selected = Some(id);
        self.lived = false;
    }

    fn row_of(&self, id: ProcessId, snapshot: &Snapshot) -> Option<usize> {
        let is_it = |row: &Row| {
            snapshot
                .processes
                .get(row.index as usize)
                .is_some_and(|p| p.id == id)
        };
        // Most samples leave it where it was.
        if self.rows.get(self.cursor).is_some_and(is_it) {
            return Some(self.cursor);
        }
        self.rows.iter().position(is_it)
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
        snapshot.processes.get(self.rows.get(row)?.index as usize)
    }

    /// The selected process, if it is in the table.
    pub fn selected_process<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Process> {
        self.process_at(self.cursor, snapshot)
            .filter(|p| Some(p.id) == self.selected)
    }

    /// Moves the selection to a row, as far as there is one, and scrolls to it.
    pub fn select_row(&mut self, row: usize, snapshot: &Snapshot, height: usize) {
        self.cursor = row.min(self.rows.len().saturating_sub(1));
        self.selected = self.process_at(self.cursor, snapshot).map(|p| p.id);
        self.settle(snapshot);
        self.scroll_to_cursor(height);
    }

    /// Moves the selection by so many rows.
    pub fn move_by(&mut self, rows: isize, snapshot: &Snapshot, height: usize) {
        self.select_row(self.cursor.saturating_add_signed(rows), snapshot, height);
    }

    /// Scrolls without moving the selection (the wheel).
    pub fn scroll_by(&mut self, rows: isize, height: usize) {
        self.offset = self.offset.saturating_add_signed(rows);
        self.clamp_offset(height);
    }

    /// The next row (from the one after the selection, round and round) whose process passes.
    pub fn find_next(
        &self,
        backwards: bool,
        snapshot: &Snapshot,
        passes: impl Fn(&Process) -> bool,
    ) -> Option<usize> {
        let n = self.rows.len();
        (1..=n)
            .map(|step| {
                if backwards {
                    (self.cursor + n - step) % n
                } else {
                    (self.cursor + step) % n
                }
            })
            .find(|row| self.process_at(*row, snapshot).is_some_and(&passes))
    }

    /// Tags or untags the selected process.
    pub fn toggle_tag(&mut self) {
        if let Some(id) = self.selected
            && !self.tagged.remove(&id)
        {
            self.tagged.insert(id);
        }
    }

    fn scroll_to_cursor(&mut self, height: usize) {
        if self.cursor < self.offset {
            self.offset = self.cursor;
        } else if self.cursor >= self.offset + height {
            self.offset = self.cursor + 1 - height.clamp(1, self.cursor + 1);
        }
    }

    fn clamp_offset(&mut self, height: usize) {
        self.offset = self.offset.min(self.rows.len().saturating_sub(height));
    }

    /// The rows on a screen of this height.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (usize, Row)> {
        self.rows
            .iter()
            .copied()
            .enumerate()
            .skip(self.offset)
            .take(height)
    }

    /// Chooses a sort column; the same again inverts.
    pub fn sort_by(&mut self, column: &'static Column) {
        if std::ptr::eq(self.sort, column) {
            self.inverted = !self.inverted;
        } else {
            self.sort = column;
            self.inverted = false;
        }
    }

    /// The arrow in the sorted column's header points down when the largest is on top.
    pub fn is_descending(&self) -> bool {
        self.sort.largest_first != self.inverted
    }
}

/// How much of a process is left to be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// It is what it was.
    Alive,
    /// The kernel does not choose it now: already reaped, then it ends soon; or between vfork and exec.
    SkippedByKernel,
    /// A zombie, or its memory is gone.
    Ended,
}

impl Life {
    fn of(process: &Process) -> Self {
        match badness(process, 0) {
            Badness::Immune(Immunity::NoMemory) => Self::Ended,
            Badness::Immune(Immunity::SkippedByKernel) => Self::SkippedByKernel,
            _ => Self::Alive,
        }
    }
}

/// True if nothing is left of the process that a key could act on.
pub fn has_ended(process: &Process) -> bool {
    Life::of(process) == Life::Ended
}

/// True if the process competes in the domain.
pub fn is_member(process: &Process, scope: Scope, snapshot: &Snapshot) -> bool {
    match scope {
        Scope::Host => true,
        Scope::Memcg(key) => process
            .cgroup
            .is_some_and(|own| snapshot.ancestry(own).any(|(at, _)| at == key)),
        Scope::Nodes(set) => process.nodes.is_none_or(|own| own.common(set).is_some()),
    }
}
