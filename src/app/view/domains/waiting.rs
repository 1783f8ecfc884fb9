//! Who waits in a domain that is stuck.

use crate::model::oom_domain::enclosing::is_member;
use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::{Snapshot, Waiter};

/// The processes of a domain, and those of them that wait in the kernel (state D).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Processes in it.
    pub members: usize,
    /// Those with a thread in state D: of the few whose threads were looked at, and by the letter of the main thread.
    pub asleep: Vec<ProcessId>,
    /// The largest of the others.
    pub others: Vec<ProcessId>,
}

/// Most processes of one domain that are looked at closer.
pub const MOST: usize = 8;

impl Waiting {
    /// Looks at the newest sample.
    pub fn new(scope: Scope, snapshot: &Snapshot) -> Self {
        let is_in =
            |process: &&Process| process.memory.is_some() && is_member(process, scope, snapshot);
        let members: Vec<&Process> = snapshot.processes.iter().filter(is_in).collect();
        let (asleep, mut others): (Vec<&Process>, Vec<&Process>) =
            members.iter().partition(|process| {
                let is_known = |waiter: &Waiter| waiter.id == process.id;
                process.state.0 == 'D' || snapshot.waiting.iter().any(is_known)
            });
        others.sort_by_key(|process| (std::cmp::Reverse(process.charged_pages()), process.id));
        Self {
            members: members.len(),
            asleep: asleep.iter().map(|process| process.id).collect(),
            others: others.iter().take(MOST).map(|process| process.id).collect(),
        }
    }

    /// A few of them, those that wait first: the next sample reads where.
    pub fn first(&self) -> impl Iterator<Item = ProcessId> {
        self.asleep.iter().chain(&self.others).copied().take(MOST)
    }

    /// How many wait: `2 of 3 tasks wait`.
    pub fn words(&self) -> String {
        match (self.asleep.len(), self.members) {
            (0, 1) => "1 process in it".to_owned(),
            (0, members) => format!("{members} processes in it"),
            (1, members) => format!("1 of {members} waits"),
            (waits, members) => format!("{waits} of {members} wait"),
        }
    }
}
