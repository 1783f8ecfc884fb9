//! OOM domains of cpusets: processes that may use only some memory nodes can exhaust those nodes alone.
//!
//! If the cpuset of the allocating process restricts it to some nodes, the total is swap plus the present
//! pages of those nodes, and only processes that may use one of those nodes compete (mm/oom_kill.c
//! `constrained_alloc` and `oom_cpuset_eligible`, 2.6.36 to 7.3). The nodes of a memory policy
//! (set_mempolicy(2), mbind(2)) are not in `/proc/PID/status`: an OOM caused by one cannot be predicted, only
//! explained.

use super::race::Race;
use super::{DomainState, Scope, badness, group_kill};
use crate::model::cgroup::Cgroup;
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::memory::nodes::{NodeMemory, NodeSet};
use crate::model::process::Process;

/// Most node sets assessed: each costs a walk over the table.
const MOST: usize = 16;

/// The domains of all node sets that some process is restricted to, in the order of the sets. Empty on a host
/// with one node, and where all processes may use all nodes.
#[must_use]
pub fn assess_nodes(
    processes: &[Process],
    cgroups: &[Cgroup],
    nodes: &[NodeMemory],
    memory: &Memory,
    rules: &KernelRules,
) -> Vec<DomainState> {
    let all = nodes
        .iter()
        .filter_map(|node| NodeSet::from_node(node.node));
    let Some(all) = all.reduce(NodeSet::with).filter(|_| nodes.len() > 1) else {
        return Vec::new();
    };
    // A set may contain nodes without memory.
    let held = |p: &Process| p.nodes.and_then(|own| own.common(all));
    let mut sets: Vec<NodeSet> = Vec::new();
    for set in processes.iter().filter_map(held) {
        if set != all && !sets.contains(&set) && sets.len() < MOST {
            sets.push(set);
        }
    }
    sets.sort_unstable();
    let state = |set: NodeSet| {
        let own = || nodes.iter().filter(|node| set.has(node.node));
        let page = rules.page_size;
        // Saturating: the file of another root may be damaged.
        let sum = |part: fn(&NodeMemory) -> u64| own().map(part).fold(0, u64::saturating_add);
        let total_pages = sum(|node| node.present).saturating_add(memory.swap_total / page.max(1));
        let mut race = Race::default();
        for process in processes {
            if process.nodes.is_none_or(|own| own.common(set).is_some()) {
                race.enter(process, badness(process, total_pages), rules.tie);
            }
        }
        let scope = Scope::Nodes(set);
        DomainState {
            throttles_only: false,
            dying: None,
            scope,
            total_pages,
            limit: sum(|node| node.managed).saturating_mul(page),
            usage: Some(sum(NodeMemory::used).saturating_mul(page)),
            members: race.members,
            verdict: race.verdict(rules),
            group_kill: race
                .first
                .and_then(|first| group_kill(scope, first.cgroup, cgroups)),
        }
    };
    sets.into_iter().map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::assess_nodes;
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::memory::nodes::{NodeMemory, NodeSet};
    use crate::model::on_paper;
    use crate::model::process::Process;

    fn process(pid: u32, rss: u64, adj: i64, nodes: Option<&str>) -> Process {
        Process {
            nodes: nodes.and_then(NodeSet::parse),
            ..on_paper::process(pid, rss, adj)
        }
    }

    fn node(node: u32, present: u64) -> NodeMemory {
        NodeMemory {
            node,
            present,
            managed: present - 100,
            free: 1000,
            cache: 500,
        }
    }

    #[test]
    fn only_who_may_use_a_node_competes_for_it() {
        let table = [
            process(10, 9000, 0, Some("0")),
            process(11, 3000, 0, Some("1")),
            process(12, 2000, 20, None),
            process(13, 100, 0, Some("0-1")),
        ];
        let rules = KernelRules::default();
        let memory = Memory {
            swap_total: 4096 * 10_000,
            ..Memory::default()
        };
        let states = |nodes: &[NodeMemory]| assess_nodes(&table, &[], nodes, &memory, &rules);
        let two = states(&[node(0, 50_000), node(1, 90_000)]);
        let shown: Vec<_> = two
            .iter()
            .map(|s| {
                let victim = s.verdict.map(|v| (v.victim.id.pid, v.victim.points));
                (s.total_pages, s.members, victim)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (60_000, 3, Some((10, 9000))),
                // 2000 + 20 * (100 000 / 1000) is more than 3000.
                (100_000, 3, Some((12, 4000))),
            ]
        );
        assert_eq!(two[1].limit, 89_900 * 4096);
        assert_eq!(two[1].usage, Some(88_400 * 4096));
        assert!(states(&[node(0, 50_000)]).is_empty());
        // A set that contains all nodes with memory is no restriction, whatever else it contains.
        let third = states(&[node(0, 1000), node(2, 1000)]);
        assert_eq!(third.len(), 1);
    }
}
