//! Candidates with the very same points: who is first in the order the kernel looks at them.
//!
//! On the host that is the order of creation (`for_each_process`, mm/oom_kill.c `select_bad_process`). In a
//! memory cgroup it is the tree in pre-order, children as they were made, and inside one group the order in
//! which the processes joined it (mm/memcontrol.c `mem_cgroup_scan_tasks`, kernel/cgroup/cgroup.c
//! `css_task_iter_next`; the log's table had this order in 328 of 328 reports on 6.18): a process that was
//! moved in late comes last, however old it is.

use super::{Candidate, DomainState, Scope, badness, compared, group_kill};
use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::kernel::TieBreak;
use crate::model::process::{Process, ProcessId};

/// The members of a group's domain that have exactly the victim's points, if the victim has equals. Empty
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

/// Puts the right one of the equals first. `order` is how the kernel looks at them.
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
