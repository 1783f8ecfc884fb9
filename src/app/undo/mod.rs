//! The writes of this session and how they are taken back.
//!
//! [`UndoLog`] remembers them, `changes` sums up what the receipts of a write say, `receipt` takes a receipt
//! in, `take_back` is the key `u`, `words` are the sentences. What undoes a write is computed by
//! [`inverse`].

mod changes;
mod receipt;
mod take_back;
mod words;

use crate::app::msg::WriteId;
use crate::model::plan::inverse;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::ProcessId;

pub(super) use receipt::written;
pub(super) use take_back::take_back;

/// A write that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    id: WriteId,
    plans: Vec<PlanReceipt>,
    /// Short names of the processes in it: they may have ended by now.
    names: Vec<(ProcessId, String)>,
}

/// All writes of this session that still stand, newest last.
#[derive(Debug, Clone, Default)]
pub struct UndoLog {
    issued: WriteId,
    writes: Vec<Written>,
    /// The newest write was asked to be taken back although something had changed since: the next `u` insists.
    insist: bool,
    undoing: Option<Undoing>,
}

/// An undo that is being carried out: a second `u` must not take the same write back again, nor count as the
/// undo of the write before it.
#[derive(Debug, Clone, Copy)]
struct Undoing {
    /// The write that takes back,
    by: WriteId,
    /// and the one that is taken back.
    of: WriteId,
}

impl UndoLog {
    /// The id of the next write, an undo or not.
    pub(super) fn next_id(&mut self) -> WriteId {
        self.issued.0 += 1;
        self.issued
    }

    /// Remembers a write, if it can be taken back.
    fn push(&mut self, written: Written) {
        if !inverse::of_write(&written.plans).is_empty() {
            self.writes.push(written);
            self.insist = false;
        }
    }

    /// The write that `u` would take back.
    pub fn last(&self) -> Option<&Written> {
        self.writes.last()
    }

    /// This write is the undo that is being carried out.
    fn is_undo(&self, id: WriteId) -> bool {
        self.undoing.is_some_and(|undoing| undoing.by == id)
    }

    /// The undo is done. If it is `over`, it succeeded or never can: what it took back leaves the log. Otherwise
    /// `u` tries again.
    fn end(&mut self, over: bool) {
        let undoing = self.undoing.take();
        self.insist = false;
        if let Some(Undoing { of, .. }) = undoing.filter(|_| over) {
            self.writes.retain(|written| written.id != of);
        }
    }

    /// How many writes stand.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// True if nothing stands.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
