//! [`UndoLog`]: the writes of this session, newest last, so that `u` can take them back.

use super::msg::{AdjWrite, Effect};
use crate::domain::cgroup::CgroupPath;
use crate::domain::process::ProcessId;
use crate::domain::score::OomScoreAdj;
use crate::domain::write::CgroupStep;

/// One write that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `oom_score_adj` of one or more processes.
    Adj(Vec<AdjChange>),
    /// A process moved to another group.
    Moved {
        /// Who.
        target: ProcessId,
        /// Its short name.
        name: String,
        /// From here.
        from: CgroupPath,
        /// To here.
        to: CgroupPath,
        /// Groups oomtop made for it, outermost first: removed again if empty.
        created: Vec<CgroupPath>,
    },
    /// Groups were made, but the move into them failed.
    Created {
        /// Outermost first.
        groups: Vec<CgroupPath>,
    },
}

/// One process's adj before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjChange {
    /// Who.
    pub target: ProcessId,
    /// Its short name.
    pub name: String,
    /// Value before.
    pub before: OomScoreAdj,
    /// Value read back after the write.
    pub after: OomScoreAdj,
}

impl Change {
    /// What taking it back would do, in a few words: the footer shows it before `u` is pressed.
    pub fn undo_label(&self) -> String {
        match self {
            Self::Adj(changes) => match changes.as_slice() {
                [one] => format!("{} {} → {}", one.name, one.after, one.before),
                many => format!("adj of {} processes", many.len()),
            },
            Self::Moved { name, from, .. } => format!("{name} → {from}"),
            Self::Created { groups } => {
                let innermost = groups.last().map_or("", CgroupPath::as_str);
                format!("remove {innermost}")
            }
        }
    }

    /// The effect that takes it back.
    pub fn inverse(&self) -> Effect {
        match self {
            Self::Adj(changes) => Effect::WriteAdj {
                writes: changes
                    .iter()
                    .map(|c| AdjWrite {
                        target: c.target,
                        value: c.before,
                    })
                    .collect(),
                undo: true,
            },
            Self::Moved {
                target,
                from,
                created,
                ..
            } => {
                let back = CgroupStep::Move(*target, from.clone());
                Effect::RunPlan {
                    target: Some(*target),
                    steps: std::iter::once(back).chain(removals(created)).collect(),
                    undo: true,
                }
            }
            Self::Created { groups } => Effect::RunPlan {
                target: None,
                steps: removals(groups).collect(),
                undo: true,
            },
        }
    }
}

/// Removes groups, innermost first.
fn removals(created: &[CgroupPath]) -> impl Iterator<Item = CgroupStep> {
    created.iter().rev().cloned().map(CgroupStep::Remove)
}

/// All changes of this session that still stand.
#[derive(Debug, Clone, Default)]
pub struct UndoLog {
    changes: Vec<Change>,
    /// The newest change was asked to be undone although it had changed since: the next `u` insists.
    pub insist: bool,
    /// An undo is being carried out: a second `u` must not take the same change back again, nor
    /// count as the undo of the change before it.
    pub in_flight: bool,
}

impl UndoLog {
    /// Remembers a change.
    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
        self.insist = false;
    }

    /// The change that `u` would take back.
    pub fn last(&self) -> Option<&Change> {
        self.changes.last()
    }

    /// Takes the newest change out.
    pub fn pop(&mut self) -> Option<Change> {
        self.insist = false;
        self.in_flight = false;
        self.changes.pop()
    }

    /// An undo failed for now: the change stays, and `u` may try again.
    pub fn retry(&mut self) {
        self.insist = false;
        self.in_flight = false;
    }

    /// How many changes stand.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// True if nothing stands.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
