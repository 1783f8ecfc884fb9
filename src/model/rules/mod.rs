//! Rules: which processes get which `oom_score_adj`, now and when they start later.
//!
//! ```text
//!  files ──► config/rules/ ──► Rules ──┐
//!  /proc ──► Subject ──────────────────┴──► Census ──► Holding ──► plan
//! ```
//!
//! One rule holds a process at most, by this order:
//!
//! * A rule that matches the process itself comes before one that reaches it through a parent.
//! * Of the rules that match it, the last one holds it: `rules.toml`, `rules.d` by name, then the user's file.
//! * A rule with `children` holds the descendants of the topmost process that it matches, however deep, also those
//!   that the same rule matches too (workers that look like their supervisor, a child before its exec), and also after
//!   a parent in between has ended. Of several such rules that of the nearest supervisor holds a process.
//! * A rule with a group ([`rule_group`]) has descendants in the same way: they come along. What they get is then its `children`, or what
//!   it gives those that it matches.
//!
//! The host's pid 1 and kernel threads are never held: the kernel never chooses them, and the children of pid 1 would
//! inherit its value.

pub mod book;
pub mod census;
pub mod change;
pub mod condition;
pub mod draft;
pub mod glob;
pub mod held;
pub mod kept;
pub mod own;
pub mod rule_group;
pub mod start;
pub mod struggle;
pub mod subject;
pub mod why;

use std::fmt;

use condition::{Condition, Fact};
use rule_group::RuleGroup;
use subject::Subject;

use crate::model::process::score::OomScoreAdj;

/// Most rules that are taken.
pub const MOST_RULES: usize = 1024;

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// Line of its `[[rule]]`, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A rule. All of its conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// What messages call it.
    pub title: String,
    /// Where it stands.
    pub origin: Origin,
    /// At least one.
    pub conditions: Vec<Condition>,
    /// The value for the processes that it matches; `None` leaves them as they are.
    pub own: Option<OomScoreAdj>,
    /// The value for the descendants of those.
    pub children: Option<OomScoreAdj>,
    /// The group for the processes that it matches and their descendants.
    pub rule_group: Option<RuleGroup>,
}

impl Rule {
    /// All conditions hold.
    #[must_use]
    pub fn matches(&self, subject: &Subject) -> bool {
        self.miss(subject).is_none() && !self.conditions.is_empty()
    }

    /// The first condition that does not hold.
    #[must_use]
    pub fn miss(&self, subject: &Subject) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| !condition.holds(subject, self.protects()))
    }

    /// It protects processes, and any user can make one that it matches.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        let mut conditions = self.conditions.iter();
        self.protects() && conditions.all(Condition::is_free_to_choose)
    }

    /// It gives a value below 0.
    fn protects(&self) -> bool {
        let values = [self.own, self.children];
        values
            .into_iter()
            .flatten()
            .any(|adj| adj < OomScoreAdj::ZERO)
    }

    /// Both do the same to the same processes, wherever they stand.
    #[must_use]
    pub fn does_as(&self, other: &Self) -> bool {
        (&self.conditions, self.own, self.children, &self.rule_group)
            == (
                &other.conditions,
                other.own,
                other.children,
                &other.rule_group,
            )
    }

    /// It says something of the descendants of the processes that it matches.
    #[must_use]
    pub fn has_family(&self) -> bool {
        self.children.is_some() || self.rule_group.is_some()
    }
}

/// A rule by its place in [`Rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub usize);

/// All rules, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Rules in this order: the last that matches holds a process.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Each rule with its id, the weakest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (RuleId, &Rule)> {
        self.0
            .iter()
            .enumerate()
            .map(|(at, rule)| (RuleId(at), rule))
    }

    /// The rule with this id.
    #[must_use]
    pub fn get(&self, id: RuleId) -> Option<&Rule> {
        self.0.get(id.0)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Some rule asks for this fact.
    #[must_use]
    pub fn wants(&self, fact: Fact) -> bool {
        let mut conditions = self.0.iter().flat_map(|rule| &rule.conditions);
        conditions.any(|condition| condition.fact == fact)
            || (fact == Fact::Cgroup && self.has_pens())
    }

    /// Some rule has a group for its processes.
    #[must_use]
    pub fn has_pens(&self) -> bool {
        self.0.iter().any(|rule| rule.rule_group.is_some())
    }

    /// The rule that matches this process itself and comes before all others that do.
    #[must_use]
    pub fn matching(&self, subject: &Subject) -> Option<RuleId> {
        if subject.is_exempt() {
            return None;
        }
        let mut strongest_first = self.iter().rev();
        let found = strongest_first.find(|(_, rule)| rule.matches(subject));
        found.map(|(id, _)| id)
    }

    /// The id of a rule here that does what this one does, or else of one that gives the same families other values.
    #[must_use]
    pub fn heir_of(&self, other: &Rule) -> Option<RuleId> {
        let same = self.iter().find(|(_, rule)| rule.does_as(other));
        let mut strongest_first = self.iter().rev();
        let edited = strongest_first
            .find(|(_, rule)| rule.has_family() && rule.conditions == other.conditions);
        same.or(edited).map(|(id, _)| id)
    }
}
