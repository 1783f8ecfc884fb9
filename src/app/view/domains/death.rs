//! [`Death`]: what an OOM in a domain does. It depends on the kernel's settings, the group's settings and who is
//! in the group.

use crate::model::cgroup::CgroupKey;
use crate::model::oom_domain::victim::{DomainState, Verdict};
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
    /// Every process in the domain is immune.
    Nobody,
    /// This process, or its runner-up if the two are too close to call.
    One(Verdict),
    /// This process and its whole group (`memory.oom.group`).
    Whole(Verdict),
    /// This process, and systemd stops its whole unit (`OOMPolicy=stop`).
    Unit(Verdict),
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
                    return Self::Nobody;
                };
                let unit = snapshot.stopped_with(verdict.victim.id);
                match (domain.group_kill, unit) {
                    (Some(group), Some((unit, _))) if encloses(group, unit, snapshot) => {
                        Self::Whole(verdict)
                    }
                    (_, Some(_)) => Self::Unit(verdict),
                    (Some(_), None) => Self::Whole(verdict),
                    (None, None) => Self::One(verdict),
                }
            }
        }
    }

    /// In one word of at most six letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hangs => "hangs",
            Self::Throttles => "none",
            Self::Empty | Self::Nobody => "nobody",
            Self::Panics => "panics",
            Self::Asker => "asker",
            Self::One(_) => "one",
            Self::Whole(_) => "whole",
            Self::Unit(_) => "unit",
        }
    }

    /// The victim by badness; `None` where badness does not decide.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::One(verdict) | Self::Whole(verdict) | Self::Unit(verdict) => Some(verdict),
            Self::Hangs
            | Self::Throttles
            | Self::Empty
            | Self::Panics
            | Self::Asker
            | Self::Nobody => None,
        }
    }
}

/// True if the group that the kernel kills holds the whole unit.
fn encloses(group: CgroupKey, unit: CgroupKey, snapshot: &Snapshot) -> bool {
    snapshot.ancestry(unit).any(|(key, _)| key == group)
}
