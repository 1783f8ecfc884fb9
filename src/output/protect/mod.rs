//! What `oomtop protect` says: the table of `--check`, the answer of `--why`, and its lines on standard error.

mod lines;
mod moves;
mod outcome;
mod why;

use std::fmt::Write as _;

use crate::model::process::score::OomScoreAdj;
use crate::model::rules::census::Census;
use crate::model::rules::change::{changes, held, idle};
use crate::model::rules::{RuleId, Rules};
use crate::text::format::number_of;
use crate::text::tone::printable;

pub use lines::lines;
pub use moves::{check as check_moves, stays};
pub use outcome::Outcome;
pub use why::why;

/// Most processes that a line names.
const NAMED: usize = 6;

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

fn clean(line: &str) -> String {
    printable(line)
}

fn named(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let names: Vec<_> = all.take(NAMED).collect();
    let names = names.join(", ");
    if more > 0 {
        format!("{names} and {more} more")
    } else {
        names
    }
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
            "rule {}: any user can start a process that it matches and so protects; add a user, unit, cgroup or container that is not everybody's",
            rule_name(rules, id)
        )
    })
    .collect()
}

/// The table of what would change, how many processes have what their rule gives, and the rules that hold nobody.
#[must_use]
pub fn check(census: &Census) -> String {
    let (rules, changes) = (census.rules(), changes(census));
    let mut out = String::new();
    if !changes.is_empty() {
        out.push_str("    PID  NAME               NOW   THEN  RULE\n");
    }
    for change in &changes {
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
    let right = match held(census).saturating_sub(changes.len()) {
        1 => "1 process has what its rule gives".to_owned(),
        right => format!("{right} processes have what their rule gives"),
    };
    let _ = match changes.len() {
        0 => writeln!(out, "Nothing would change: {right}."),
        count => {
            let count = number_of(count as u64, "process", "processes");
            writeln!(out, "{count} would change, {right}. Nothing was written.")
        }
    };
    for rule in idle(census) {
        let _ = writeln!(
            out,
            "No process is held by rule {}.",
            rule_name(rules, rule)
        );
    }
    out
}

/// What `--once` has done.
#[must_use]
pub fn summary(written: usize, moved: usize, held: usize) -> String {
    let written = number_of(written as u64, "value", "values");
    let held = number_of(held as u64, "process", "processes");
    let moved = match moved {
        0 => String::new(),
        moved => format!(
            ", {} moved",
            number_of(moved as u64, "process", "processes")
        ),
    };
    format!("{written} written{moved}; rules hold {held}.\n")
}

#[cfg(test)]
mod tests;
