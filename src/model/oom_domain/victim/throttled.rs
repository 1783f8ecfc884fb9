//! Groups whose only limit is `memory.high`: no OOM domains, but their tasks are slowed down, without end if nothing
//! can be reclaimed.

use super::{DomainState, Scope};
use crate::model::cgroup::{Cgroup, CgroupKey, ancestry};
use crate::model::process::Process;

/// The state of every such group, in key order. Nobody is killed at that limit, so they have no victim; the total
/// that adj is scaled by is `total_pages` of the host.
#[must_use]
pub fn throttled_groups(
    processes: &[Process],
    cgroups: &[Cgroup],
    total_pages: u64,
) -> Vec<DomainState> {
    let mut states = Vec::new();
    let mut slot_of: Vec<Option<usize>> = vec![None; cgroups.len()];
    for (index, group) in cgroups.iter().enumerate() {
        let (true, None, Some(high)) = (group.present, group.limits.max, group.limits.high) else {
            continue;
        };
        if let Some(slot) = slot_of.get_mut(index) {
            *slot = Some(states.len());
        }
        states.push(DomainState {
            scope: Scope::Memcg(CgroupKey(u32::try_from(index).unwrap_or(u32::MAX))),
            total_pages,
            limit: high,
            usage: group.usage,
            members: 0,
            verdict: None,
            group_kill: None,
            throttles_only: true,
            dying: None,
        });
    }
    if states.is_empty() {
        return states;
    }
    for key in processes.iter().filter_map(|process| process.cgroup) {
        for (key, _) in ancestry(key, cgroups) {
            let slot = slot_of.get(key.index()).copied().flatten();
            if let Some(state) = slot.and_then(|slot| states.get_mut(slot)) {
                state.members += 1;
            }
        }
    }
    states
}

#[cfg(test)]
mod tests {
    use super::throttled_groups;
    use crate::model::cgroup::CgroupKey;
    use crate::model::on_paper::{self, MIB};
    use crate::model::oom_domain::victim::Scope;

    #[test]
    fn a_group_with_memory_high_alone_is_one_and_a_hard_limit_makes_it_a_domain() {
        let mut groups = vec![
            on_paper::group("/", None, None, 0),
            on_paper::group("/high", Some(0), None, 90 * MIB),
            on_paper::group("/both", Some(0), Some(200 * MIB), 90 * MIB),
        ];
        groups[1].limits.high = Some(100 * MIB);
        groups[2].limits.high = Some(100 * MIB);
        let states = throttled_groups(&[], &groups, 1000);
        assert_eq!(states.len(), 1);
        let state = &states[0];
        assert_eq!(state.scope, Scope::Memcg(CgroupKey(1)));
        assert_eq!((state.limit, state.usage), (100 * MIB, Some(90 * MIB)));
        assert!(state.throttles_only && state.verdict.is_none());
    }
}
