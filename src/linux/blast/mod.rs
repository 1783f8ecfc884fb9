//! [`BlastWatch`]: what of those who would die first takes others along: their units and their PID namespaces.

mod inits;
mod units;

use std::os::fd::OwnedFd;

use crate::linux::SysRoot;
use crate::linux::kernel_file::FileBuffer;
use crate::model::cgroup::{Cgroup, CgroupVersion};
use crate::model::oom_domain::victim::DomainState;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use inits::InitWatch;
use units::UnitWatch;

/// What there is to look at.
pub(crate) struct Look<'a> {
    pub(crate) now: Monotonic,
    /// Tasks wait for memory: files that were read once are not read again.
    pub(crate) pressed: bool,
    /// The sample is to be complete: it waits a moment for what is not known yet.
    pub(crate) whole: bool,
    pub(crate) root: &'a SysRoot,
    pub(crate) proc: &'a OwnedFd,
    pub(crate) version: CgroupVersion,
    pub(crate) cgroups: &'a [Cgroup],
}

/// What is known of those who would die first.
#[derive(Debug, Default)]
pub(crate) struct BlastWatch {
    units: UnitWatch,
    inits: InitWatch,
}

impl BlastWatch {
    /// Fills in the units and first processes of namespaces among those who would die first, and of `detail`.
    pub(crate) fn look(
        &mut self,
        at: &Look<'_>,
        detail: Option<ProcessId>,
        buffer: &mut FileBuffer,
        snapshot: &mut Snapshot,
    ) {
        let wanted = first_to_die(&snapshot.domains, detail);
        snapshot.units = self.units.at(at, &wanted, &snapshot.processes);
        snapshot.inits = self.inits.at(at, &wanted, &snapshot.processes, buffer);
    }
}

/// The first two candidates of each domain, and the process whose details are open, ascending.
fn first_to_die(domains: &[DomainState], detail: Option<ProcessId>) -> Vec<ProcessId> {
    let candidates = domains.iter().filter_map(|domain| domain.verdict);
    let candidates = candidates.flat_map(|verdict| {
        let runner_up = verdict.runner_up.map(|second| second.id);
        [Some(verdict.victim.id), runner_up].into_iter().flatten()
    });
    let mut wanted: Vec<ProcessId> = candidates.chain(detail).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}
