//! Processes that are dead but for their name in the table: the kernel has killed them and passes them over from then on.

use std::collections::HashSet;
use std::hash::BuildHasher;

use super::race::Race;
use super::{DomainState, Scope, group_kill, is_kill_disabled};
use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::kernel::KernelRules;
use crate::model::process::badness::badness;
use crate::model::process::{Process, ProcessId};

/// Takes the processes that the kernel has killed out of the ranking of a sample that still has them. A domain that names
/// one of them gets the next victim; the others stay as they are.
///
/// The kernel does not choose its victim a second time: while that has its memory nobody else is chosen, and after it the
/// victim is passed over (`MMF_OOM_SKIP`; mm/oom_kill.c `oom_evaluate_task`, 4.7 to 7.3).
pub fn pass_over<S: BuildHasher>(
    killed: &HashSet<ProcessId, S>,
    processes: &mut [Process],
    domains: &mut [DomainState],
    cgroups: &[Cgroup],
    rules: &KernelRules,
) {
    for process in processes.iter_mut().filter(|p| killed.contains(&p.id)) {
        process.skipped_by_kernel = true;
    }
    for domain in domains {
        let Some(verdict) = &mut domain.verdict else {
            continue;
        };
        verdict.rival = verdict.rival.filter(|rival| !killed.contains(&rival.id));
        let ranked = [Some(verdict.victim), verdict.runner_up];
        if ranked
            .iter()
            .flatten()
            .any(|ranked| killed.contains(&ranked.id))
        {
            elect(domain, processes, cgroups, rules);
        }
    }
}

/// Ranks the members of a domain once more.
fn elect(domain: &mut DomainState, processes: &[Process], cgroups: &[Cgroup], rules: &KernelRules) {
    if is_kill_disabled(domain.scope, cgroups) {
        return;
    }
    let rival = domain.verdict.and_then(|verdict| verdict.rival);
    let mut race = Race::default();
    for process in processes {
        if competes(process, process.member_of(), domain.scope, cgroups) {
            race.enter(process, badness(process, domain.total_pages), rules.tie);
        }
    }
    domain.verdict = race.verdict(rules);
    if let Some(verdict) = &mut domain.verdict {
        // Who was about to overtake the dead one may be the first by now.
        verdict.rival = rival.filter(|rival| rival.id != verdict.victim.id);
    }
    domain.group_kill = race
        .first
        .and_then(|first| group_kill(domain.scope, first.cgroup, cgroups));
}

/// True if a process of the group `own` is a candidate of the domain.
pub(super) fn competes(
    process: &Process,
    own: Option<CgroupKey>,
    scope: Scope,
    cgroups: &[Cgroup],
) -> bool {
    match scope {
        Scope::Host => true,
        Scope::Memcg(group) => {
            own.is_some_and(|own| ancestry(own, cgroups).any(|(key, _)| key == group))
        }
        Scope::Nodes(set) => process.nodes.is_none_or(|own| own.common(set).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::assess;
    use super::pass_over;
    use crate::model::cgroup::CgroupKey;
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::{MIB, group, member};
    use crate::model::oom_domain::victim::{Candidate, Scope};

    #[test]
    fn a_dead_process_is_nobodys_next_victim() {
        let groups = [
            group("/", None, None, 0),
            group("/web", Some(0), Some(200 * MIB), 0),
            group("/db", Some(0), Some(900 * MIB), 0),
        ];
        let mut table = [
            member(10, 90, 0, 1),
            member(11, 60, 0, 1),
            member(12, 500, 0, 2),
        ];
        let memory = Memory {
            total: 8192 * MIB,
            ..Memory::default()
        };
        let rules = KernelRules::default();
        let mut domains = assess(&table, &groups, &memory, &rules);
        let untouched = domains[2].clone();
        let rival = Candidate {
            id: table[0].id,
            points: 9,
        };
        let verdict = domains[0].verdict.as_mut().expect("a victim");
        verdict.rival = Some(rival);
        let victims = |domains: &[super::DomainState]| -> Vec<_> {
            let of = |domain: &super::DomainState| domain.verdict.map(|v| v.victim.id.pid);
            domains.iter().map(of).collect()
        };
        assert_eq!(victims(&domains), [Some(12), Some(10), Some(12)]);
        pass_over(
            &HashSet::from([table[0].id]),
            &mut table,
            &mut domains,
            &groups,
            &rules,
        );
        assert_eq!(victims(&domains), [Some(12), Some(11), Some(12)]);
        let host = domains[0].verdict.expect("a victim");
        assert_eq!(host.rival, None, "the dead one overtakes nobody");
        assert_eq!(host.runner_up.map(|second| second.id.pid), Some(11));
        assert_eq!(domains[1].scope, Scope::Memcg(CgroupKey(1)));
        assert_eq!(domains[1].verdict.and_then(|v| v.runner_up), None);
        assert_eq!(domains[2], untouched);
        let all = table.each_ref().map(|process| process.id);
        pass_over(
            &HashSet::from(all),
            &mut table,
            &mut domains,
            &groups,
            &rules,
        );
        assert_eq!(victims(&domains), [None; 3]);
    }
}
