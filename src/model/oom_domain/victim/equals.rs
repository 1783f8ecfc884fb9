//! Candidates with equal points: which one the kernel chooses.
//!
//! The order in which the kernel visits them decides. On the host this is the order of creation
//! (`for_each_process`, mm/oom_kill.c `select_bad_process`). In a memory cgroup the kernel visits the groups
//! in pre-order, children in the order of their creation, and the processes of a group in the order in which
//! they joined it (mm/memcontrol.c `mem_cgroup_scan_tasks`, kernel/cgroup/cgroup.c `css_task_iter_next`; the
//! task table of the log had this order in 328 of 328 reports on 6.18). So a process that was moved into the
//! group late comes last, however old it is.

use super::{Candidate, DomainState, Scope, badness, compared, group_kill};
use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::kernel::TieBreak;
use crate::model::process::{Process, ProcessId};

/// The members of a group's domain with exactly the victim's points, if there is more than the victim. Empty
/// for the host, where age decides and is known.
#[must_use]
pub fn equals<'p>(
    state: &DomainState,
    processes: &'p [Process],
    cgroups: &[Cgroup],
    tie: TieBreak,
) -> Vec<&'p Process> {
    let Some(verdict) = state.verdict else {
        return Vec::new();
    };
    let points = verdict.victim.points;
    let second = verdict.runner_up.map(|second| second.points);
    if state.scope == Scope::Host || second != Some(points) {
        return Vec::new();
    }
    processes
        .iter()
        .filter(|p| {
            let own = badness(p, state.total_pages).points();
            own.map(|own| compared(own, tie)) == Some(points)
        })
        .filter(|p| is_inside(p.cgroup, state.scope, cgroups))
        .collect()
}

/// Makes the right one of the equals the victim. `order` is the order in which the kernel visits them.
pub fn settle(
    state: &mut DomainState,
    order: &[(ProcessId, Option<CgroupKey>)],
    tie: TieBreak,
    cgroups: &[Cgroup],
) {
    let (Some(verdict), [first, .., last]) = (&mut state.verdict, order) else {
        return;
    };
    let (first, second) = match tie {
        TieBreak::Later => (*last, order.iter().rev().nth(1).copied().unwrap_or(*last)),
        TieBreak::Earlier => (*first, order.get(1).copied().unwrap_or(*first)),
    };
    let points = verdict.victim.points;
    verdict.victim.id = first.0;
    verdict.runner_up = Some(Candidate {
        id: second.0,
        points,
    });
    state.group_kill = group_kill(state.scope, first.1, cgroups);
}

fn is_inside(group: Option<CgroupKey>, scope: Scope, cgroups: &[Cgroup]) -> bool {
    group.is_some_and(|own| ancestry(own, cgroups).any(|(at, _)| scope == Scope::Memcg(at)))
}
