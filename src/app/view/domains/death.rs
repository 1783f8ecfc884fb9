//! [`Death`]: what an OOM in a domain does, by the kernel's settings, the group's and who is in it.

use crate::model::oom_domain::victim::{DomainState, Verdict};
use crate::model::snapshot::Snapshot;
use crate::model::vm_settings::OomAction;

/// What happens when a domain runs out, as things stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Death {
    /// Nobody is killed, the tasks wait: v1 `oom_kill_disable`, which is looked at before all else
    /// (mm/memcontrol-v1.c `memcg1_oom_prepare`).
    Hangs,
    /// No process is in it.
    Empty,
    /// `panic_on_oom`: the machine is down, whoever was the worst.
    Panics,
    /// `oom_kill_allocating_task`: whoever asks for memory.
    Asker,
    /// Every process in it is immune.
    Nobody,
    /// This one, or the one it is too close to.
    One(Verdict),
    /// This one and its whole group (`memory.oom.group`).
    Whole(Verdict),
}

impl Death {
    /// In this domain of the sample.
    pub fn of(domain: &DomainState, snapshot: &Snapshot) -> Self {
        let group = domain.scope.memcg().and_then(|key| snapshot.cgroup(key));
        if group.is_some_and(|group| group.limits.kill_disabled) {
            return Self::Hangs;
        }
        if domain.members == 0 {
            return Self::Empty;
        }
        match snapshot.vm_settings.action(domain.scope) {
            OomAction::Panic => Self::Panics,
            OomAction::KillAsker => Self::Asker,
            OomAction::KillWorst => match (domain.verdict, domain.group_kill) {
                (None, _) => Self::Nobody,
                (Some(verdict), Some(_)) => Self::Whole(verdict),
                (Some(verdict), None) => Self::One(verdict),
            },
        }
    }

    /// In one word of at most six letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hangs => "hangs",
            Self::Empty | Self::Nobody => "nobody",
            Self::Panics => "panics",
            Self::Asker => "asker",
            Self::One(_) => "one",
            Self::Whole(_) => "whole",
        }
    }

    /// Who is killed by badness; `None` where badness does not matter or nobody is left.
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::One(verdict) | Self::Whole(verdict) => Some(verdict),
            Self::Hangs | Self::Empty | Self::Panics | Self::Asker | Self::Nobody => None,
        }
    }
}
