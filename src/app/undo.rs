//! [`UndoLog`]: the writes of this session, newest last, so that `u` can take them back.

use super::msg::{AdjWrite, Effect};
use crate::model::cgroup::CgroupPath;
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::text::format;

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
    /// Limits of a group that was there before.
    Limits {
        /// Whose.
        group: CgroupPath,
        /// In the order they were written.
        changes: Vec<LimitChange>,
    },
}

/// One limit file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChange {
    /// Its name, e.g. `memory.max`.
    pub file: &'static str,
    /// What it said right before the write.
    pub before: String,
    /// What was read back after it.
    pub after: String,
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
            // Which group: the path is too long for the footer, the newest change is meant.
            Self::Limits { changes, .. } => match changes.as_slice() {
                [one] => format!("{} → {}", one.file, limit_words(&one.before)),
                many => format!("{} limits", many.len()),
            },
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
            // The last first: each step back is to values the kernel has taken together before (v1 takes
            // no memory + swap below memory).
            Self::Limits { group, changes } => Effect::RunPlan {
                target: None,
                steps: changes
                    .iter()
                    .rev()
                    .map(|change| {
                        let write = LimitWrite {
                            file: change.file,
                            value: change.before.clone(),
                        };
                        CgroupStep::Limit(group.clone(), write)
                    })
                    .collect(),
                undo: true,
            },
        }
    }
}

/// A limit as a limit file shows it, in words: `500 MiB`, `max`; v1 shows none as a number that no machine
/// has (include/linux/page_counter.h `PAGE_COUNTER_MAX`).
pub fn limit_words(shown: &str) -> String {
    match shown.parse::<u64>() {
        Ok(bytes) if bytes >= 1 << 60 => "no limit".to_owned(),
        Ok(bytes) if bytes >= 1024 => format::long_size(bytes),
        _ => shown.to_owned(),
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
