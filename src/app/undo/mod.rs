//! The writes of this session, and their undo.
//!
//! [`UndoLog`] remembers them, `changes` sums up the receipts of a write, `receipt` takes in a receipt,
//! `take_back` is the key `u`, `words` and `deeds` hold the sentences. [`inverse`] computes what undoes a write.

mod changes;
mod deeds;
mod receipt;
mod take_back;
mod words;

use crate::app::msg::WriteId;
use crate::model::plan::inverse;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::ProcessId;

pub(super) use receipt::written;
pub(super) use take_back::{ask, take_back};

/// Most writes that can be taken back; the oldest are forgotten first.
const KEPT: usize = 1000;

/// Most steps of all of them together. One write to a tagged set has as many steps as the set has processes. The newest
/// write stays, however many it has.
const STEPS: usize = 16_384;

/// A write that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    id: WriteId,
    plans: Vec<PlanReceipt>,
    /// Short names of the processes in it: they may have ended by now.
    names: Vec<(ProcessId, String)>,
}

impl Written {
    fn steps(&self) -> usize {
        self.plans.iter().map(|plan| plan.steps.len().max(1)).sum()
    }
}

/// All writes of this session that can be undone, newest last.
#[derive(Debug, Clone, Default)]
pub struct UndoLog {
    issued: WriteId,
    writes: Vec<Written>,
    /// What somebody changed since the newest write: the last undo found it and wrote nothing. The next undo does
    /// it anyway.
    changed: Option<String>,
    undoing: Option<Undoing>,
}

/// An undo in progress: a second `u` must not undo the same write again, nor count as the undo of the write
/// before it.
#[derive(Debug, Clone, Copy)]
struct Undoing {
    /// The write that undoes.
    by: WriteId,
    /// The write that is undone.
    of: WriteId,
}

impl UndoLog {
    /// The id of the next write or undo.
    pub(super) fn next_id(&mut self) -> WriteId {
        self.issued.0 += 1;
        self.issued
    }

    /// Remembers a write, if it can be undone.
    fn push(&mut self, written: Written) {
        if !inverse::of_write(&written.plans).is_empty() {
            // Nobody goes back so far.
            if self.writes.len() == KEPT {
                self.writes.remove(0);
            }
            self.writes.push(written);
            let mut steps: usize = self.writes.iter().map(Written::steps).sum();
            while steps > STEPS && self.writes.len() > 1 {
                steps -= self.writes.remove(0).steps();
            }
            self.changed = None;
        }
    }

    /// The write that `u` would undo.
    pub fn last(&self) -> Option<&Written> {
        self.writes.last()
    }

    /// True if this write is the undo in progress.
    fn is_undo(&self, id: WriteId) -> bool {
        self.undoing.is_some_and(|undoing| undoing.by == id)
    }

    /// The undo found something changed and did nothing: the next `u` undoes the same write all the same.
    fn ask(&mut self, what: String) {
        self.undoing = None;
        self.changed = Some(what);
    }

    /// Ends the undo. `over`: the undo succeeded or never can, so the write leaves the log. Otherwise `u`
    /// tries again.
    fn end(&mut self, over: bool) {
        let undoing = self.undoing.take();
        self.changed = None;
        if let Some(Undoing { of, .. }) = undoing.filter(|_| over) {
            self.writes.retain(|written| written.id != of);
        }
    }

    /// True if this session has asked for a write.
    fn has_written(&self) -> bool {
        self.issued.0 > 0
    }

    /// How many writes can be undone.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// True if no write can be undone.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
