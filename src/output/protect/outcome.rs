//! [`Outcome`]: what came of the changes that rules ask for.

use crate::model::plan::receipt::Failure;
use crate::model::rules::change::Change;
use crate::model::rules::rule_group::Transfer;

/// What came of some changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Written and read back.
    pub done: Vec<Change>,
    /// Not written, or not kept.
    pub failed: Vec<(Change, Failure)>,
    /// Left alone from here on: somebody else sets their value again and again.
    pub given_up: Vec<Change>,
    /// Moved into the group of their rule.
    pub moved: Vec<Transfer>,
    /// Not moved, and why.
    pub unmoved: Vec<(Transfer, String)>,
    /// Left where they are from here on: somebody else moves them again and again.
    pub left: Vec<Transfer>,
    /// What is to be said of groups.
    pub groups: Vec<String>,
    /// Why nothing was written at all.
    pub refused: Option<String>,
}

impl Outcome {
    /// Nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what came later.
    pub fn add(&mut self, later: Self) {
        self.done.extend(later.done);
        self.failed.extend(later.failed);
        self.given_up.extend(later.given_up);
        self.moved.extend(later.moved);
        self.unmoved.extend(later.unmoved);
        self.left.extend(later.left);
        self.groups.extend(later.groups);
        self.refused = later.refused.or(self.refused.take());
    }
}
