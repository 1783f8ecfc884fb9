//! What `oomtop protect` says: the table of `--check`, the answer of `--why`, and its lines on standard error.

mod lines;
mod why;

use std::fmt::Write as _;

use crate::model::process::score::OomScoreAdj;
use crate::model::rules::change::Change;
use crate::model::rules::{RuleId, Rules};
use crate::text::format::number_of;
use crate::text::tone::printable;

pub use lines::{Outcome, lines};
pub use why::why;

/// A rule as messages name it: title, file and line.
fn rule_name(rules: &Rules, id: RuleId) -> String {
    rules.get(id).map_or_else(String::new, |rule| {
        printable(&format!("{} ({})", rule.title, rule.origin))
    })
}

/// A value that could not be read is a question mark.
fn value(adj: Option<OomScoreAdj>) -> String {
    adj.map_or_else(|| "?".to_owned(), |adj| adj.to_string())
}

/// Sentence for nothing to do.
#[must_use]
pub fn no_rules(places: &[String]) -> String {
    printable(&format!(
        "there are no rules; oomtop has looked in {}",
        places.join(", ")
    ))
}

/// What to know of rules that are not wrong.
#[must_use]
pub fn notes(rules: &Rules) -> Vec<String> {
    let open = rules.iter().filter(|(_, rule)| rule.is_open_to_all());
    open.map(|(id, _)| {
        format!(
            "rule {}: any user can start a process that it matches and so protects; add user, unit, cgroup or container",
            rule_name(rules, id)
        )
    })
    .collect()
}

/// The table of what would change, `held` being all processes that a rule gives a value.
#[must_use]
pub fn check(changes: &[Change], held: usize, rules: &Rules) -> String {
    let right = held.saturating_sub(changes.len());
    let right = match right {
        1 => "1 process has what its rule gives".to_owned(),
        right => format!("{right} processes have what their rule gives"),
    };
    if changes.is_empty() {
        return format!("Nothing would change: {right}.\n");
    }
    let mut out = String::from("    PID  NAME               NOW   THEN  RULE\n");
    for change in changes {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:>7}  {:<15}  {:>5}  {:>5}  {}{}",
            change.id.pid,
            printable(&change.comm.text()),
            value(change.from),
            change.to.to_string(),
            rule_name(rules, change.holding.rule),
            change
                .holding
                .descends
                .map_or_else(String::new, |supervisor| format!(
                    ", as a descendant of {}",
                    supervisor.pid
                )),
        );
    }
    let count = number_of(changes.len() as u64, "process", "processes");
    let _ = writeln!(out, "{count} would change, {right}. Nothing was written.");
    out
}

/// What `--once` has done.
#[must_use]
pub fn summary(written: usize, held: usize) -> String {
    let written = number_of(written as u64, "value", "values");
    let held = number_of(held as u64, "process", "processes");
    format!("{written} written; rules hold {held}.\n")
}

#[cfg(test)]
mod tests;
