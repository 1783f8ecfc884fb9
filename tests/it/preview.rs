//! The preview of a write to processes that share memory, which the kernel treats as one.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::common::paper;
use oomtop::app::view::processes::columns::CellContext;
use oomtop::app::view::processes::columns::command::Commands;
use oomtop::app::view::processes::marks::Marks;
use oomtop::app::view::processes::preview::{standing, victims};
use oomtop::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use oomtop::model::kernel::{KernelRules, TieBreak};
use oomtop::model::memory::Memory;
use oomtop::model::oom_domain::victim::{Scope, assess, settle};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::{Process, ProcessId};
use oomtop::model::snapshot::Snapshot;

const MIB: u64 = 1 << 20;

fn id(pid: u32) -> ProcessId {
    ProcessId {
        pid,
        start_ticks: u64::from(pid),
    }
}

fn process(pid: u32, mib: u64) -> Process {
    paper::process(pid, mib * 256, 0, 1)
}

fn snapshot(processes: Vec<Process>, rules: &KernelRules) -> Snapshot {
    let memory = Memory {
        total: 8192 * MIB,
        available: Some(4096 * MIB),
        ..Memory::default()
    };
    let group = paper::group("/alone", Some(0), Some(500 * MIB));
    let cgroups = vec![Cgroup::unread(CgroupPath::root(), None), group];
    let domains = assess(&processes, &cgroups, &memory, rules);
    Snapshot {
        seq: 1,
        processes,
        memory,
        cgroups: Arc::new(cgroups),
        domains,
        ..Snapshot::default()
    }
}

fn cells<'a>(snapshot: &'a Snapshot, rules: &'a KernelRules, marks: &'a Marks) -> CellContext<'a> {
    CellContext {
        snapshot,
        rules,
        total: snapshot.domains[0].total_pages,
        marks,
        ticks: 100,
        commands: Commands::default(),
    }
}

/// The victim of the group, before and after this write to this process.
fn change(snapshot: &Snapshot, rules: &KernelRules, pid: u32, adj: i64) -> (u32, u32) {
    let marks = Marks::default();
    let value = OomScoreAdj::new(adj).expect("in range");
    let changes = victims(&[id(pid)], value, &cells(snapshot, rules, &marks));
    let group = Scope::Memcg(CgroupKey(1));
    let change = changes
        .iter()
        .find(|c| c.scope == group)
        .expect("its domain");
    let pid = |verdict: Option<_>| {
        verdict.map(|v: oomtop::model::oom_domain::victim::Verdict| v.victim.id.pid)
    };
    (
        pid(change.before).expect("a victim"),
        pid(change.after).expect("a victim"),
    )
}

#[test]
fn a_write_elsewhere_does_not_turn_the_order_of_equals_round() {
    let rules = KernelRules::default();
    let table = vec![process(41, 60), process(42, 60), process(50, 10)];
    let mut snapshot = snapshot(table, &rules);
    // The younger process was moved in first: the kernel kills the last to join.
    let order = [(id(42), Some(CgroupKey(1))), (id(41), Some(CgroupKey(1)))];
    let cgroups = Arc::clone(&snapshot.cgroups);
    settle(&mut snapshot.domains[1], &order, rules.tie, &cgroups);
    assert_eq!(change(&snapshot, &rules, 50, 0), (41, 41));
    // A change to only one of them counts.
    assert_eq!(change(&snapshot, &rules, 41, -100), (41, 42));
    assert_eq!(change(&snapshot, &rules, 42, 100), (41, 42));
}

#[test]
fn who_shares_the_memory_is_written_to_as_well() {
    let rules = KernelRules::default();
    let mut table = vec![process(41, 60), process(42, 60), process(50, 50)];
    for twin in &mut table[..2] {
        twin.address_space = NonZeroU64::new(7);
    }
    let snapshot = snapshot(table, &rules);
    assert_eq!(change(&snapshot, &rules, 42, -100), (42, 50));
}

#[test]
fn before_5_9_the_small_with_a_negative_adj_are_equals_in_the_ranking_too() {
    let rules = KernelRules {
        tie: TieBreak::Earlier,
        ..KernelRules::default()
    };
    let mut table = vec![process(41, 1), process(42, 2), process(43, 3)];
    for small in &mut table {
        small.adj = OomScoreAdj::new(-900);
    }
    let snapshot = snapshot(table, &rules);
    let marks = Marks::default();
    let cells = cells(&snapshot, &rules, &marks);
    let rank = |pid| {
        let adj = |p: &Process| p.adj.unwrap_or_default();
        standing(id(pid), &cells, adj).and_then(|s| s.rank)
    };
    let victim = snapshot.domains[0].verdict.expect("somebody").victim.id.pid;
    assert_eq!(victim, 41);
    assert_eq!((rank(41), rank(42), rank(43)), (Some(1), Some(2), Some(3)));
}
