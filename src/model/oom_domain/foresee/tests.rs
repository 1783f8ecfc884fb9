//! Who may overtake whom in a group of a few processes.

use std::collections::HashSet;
use std::time::Duration;

use super::foresee;
use crate::model::cgroup::Cgroup;
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::on_paper::{MIB, group, member};
use crate::model::oom_domain::victim::{DomainState, Verdict, assess, pass_over};
use crate::model::process::pace::{Birth, Pace};
use crate::model::process::{Process, ProcessId};

const AGE: Duration = Duration::from_secs(1);

/// A process of a group with a limit of 300 MiB, with its rates in MiB a second.
fn process(pid: u32, mib: u64, growth: f32, low: f32, high: f32) -> Process {
    let unit = MIB as f32;
    Process {
        pace: Pace {
            growth: growth * unit,
            steady: growth * unit,
            low: low * unit,
            high: high * unit,
            last: high * unit,
        },
        ..member(pid, mib, 0, 1)
    }
}

fn leaks(pid: u32, mib: u64, rate: f32) -> Process {
    process(pid, mib, rate, rate, rate)
}

/// What is said of the group, used by so many MiB.
fn verdict(table: &[Process], used: u64) -> Verdict {
    let groups: [Cgroup; 2] = [
        group("/", None, None, 0),
        group("/web", Some(0), Some(300 * MIB), used * MIB),
    ];
    let memory = Memory {
        total: 640_000 * MIB,
        available: Some(600_000 * MIB),
        ..Memory::default()
    };
    let mut states = assess(table, &groups, &memory, &KernelRules::default());
    foresee(&mut states, table, &groups, &memory, 4096, AGE);
    assert_eq!(
        states[0].verdict.and_then(|v| v.rival),
        None,
        "the host has room"
    );
    states[1].verdict.expect("a victim")
}

fn or(table: &[Process], used: u64) -> Option<u32> {
    verdict(table, used).or().map(|other| other.id.pid)
}

#[test]
fn who_grows_past_the_first_before_the_group_is_full_is_named() {
    // 100 left, 20 a second: six seconds for 80 MiB of lead. The first one is static.
    assert_eq!(
        or(&[leaks(10, 140, 0.0), leaks(11, 60, 20.0)], 200),
        Some(11)
    );
    // 20 left: the group is full before.
    assert_eq!(or(&[leaks(10, 140, 0.0), leaks(11, 60, 20.0)], 280), None);
    // The first one grows as well.
    assert_eq!(or(&[leaks(10, 140, 20.0), leaks(11, 60, 20.0)], 200), None);
    // However fast it grows, there is not that much left.
    assert_eq!(or(&[leaks(10, 200, 0.0), leaks(11, 60, 900.0)], 260), None);
    // Of two, the one that gets further.
    let three = [
        leaks(10, 100, 0.0),
        leaks(11, 60, 10.0),
        leaks(12, 50, 30.0),
    ];
    assert_eq!(or(&three, 210), Some(12));
}

#[test]
fn a_first_one_that_shrinks_at_times_may_be_passed_by_one_that_rests() {
    let saw = process(10, 120, 0.0, -60.0, 60.0);
    assert_eq!(or(&[saw.clone(), leaks(11, 90, 0.0)], 250), Some(11));
    // Far behind.
    assert_eq!(or(&[saw, leaks(11, 4, 0.0)], 250), None);
}

#[test]
fn of_two_that_grow_alike_the_first_may_be_held_up_when_the_end_is_near() {
    // 20 left at 40 a second: the kill comes before the next sample. Stress-ng's workers on 6.12 did this.
    let alike = |lead: u64| [leaks(10, 130 + lead, 20.0), leaks(11, 130, 20.0)];
    assert_eq!(or(&alike(10), 280), Some(11));
    // A second and a half of growth does not make up for that.
    assert_eq!(or(&alike(60), 280), None);
}

#[test]
fn where_nothing_grows_or_the_end_is_far_nothing_is_added() {
    assert_eq!(or(&[leaks(10, 100, 0.0), leaks(11, 99, 0.0)], 250), None);
    assert_eq!(or(&[leaks(10, 100, 0.0), leaks(11, 99, 0.001)], 199), None);
    let clear = verdict(&[leaks(10, 200, 5.0), leaks(11, 20, 0.0)], 250);
    assert_eq!(clear.rival, None);
}

#[test]
fn a_newcomer_counts_by_what_it_took_in_its_first_moments() {
    let newcomer = Process {
        pace: Pace::newcomer(&Birth {
            bytes: 40 * MIB,
            inherited: 0,
            lived: AGE,
            unseen: Some(AGE),
        }),
        ..member(11, 40, 0, 1)
    };
    assert_eq!(or(&[leaks(10, 90, 0.0), newcomer], 200), Some(11));
}

#[test]
fn the_memory_of_the_dead_lets_others_overtake_the_next_victim() {
    let groups = [
        group("/", None, None, 0),
        group("/web", Some(0), Some(200 * MIB), 200 * MIB),
    ];
    let memory = Memory {
        total: 640_000 * MIB,
        available: Some(600_000 * MIB),
        ..Memory::default()
    };
    let rules = KernelRules::default();
    let mut table = [leaks(10, 90, 0.0), leaks(11, 60, 0.0), leaks(12, 50, 40.0)];
    let mut states = assess(&table, &groups, &memory, &rules);
    foresee(&mut states, &table, &groups, &memory, 4096, AGE);
    let named = |states: &[DomainState]| {
        let verdict = states[1].verdict.expect("a victim");
        (verdict.victim.id.pid, verdict.or().map(|or| or.id.pid))
    };
    assert_eq!(named(&states), (10, None), "the group is full");
    let killed = HashSet::from([table[0].id]);
    pass_over(&killed, &mut table, &mut states, &groups, &rules);
    assert_eq!(named(&states), (11, None));
    foresee(&mut states, &table, &groups, &memory, 4096, AGE);
    assert_eq!(named(&states), (11, Some(12)));
    // What does not grow takes nothing of it.
    table[2].pace = Pace::default();
    pass_over(&killed, &mut table, &mut states, &groups, &rules);
    states[1].verdict.as_mut().expect("a victim").rival = None;
    foresee(&mut states, &table, &groups, &memory, 4096, AGE);
    assert_eq!(named(&states), (11, None));
}

#[test]
fn a_child_before_its_exec_gives_back_nothing_that_is_its_parents() {
    let groups = [
        group("/", None, None, 0),
        group("/web", Some(0), Some(200 * MIB), 200 * MIB),
    ];
    let memory = Memory {
        total: 640_000 * MIB,
        available: Some(600_000 * MIB),
        ..Memory::default()
    };
    let parent = leaks(10, 60, 0.0);
    let child = Process {
        id: ProcessId {
            pid: 20,
            ..parent.id
        },
        ppid: 10,
        skipped_by_kernel: true,
        ..parent.clone()
    };
    let table = [parent, child, leaks(11, 50, 40.0)];
    let mut states = assess(&table, &groups, &memory, &KernelRules::default());
    let left = states[1].clone();
    foresee(&mut states, &table, &groups, &memory, 4096, AGE);
    let alone = [table[0].clone(), table[2].clone()];
    let mut without = vec![states[0].clone(), left];
    foresee(&mut without, &alone, &groups, &memory, 4096, AGE);
    assert_eq!(states[1].verdict, without[1].verdict);
}
