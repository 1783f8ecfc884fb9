//! [`HeldBy`]: the rule that holds one process, in words for its details.

use super::census::Census;
use crate::model::process::Pid;
use crate::model::process::score::OomScoreAdj;

/// The rule that holds a process.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HeldBy {
    /// Its title.
    pub rule: String,
    /// File and line.
    pub origin: String,
    /// The supervisor, if the process is held as its descendant.
    pub supervisor: Option<Pid>,
    /// What the rule gives; `None` if it leaves this process as it is.
    pub value: Option<OomScoreAdj>,
}

/// The rule that holds this process, if one does.
#[must_use]
pub fn held_by(census: &Census, pid: Pid) -> Option<HeldBy> {
    let holding = census.holding(pid)?;
    let rule = census.rules().get(holding.rule)?;
    Some(HeldBy {
        rule: rule.title.clone(),
        origin: rule.origin.to_string(),
        supervisor: holding.descends.map(|supervisor| supervisor.pid),
        value: holding.value,
    })
}
