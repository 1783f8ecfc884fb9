//! [`Marks`]: who dies next, as the table marks it.

use std::collections::HashMap;

use crate::domain::badness::{Badness, Immunity, badness};
use crate::domain::process::{Process, ProcessId};
use crate::domain::protection::Protection;
use crate::domain::score::OomScoreAdj;
use crate::domain::snapshot::Snapshot;
use crate::domain::victim::Scope;
use crate::domain::vm_settings::OomAction;

/// What a row is marked as. Each has a sign and a word: never colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// The host's next victim.
    Victim,
    /// As likely as the victim, within the reading error.
    OrThis,
    /// The next victim of a memory cgroup it is in.
    GroupVictim,
    /// Never killed.
    Immune,
    /// A negative adj.
    Protected,
    /// None of these.
    None,
}

impl Mark {
    /// The sign in the first column.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Victim => "!",
            Self::OrThis => "?",
            Self::GroupVictim => "*",
            Self::Immune => "#",
            Self::Protected => "=",
            Self::None => " ",
        }
    }
}

/// The victims of one sample.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    victims: HashMap<ProcessId, (Mark, Scope)>,
}

impl Marks {
    /// Collects the victims of all domains; the host's mark wins over a group's.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut victims = HashMap::new();
        for domain in &snapshot.domains {
            let Some(verdict) = domain.verdict else {
                continue;
            };
            // Nobody is next where a setting makes the kernel panic, or kill whoever asks.
            if snapshot.vm_settings.action(domain.scope) != OomAction::KillWorst {
                continue;
            }
            let (first, second) = match domain.scope {
                Scope::Host => (Mark::Victim, Mark::OrThis),
                Scope::Memcg(_) | Scope::Nodes(_) => (Mark::GroupVictim, Mark::GroupVictim),
            };
            victims
                .entry(verdict.victim.id)
                .or_insert((first, domain.scope));
            if let (true, Some(other)) = (verdict.close, verdict.runner_up)
                && domain.scope == Scope::Host
            {
                victims.entry(other.id).or_insert((second, domain.scope));
            }
        }
        Self { victims }
    }

    /// The mark of a process.
    pub fn mark(&self, process: &Process) -> Mark {
        if let Some((mark, _)) = self.victims.get(&process.id) {
            return *mark;
        }
        if is_immune(process) {
            Mark::Immune
        } else if process.adj.is_some_and(|adj| adj < OomScoreAdj::ZERO) {
            Mark::Protected
        } else {
            Mark::None
        }
    }

    /// The domain whose victim this process is, if it is one.
    pub fn domain(&self, id: ProcessId) -> Option<Scope> {
        self.victims.get(&id).map(|(_, scope)| *scope)
    }

    /// The word for the protection column.
    pub fn word(&self, process: &Process) -> &'static str {
        match self.mark(process) {
            Mark::Victim => "NEXT VICTIM",
            Mark::OrThis => "or this one",
            Mark::GroupVictim => "group victim",
            Mark::Immune => "immune",
            Mark::Protected | Mark::None => match (process.state.is_dead(), process.adj) {
                (true, _) => "ending",
                (false, Some(adj)) => Protection::of(adj).name(),
                (false, None) => "n/a",
            },
        }
    }
}

/// Never killed, for a reason that lasts (not because it is already ending).
pub fn is_immune(process: &Process) -> bool {
    matches!(
        badness(process, 0),
        Badness::Immune(Immunity::Adj | Immunity::Init | Immunity::KernelThread)
    )
}
