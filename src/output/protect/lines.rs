//! The lines on standard error, for people and for the journal: one for each rule and value, however many processes got
//! it.

use std::collections::BTreeMap;

use super::outcome::Outcome;
use super::{clean, named, rule_name, value};
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::process::score::OomScoreAdj;
use crate::model::rules::change::Change;
use crate::model::rules::{RuleId, Rules};

/// Said where a right was missing.
const ALLOWED: &str = "allowed without: a rule that raises your own processes, such as children = \"sacrifice\", so that they die before the \
                       others; for a process that runs already: echo 500 > /proc/PID/oom_score_adj";

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
    let is_denied = |(_, failure): &(Change, Failure)| failure.kind == FailureKind::Denied;
    if outcome.failed.iter().any(is_denied) {
        lines.push(ALLOWED.to_owned());
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
    lines.extend(super::moves::lines(outcome, rules));
    lines
}
