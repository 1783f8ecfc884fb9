//! [`Change`]: what a rule gives a process that has another value.

use std::collections::BTreeSet;

use super::RuleId;
use super::census::{Census, Holding};
use crate::model::process::comm::Comm;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, ProcessId};

/// One process that does not have what its rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which process.
    pub id: ProcessId,
    /// Its short name.
    pub comm: Comm,
    /// The present value; `None` if it could not be read.
    pub from: Option<OomScoreAdj>,
    /// What the rule gives.
    pub to: OomScoreAdj,
    /// The rule.
    pub holding: Holding,
}

/// What would change for this process; `None` if no rule gives it a value, or if it has that value.
#[must_use]
pub fn change_of(census: &Census, pid: Pid) -> Option<Change> {
    let holding = census.holding(pid)?;
    let subject = census.subject(pid)?;
    let to = holding.value?;
    (subject.adj != Some(to)).then_some(Change {
        id: subject.id,
        comm: subject.comm,
        from: subject.adj,
        to,
        holding,
    })
}

/// Everything that would change, by pid.
#[must_use]
pub fn changes(census: &Census) -> Vec<Change> {
    let pids = census.subjects().map(|subject| subject.id.pid);
    let mut changes: Vec<_> = pids.filter_map(|pid| change_of(census, pid)).collect();
    changes.sort_by_key(|change| change.id);
    changes
}

/// How many processes have a value from a rule, whether they have it already or not.
#[must_use]
pub fn held(census: &Census) -> usize {
    let pids = census.subjects().map(|subject| subject.id.pid);
    pids.filter(|pid| {
        census
            .holding(*pid)
            .is_some_and(|holding| holding.value.is_some())
    })
    .count()
}

/// The rules that hold nobody now.
#[must_use]
pub fn idle(census: &Census) -> Vec<RuleId> {
    let pids = census.subjects().map(|subject| subject.id.pid);
    let busy: BTreeSet<RuleId> = pids
        .filter_map(|pid| census.holding(pid))
        .map(|holding| holding.rule)
        .collect();
    let all = census.rules().iter().map(|(id, _)| id);
    all.filter(|id| !busy.contains(id)).collect()
}
