//! The lines on standard error, for people and for the journal: one for each rule and value, however many processes got
//! it.

use std::collections::BTreeMap;

use super::{rule_name, value};
use crate::model::plan::receipt::Failure;
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::change::Change;
use crate::model::rules::pen::Transfer;
use crate::model::rules::{RuleId, Rules};
use crate::text::tone::printable;

/// Most processes that a line names.
const NAMED: usize = 6;

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

/// The lines, each without its newline.
#[must_use]
pub fn lines(outcome: &Outcome, rules: &Rules) -> Vec<String> {
    let mut lines: Vec<String> = outcome.refused.iter().map(|why| clean(why)).collect();
    let mut done: BTreeMap<(RuleId, OomScoreAdj), Vec<&Change>> = BTreeMap::new();
    for change in &outcome.done {
        let key = (change.holding.rule, change.to);
        done.entry(key).or_default().push(change);
    }
    for ((rule, to), changes) in done {
        let names = named(changes.iter().map(|change| {
            let from = value(change.from);
            format!("{} {} (was {from})", change.id.pid, change.comm)
        }));
        lines.push(clean(&format!(
            "oom_score_adj {to}: {names}; rule {}",
            rule_name(rules, rule)
        )));
    }
    let mut failed: BTreeMap<RuleId, Vec<&(Change, Failure)>> = BTreeMap::new();
    for failure in &outcome.failed {
        let rule = failure.0.holding.rule;
        failed.entry(rule).or_default().push(failure);
    }
    for (rule, failures) in failed {
        let names = named(
            failures
                .iter()
                .map(|(change, _)| format!("{} {}", change.id.pid, change.comm)),
        );
        let why = failures
            .first()
            .map_or("", |(_, failure)| &failure.sentence);
        lines.push(clean(&format!(
            "not written: {names}; rule {}: {why}",
            rule_name(rules, rule)
        )));
    }
    for change in &outcome.given_up {
        lines.push(clean(&format!(
            "left alone from here on: {} {}: somebody sets its oom_score_adj to {} again and again, and rule {} to {}",
            change.id.pid,
            change.comm,
            value(change.from),
            rule_name(rules, change.holding.rule),
            change.to,
        )));
    }
    lines.extend(super::pens::lines(outcome, rules));
    lines
}

pub(super) fn clean(line: &str) -> String {
    printable(line)
}

pub(super) fn named(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let names: Vec<_> = all.take(NAMED).collect();
    let names = names.join(", ");
    if more > 0 {
        format!("{names} and {more} more")
    } else {
        names
    }
}
