//! Victims that have not given back their memory yet: until one has, the kernel kills nobody else.

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::DomainState;
use super::passed::competes;
use crate::model::cgroup::{Cgroup, CgroupKey};
use crate::model::process::{Process, ProcessId};

/// Notes in each domain who of these dies there: processes that the kernel has killed so lately that the OOM reaper may not be
/// done, and the group that each was in before. On v1 an exiting process seems to be in the root (kernel/cgroup/cgroup.c
/// `proc_cgroup_show`), but the kernel still finds it in its own group. Call it before
/// [`pass_over`](super::pass_over), which takes them out of the ranking.
///
/// A victim stops the choice in every domain that it is a candidate of until `MMF_OOM_SKIP` is set, by the OOM reaper or when
/// its memory is gone (mm/oom_kill.c `oom_evaluate_task`: `goto abort`; 4.7 to 7.3). The kernel shows an `oom_score` of 0
/// from then on, which the sampler reads of whoever leads a ranking.
pub fn note_dying<S: BuildHasher>(
    killed: &HashMap<ProcessId, Option<CgroupKey>, S>,
    processes: &[Process],
    domains: &mut [DomainState],
    cgroups: &[Cgroup],
) {
    for process in processes.iter().filter(|process| holds_memory(process)) {
        let Some(known) = killed.get(&process.id) else {
            continue;
        };
        let group = known.or(process.member_of());
        for domain in domains.iter_mut().filter(|domain| domain.dying.is_none()) {
            if competes(process, group, domain.scope, cgroups) {
                domain.dying = Some(process.id);
            }
        }
    }
}

/// False for a zombie, and for whom the kernel is done with.
fn holds_memory(process: &Process) -> bool {
    let memory = process.memory;
    !process.skipped_by_kernel && memory.is_some_and(|memory| memory.rss + memory.swap > 0)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::note_dying;
    use crate::model::cgroup::CgroupKey;
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::{MIB, group, member};
    use crate::model::oom_domain::victim::{DomainState, assess, pass_over};
    use crate::model::process::Process;

    /// Who dies in the host, in /web and in /db after 10, whose row is `victim`, was killed in /web.
    fn dying(victim: Process) -> Vec<(Option<u32>, Option<u32>)> {
        let groups = [
            group("/", None, None, 0),
            group("/web", Some(0), Some(200 * MIB), 0),
            group("/db", Some(0), Some(900 * MIB), 0),
        ];
        let memory = Memory {
            total: 8192 * MIB,
            ..Memory::default()
        };
        let rules = KernelRules::default();
        let mut table = [victim, member(11, 60, 0, 1), member(12, 500, 0, 2)];
        let mut domains = assess(&table, &groups, &memory, &rules);
        let id = table[0].id;
        let known = HashMap::from([(id, Some(CgroupKey(1)))]);
        note_dying(&known, &table, &mut domains, &groups);
        let killed = HashSet::from([id]);
        pass_over(&killed, &mut table, &mut domains, &groups, &rules);
        let of = |domain: &DomainState| {
            let next = domain.next().map(|verdict| verdict.victim.id.pid);
            (domain.dying.map(|id| id.pid), next)
        };
        domains.iter().map(of).collect()
    }

    #[test]
    fn nobody_is_next_while_a_victim_holds_memory() {
        // The host waits for the victim of a group, too; another group does not.
        let waits = [(Some(10), None), (Some(10), None), (None, Some(12))];
        assert_eq!(dying(member(10, 90, 0, 1)), waits);
        assert_eq!(dying(member(10, 9, 0, 1)), waits, "half of it is free");
        assert_eq!(dying(member(10, 90, 0, 0)), waits, "exiting, on v1");
    }

    #[test]
    fn the_next_one_is_named_once_the_victim_is_done() {
        let over = [(None, Some(12)), (None, Some(11)), (None, Some(12))];
        let mut zombie = member(10, 0, 0, 1);
        zombie.memory = None;
        assert_eq!(dying(zombie), over);
        let mut reaped = member(10, 90, 0, 1);
        reaped.skipped_by_kernel = true;
        assert_eq!(dying(reaped), over, "its score is 0");
    }
}
