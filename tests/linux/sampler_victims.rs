//! The sampler on fake trees: what decides between candidates of equal badness, and who is no candidate.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use crate::common::fake_root::{FakeRoot, Layout};
use crate::common::sampling::{MIB, at, row, sample, sampler};
use oomtop::model::kernel::RssSource;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::model::process::score::oom_score;
use oomtop::model::snapshot::{Needs, Snapshot};

/// The victim of the group a process is in.
fn victim_around(snapshot: &Snapshot, pid: u32) -> Option<u32> {
    let mut key = row(snapshot, pid).cgroup;
    while let Some(at) = key {
        if let Some(domain) = snapshot.domain(Scope::Memcg(at)) {
            return Some(domain.verdict?.victim.id.pid);
        }
        key = snapshot.cgroup(at)?.parent;
    }
    None
}

#[test]
fn of_equals_in_a_v2_group_the_one_that_joined_last_dies() {
    let tree = |procs: &str| {
        let root = FakeRoot::new()
            .v2_group("web", |g| {
                g.max("104857600")
                    .current(50 * MIB)
                    .file("cgroup.procs", procs)
            })
            .process(10, |p| p.cgroup("/web").rss_mib(10))
            .process(11, |p| p.cgroup("/web").rss_mib(10))
            .process(12, |p| p.cgroup("/web").rss_mib(10))
            .process(13, |p| p.cgroup("/web").rss_mib(9));
        sample(&root)
    };
    assert_eq!(victim_around(&tree("10\n11\n12\n13"), 10), Some(12));
    assert_eq!(victim_around(&tree("11\n12\n13\n10"), 10), Some(10));
    assert_eq!(victim_around(&tree("12\n10\n11\n13"), 10), Some(11));
    // On the host the youngest dies, whatever the order in the group.
    let snapshot = tree("11\n12\n13\n10");
    let verdict = snapshot.domains[0].verdict.expect("a victim");
    assert_eq!(verdict.victim.id.pid, 12);
}

#[test]
fn groups_are_looked_at_in_order_of_creation() {
    // The directory made last has the highest number here too, as long as nothing else is removed.
    let root = FakeRoot::new()
        .v2_group("pod", |g| g.max("104857600").current(50 * MIB))
        .v2_group("pod/z", |g| g.file("cgroup.procs", "11"))
        .v2_group("pod/a", |g| g.file("cgroup.procs", "10"))
        .process(10, |p| p.cgroup("/pod/a").rss_mib(10))
        .process(11, |p| p.cgroup("/pod/z").rss_mib(10));
    let number = |path: &str| {
        use std::os::unix::fs::MetadataExt as _;
        let path = root.path(&format!("sys/fs/cgroup/pod/{path}"));
        std::fs::metadata(path).expect("a directory").ino()
    };
    let later = if number("a") > number("z") { 10 } else { 11 };
    assert_eq!(victim_around(&sample(&root), 10), Some(later));
}

#[test]
fn whom_the_kernel_passes_over_is_not_announced() {
    let root = FakeRoot::new()
        .v2_group("web", |g| g.max("104857600").current(50 * MIB))
        .process(10, |p| p.cgroup("/web").rss_mib(30).score(0))
        .process(11, |p| p.cgroup("/web").rss_mib(20).score(700))
        .process(12, |p| p.cgroup("/web").rss_mib(10).score(680));
    let mut sampler = sampler(&root);
    let first = sampler.sample(&Needs::default(), at(1)).expect("a sample");
    assert_eq!(victim_around(&first, 11), Some(11));
    assert_eq!(first.domains[0].verdict.map(|v| v.victim.id.pid), Some(11));
    assert!(row(&first, 10).skipped_by_kernel);
    root.write("proc/10/oom_score", "710\n");
    let second = sampler.sample(&Needs::default(), at(2)).expect("a sample");
    assert_eq!(victim_around(&second, 11), Some(10));
    assert!(!row(&second, 10).skipped_by_kernel);
}

#[test]
fn swap_a_group_does_not_use_does_not_weigh() {
    let page = rustix::param::page_size() as u64;
    let total = |swappiness: &str| {
        let root = FakeRoot::with_layout(Layout::V1)
            .v1_group("web", |g| {
                g.max("209715200")
                    .current(MIB)
                    .file("memory.swappiness", swappiness)
            })
            .file("proc/sys/vm/swappiness", "60\n")
            .process(10, |p| p.cgroup("/web").rss_mib(10));
        sample(&root).domains[1].total_pages * page / MIB
    };
    assert_eq!(total("60"), 200 + 1024);
    assert_eq!(total("0"), 200);
    let root = FakeRoot::new()
        .v2_group("web", |g| g.max("209715200").current(MIB))
        .file("proc/sys/vm/swappiness", "0\n")
        .process(10, |p| p.cgroup("/web").rss_mib(10));
    assert_eq!(sample(&root).domains[1].total_pages * page / MIB, 200);
}

#[test]
fn scores_correct_the_version_about_the_size_that_counts() {
    let page = rustix::param::page_size() as u64;
    // The release says 6.18: field 24 of stat. These scores are of the size in status.
    let root = (10..14_u32).fold(FakeRoot::new(), |root, pid| {
        let status = u64::from(pid) * 40;
        let probe = sampler(&root).host().rules;
        let total = (8192 + 1024) * MIB / page;
        let points = i64::try_from((status * MIB + (64 << 10)) / page).expect("small");
        let score = oom_score(Some(points), total, probe.score);
        root.process(pid, |p| {
            p.rss_mib(status)
                .stat_rss_pages((status - 30) * MIB / page)
                .score(score)
        })
    });
    let rules = sampler(&root).host().rules;
    assert_eq!(rules.rss, RssSource::Status);
    assert_eq!((rules.rss_evidence.stat, rules.rss_evidence.status), (0, 4));
    assert_eq!(rules.rss_error, 0);
    assert_eq!(
        row(&sample(&root), 10).memory.map(|m| m.rss * page / MIB),
        Some(400)
    );
}

#[test]
fn before_4_17_root_is_let_off_three_percent() {
    let page = rustix::param::page_size() as u64;
    let points = |release: &str, mask: &str| {
        let root = FakeRoot::new()
            .file("proc/sys/kernel/osrelease", release)
            .process(10, |p| p.rss_mib(100).score(10));
        let status = std::fs::read_to_string(root.path("proc/10/status")).expect("its status");
        root.write("proc/10/status", format!("{status}CapEff:\t{mask}\n"));
        let victim = sample(&root).domains[0].verdict.expect("a victim").victim;
        u64::try_from(victim.points).expect("positive") * page
    };
    let whole = 100 * MIB + (64 << 10);
    let (all, none) = ("0000003fffffffff", "0000000000000000");
    assert_eq!(points("3.10.0-1160.el7.x86_64", none), whole);
    let less = points("3.10.0-1160.el7.x86_64", all);
    assert!(less.abs_diff(whole - whole * 3 / 100) <= page, "{less}");
    assert_eq!(points("4.19.0", all), whole);
}
