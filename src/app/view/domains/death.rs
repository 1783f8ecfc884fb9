//! [`Death`]: what an OOM in a domain does. It depends on the kernel's settings, the group's settings and who is
//! in the group.

use crate::model::cgroup::CgroupKey;
use crate::model::oom_domain::victim::{DomainState, Scope, Verdict};
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;
use crate::model::vm_settings::OomAction;

/// What would happen if a domain ran out of memory now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Death {
    /// Nobody is killed, the tasks wait: v1 `oom_kill_disable`, which the kernel checks first
    /// (mm/memcontrol-v1.c `memcg1_oom_prepare`).
    Hangs,
    /// Nobody is killed, the tasks are slowed down: its only limit is `memory.high`.
    Throttles,
    /// No process is in it.
    Empty,
    /// `panic_on_oom`: the kernel panics and chooses nobody.
    Panics,
    /// `oom_kill_allocating_task`: the task that asks for memory is killed.
    Asker,
    /// Nobody is left but this process, which the kernel has killed already: it is ending.
    Dying(ProcessId),
    /// Every process in the domain is immune.
    Nobody,
    /// This process, or its runner-up if the two are too close to call, and who ends with it.
    Kill(Verdict, Reach),
}

/// How far a kill reaches beyond the victim: the widest circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The victim alone.
    One,
    /// Processes with the same address space.
    Shared,
    /// Its whole group (`memory.oom.group`).
    Group,
    /// Its whole unit: systemd stops it (`OOMPolicy=stop`), or it ends with its main process.
    Unit,
    /// Its PID namespace, whose first process it is: a container ends.
    Namespace,
}

impl Reach {
    /// What a victim in a domain takes along.
    fn of(verdict: &Verdict, group_kill: Option<CgroupKey>, snapshot: &Snapshot) -> Self {
        let id = verdict.victim.id;
        let stopped = snapshot.stopped_with(id).map(|(unit, _)| unit);
        let unit = stopped.or_else(|| snapshot.led_by(id).map(|unit| unit.group));
        match (group_kill, unit) {
            (Some(group), Some(unit)) if encloses(group, unit, snapshot) => Self::Group,
            (_, Some(_)) => Self::Unit,
            (Some(_), None) => Self::Group,
            (None, None) if snapshot.init(id).is_some() => Self::Namespace,
            (None, None) => {
                let victim = snapshot.process(id);
                match victim.and_then(|victim| snapshot.sharers(victim).next()) {
                    Some(_) => Self::Shared,
                    None => Self::One,
                }
            }
        }
    }
}

impl Death {
    /// What an OOM in this domain of the sample does.
    pub fn from_domain(domain: &DomainState, snapshot: &Snapshot) -> Self {
        let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
        if group.is_some_and(|group| group.limits.kill_disabled) {
            return Self::Hangs;
        }
        if domain.members == 0 {
            return Self::Empty;
        }
        if domain.throttles_only {
            return Self::Throttles;
        }
        match snapshot.vm_settings.action(domain.scope) {
            OomAction::Panic => Self::Panics,
            OomAction::KillAsker => Self::Asker,
            OomAction::KillWorst => {
                let Some(verdict) = domain.verdict else {
                    return dying(domain.scope, snapshot).map_or(Self::Nobody, Self::Dying);
                };
                Self::Kill(verdict, Reach::of(&verdict, domain.group_kill, snapshot))
            }
        }
    }

    /// In one word of at most six letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hangs => "hangs",
            Self::Throttles => "none",
            Self::Dying(_) => "dying",
            Self::Empty | Self::Nobody => "nobody",
            Self::Panics => "panics",
            Self::Asker => "asker",
            Self::Kill(_, Reach::One) => "one",
            Self::Kill(_, Reach::Shared) => "shared",
            Self::Kill(_, Reach::Group) => "whole",
            Self::Kill(_, Reach::Unit) => "unit",
            Self::Kill(_, Reach::Namespace) => "pidns",
        }
    }

    /// The victim by badness; `None` where badness does not decide.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Kill(verdict, _) => Some(verdict),
            Self::Hangs
            | Self::Throttles
            | Self::Empty
            | Self::Panics
            | Self::Asker
            | Self::Dying(_)
            | Self::Nobody => None,
        }
    }
}

/// A process of the domain that has been killed and is not gone. A zombie that nobody reaps is none: it would hide for ever
/// that the others are immune.
fn dying(scope: Scope, snapshot: &Snapshot) -> Option<ProcessId> {
    let is_in = |process: &Process| match scope {
        Scope::Host | Scope::Nodes(_) => true,
        Scope::Memcg(group) => process
            .cgroup
            .is_some_and(|own| encloses(group, own, snapshot)),
    };
    let processes = snapshot.processes.iter();
    processes
        .filter(|process| process.skipped_by_kernel)
        .find(|process| is_in(process))
        .map(|process| process.id)
}

/// True if the group that the kernel kills holds the whole unit.
fn encloses(group: CgroupKey, unit: CgroupKey, snapshot: &Snapshot) -> bool {
    snapshot.ancestry(unit).any(|(key, _)| key == group)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Death;
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::{MIB, group, member};
    use crate::model::oom_domain::victim::assess;
    use crate::model::process::score::OomScoreAdj;
    use crate::model::snapshot::Snapshot;

    #[test]
    fn the_last_one_of_a_group_is_dying_and_not_immune() {
        let cgroups = vec![
            group("/", None, None, 0),
            group("/web", Some(0), Some(200 * MIB), 0),
        ];
        let memory = Memory {
            total: 8192 * MIB,
            ..Memory::default()
        };
        let of = |killed: bool, adj: i64| {
            let mut process = member(10, 90, 0, 1);
            process.skipped_by_kernel = killed;
            process.adj = OomScoreAdj::new(adj);
            let processes = vec![process];
            let snapshot = Snapshot {
                domains: assess(&processes, &cgroups, &memory, &KernelRules::default()),
                processes,
                cgroups: Arc::new(cgroups.clone()),
                memory,
                ..Snapshot::default()
            };
            Death::from_domain(&snapshot.domains[1], &snapshot)
        };
        assert!(matches!(of(false, 0), Death::Kill(..)));
        assert!(matches!(of(true, 0), Death::Dying(id) if id.pid == 10));
        assert_eq!(of(false, -1000), Death::Nobody);
    }
}
