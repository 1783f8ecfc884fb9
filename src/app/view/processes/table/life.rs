//! How much of a process is left, and where it competes.

use crate::model::oom_domain::victim::Scope;
use crate::model::process::Process;
use crate::model::process::badness::{Badness, Immunity, badness};
use crate::model::snapshot::Snapshot;

/// How much of a selected process is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The process lives.
    Alive,
    /// The kernel skips the process now: it was reaped and ends soon, or it is between vfork and exec.
    SkippedByKernel,
    /// A zombie, or its memory is gone.
    Ended,
}

impl Life {
    pub(super) fn from_process(process: &Process) -> Self {
        match badness(process, 0) {
            Badness::Immune(Immunity::NoMemory) => Self::Ended,
            Badness::Immune(Immunity::SkippedByKernel) => Self::SkippedByKernel,
            _ => Self::Alive,
        }
    }
}

/// True if nothing is left of the process for a key to act on.
pub fn has_ended(process: &Process) -> bool {
    Life::from_process(process) == Life::Ended
}

/// True if the process competes in the domain.
pub fn is_member(process: &Process, scope: Scope, snapshot: &Snapshot) -> bool {
    match scope {
        Scope::Host => true,
        Scope::Memcg(key) => process
            .cgroup
            .is_some_and(|own| snapshot.ancestry(own).any(|(at, _)| at == key)),
        Scope::Nodes(set) => process.nodes.is_none_or(|own| own.common(set).is_some()),
    }
}
