//! [`RuleBook`]: the rules as files say them, whom each holds now, and what a new rule would do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::census::Census;
use super::draft::{Draft, Wish, drafts};
use super::kept::{LimitDrift, Stray};
use super::own::OwnFile;
use super::rule_group::{RuleGroup, transfer_of};
use super::subject::Subject;
use super::{Rule, RuleId, Rules};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;

/// Most processes of a rule that a book names: a filter of the table takes so many.
const NAMED: usize = 4096;

/// What files of rules say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The rules that are right, the weakest first.
    pub rules: Rules,
    /// A sentence for everything that is wrong, with the file and the line.
    pub faults: Vec<String>,
    /// Where rules are looked for.
    pub places: Vec<String>,
    /// The file that oomtop writes.
    pub own: OwnFile,
}

/// Rules, and whom they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleBook {
    /// The rules that are right, the weakest first.
    pub rules: Arc<Rules>,
    /// Whom each of them holds.
    pub standings: Vec<Standing>,
    /// What is wrong with files: `oomtop protect` takes no rule then.
    pub faults: Vec<String>,
    /// Why the processes are not known.
    pub unread: Option<String>,
    /// Where rules are looked for.
    pub places: Vec<String>,
    /// The file that oomtop writes.
    pub own: OwnFile,
    /// Running `oomtop protect`.
    pub residents: Vec<Resident>,
    /// The process that a rule is asked for.
    pub target: Option<ProcessId>,
    /// What that rule can match, the most fitting first.
    pub offers: Vec<Offer>,
}

/// Whom a rule holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// How many processes it holds.
    pub holds: usize,
    /// Those, by pid; 4096 at most.
    pub held: Vec<ProcessId>,
    /// How many of them do not have the value that it gives.
    pub missing: usize,
    /// Those that are not in its group, by pid; 4096 at most.
    pub strays: Vec<Stray>,
    /// How many there are.
    pub stray_count: usize,
    /// How many of them are not as it says: the value, the group, or both.
    pub adrift: usize,
    /// Limits of its group that the group does not have.
    pub limits: Vec<LimitDrift>,
    /// The rules that hold processes which it matches, and how many.
    pub lost: Vec<(RuleId, usize)>,
}

/// A running `oomtop protect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// The process.
    pub id: ProcessId,
    /// Its effective uid, if that is known.
    pub uid: Option<u32>,
    /// It reads the usual files, not those of `--rules`.
    pub is_usual: bool,
}

/// What a new rule can match, and what it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What it matches.
    pub draft: Draft,
    /// How many processes it would hold now, the one that it is made of among them.
    pub holds: usize,
    /// Short names of some others of them, each once.
    pub others: Vec<String>,
    /// The rule that holds the process all the same.
    pub loses_to: Option<RuleId>,
    /// A rule does the same already.
    pub is_there: bool,
}

/// Most names of other processes in an offer.
const OTHERS: usize = 4;

/// Looks whom the rules hold among these processes, and what the rule that is wished for would do. `limits` tells the limits
/// that the group of a rule does not have; nobody asks for groups of rules that hold nobody.
#[must_use]
pub fn survey(
    found: Found,
    subjects: Vec<Subject>,
    wish: Option<Wish>,
    limits: impl FnMut(&RuleGroup) -> Vec<LimitDrift>,
) -> RuleBook {
    let residents = subjects.iter().filter_map(resident).collect();
    let target = wish.and_then(|wish| {
        let mut all = subjects.iter();
        all.find(|subject| subject.id == wish.target && !subject.is_exempt())
            .cloned()
    });
    let mut census = Census::new(found.rules.clone());
    census.replace(subjects);
    let mut standings = standings(&census);
    look_at_groups(&mut standings, census.rules(), limits);
    let offers = match (wish, &target) {
        (Some(wish), Some(target)) => drafts(target)
            .into_iter()
            .filter_map(|draft| offer(draft, wish.value, target, &census, found.own.before))
            .collect(),
        _ => Vec::new(),
    };
    RuleBook {
        rules: Arc::new(found.rules),
        standings,
        faults: found.faults,
        unread: None,
        places: found.places,
        own: found.own,
        residents,
        target: wish.map(|wish| wish.target),
        offers,
    }
}

fn standings(census: &Census) -> Vec<Standing> {
    let rules = census.rules();
    let mut standings = vec![Standing::default(); rules.len()];
    let mut lost: Vec<BTreeMap<RuleId, usize>> = vec![BTreeMap::new(); rules.len()];
    for subject in census.subjects() {
        let Some(holding) = census.holding(subject.id.pid) else {
            continue;
        };
        if let Some(standing) = standings.get_mut(holding.rule.0) {
            standing.holds += 1;
            standing.held.push(subject.id);
            let has = holding.value.is_none_or(|value| subject.adj == Some(value));
            standing.missing += usize::from(!has);
            let stray = transfer_of(census, subject.id.pid).map(|transfer| Stray {
                id: transfer.id,
                at: transfer.from,
            });
            standing.adrift += usize::from(!has || stray.is_some());
            standing.strays.extend(stray);
        }
        let others = rules.iter().filter(|(id, _)| *id != holding.rule);
        for (id, _) in others.filter(|(_, rule)| rule.matches(subject)) {
            if let Some(lost) = lost.get_mut(id.0) {
                *lost.entry(holding.rule).or_default() += 1;
            }
        }
    }
    for (standing, lost) in standings.iter_mut().zip(lost) {
        standing.held.sort_unstable();
        standing.held.truncate(NAMED);
        standing.held.shrink_to_fit();
        standing.strays.sort_unstable_by_key(|stray| stray.id);
        standing.stray_count = standing.strays.len();
        standing.strays.truncate(NAMED);
        standing.strays.shrink_to_fit();
        standing.lost = lost.into_iter().collect();
    }
    standings
}

fn look_at_groups(
    standings: &mut [Standing],
    rules: &Rules,
    mut limits: impl FnMut(&RuleGroup) -> Vec<LimitDrift>,
) {
    for (standing, (_, rule)) in standings.iter_mut().zip(rules.iter()) {
        if let Some(group) = rule.rule_group.as_ref().filter(|_| standing.holds > 0) {
            standing.limits = limits(group);
        }
    }
}

/// What the rule would do at this place among the others.
fn offer(
    draft: Draft,
    value: OomScoreAdj,
    target: &Subject,
    census: &Census,
    before: usize,
) -> Option<Offer> {
    let new = draft.rule(value, None)?;
    let rules = census.rules();
    let is_there = rules.iter().any(|(_, rule)| rule.does_as(&new));
    // Of the rules that match a process itself the last one holds it, whatever reaches it through a parent.
    let later = |subject: &Subject| {
        let mut strongest_first = rules.iter().rev().take_while(|(id, _)| id.0 >= before);
        strongest_first
            .find(|(_, rule): &(RuleId, &Rule)| rule.matches(subject))
            .map(|(id, _)| id)
    };
    let mut holds = 0;
    let mut others: Vec<String> = Vec::new();
    let mut all: Vec<&Subject> = census.subjects().collect();
    all.sort_unstable_by_key(|subject| subject.id);
    for subject in all {
        if subject.is_exempt() || !new.matches(subject) || later(subject).is_some() {
            continue;
        }
        holds += 1;
        let name = subject.name().into_owned();
        if subject.id != target.id && others.len() < OTHERS && !others.contains(&name) {
            others.push(name);
        }
    }
    Some(Offer {
        holds,
        others,
        loses_to: later(target),
        is_there,
        draft,
    })
}

/// The process is an `oomtop protect` that stays.
fn resident(subject: &Subject) -> Option<Resident> {
    let mut arguments = subject.command.as_deref()?.split(' ');
    let program = arguments.next()?.rsplit('/').next()?;
    if program != "oomtop" || arguments.next() != Some("protect") {
        return None;
    }
    let rest: Vec<&str> = arguments.collect();
    let ends = ["--check", "--once", "--help", "-h"];
    let does_end = rest
        .iter()
        .any(|word| ends.contains(word) || word.starts_with("--why"));
    (!does_end).then(|| Resident {
        id: subject.id,
        uid: subject.uid,
        is_usual: !rest.iter().any(|word| word.starts_with("--rules")),
    })
}

#[cfg(test)]
mod tests;
