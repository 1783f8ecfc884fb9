//! What is said of moves into the groups of rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::outcome::Outcome;
use super::{clean, named, rule_name};
use crate::model::rules::rule_group::Transfer;
use crate::model::rules::{RuleId, Rules};
use crate::text::tone::printable;

/// Why a process is not moved into the group of its rule.
#[must_use]
pub fn stays(why: &str) -> String {
    format!("It is not moved there: {}\n", printable(why))
}

/// The lines on standard error, one for each rule.
pub(super) fn lines(outcome: &Outcome, rules: &Rules) -> Vec<String> {
    let mut lines: Vec<String> = outcome.groups.iter().map(|line| clean(line)).collect();
    let mut moved: BTreeMap<RuleId, Vec<&Transfer>> = BTreeMap::new();
    for transfer in &outcome.moved {
        moved
            .entry(transfer.holding.rule)
            .or_default()
            .push(transfer);
    }
    for (rule, transfers) in moved {
        let names = named(transfers.iter().map(|transfer| {
            format!(
                "{} {} (was in {})",
                transfer.id.pid, transfer.comm, transfer.from
            )
        }));
        let rule_group = transfers
            .first()
            .map_or_else(String::new, |first| first.rule_group.to_string());
        lines.push(clean(&format!(
            "into {rule_group}: {names}; rule {}",
            rule_name(rules, rule)
        )));
    }
    for (transfer, why) in &outcome.unmoved {
        lines.push(clean(&format!(
            "not moved into {}: {} {}: {why} Rule {}",
            transfer.rule_group.group,
            transfer.id.pid,
            transfer.comm,
            rule_name(rules, transfer.holding.rule)
        )));
    }
    for transfer in &outcome.left {
        lines.push(clean(&format!(
            "left alone from here on: {} {}: somebody moves it to {} again and again, and rule {} into {}",
            transfer.id.pid,
            transfer.comm,
            transfer.from,
            rule_name(rules, transfer.holding.rule),
            transfer.rule_group.group,
        )));
    }
    lines
}

/// The part of the table of `--check` about moves, each with the reason that speaks against it.
#[must_use]
pub fn check(transfers: &[(Transfer, Option<String>)], rules: &Rules) -> String {
    let mut out = String::new();
    for (transfer, why) in transfers {
        let does = if why.is_some() {
            "stays in"
        } else {
            "would move from"
        };
        let to = match why {
            Some(why) => format!(", not {}: {why}", transfer.rule_group.group),
            None => format!(" to {}", transfer.rule_group),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:>7}  {:<15}  {does} {}{}; rule {}",
            transfer.id.pid,
            printable(&transfer.comm.text()),
            printable(transfer.from.as_str()),
            printable(&to),
            rule_name(rules, transfer.holding.rule),
        );
    }
    out
}
