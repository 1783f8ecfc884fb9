//! The answer of `--why`: which rule holds a process, which lose, and why.

use std::fmt::Write as _;

use super::{rule_name, value};
use crate::model::process::ProcessId;
use crate::model::process::comm::Comm;
use crate::model::rules::condition::Fact;
use crate::model::rules::subject::{Exempt, Subject};
use crate::model::rules::why::{Fate, Why};
use crate::model::rules::{RuleId, Rules};
use crate::text::tone::printable;

/// Letters of a fact that are shown.
const SHOWN: usize = 120;

/// The text. `name` gives the short name of a process.
#[must_use]
pub fn why(answer: &Why<'_>, rules: &Rules, name: impl Fn(ProcessId) -> Option<Comm>) -> String {
    let subject = answer.subject;
    let mut out = format!(
        "{} {}: oom_score_adj {}\n",
        subject.id.pid,
        printable(&subject.name()),
        value(subject.adj)
    );
    let mut say = |line: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", printable(&line));
    };
    let through = |supervisor: ProcessId| {
        let name = name(supervisor).map_or_else(String::new, |name| format!(" {name}"));
        format!("a descendant of {}{name}", supervisor.pid)
    };
    match (answer.holding, subject.exempt) {
        (_, Some(Exempt::KernelThread)) => {
            say("Held by no rule: it is a kernel thread, and the kernel never chooses one.".into());
        }
        (_, Some(Exempt::Init)) => say(
            "Held by no rule: it is the host's pid 1. The kernel never chooses it, and all that it starts would inherit its value."
                .into(),
        ),
        (None, None) => {
            say("Held by no rule.".into());
            let has_families = rules.iter().any(|(_, rule)| rule.children.is_some());
            if has_families && subject.ppid <= 1 {
                say("Its parent is pid 1: whose descendant it was before, only an oomtop protect knows that ran then.".into());
            }
        }
        (Some(holding), None) => {
            let rule = rule_name(rules, holding.rule);
            let how = holding
                .descends
                .map_or_else(String::new, |supervisor| format!(", as {}", through(supervisor)));
            say(format!("Held by {rule}{how}."));
            say(match holding.value {
                None => "The rule leaves this process as it is; it is about its children.".into(),
                Some(to) if subject.adj == Some(to) => format!("It has what the rule gives: {to}."),
                Some(to) => format!("The rule gives {to}."),
            });
        }
    }
    let rule_group = answer
        .holding
        .and_then(|holding| rules.get(holding.rule)?.rule_group.as_ref());
    if let (Some(rule_group), Some(at)) = (rule_group, &subject.cgroup) {
        say(if at.is_within(&rule_group.group) {
            format!("It is in the group of the rule: {at}.")
        } else {
            format!("The rule moves it into {rule_group}; it is in {at}.")
        });
    }
    for (id, fate) in &answer.fates {
        let rule = rule_name(rules, *id);
        match fate {
            Fate::Holds => {}
            Fate::Loses { to, through: None } => {
                let why = reason(answer, rules, *id, *to);
                say(format!("  loses           {rule}: {why}"));
            }
            Fate::Loses {
                to,
                through: Some(supervisor),
            } => say(format!(
                "  loses           {rule}: it reaches this process as {}, and {} matches the process itself",
                through(*supervisor),
                rule_name(rules, *to)
            )),
            Fate::Misses(fact) => say(format!(
                "  does not match  {rule}: {}",
                miss(subject, *fact)
            )),
        }
    }
    out
}

/// Why a rule that matches does not hold.
fn reason(answer: &Why<'_>, rules: &Rules, rule: RuleId, to: RuleId) -> String {
    let by = rule_name(rules, to);
    if to > rule {
        format!("{by} matches too and comes later")
    } else {
        // Only a family beats a later match, and that is the same rule.
        format!("{by} holds {} already", answer.subject.id.pid)
    }
}

fn miss(subject: &Subject, fact: Fact) -> String {
    let key = fact.key();
    match fact.of(subject) {
        Some(text) if text.chars().count() > SHOWN => {
            let start: String = text.chars().take(SHOWN).collect();
            format!("its {key} is {start}…")
        }
        Some(text) => format!("its {key} is {text}"),
        None => format!("its {key} cannot be read"),
    }
}
