//! Plans on small tables and on random ones.

use super::{Onset, Plan, Present, Prospect, nearest, prospects};
use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion, Limits};
use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::on_paper::{MIB, group, member};
use crate::model::process::Process;

fn process(pid: u32, mib: u64, adj: i64, cgroup: u32, growth: f32) -> Process {
    Process {
        growth: Some(growth),
        ..member(pid, mib, adj, cgroup)
    }
}

fn ask(to: &str, limit: Option<u64>, version: CgroupVersion) -> Vec<Prospect> {
    let cgroups = [
        group("/", None, None, 0),
        group("/web", Some(0), Some(500 * MIB), 450 * MIB),
        group("/web/a", Some(1), None, 400 * MIB),
        group("/db", Some(0), None, 300 * MIB),
    ];
    let processes = [
        process(1, 300, 0, 3, 10.0 * 1_048_576.0),
        process(2, 400, 0, 2, 2.0 * 1_048_576.0),
        process(3, 20, 0, 2, -5.0),
    ];
    let memory = Memory {
        total: 8192 * MIB,
        available: Some(4096 * MIB),
        ..Memory::default()
    };
    let plan = Plan {
        targets: &[processes[0].id],
        to: &CgroupPath::new(to),
        limits: limit.map(|max| Limits {
            max: Some(max),
            ..Limits::default()
        }),
        known: (None, Some(0)),
        version,
    };
    let present = Present {
        processes: &processes,
        cgroups: &cgroups,
        memory: &memory,
        rules: &KernelRules::default(),
    };
    prospects(&plan, &present)
}

fn victim(prospect: &Prospect) -> Option<u32> {
    prospect.verdict.map(|verdict| verdict.victim.id.pid)
}

#[test]
fn a_new_group_starts_empty_and_kills_the_one_inside() {
    let found = ask("/new", Some(100 * MIB), CgroupVersion::V2);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].onset, Onset::After(100 * MIB));
    assert_eq!(found[0].reached_in.map(|t| t.as_secs()), Some(10));
    assert_eq!(victim(&found[0]), Some(1));
}

#[test]
fn the_limits_around_a_new_group_hold_too() {
    let found = ask("/web/new/deep", Some(100 * MIB), CgroupVersion::V2);
    assert_eq!(found.len(), 2);
    let near = nearest(&found).expect("one");
    assert_eq!(
        (near.path.as_str(), near.onset),
        ("/web", Onset::After(50 * MIB))
    );
    assert_eq!(victim(near), Some(2));
    assert_eq!(near.reached_in.map(|t| t.as_secs()), Some(4));
}

#[test]
fn an_existing_group_ranks_its_members_and_the_moved_one() {
    let found = ask("/web/a", None, CgroupVersion::V2);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].onset, victim(&found[0])),
        (Onset::After(50 * MIB), Some(2))
    );
    assert!(ask("/db", None, CgroupVersion::V2).is_empty());
}

#[test]
fn who_grows_into_the_limit_is_the_one_that_dies() {
    let cgroups = [
        group("/", None, None, 0),
        group("/web", Some(0), Some(500 * MIB), 100 * MIB),
    ];
    // One process has 80 MiB and does not grow; the other has 20 MiB and grows by 400 MiB until the limit.
    let processes = [
        process(1, 80, 0, 1, 0.0),
        process(2, 20, 0, 1, 4.0 * 1_048_576.0),
        process(3, 5, 0, 0, 0.0),
    ];
    let path = CgroupPath::new("/web");
    let plan = Plan {
        targets: &[processes[2].id],
        to: &path,
        limits: None,
        known: (None, None),
        version: CgroupVersion::V2,
    };
    let present = Present {
        processes: &processes,
        cgroups: &cgroups,
        memory: &Memory::default(),
        rules: &KernelRules::default(),
    };
    let found = prospects(&plan, &present);
    assert_eq!(found[0].reached_in.map(|t| t.as_secs()), Some(100));
    assert_eq!(victim(&found[0]), Some(2));
}

#[test]
fn a_limit_below_usage_kills_on_v2_and_is_refused_on_v1() {
    let v2 = ask("/web", Some(100 * MIB), CgroupVersion::V2);
    assert_eq!((v2[0].onset, victim(&v2[0])), (Onset::AtOnce, Some(2)));
    // Killing the first, with 400 MiB, is enough.
    assert_eq!(v2[0].toll, 1);
    let v1 = ask("/web", Some(100 * MIB), CgroupVersion::V1);
    assert_eq!((v1[0].onset, v1[0].toll), (Onset::Refused, 0));
}

/// Two processes of 60 MiB and one of 50 MiB in a group with a limit of 200 MiB and a usage of 170 MiB; the
/// plan writes `limits`.
fn limits_of(limits: Limits, version: CgroupVersion) -> Prospect {
    let mut web = group("/web", Some(0), Some(200 * MIB), 170 * MIB);
    web.limits.memsw_max = version.is_v1().then_some(300 * MIB);
    web.swap_usage = Some(30 * MIB);
    let cgroups = [group("/", None, None, 0), web];
    let processes = [
        process(1, 60, 0, 1, 0.0),
        process(2, 60, 0, 1, 0.0),
        process(3, 50, 200, 1, 0.0),
    ];
    let plan = Plan {
        targets: &[],
        to: &CgroupPath::new("/web"),
        limits: Some(limits),
        known: (None, None),
        version,
    };
    let present = Present {
        processes: &processes,
        cgroups: &cgroups,
        memory: &Memory::default(),
        rules: &KernelRules::default(),
    };
    prospects(&plan, &present).remove(0)
}

fn max(mib: u64) -> Limits {
    Limits {
        max: Some(mib * MIB),
        ..Limits::default()
    }
}

#[test]
fn a_lower_limit_ranks_by_itself_and_kills_until_the_rest_fits() {
    // adj +200 is worth 20 MiB of 100, and 2 MiB of 10.
    let found = limits_of(max(100), CgroupVersion::V2);
    assert_eq!((victim(&found), found.toll), (Some(3), 2));
    let found = limits_of(max(10), CgroupVersion::V2);
    assert_eq!((victim(&found), found.toll), (Some(2), 3));
    let whole = Limits {
        oom_group: true,
        ..max(160)
    };
    let found = limits_of(whole, CgroupVersion::V2);
    assert_eq!((found.onset, found.toll), (Onset::AtOnce, 3));
    assert_eq!(
        found.group_kill.as_ref().map(CgroupPath::as_str),
        Some("/web")
    );
}

#[test]
fn a_higher_limit_gives_time_and_other_files_do_not_strike() {
    let found = limits_of(max(400), CgroupVersion::V2);
    assert_eq!(
        (found.onset, victim(&found)),
        (Onset::After(230 * MIB), Some(3))
    );
    let high = Limits {
        high: Some(MIB),
        ..max(200)
    };
    assert_eq!(
        limits_of(high, CgroupVersion::V2).onset,
        Onset::After(30 * MIB)
    );
}

#[test]
fn memory_and_swap_together_are_refused_below_what_both_use() {
    let both = |mib| Limits {
        memsw_max: Some(mib * MIB),
        ..max(199)
    };
    let v1 = CgroupVersion::V1;
    assert_eq!(limits_of(both(199), v1).onset, Onset::Refused);
    assert_eq!(limits_of(both(210), v1).onset, Onset::After(10 * MIB));
}

proptest::proptest! {
    #[test]
    fn whatever_the_table_the_victim_is_inside_and_nothing_panics(
        parents in proptest::collection::vec(0..6_u32, 6),
        limits in proptest::collection::vec(proptest::option::of(0..u64::MAX), 6),
        usage: u64, growth: f32, to in 0..8_usize, limit: u64,
    ) {
        // As in the kernel's tree, parents come first.
        let cgroups: Vec<_> = (0..6_u32)
            .zip(&limits)
            .map(|(at, max)| {
                let parent = at.checked_sub(1).map(|last| parents[at as usize].min(last));
                group(&format!("/g{at}"), parent, *max, usage)
            })
            .collect();
        let processes: Vec<_> = (1..6)
            .map(|pid| process(pid, u64::from(pid) * 7, 0, pid, growth))
            .collect();
        let path = CgroupPath::new(&format!("/g{to}"));
        let plan = Plan {
            targets: &[processes[0].id],
            to: &path,
            limits: Some(Limits { max: Some(limit), ..Limits::default() }),
            known: (None, None),
            version: CgroupVersion::V2,
        };
        let present = Present {
            processes: &processes,
            cgroups: &cgroups,
            memory: &Memory::default(),
            rules: &KernelRules::default(),
        };
        let found = prospects(&plan, &present);
        proptest::prop_assert_eq!(&found[0].path, &path);
        // The target is inside, so somebody can always be killed.
        proptest::prop_assert!(found.iter().all(|p| p.verdict.is_some()));
    }
}

#[test]
fn swap_puts_nothing_off_where_swappiness_is_0() {
    let mut outer = group("/web", None, None, 0);
    let mut own = group("/web/a", Some(0), None, 400 * MIB);
    let memory = |swappiness| Memory {
        total: 8192 * MIB,
        swap_total: 1024 * MIB,
        swap_free: 1024 * MIB,
        swappiness: Some(swappiness),
        ..Memory::default()
    };
    let processes = [process(1, 300, 0, 1, 0.0)];
    let onset = |to: &str, groups: &[Cgroup], host: u64| {
        let plan = Plan {
            targets: &[processes[0].id],
            to: &CgroupPath::new(to),
            limits: Some(Limits {
                max: Some(100 * MIB),
                ..Limits::default()
            }),
            known: (None, Some(0)),
            version: CgroupVersion::V2,
        };
        let present = Present {
            processes: &processes,
            cgroups: groups,
            memory: &memory(host),
            rules: &KernelRules::default(),
        };
        prospects(&plan, &present)[0].onset
    };
    let swaps = Onset::After(824 * MIB - 100 * MIB);
    assert_eq!(onset("/web/a", &[outer.clone(), own.clone()], 60), swaps);
    assert_eq!(
        onset("/web/a", &[outer.clone(), own.clone()], 0),
        Onset::AtOnce
    );
    // v1: the group's own swappiness overrides the host's and does not change when a limit is written; a new
    // group inherits its parent's.
    (outer.limits.swappiness, own.limits.swappiness) = (Some(0), Some(0));
    let groups = [outer, own];
    assert_eq!(onset("/web/a", &groups, 60), Onset::AtOnce);
    assert_eq!(onset("/web/new", &groups, 60), Onset::After(100 * MIB));
}
