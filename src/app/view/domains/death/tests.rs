//! What an OOM does, in domains on paper.

use std::sync::Arc;

use super::Death;
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::memory::nodes::NodeSet;
use crate::model::on_paper::{MIB, group, member};
use crate::model::oom_domain::victim::{Scope, assess};
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Process, TaskState};
use crate::model::snapshot::Snapshot;

#[test]
fn the_last_one_of_a_group_is_dying_and_not_immune() {
    let cgroups = vec![
        group("/", None, None, 0),
        group("/web", Some(0), Some(200 * MIB), 0),
    ];
    let memory = Memory {
        total: 8192 * MIB,
        ..Memory::default()
    };
    let of = |killed: bool, adj: i64| {
        let mut process = member(10, 90, 0, 1);
        process.skipped_by_kernel = killed;
        process.adj = OomScoreAdj::new(adj);
        let processes = vec![process];
        let snapshot = Snapshot {
            domains: assess(&processes, &cgroups, &memory, &KernelRules::default()),
            processes,
            cgroups: Arc::new(cgroups.clone()),
            memory,
            ..Snapshot::default()
        };
        Death::from_domain(&snapshot.domains[1], &snapshot)
    };
    assert!(matches!(of(false, 0), Death::Kill(..)));
    assert!(matches!(of(true, 0), Death::Dying(id) if id.pid == 10));
    assert_eq!(of(false, -1000), Death::Nobody);
}

#[test]
fn a_zombie_that_nobody_reaps_is_not_dying_whoever_ended_it() {
    let of = |killed: bool, has_memory: bool| {
        let mut dead = member(10, 90, 0, 0);
        dead.skipped_by_kernel = killed;
        dead.state = TaskState('Z');
        dead.memory = dead.memory.filter(|_| has_memory);
        dead.adj = OomScoreAdj::new(-1000);
        let mut immune = member(11, 90, 0, 0);
        immune.adj = OomScoreAdj::new(-1000);
        death_of_host(vec![dead, immune])
    };
    // Threads of it still hold its memory.
    assert!(matches!(of(true, true), Death::Dying(id) if id.pid == 10));
    assert_eq!(of(true, false), Death::Nobody, "killed by the kernel");
    assert_eq!(of(false, false), Death::Nobody, "it ended by itself");
}

fn death_of_host(processes: Vec<Process>) -> Death {
    let memory = Memory {
        total: 8192 * MIB,
        ..Memory::default()
    };
    let cgroups = vec![group("/", None, None, 0)];
    let snapshot = Snapshot {
        domains: assess(&processes, &cgroups, &memory, &KernelRules::default()),
        processes,
        cgroups: Arc::new(cgroups),
        memory,
        ..Snapshot::default()
    };
    Death::from_domain(&snapshot.domains[0], &snapshot)
}

#[test]
fn memory_nodes_wait_only_for_who_may_allocate_there() {
    let of = |nodes: Option<&str>| {
        let set = NodeSet::parse("1").expect("a set");
        let mut dying = member(10, 90, 0, 0);
        dying.skipped_by_kernel = true;
        dying.nodes = nodes.and_then(NodeSet::parse);
        let mut immune = member(11, 90, 0, 0);
        immune.adj = OomScoreAdj::new(-1000);
        let snapshot = Snapshot {
            processes: vec![dying, immune],
            ..Snapshot::default()
        };
        super::dying(Scope::Nodes(set), &snapshot).map(|id| id.pid)
    };
    assert_eq!(of(Some("0")), None, "it frees nothing there");
    assert_eq!(of(Some("0-1")), Some(10));
    assert_eq!(of(None), Some(10), "it may use all nodes");
}
