//! The writes of this session, and their undo.
//!
//! [`UndoLog`] remembers those that can be taken back, [`History`] all of them, `changes` sums up the receipts of a write, `receipt` takes in a receipt,
//! `take_back` asks and undoes, `words`, `deeds`, `later` and `rules` hold the sentences. [`inverse`] computes what undoes a write.

mod changes;
mod deeds;
mod history;
mod later;
mod receipt;
mod remains;
mod rules;
mod take_back;
mod words;

use crate::app::msg::WriteId;
use crate::model::plan::inverse;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::process::ProcessId;

pub use history::{History, Past};
pub(super) use receipt::written;
pub(super) use take_back::{ask, ask_about, take_back};

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
        self.plans.iter().map(PlanReceipt::size).sum()
    }
}

/// All writes of this session that can be undone, newest last.
#[derive(Debug, Clone, Default)]
pub struct UndoLog {
    issued: WriteId,
    writes: Vec<Written>,
    /// What somebody changed since this write: its last undo found it and wrote nothing. The next undo of it does it
    /// anyway.
    changed: Option<(WriteId, String)>,
    undoing: Option<Undoing>,
    history: History,
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
            // A kill is answered before a slow write that was asked for first.
            let at = self
                .writes
                .partition_point(|earlier| earlier.id < written.id);
            self.writes.insert(at, written);
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

    /// This write, if it can be undone.
    pub fn find(&self, id: WriteId) -> Option<&Written> {
        self.writes.iter().find(|written| written.id == id)
    }

    /// All writes of this session.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The write that this one undoes, if it is the undo in progress.
    fn undone_by(&self, id: WriteId) -> Option<WriteId> {
        let undoing = self.undoing.filter(|undoing| undoing.by == id);
        undoing.map(|undoing| undoing.of)
    }

    /// What somebody changed since this write, if its last undo found that.
    fn changed_since(&self, id: WriteId) -> Option<&str> {
        let (of, what) = self.changed.as_ref()?;
        (*of == id).then_some(what.as_str())
    }

    /// The undo found something changed and did nothing: the next `u` undoes the same write all the same.
    fn ask(&mut self, what: String) {
        if let Some(Undoing { of, .. }) = self.undoing.take() {
            self.changed = Some((of, what));
        }
    }

    /// Ends the undo. If it succeeded or never can (`over`), the write leaves the log; otherwise `u` tries again. If
    /// all of it succeeded (`whole`), the history says so.
    fn end(&mut self, over: bool, whole: bool) {
        let undoing = self.undoing.take();
        self.changed = None;
        if let Some(Undoing { of, by }) = undoing.filter(|_| over) {
            self.writes.retain(|written| written.id != of);
            if whole {
                self.history.undone(of, by);
            }
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
