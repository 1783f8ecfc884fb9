//! [`Row`]: one line of the process table.

use crate::app::view::list::ListRow;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// One row: a process of the sample, and its depth in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The process.
    pub id: ProcessId,
    /// Its index into [`Snapshot::processes`].
    pub index: u32,
    /// Depth in the tree; 0 in the flat list.
    pub depth: u16,
    /// Bit d: its ancestor at depth d, or itself, has siblings below. Levels from 32 on have no bit.
    pub siblings_below: u32,
    /// How many rows are below it in the tree, those that are hidden too.
    pub below: u32,
    /// They are hidden.
    pub collapsed: bool,
}

impl Row {
    /// A row of the flat list.
    pub fn new(index: usize, process: &Process) -> Self {
        Self {
            id: process.id,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            depth: 0,
            siblings_below: 0,
            below: 0,
            collapsed: false,
        }
    }

    /// The process of the row; `None` if the row is from another sample and the index no longer fits.
    pub fn process<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Process> {
        let process = snapshot.processes.get(self.index as usize);
        process.filter(|process| process.id == self.id)
    }
}

impl ListRow for Row {
    type Id = ProcessId;

    fn id(&self) -> ProcessId {
        self.id
    }
}
