//! Victims of domains on paper.

use super::{Scope, assess};
use crate::model::cgroup::CgroupKey;
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::on_paper::{MIB, group, member};

fn host() -> Memory {
    Memory {
        total: 8192 * MIB,
        available: Some(4096 * MIB),
        ..Memory::default()
    }
}

#[test]
fn the_order_inside_a_group_differs_from_the_hosts() {
    let groups = [
        group("/", None, None, 0),
        group("/web", Some(0), Some(200 * MIB), 0),
        group("/web/a", Some(1), None, 0),
    ];
    // adj 100 is 819 MiB of the host, but only 20 MiB of a 200 MiB group.
    let table = [
        member(10, 60, 100, 2),
        member(11, 90, 0, 1),
        member(12, 500, 0, 0),
    ];
    let states = assess(&table, &groups, &host(), &KernelRules::default());
    let victim = |at: usize| states[at].verdict.map(|v| v.victim.id.pid);
    assert_eq!(states.len(), 2);
    assert_eq!(victim(0), Some(10));
    assert_eq!(victim(1), Some(11));
    assert_eq!(states[1].scope, Scope::Memcg(CgroupKey(1)));
    assert_eq!((states[0].members, states[1].members), (3, 2));
}

#[test]
fn nested_limits_each_have_a_victim_and_the_topmost_oom_group_dies_whole() {
    let mut groups = vec![
        group("/", None, None, 0),
        group("/pod", Some(0), Some(900 * MIB), 0),
        group("/pod/a", Some(1), Some(300 * MIB), 0),
        group("/pod/b", Some(1), None, 0),
    ];
    groups[2].limits.oom_group = true;
    groups[1].limits.oom_group = true;
    let table = [member(10, 100, 0, 2), member(11, 200, 0, 3)];
    let states = assess(&table, &groups, &host(), &KernelRules::default());
    let at = |key| {
        states
            .iter()
            .find(|s| s.scope == Scope::Memcg(CgroupKey(key)))
    };
    assert_eq!(
        at(1).and_then(|s| s.verdict).map(|v| v.victim.id.pid),
        Some(11)
    );
    assert_eq!(
        at(2).and_then(|s| s.verdict).map(|v| v.victim.id.pid),
        Some(10)
    );
    // In the domain /pod/a only the flag of /pod/a counts; in the domain /pod the flag of /pod does.
    assert_eq!(at(2).and_then(|s| s.group_kill), Some(CgroupKey(2)));
    assert_eq!(at(1).and_then(|s| s.group_kill), Some(CgroupKey(1)));
}

#[test]
fn equals_are_decided_by_age_and_said_to_be_close() {
    let table = [member(20, 10, 0, 0), member(10, 10, 0, 0)];
    let states = assess(
        &table,
        &[group("/", None, None, 0)],
        &host(),
        &KernelRules::default(),
    );
    let verdict = states[0].verdict.expect("a victim");
    assert_eq!(verdict.victim.id.pid, 20);
    assert!(verdict.close);
}

#[test]
fn a_group_whose_killer_is_off_has_no_victim() {
    let mut groups = vec![
        group("/", None, None, 0),
        group("/frozen", Some(0), Some(200 * MIB), 0),
    ];
    groups[1].limits.kill_disabled = true;
    let states = assess(
        &[member(10, 60, 0, 1)],
        &groups,
        &host(),
        &KernelRules::default(),
    );
    assert!(states[0].verdict.is_some());
    assert_eq!((states[1].verdict, states[1].members), (None, 1));
}

#[test]
fn a_limit_counts_however_deep_below_it_a_process_is() {
    let mut groups = vec![group("/", None, Some(200 * MIB), 0)];
    for depth in 1..3_000_u32 {
        groups.push(group("/x", Some(depth - 1), None, 0));
    }
    let table = [member(10, 60, 0, 2_999), member(11, 30, 0, 1)];
    let states = assess(&table, &groups, &host(), &KernelRules::default());
    assert_eq!(states[1].members, 2);
    assert_eq!(states[1].verdict.map(|v| v.victim.id.pid), Some(10));
}

#[test]
fn nobody_to_kill_and_damaged_tables() {
    let table = [member(10, 10, -1000, 7)];
    let mut looped = group("/x", Some(1), None, 0);
    looped.parent = Some(CgroupKey(1));
    let states = assess(
        &table,
        &[group("/", None, None, 0), looped],
        &host(),
        &KernelRules::default(),
    );
    assert_eq!(states[0].verdict, None);
}
