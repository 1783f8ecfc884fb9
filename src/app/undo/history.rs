//! [`History`]: every write of this session with its time and its result, also those that cannot be taken back.

use std::collections::VecDeque;

use crate::app::msg::WriteId;
use crate::model::plan::receipt::PlanReceipt;
use crate::model::time::Wall;

/// Most writes remembered; the oldest are forgotten first.
const KEPT: usize = 1000;

/// Most steps of all of them together. The newest write stays, however many it has.
const STEPS: usize = 16_384;

/// A write or an undo of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The write.
    pub id: WriteId,
    /// When its receipt came.
    pub at: Wall,
    /// What it did or why it failed, in one sentence.
    pub said: String,
    /// A step of it failed.
    pub failed: bool,
    /// The write that this one took back, or tried to.
    pub undo_of: Option<WriteId>,
    /// The write that took this one back.
    pub undone_by: Option<WriteId>,
    /// What came of each step.
    pub plans: Vec<PlanReceipt>,
}

impl Past {
    fn steps(&self) -> usize {
        self.plans.iter().map(PlanReceipt::size).sum()
    }
}

/// The writes of this session, newest last.
#[derive(Debug, Clone, Default)]
pub struct History {
    past: VecDeque<Past>,
    /// How many were forgotten.
    forgotten: usize,
}

impl History {
    /// Remembers a write, in the order in which they were asked for: a kill is answered before a slow write that came first.
    pub(super) fn push(&mut self, past: Past) {
        let at = self.past.partition_point(|earlier| earlier.id < past.id);
        self.past.insert(at, past);
        let mut steps: usize = self.past.iter().map(Past::steps).sum();
        while self.past.len() > KEPT || (steps > STEPS && self.past.len() > 1) {
            let oldest = self.past.pop_front();
            steps -= oldest.map_or(0, |oldest| oldest.steps());
            self.forgotten += 1;
        }
    }

    /// This write was taken back by that one.
    pub(super) fn undone(&mut self, of: WriteId, by: WriteId) {
        if let Some(past) = self.past.iter_mut().find(|past| past.id == of) {
            past.undone_by = Some(by);
        }
    }

    /// The newest first.
    pub fn newest_first(&self) -> impl ExactSizeIterator<Item = &Past> {
        self.past.iter().rev()
    }

    /// How many were forgotten, the oldest.
    pub fn forgotten(&self) -> usize {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::{History, KEPT, Past, STEPS};
    use crate::app::msg::WriteId;
    use crate::model::plan::receipt::{Failure, FailureKind, PlanReceipt};
    use crate::model::plan::step::Step;
    use crate::model::process::ProcessId;
    use crate::model::time::Wall;

    fn past(id: u64, steps: usize) -> Past {
        let refused = PlanReceipt::refused(
            Step::Reap {
                target: ProcessId::default(),
            },
            Failure {
                kind: FailureKind::Gone,
                sentence: String::new(),
            },
        );
        Past {
            id: WriteId(id),
            at: Wall::default(),
            said: String::new(),
            failed: true,
            undo_of: None,
            undone_by: None,
            plans: vec![refused; steps],
        }
    }

    #[test]
    fn it_has_a_bound_and_says_what_is_forgotten() {
        let mut history = History::default();
        for id in 0..2 * KEPT as u64 {
            history.push(past(id, 1));
        }
        assert_eq!(history.newest_first().len(), KEPT);
        assert_eq!(history.forgotten(), KEPT);
        let newest = history.newest_first().next().map(|past| past.id);
        assert_eq!(newest, Some(WriteId(2 * KEPT as u64 - 1)));
        history.push(past(2 * KEPT as u64, STEPS + 1));
        assert_eq!(history.newest_first().len(), 1, "the newest stays");
        assert_eq!(history.forgotten(), 2 * KEPT);
    }

    #[test]
    fn a_write_that_is_answered_late_stands_where_it_was_asked_for() {
        let mut history = History::default();
        for id in [1, 3, 2] {
            history.push(past(id, 1));
        }
        let ids: Vec<_> = history.newest_first().map(|past| past.id.0).collect();
        assert_eq!(ids, [3, 2, 1]);
    }
}
