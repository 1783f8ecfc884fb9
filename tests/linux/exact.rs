//! If badness uses exact sums and the back end does not read them, oomtop reads `status` and shows its values.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;

use crate::common::fake_root::{FakeProcess, FakeRoot};
use crate::common::sampling::{MIB, at, row};
use oomtop::linux::ReadError;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::{ProcessScan, ScanCount, ScanPass, ScanWants};
use oomtop::model::kernel::RssSource;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::{MemoryUse, Process, TaskState};
use oomtop::model::snapshot::{Needs, Snapshot};

/// A back end whose counters lack their per-CPU parts: pairs of pid and pages.
struct Rough(Vec<(u32, u64)>);

impl ProcessScan for Rough {
    fn name(&self) -> &'static str {
        "rough"
    }

    fn is_approximate(&self) -> bool {
        true
    }

    fn scan(
        &mut self,
        _: &ScanWants,
        _: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError> {
        table.clear();
        table.extend(self.0.iter().map(|(pid, rss)| Process {
            id: FakeProcess::id(*pid),
            state: TaskState('S'),
            threads: 1,
            adj: Some(OomScoreAdj::ZERO),
            memory: Some(MemoryUse {
                rss: *rss,
                anon: *rss,
                ..MemoryUse::default()
            }),
            ..Process::default()
        }));
        Ok(ScanCount::default())
    }
}

fn page() -> u64 {
    rustix::param::page_size() as u64
}

/// Two CPUs, and this release.
fn machine(release: &str) -> FakeRoot {
    FakeRoot::new()
        .file("proc/sys/kernel/osrelease", format!("{release}\n"))
        .file("proc/stat", "cpu  1 1 1 1\ncpu0 1 1 1 1\ncpu1 1 1 1 1\n")
}

fn sample(root: &FakeRoot, rough: &[(u32, u64)], needs: &Needs) -> Arc<Snapshot> {
    let scan = Box::new(Rough(rough.to_vec()));
    let mut sampler = Sampler::with_scan(root.sys_root(), scan).expect("a sampler");
    sampler.sample(needs, at(1)).expect("a sample")
}

fn rss(snapshot: &Snapshot, pid: u32) -> u64 {
    row(snapshot, pid).memory.expect("memory").rss
}

fn victim(snapshot: &Snapshot) -> (u32, Option<u32>, bool) {
    let verdict = snapshot.domains[0].verdict.expect("a verdict");
    (
        verdict.victim.id.pid,
        verdict.runner_up.map(|second| second.id.pid),
        verdict.close,
    )
}

#[test]
fn exact_numbers_choose_the_victim() {
    // The counters put 10 first and 12 last; the exact sums say the opposite.
    let root = machine("7.3.4")
        .process(10, |p| p.rss_mib(100))
        .process(11, |p| p.rss_mib(101))
        .process(12, |p| p.rss_mib(102))
        .process(13, |p| p.rss_mib(10));
    let mib = MIB / page();
    let rough = [
        (10, 101 * mib),
        (11, 101 * mib - 1),
        (12, 101 * mib - 2),
        (13, 11 * mib),
    ];
    let snapshot = sample(&root, &rough, &Needs::default());
    assert_eq!(victim(&snapshot), (12, Some(11), false));
    assert_eq!(rss(&snapshot, 12), 102 * mib);
    // Off the screen and far from the top: not read.
    assert_eq!(rss(&snapshot, 13), 11 * mib);
}

#[test]
fn the_first_of_memory_nodes_are_read_exactly_like_those_of_the_host() {
    let mib = MIB / page();
    let zone = |node: u32| {
        format!(
            "Node {node}, zone   Normal\n  pages free     100\n        present  {0}\n        managed  {0}\n",
            512 * mib
        )
    };
    let root = machine("7.3.4")
        .file("proc/zoneinfo", zone(0) + &zone(1))
        .process(10, |p| p.rss_mib(300))
        .process(11, |p| p.rss_mib(100))
        .process(12, |p| p.rss_mib(101))
        .process(13, |p| p.rss_mib(20));
    for (pid, nodes) in [(10, "0"), (11, "1"), (12, "1"), (13, "1")] {
        let path = format!("proc/{pid}/status");
        let status = std::fs::read_to_string(root.path(&path)).expect("status");
        root.write(&path, status + &format!("Mems_allowed_list:\t{nodes}\n"));
    }
    // On the host nobody is near the first one, so its order asks for no exact number of the others.
    let rough = [
        (10, 300 * mib),
        (11, 101 * mib),
        (12, 101 * mib - 1),
        (13, 20 * mib),
    ];
    let snapshot = sample(&root, &rough, &Needs::default());
    let of_node_1 = snapshot
        .domains
        .iter()
        .find(|domain| matches!(domain.scope, Scope::Nodes(set) if set.to_string() == "1"))
        .and_then(|domain| domain.verdict)
        .expect("a verdict of node 1");
    assert_eq!(of_node_1.victim.id.pid, 12);
    assert_eq!(of_node_1.runner_up.map(|second| second.id.pid), Some(11));
    assert!(!of_node_1.close, "a MiB apart by exact numbers");
    assert_eq!(rss(&snapshot, 12), 101 * mib);
}

#[test]
fn what_is_shown_is_exact_too() {
    let root = machine("7.3.4")
        .process(10, |p| p.rss_mib(100))
        .process(13, |p| p.rss_mib(10))
        .process(14, |p| p.rss_mib(20));
    let mib = MIB / page();
    let rough = [(10, 100 * mib), (13, 11 * mib), (14, 21 * mib), (15, 7)];
    let needs = Needs {
        // 15 has ended: its files are gone.
        visible: vec![FakeProcess::id(13), FakeProcess::id(15)],
        detail: Some(FakeProcess::id(14)),
        ..Needs::default()
    };
    let snapshot = sample(&root, &rough, &needs);
    assert_eq!(rss(&snapshot, 13), 10 * mib);
    assert_eq!(rss(&snapshot, 14), 20 * mib);
    assert_eq!(rss(&snapshot, 15), 7, "the row stays as it was read");
}

#[test]
fn a_crowd_too_large_to_read_is_called_close() {
    let mib = MIB / page();
    let mut root = machine("7.3.4");
    let mut rough = Vec::new();
    for pid in 100..140 {
        root = root.process(pid, |p| p.rss_mib(5));
        rough.push((pid, 5 * mib + u64::from(pid)));
    }
    // All are within the error of each other, and only some are read.
    let snapshot = sample(&root, &rough, &Needs::default());
    assert!(victim(&snapshot).2);
    let read = (100..140).filter(|pid| rss(&snapshot, *pid) == 5 * mib);
    assert_eq!(read.count(), 16);
    // A leader far ahead of the crowd is not close to it.
    let root = root.process(99, |p| p.rss_mib(50));
    rough.push((99, 50 * mib));
    let snapshot = sample(&root, &rough, &Needs::default());
    assert_eq!((victim(&snapshot).0, victim(&snapshot).2), (99, false));
}

#[test]
fn a_kernel_that_compares_the_counters_is_not_asked_for_more() {
    let root = machine("6.18.2")
        .process(10, |p| p.rss_mib(100))
        .process(11, |p| p.rss_mib(101));
    let mib = MIB / page();
    let rough = [(10, 101 * mib), (11, 101 * mib - 1)];
    let needs = Needs {
        visible: vec![FakeProcess::id(10)],
        ..Needs::default()
    };
    let snapshot = sample(&root, &rough, &needs);
    assert_eq!(victim(&snapshot).0, 10);
    assert_eq!(rss(&snapshot, 10), 101 * mib);
}

#[test]
fn which_numbers_the_kernel_compares() {
    for (release, source) in [
        ("6.19.10", RssSource::Stat),
        ("7.0.0", RssSource::Status),
        ("7.3.4", RssSource::Status),
    ] {
        let sampler = Sampler::new(machine(release).sys_root()).expect("a sampler");
        assert_eq!(sampler.host().rules.rss, source, "{release}");
        assert_eq!(sampler.unshown_error(), 0, "/proc is as exact as badness");
    }
}
