//! [`Marks`]: who dies next, as the table marks it.

use std::collections::HashMap;

use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::badness::{Badness, Immunity, badness};
use crate::model::process::protection::Protection;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;
use crate::model::vm_settings::OomAction;

/// The mark of a row. Each mark has a sign and a word: never colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// The next victim of the domain the table ranks by: the host, or the zoomed one.
    Victim,
    /// As likely as the victim, within the reading error.
    OrThis,
    /// The next victim of another domain around the process.
    GroupVictim,
    /// As likely as the victim of that domain.
    OrInGroup,
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
            Self::GroupVictim | Self::OrInGroup => "*",
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
    /// Who dies in the cgroup that is nearer to its end than what the table ranks by, if there is one: the victim, and who is as
    /// likely.
    sooner: Option<[Option<ProcessId>; 2]>,
}

impl Marks {
    /// Collects the victims of all domains, as a table that ranks by the host shows them.
    pub fn new(snapshot: &Snapshot) -> Self {
        Self::ranked(snapshot, Scope::Host)
    }

    /// Collects the victims of all domains for a table that ranks by this domain: its marks win over the
    /// marks of other domains. Among those, a victim stays marked as a victim even if it is a runner-up
    /// elsewhere.
    pub fn ranked(snapshot: &Snapshot, ranking: Scope) -> Self {
        let mut victims = HashMap::new();
        // Nobody is next if a setting makes the kernel panic or kill the task that asks for memory.
        let settings = &snapshot.vm_settings;
        let kills = |scope| settings.action(scope) == OomAction::KillWorst;
        let verdicts = |own: bool| {
            let domains = snapshot.domains.iter();
            let these = domains.filter(move |d| (d.scope == ranking) == own && kills(d.scope));
            these.filter_map(|domain| Some((domain.scope, domain.next()?)))
        };
        for (own, first, second) in [
            (true, Mark::Victim, Mark::OrThis),
            (false, Mark::GroupVictim, Mark::OrInGroup),
        ] {
            for (scope, verdict) in verdicts(own) {
                victims.entry(verdict.victim.id).or_insert((first, scope));
            }
            for (scope, verdict) in verdicts(own) {
                if let Some(other) = verdict.or() {
                    victims.entry(other.id).or_insert((second, scope));
                }
            }
        }
        Self {
            victims,
            sooner: None,
        }
    }

    /// The same where this cgroup is nearer to its end than the host: its victims die first, wherever they stand in the table.
    #[must_use]
    pub fn led_by(mut self, leading: Option<Scope>, snapshot: &Snapshot) -> Self {
        let domain = leading.and_then(|scope| snapshot.domain(scope));
        self.sooner = domain.and_then(DomainState::next).map(|verdict| {
            let other = verdict.or().map(|other| other.id);
            [Some(verdict.victim.id), other]
        });
        self
    }

    /// True for who dies first of all that are marked.
    pub fn dies_first(&self, process: &Process) -> bool {
        match self.sooner {
            Some(sooner) => sooner.contains(&Some(process.id)),
            None => matches!(self.mark(process), Mark::Victim | Mark::OrThis),
        }
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

    /// The domain that would kill this process next, if there is one.
    pub fn domain(&self, id: ProcessId) -> Option<Scope> {
        self.victims.get(&id).map(|(_, scope)| *scope)
    }

    /// The word for the protection column.
    pub fn word(&self, process: &Process) -> &'static str {
        match self.mark(process) {
            Mark::Victim => "NEXT VICTIM",
            Mark::OrThis => "or this one",
            Mark::GroupVictim => match self.domain(process.id) {
                Some(Scope::Host) => "host victim",
                Some(Scope::Nodes(_)) => "nodes victim",
                Some(Scope::Memcg(_)) | None => "cgroup victim",
            },
            Mark::OrInGroup => match self.domain(process.id) {
                Some(Scope::Host) => "or, on host",
                Some(Scope::Nodes(_)) => "or, in nodes",
                Some(Scope::Memcg(_)) | None => "or, in cgroup",
            },
            Mark::Immune => "immune",
            Mark::Protected | Mark::None => match (process.state.is_dead(), process.adj) {
                (true, _) => "ending",
                (false, _) if process.skipped_by_kernel => "passed over",
                (false, Some(adj)) => Protection::from_adj(adj).name(),
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

#[cfg(test)]
mod tests {
    use super::{Mark, Marks};
    use crate::model::cgroup::CgroupKey;
    use crate::model::oom_domain::victim::{Candidate, DomainState, Scope, Verdict};
    use crate::model::process::{Process, ProcessId};
    use crate::model::snapshot::Snapshot;

    fn process(pid: u32) -> Process {
        Process {
            id: ProcessId {
                pid,
                start_ticks: 1,
            },
            ..Process::default()
        }
    }

    fn domain(scope: Scope, victim: u32, runner_up: u32) -> DomainState {
        let candidate = |pid| Candidate {
            id: process(pid).id,
            points: 100,
        };
        DomainState {
            throttles_only: false,
            dying: None,
            scope,
            total_pages: 1000,
            limit: 0,
            usage: None,
            members: 2,
            verdict: Some(Verdict {
                victim: candidate(victim),
                runner_up: Some(candidate(runner_up)),
                close: true,
                rival: None,
            }),
            group_kill: None,
        }
    }

    #[test]
    fn the_ranking_domain_has_the_marks_and_close_ones_are_marked_everywhere() {
        let (a, b) = (Scope::Memcg(CgroupKey(1)), Scope::Memcg(CgroupKey(2)));
        let snapshot = Snapshot {
            domains: vec![
                domain(Scope::Host, 1, 2),
                domain(a, 3, 4),
                // Runner-up in one group and victim of another: the mark says victim.
                domain(b, 4, 5),
            ],
            ..Snapshot::default()
        };
        let told = |ranking| {
            let marks = Marks::ranked(&snapshot, ranking);
            let of = |pid| (marks.mark(&process(pid)), marks.word(&process(pid)));
            [1, 2, 3, 4, 5].map(of)
        };
        let first = |leading| {
            let marks = Marks::new(&snapshot).led_by(leading, &snapshot);
            [1, 2, 3, 4, 5].map(|pid| marks.dies_first(&process(pid)))
        };
        assert_eq!(first(None), [true, true, false, false, false]);
        assert_eq!(first(Some(a)), [false, false, true, true, false]);
        let of_cgroup = (Mark::GroupVictim, "cgroup victim");
        assert_eq!(
            told(Scope::Host),
            [
                (Mark::Victim, "NEXT VICTIM"),
                (Mark::OrThis, "or this one"),
                of_cgroup,
                of_cgroup,
                (Mark::OrInGroup, "or, in cgroup"),
            ]
        );
        assert_eq!(
            told(a),
            [
                (Mark::GroupVictim, "host victim"),
                (Mark::OrInGroup, "or, on host"),
                (Mark::Victim, "NEXT VICTIM"),
                (Mark::OrThis, "or this one"),
                (Mark::OrInGroup, "or, in cgroup"),
            ]
        );
    }
}
