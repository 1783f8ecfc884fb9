//! What a write would change: badness, rank and next victim, before and after.

use std::collections::HashSet;
use std::time::Duration;

use crate::app::view::processes::columns::CellContext;
use crate::model::cgroup::CgroupKey;
use crate::model::oom_domain::enclosing::{is_member, nearness};
use crate::model::oom_domain::foresee::foresee;
use crate::model::oom_domain::victim::{
    DomainState, Scope, Verdict, assess, assess_nodes, compared, order,
};
use crate::model::process::badness::badness_with;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// One process in the ranking of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Badness, a share of the domain's pages; `None` if it is never chosen.
    pub points: Option<i64>,
    /// The pages of the domain.
    pub total: u64,
    /// 1 = next victim of the domain; `None` if it is never chosen.
    pub rank: Option<usize>,
}

/// The next victim of one domain, now and after the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VictimChange {
    /// The domain.
    pub scope: Scope,
    /// Now.
    pub before: Option<Verdict>,
    /// After.
    pub after: Option<Verdict>,
}

/// Where `target` stands on the host with the adj that `adj_of` gives each process.
pub fn standing(
    target: ProcessId,
    context: &CellContext<'_>,
    adj_of: impl Fn(&Process) -> OomScoreAdj,
) -> Option<Standing> {
    let total = context
        .snapshot
        .memory
        .host_total_pages(context.rules.page_size);
    standing_in(target, Scope::Host, total, context, adj_of)
}

/// Where `target` stands among the members of one domain of `total` pages.
pub fn standing_in(
    target: ProcessId,
    scope: Scope,
    total: u64,
    context: &CellContext<'_>,
    adj_of: impl Fn(&Process) -> OomScoreAdj,
) -> Option<Standing> {
    let snapshot = context.snapshot;
    let tie = context.rules.tie;
    let exact = |p: &Process| badness_with(p, adj_of(p), total).points();
    let points = |p: &Process| exact(p).map(|own| compared(own, tie));
    let target_process = snapshot.process(target)?;
    let rank = points(target_process).map(|own| {
        let before = |p: &&Process| {
            points(p).is_some_and(|other| order((other, p.id), (own, target), tie).is_gt())
                && is_member(p, scope, snapshot)
        };
        1 + snapshot.processes.iter().filter(before).count()
    });
    Some(Standing {
        points: exact(target_process),
        total,
        rank,
    })
}

/// The victims of the host and of every domain around a target, before and after; the domain with the least
/// room first.
pub fn victims(
    targets: &[ProcessId],
    value: OomScoreAdj,
    context: &CellContext<'_>,
) -> Vec<VictimChange> {
    let snapshot = context.snapshot;
    // A set, because every process is looked up in it.
    let targets = reached(targets, snapshot);
    let groups: HashSet<CgroupKey> = snapshot
        .processes
        .iter()
        .filter(|p| targets.contains(&p.id))
        .filter_map(|p| p.cgroup)
        .collect();
    let after = after_write(&targets, value, context);
    let concerned = |domain: &&DomainState| match domain.scope {
        Scope::Host => true,
        Scope::Memcg(key) => groups
            .iter()
            .any(|own| snapshot.ancestry(*own).any(|(at, _)| at == key)),
        Scope::Nodes(_) => snapshot
            .processes
            .iter()
            .any(|p| targets.contains(&p.id) && is_member(p, domain.scope, snapshot)),
    };
    let mut concerned: Vec<_> = snapshot
        .domains
        .iter()
        .filter(|domain| !domain.throttles_only)
        .filter(concerned)
        .collect();
    concerned.sort_by_key(|domain| nearness(domain, snapshot));
    concerned
        .into_iter()
        .map(|domain| VictimChange {
            scope: domain.scope,
            before: domain.verdict,
            after: after
                .iter()
                .find(|d| d.scope == domain.scope)
                .and_then(|d| d.verdict)
                .map(|new| still_first(domain.verdict, new, &targets)),
        })
        .collect()
}

/// The processes a write to `targets` changes: also those that share their memory (fs/proc/base.c
/// `__set_oom_adj`, 4.9 to 7.3).
pub fn reached(targets: &[ProcessId], snapshot: &Snapshot) -> HashSet<ProcessId> {
    let targets: HashSet<ProcessId> = targets.iter().copied().collect();
    let all = snapshot.processes.iter();
    let spaces: HashSet<_> = all
        .clone()
        .filter(|p| targets.contains(&p.id))
        .filter_map(|p| p.address_space)
        .collect();
    all.filter(|p| p.address_space.is_some_and(|own| spaces.contains(&own)))
        .map(|p| p.id)
        .chain(targets.iter().copied())
        .collect()
}

/// How old a sample becomes before there is another.
const AGE: Duration = Duration::from_secs(1);

/// Of equals, the first one now stays the first, if the write does not change it: the sample has read in
/// which order the kernel looks at them, the new verdict goes by age alone.
fn still_first(before: Option<Verdict>, after: Verdict, changed: &HashSet<ProcessId>) -> Verdict {
    let first = before.map(|verdict| verdict.victim);
    let Some(first) = first.filter(|first| {
        first.points == after.victim.points
            && first.id != after.victim.id
            && !changed.contains(&first.id)
    }) else {
        return after;
    };
    Verdict {
        victim: first,
        runner_up: Some(after.victim),
        close: true,
        rival: None,
    }
}

fn after_write(
    targets: &HashSet<ProcessId>,
    value: OomScoreAdj,
    context: &CellContext<'_>,
) -> Vec<DomainState> {
    let snapshot = context.snapshot;
    let mut processes = snapshot.processes.clone();
    for process in processes.iter_mut().filter(|p| targets.contains(&p.id)) {
        process.adj = Some(value);
    }
    let (groups, memory) = (&snapshot.cgroups, &snapshot.memory);
    let mut states = assess(&processes, groups, memory, context.rules);
    let nodes = &snapshot.nodes;
    states.extend(assess_nodes(
        &processes,
        groups,
        nodes,
        memory,
        context.rules,
    ));
    let page_size = context.rules.page_size;
    foresee(&mut states, &processes, groups, memory, page_size, AGE);
    states
}
