//! Compares the victim rules with a plain copy of the kernel's loop, over random tables.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::num::NonZeroU64;

use crate::common::paper;
use oomtop::model::cgroup::{Cgroup, CgroupKey};
use oomtop::model::kernel::{KernelRules, RssEvidence, RssSource, ScoreFormula, TieBreak};
use oomtop::model::memory::Memory;
use oomtop::model::oom_domain::victim::{Scope, assess, equals, memcg_total_bytes, settle};
use oomtop::model::process::badness::badness;
use oomtop::model::process::score::oom_score;
use oomtop::model::process::{Process, ProcessId};
use proptest::prelude::*;

const MIB: u64 = 1 << 20;

fn group(parent: Option<u32>, max: Option<u64>) -> Cgroup {
    paper::group("/", parent, max)
}

/// A process; several have the same start time.
fn process(pid: u32, rss: u64, adj: i64, cgroup: u32) -> Process {
    let mut process = paper::process(pid, rss, adj, cgroup);
    process.id.start_ticks = u64::from(pid % 7);
    process
}

fn host(swap: u64, swappiness: Option<u64>) -> Memory {
    Memory {
        total: 8192 * MIB,
        swap_total: swap,
        swappiness,
        ..Memory::default()
    }
}

/// mm/oom_kill.c `select_bad_process` and `oom_evaluate_task`, in the words of the kernel.
fn select(table: &[&Process], total: u64, tie: TieBreak) -> Option<ProcessId> {
    let mut chosen: Option<(i64, ProcessId)> = None;
    for process in table {
        let Some(points) = badness(process, total).points() else {
            continue;
        };
        let points = match tie {
            TieBreak::Later => points,
            TieBreak::Earlier => points.max(1),
        };
        let skip = chosen.is_some_and(|(most, _)| match tie {
            TieBreak::Later => points < most,
            TieBreak::Earlier => points <= most,
        });
        if !skip {
            chosen = Some((points, process.id));
        }
    }
    chosen.map(|(_, id)| id)
}

fn encloses(outer: u32, group: u32, groups: &[Cgroup]) -> bool {
    let mut at = Some(CgroupKey(group));
    while let Some(key) = at {
        if key.0 == outer {
            return true;
        }
        at = groups[key.index()].parent;
    }
    false
}

prop_compose! {
    fn trees()(
        parents in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        limits in prop::collection::vec(prop::option::of(1_u64..4096), 7),
        rows in prop::collection::vec(
            (0_u64..4, prop_oneof![Just(0_i64), Just(0), -1000_i64..=1000], any::<prop::sample::Index>()),
            0..30,
        ),
        later in any::<bool>(),
    ) -> (Vec<Cgroup>, Vec<Process>, TieBreak) {
        let mut groups = vec![group(None, None)];
        for (parent, limit) in parents.iter().zip(limits) {
            let parent = u32::try_from(parent.index(groups.len())).expect("small");
            groups.push(group(Some(parent), limit.map(|mib| mib * MIB)));
        }
        let table = rows
            .iter()
            .zip(10..)
            .map(|((size, adj, home), pid)| {
                let home = u32::try_from(home.index(groups.len())).expect("small");
                // Few sizes, so that many are equal.
                process(pid, 1000 * size, *adj, home)
            })
            .collect();
        let tie = if later { TieBreak::Later } else { TieBreak::Earlier };
        (groups, table, tie)
    }
}

proptest! {
    #[test]
    fn every_domain_has_the_victim_of_the_kernels_loop((groups, mut table, tie) in trees()) {
        let rules = KernelRules { tie, ..KernelRules::default() };
        let memory = host(0, None);
        // The order of the table must not matter.
        let states = assess(&table, &groups, &memory, &rules);
        table.sort_by_key(|p| (p.id.start_ticks, p.id.pid));
        let again = assess(&table, &groups, &memory, &rules);
        for (state, again) in states.iter().zip(&again) {
            let members: Vec<&Process> = table
                .iter()
                .filter(|p| match (state.scope, p.cgroup) {
                    (Scope::Memcg(key), Some(home)) => encloses(key.0, home.0, &groups),
                    _ => state.scope == Scope::Host,
                })
                .collect();
            let wanted = select(&members, state.total_pages, tie);
            prop_assert_eq!(state.verdict.map(|v| v.victim.id), wanted);
            prop_assert_eq!(again.verdict.map(|v| v.victim.id), wanted);
            // Without the victim, the runner-up is chosen.
            let rest: Vec<&Process> =
                members.iter().copied().filter(|p| Some(p.id) != wanted).collect();
            let second = state.verdict.and_then(|v| v.runner_up).map(|c| c.id);
            prop_assert_eq!(second, select(&rest, state.total_pages, tie));
            prop_assert_eq!(state.members as usize, members.len());
        }
        let limited = groups.iter().filter(|g| g.limits.max.is_some()).count();
        prop_assert_eq!(states.len(), limited + 1);
    }

    #[test]
    fn a_score_follows_badness(a in 0_u64..1_000_000, b in 0_u64..1_000_000, adj in -999_i64..=1000) {
        let total = 1_000_000;
        let score = |rss, formula| oom_score(badness(&process(1, rss, adj, 0), total).points(), total, formula);
        for formula in [ScoreFormula::Scaled, ScoreFormula::Permille] {
            prop_assert!(a > b || score(a, formula) <= score(b, formula));
            prop_assert!(score(a, formula) <= 2000);
        }
    }

    #[test]
    fn equals_die_in_the_order_the_kernel_looks_at_them(
        (groups, table, tie) in trees(),
        order in any::<prop::sample::Index>(),
    ) {
        let rules = KernelRules { tie, ..KernelRules::default() };
        for mut state in assess(&table, &groups, &host(0, None), &rules) {
            let before = state.verdict;
            let mut tied = equals(&state, &table, &groups, tie);
            if tied.is_empty() {
                continue;
            }
            prop_assert!(tied.len() > 1);
            let turn = order.index(tied.len());
            tied.rotate_left(turn);
            let ids: Vec<_> = tied.iter().map(|p| (p.id, p.cgroup)).collect();
            settle(&mut state, &ids, tie, &groups);
            let verdict = state.verdict.expect("a victim");
            prop_assert_eq!(Some(verdict.victim.id), select(&tied, state.total_pages, tie));
            prop_assert_eq!(Some(verdict.victim.points), before.map(|v| v.victim.points));
            prop_assert_ne!(Some(verdict.victim.id), verdict.runner_up.map(|c| c.id));
        }
    }
}

#[test]
fn a_group_is_weighed_by_its_limit_and_the_swap_it_may_use() {
    const SWAP: u64 = 1024 * MIB;
    let total = |change: &dyn Fn(&mut Cgroup), memory: &Memory| {
        let mut group = group(None, Some(200 * MIB));
        change(&mut group);
        memcg_total_bytes(&group, memory).map(|bytes| bytes / MIB)
    };
    let swap = host(SWAP, Some(60));
    assert_eq!(total(&|_| (), &host(0, None)), Some(200));
    assert_eq!(total(&|_| (), &swap), Some(1224));
    assert_eq!(total(&|g| g.limits.swap_max = Some(0), &swap), Some(200));
    assert_eq!(
        total(&|g| g.limits.swap_max = Some(50 * MIB), &swap),
        Some(250)
    );
    // v1: both together, never more swap than there is.
    assert_eq!(
        total(&|g| g.limits.memsw_max = Some(300 * MIB), &swap),
        Some(300)
    );
    assert_eq!(
        total(&|g| g.limits.memsw_max = Some(9000 * MIB), &swap),
        Some(1224)
    );
    // No swapping: by the host's setting, or on v1 by the group's own, which goes first.
    assert_eq!(total(&|_| (), &host(SWAP, Some(0))), Some(200));
    assert_eq!(total(&|g| g.limits.swappiness = Some(0), &swap), Some(200));
    assert_eq!(
        total(&|g| g.limits.swappiness = Some(9), &host(SWAP, Some(0))),
        Some(1224)
    );
    assert_eq!(total(&|g| g.limits.max = None, &swap), None);
}

#[test]
fn who_shares_the_memory_of_the_victim_is_no_other_candidate() {
    let shared = |pid, rss| Process {
        address_space: NonZeroU64::new(0x1000),
        ..process(pid, rss, 0, 0)
    };
    let alone = Process {
        address_space: NonZeroU64::new(0x2000),
        ..process(9, 400, 0, 0)
    };
    let rules = KernelRules {
        rss_error: 10,
        ..KernelRules::default()
    };
    for table in [
        [shared(20, 900), shared(21, 900), alone.clone()],
        [alone.clone(), shared(21, 900), shared(20, 900)],
        [shared(21, 900), alone.clone(), shared(20, 900)],
    ] {
        let states = assess(&table, &[], &host(0, None), &rules);
        let verdict = states[0].verdict.expect("a victim");
        assert_eq!(verdict.victim.id.pid, 20);
        assert_eq!(verdict.runner_up.map(|c| c.id.pid), Some(9));
        assert!(!verdict.close);
    }
}

#[test]
fn evidence_goes_before_the_version() {
    let says = |stat, status, guess| RssEvidence { stat, status }.source(guess);
    assert_eq!(says(0, 0, RssSource::Status), RssSource::Status);
    assert_eq!(says(3, 3, RssSource::Stat), RssSource::Stat);
    assert_eq!(says(4, 3, RssSource::Status), RssSource::Stat);
    assert_eq!(says(0, 1, RssSource::Stat), RssSource::Status);
}
