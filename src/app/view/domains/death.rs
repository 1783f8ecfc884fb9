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
    /// Nobody, while this process, which the kernel has killed already, is ending.
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
                if let Some(id) = domain.dying {
                    return Self::Dying(id);
                }
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

/// A process of the domain that has been killed and still has memory to give back. A zombie that nobody reaps has none,
/// whether it was killed or ended by itself: it would hide for ever that the others are immune.
fn dying(scope: Scope, snapshot: &Snapshot) -> Option<ProcessId> {
    let is_in = |process: &Process| match scope {
        Scope::Host => true,
        // As the kernel asks: whoever may use one of the nodes (mm/oom_kill.c `oom_cpuset_eligible`).
        Scope::Nodes(set) => process.nodes.is_none_or(|own| own.common(set).is_some()),
        Scope::Memcg(group) => process
            .cgroup
            .is_some_and(|own| encloses(group, own, snapshot)),
    };
    let processes = snapshot.processes.iter();
    processes
        .filter(|process| process.skipped_by_kernel && process.memory.is_some())
        .find(|process| is_in(process))
        .map(|process| process.id)
}

/// True if the group that the kernel kills holds the whole unit.
fn encloses(group: CgroupKey, unit: CgroupKey, snapshot: &Snapshot) -> bool {
    snapshot.ancestry(unit).any(|(key, _)| key == group)
}

#[cfg(test)]
mod tests;
