//! A kill in a fake cgroup tree: which groups count it, and that they are read at once.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use crate::common::fake_root::{FakeRoot, Layout};
use crate::common::sampling::{MIB, at, group, sampler};
use oomtop::model::snapshot::Needs;

fn control(kills: u64) -> String {
    format!("oom_kill_disable 0\nunder_oom 0\noom_kill {kills}")
}

fn vmstat(root: &FakeRoot, kills: u64) {
    root.write("proc/vmstat", format!("pgfault 77\noom_kill {kills}\n"));
}

#[test]
fn on_v1_a_kill_in_a_child_counts_in_the_limited_group_around_it_and_at_once() {
    let root = FakeRoot::with_layout(Layout::V1)
        .v1_group("pod", |g| {
            g.max("104857600")
                .current(10 * MIB)
                .file("memory.oom_control", &control(0))
                .file("memory.failcnt", "3")
        })
        .v1_group("pod/app", |g| g.file("memory.oom_control", &control(1)))
        .process(10, |p| p.cgroup("/pod/app"));
    vmstat(&root, 1);
    let mut sampler = sampler(&root);
    let mut take = |second| {
        sampler
            .sample(&Needs::default(), at(second))
            .expect("a sample")
    };
    let kills =
        |snapshot: &_| ["/pod", "/pod/app"].map(|path| group(snapshot, path).events.oom_kill);
    assert_eq!(kills(&take(1)), [Some(1), Some(1)]);
    // A kill in a group idle for long: the very next sample has the kill and the limit that was hit.
    for second in 2..43 {
        take(second);
    }
    let root = root.v1_group("pod/app", |g| g.file("memory.oom_control", &control(2)));
    root.write("sys/fs/cgroup/memory/pod/memory.failcnt", "9\n");
    vmstat(&root, 2);
    let seen = take(43);
    assert_eq!(kills(&seen), [Some(2), Some(2)]);
    let pod = group(&seen, "/pod");
    assert_eq!((pod.events.max, pod.read_seq), (Some(9), seen.seq));
    // The container is removed; its kills still count.
    let _root = root
        .without("sys/fs/cgroup/memory/pod/app")
        .process(10, |p| p.cgroup("/"));
    let last = (44..60).map(take).last().expect("samples");
    assert_eq!(group(&last, "/pod").events.oom_kill, Some(2));
}

#[test]
fn on_v2_a_kill_wakes_the_group_it_was_in() {
    let events = |n: u64| format!("low 0\nhigh 0\nmax 0\noom {n}\noom_kill {n}");
    let tree = |root: FakeRoot, n| {
        root.v2_group("calm", |g| {
            g.max("104857600")
                .current(10 * MIB)
                .file("memory.events", &events(n))
                .file("memory.events.local", &events(n))
        })
    };
    let root = tree(FakeRoot::new(), 0).process(10, |p| p.cgroup("/calm"));
    vmstat(&root, 1);
    // The kill may come in any sample, also between two scheduled reads of the group.
    for second in 40..52 {
        let root = tree(FakeRoot::new(), 0).process(10, |p| p.cgroup("/calm"));
        vmstat(&root, 1);
        let mut sampler = sampler(&root);
        for before in 1..second {
            let needs = Needs::default();
            sampler.sample(&needs, at(before)).expect("a sample");
        }
        let root = tree(root, 1);
        vmstat(&root, 2);
        let needs = Needs::default();
        let seen = sampler.sample(&needs, at(second)).expect("a sample");
        let calm = group(&seen, "/calm");
        assert_eq!((calm.events.own_oom, calm.read_seq), (Some(1), seen.seq));
    }
}

#[test]
fn while_the_host_stalls_the_counters_of_groups_at_rest_are_read_too() {
    let high = |n: u64| format!("low 0\nhigh {n}\nmax 0\noom 0\noom_kill 0");
    let root = FakeRoot::new()
        .v2_group("calm", |g| {
            g.max("104857600")
                .current(10 * MIB)
                .file("memory.events", &high(0))
        })
        .process(10, |p| p.cgroup("/calm"));
    let stall = |root: &FakeRoot, total: u64| {
        let line = |what| format!("{what} avg10=9.00 avg60=0.10 avg300=0.01 total={total}\n");
        root.write("proc/pressure/memory", line("some") + &line("full"));
    };
    let mut worst = 0;
    for begin in 40..52 {
        let mut sampler = sampler(&root);
        root.write("sys/fs/cgroup/calm/memory.events", high(0));
        for second in 1..begin {
            stall(&root, 1);
            let needs = Needs::default();
            sampler.sample(&needs, at(second)).expect("a sample");
        }
        root.write("sys/fs/cgroup/calm/memory.events", high(7));
        let seen = (begin..begin + 12).position(|second| {
            stall(&root, second);
            let needs = Needs::default();
            let seen = sampler.sample(&needs, at(second)).expect("a sample");
            group(&seen, "/calm").events.high == Some(7)
        });
        worst = worst.max(seen.expect("it is seen"));
    }
    assert!(worst <= 2, "{worst}");
}
