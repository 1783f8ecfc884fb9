//! Which process dies next in each OOM domain.
//!
//! An OOM domain is a set of memory that is exhausted as a whole: the host, a memory cgroup with a limit, or
//! the memory nodes of a cpuset. In a cgroup only the processes of its subtree compete, and the kernel scales
//! adj by the limit (mm/oom_kill.c `constrained_alloc`: `oc->totalpages = mem_cgroup_get_max(oc->memcg)`, see
//! [`memcg_total_bytes`]), so the ranking in the cgroup can differ from the ranking on the host.

mod by_node;
mod dying;
mod equals;
mod passed;
mod race;
mod throttled;

use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::memory::nodes::NodeSet;
use crate::model::process::badness::badness;
use crate::model::process::{Process, ProcessId};
use crate::oomlog::analysis::memcg_total::{SwapLimit, memcg_total};

pub use by_node::assess_nodes;
pub use dying::note_dying;
pub use equals::{equals, settle};
pub use passed::pass_over;
use race::Race;
pub use race::{age_rank, compared, order, seniority};
pub use throttled::throttled_groups;

/// Names an OOM domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of RAM and swap.
    Host,
    /// A memory cgroup with a limit of its own.
    Memcg(CgroupKey),
    /// The memory nodes that the cpuset of some process allows, if it does not allow all.
    Nodes(NodeSet),
}

impl Scope {
    /// The group, if the domain is a group.
    #[must_use]
    pub fn memcg(self) -> Option<CgroupKey> {
        match self {
            Self::Memcg(key) => Some(key),
            Self::Host | Self::Nodes(_) => None,
        }
    }
}

/// A process with its badness in some domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Candidate {
    /// The process.
    pub id: ProcessId,
    /// Badness in pages, adj included.
    pub points: i64,
}

/// The first two candidates of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The process the kernel would kill.
    pub victim: Candidate,
    /// The next one, if there is another.
    pub runner_up: Option<Candidate>,
    /// True if the difference between the two is smaller than the reading error: either may die.
    pub close: bool,
    /// Who may overtake the victim before the domain is full, by how both change ([`crate::model::oom_domain::foresee`]): the strongest, who
    /// need not be the second by now. `None` if nobody may.
    pub rival: Option<Candidate>,
}

impl Verdict {
    /// Who may die instead of the victim: the two cannot be told apart, or will not stay in this order. `None` if
    /// the victim is certain.
    #[must_use]
    pub fn or(&self) -> Option<Candidate> {
        self.rival.or(self.runner_up.filter(|_| self.close))
    }
}

/// One OOM domain: how full it is, and which process dies in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DomainState {
    /// Which domain.
    pub scope: Scope,
    /// The total that adj is scaled by, in pages: RAM + swap, or the limit + the swap that the group may use.
    pub total_pages: u64,
    /// The limit in bytes (RAM for the host).
    pub limit: u64,
    /// Usage that counts against the limit, in bytes; `None` if it could not be read.
    pub usage: Option<u64>,
    /// Number of processes in the domain, immune ones included.
    pub members: u32,
    /// The first two candidates; `None` if nobody can be killed.
    pub verdict: Option<Verdict>,
    /// `memory.oom.group`: the kernel kills all processes of this group together with the victim (v2).
    pub group_kill: Option<CgroupKey>,
    /// `limit` is `memory.high`, and the group has no hard one: it is slowed down there and nobody is killed
    /// (Documentation/admin-guide/cgroup-v2.rst). No OOM domain, but where memory runs short.
    pub throttles_only: bool,
    /// The kernel has killed this process and waits for its memory: nobody else is killed meanwhile ([`note_dying`]).
    pub dying: Option<ProcessId>,
}

impl DomainState {
    /// Usage in percent of the limit, 0 ..; `None` where usage could not be read.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        Some(crate::model::memory::percent(self.usage?, self.limit))
    }

    /// Who is killed next: nobody while a victim is dying.
    #[must_use]
    pub fn next(&self) -> Option<Verdict> {
        self.verdict.filter(|_| self.dying.is_none())
    }
}

/// False if the swappiness is 0: then the kernel does not swap out the group's memory at its limit, however
/// much swap there is (mm/memcontrol.c `mem_cgroup_swappiness`: the group's own on v1, `vm.swappiness` on v2;
/// mm/vmscan.c `get_scan_count`).
#[must_use]
pub fn may_swap(group: &Cgroup, memory: &Memory) -> bool {
    group.limits.swappiness.or(memory.swappiness) != Some(0)
}

/// The total of a group's OOM domain in bytes: the limit plus the swap that the group may use, but no more
/// swap than exists. `None` if the group has no limit.
///
/// mm/memcontrol.c `mem_cgroup_get_max` (`mem_cgroup_get_limit` before 4.17), the same sum from 3.16 to 7.3:
/// only the group's own limits count, not those of its ancestors, and swap counts only if the swappiness is
/// not 0 ([`may_swap`]).
#[must_use]
pub fn memcg_total_bytes(group: &Cgroup, memory: &Memory) -> Option<u64> {
    let swap = match (group.limits.memsw_max, group.limits.swap_max) {
        _ if !may_swap(group, memory) => SwapLimit::Never,
        (Some(both), _) => SwapLimit::Both(both),
        (None, Some(most)) => SwapLimit::Swap(most),
        (None, None) => SwapLimit::None,
    };
    Some(memcg_total(group.limits.max?, swap, memory.swap_total))
}

/// The state of every OOM domain: the host first, then each group with a limit, in key order.
///
/// This is one walk over the table; a process counts in every limited ancestor. The real root has no limit,
/// but the group that a container sees as `/` can have one: then it is a domain like any other.
#[must_use]
pub fn assess(
    processes: &[Process],
    cgroups: &[Cgroup],
    memory: &Memory,
    rules: &KernelRules,
) -> Vec<DomainState> {
    let page = rules.page_size.max(1);
    let host_total = memory.host_total_pages(page);
    let mut states = vec![DomainState {
        scope: Scope::Host,
        total_pages: host_total,
        limit: memory.total,
        usage: Some(memory.used()),
        members: 0,
        verdict: None,
        group_kill: None,
        throttles_only: false,
        dying: None,
    }];
    let mut slot_of: Vec<Option<usize>> = vec![None; cgroups.len()];
    for (index, group) in cgroups.iter().enumerate() {
        let Some(total) = memcg_total_bytes(group, memory).filter(|_| group.present) else {
            continue;
        };
        slot_of[index] = Some(states.len());
        states.push(DomainState {
            scope: Scope::Memcg(CgroupKey(u32::try_from(index).unwrap_or(u32::MAX))),
            total_pages: total / page,
            limit: group.limits.max.unwrap_or(0),
            usage: group.usage,
            members: 0,
            verdict: None,
            group_kill: None,
            throttles_only: false,
            dying: None,
        });
    }
    let enclosing = enclosing_slots(cgroups, &slot_of);
    let mut races = vec![Race::default(); states.len()];
    for process in processes {
        races[0].enter(process, badness(process, host_total), rules.tie);
        let own = process.member_of();
        let mut slot = own.and_then(|key| enclosing.get(key.index()).copied().flatten());
        while let Some(at) = slot {
            races[at].enter(process, badness(process, states[at].total_pages), rules.tie);
            slot = outer_slot(&states[at], cgroups, &enclosing);
        }
    }
    for (state, race) in states.iter_mut().zip(&races) {
        state.members = race.members;
        if is_kill_disabled(state.scope, cgroups) {
            continue;
        }
        state.verdict = race.verdict(rules);
        state.group_kill = race
            .first
            .and_then(|first| group_kill(state.scope, first.cgroup, cgroups));
    }
    states
}

/// v1 `memory.oom_control` with `oom_kill_disable`: tasks of the group hang and nobody is killed (seen on
/// 6.18, which warns that it is deprecated; mm/memcontrol-v1.c `memcg1_oom_prepare`, in older kernels part of
/// mm/memcontrol.c under other names).
fn is_kill_disabled(scope: Scope, cgroups: &[Cgroup]) -> bool {
    let group = scope.memcg().and_then(|key| cgroups.get(key.index()));
    group.is_some_and(|group| group.limits.kill_disabled)
}

/// For each group, the slot of the innermost limited group around it, which can be the group itself. Each group is
/// looked at once, however deep they are nested.
fn enclosing_slots(cgroups: &[Cgroup], slot_of: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut known: Vec<Option<Option<usize>>> = vec![None; cgroups.len()];
    let mut path = Vec::new();
    for index in 0..cgroups.len() {
        let (mut next, mut found) = (Some(index), None);
        // A damaged table can have a circle.
        while let Some(at) = next.filter(|at| path.len() < cgroups.len() && *at < cgroups.len()) {
            found = known.get(at).copied().flatten().flatten();
            if known.get(at).is_some_and(Option::is_some) {
                break;
            }
            path.push(at);
            found = slot_of.get(at).copied().flatten();
            if found.is_some() {
                break;
            }
            next = cgroups
                .get(at)
                .and_then(|group| group.parent)
                .map(CgroupKey::index);
        }
        for at in path.drain(..) {
            if let Some(slot) = known.get_mut(at) {
                *slot = Some(found);
            }
        }
    }
    known.into_iter().map(Option::flatten).collect()
}

fn outer_slot(
    state: &DomainState,
    cgroups: &[Cgroup],
    enclosing: &[Option<usize>],
) -> Option<usize> {
    let Scope::Memcg(key) = state.scope else {
        return None;
    };
    let parent = cgroups.get(key.index())?.parent?;
    enclosing.get(parent.index()).copied().flatten()
}

/// `memory.oom.group`: the kernel kills the topmost group with the flag, between the victim's group and the
/// domain, as a whole (mm/memcontrol.c `mem_cgroup_get_oom_group`, v2 since 4.19).
pub fn group_kill(
    scope: Scope,
    victims_group: Option<CgroupKey>,
    cgroups: &[Cgroup],
) -> Option<CgroupKey> {
    let mut found = None;
    for (key, group) in ancestry(victims_group?, cgroups) {
        if group.limits.oom_group {
            found = Some(key);
        }
        if scope == Scope::Memcg(key) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;
