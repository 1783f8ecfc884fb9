//! The verdict on real reports: what filled the memory, what swap was like, what the kill freed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::common::corpus::reports;
use oomtop::oomlog::OomReport;
use oomtop::oomlog::analysis::freed::freed;
use oomtop::oomlog::analysis::holders::{by_cgroup, by_name};
use oomtop::oomlog::analysis::purpose::Purpose;
use oomtop::oomlog::analysis::root_cause::{KernelPart, RootCause, root_cause};
use oomtop::oomlog::analysis::share::Share;
use oomtop::oomlog::analysis::swap::{SwapState, swap};
use oomtop::oomlog::analysis::verdict::{RanOut, Verdict};

fn fixture(name: &str) -> Vec<Arc<OomReport>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom");
    reports(&fs::read(folder.join(name)).expect(name))
}

fn first(name: &str) -> Arc<OomReport> {
    Arc::clone(fixture(name).first().expect("a report"))
}

/// The cause without its numbers.
fn kind(report: &OomReport) -> String {
    let cause = root_cause(report);
    let value = serde_json::to_value(cause).expect("a value");
    value["cause"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn causes_of_real_reports() {
    let cases = [
        ("049-v44-global.log", "host_by_processes"),
        ("052-v44-cpuset-mempolicy.log", "nodes_exhausted"),
        ("053-v44-tmpfs-fork-order2-panic.log", "host_by_tmpfs"),
        ("054-v44-sysrq.log", "by_hand"),
        ("055-v49-memsw-docker.log", "limit_by_processes"),
        ("057-v49-nodump.log", "host_by_processes"),
        ("064-v510-tmpfs-deadlock.log", "host_by_tmpfs"),
        ("065-v510-constraints.log", "nodes_exhausted"),
        ("074-v612-global.log", "host_by_processes"),
        ("077-v612-sysrq.log", "by_hand"),
        ("078-v73-global.log", "host_by_processes"),
        ("lab/5.10-memcg.log", "limit_by_processes"),
        ("lab/6.1-v1memcg.kmsg", "limit_by_processes"),
        ("lab/7.2-cpuset.kmsg", "nodes_exhausted"),
        ("lab/6.18-mempolicy.kmsg", "nodes_exhausted"),
        ("lab/6.18-sysrq.log", "by_hand"),
    ];
    for (name, expected) in cases {
        for report in fixture(name) {
            assert_eq!(kind(&report), expected, "{name}: {:?}", root_cause(&report));
        }
    }
    let burst: Vec<String> = fixture("071-v61-ratelimited.log")
        .iter()
        .map(|report| kind(report))
        .collect();
    assert_eq!(burst[9..11], ["limit_by_processes", "none"], "only a line");
}

#[test]
fn the_numbers_they_rest_on() {
    assert_eq!(
        root_cause(&first("064-v510-tmpfs-deadlock.log")),
        Some(RootCause::HostByTmpfs(Share {
            held_kb: 108_699 * 4,
            of_kb: 468_464
        }))
    );
    let Some(RootCause::NodesExhausted {
        nodes,
        free_kb,
        free_elsewhere_kb: Some(elsewhere),
        ..
    }) = root_cause(&first("065-v510-constraints.log"))
    else {
        unreachable!("nodes");
    };
    assert!(
        free_kb.is_some_and(|kb| kb < 10_000) && elsewhere > 50_000,
        "node {nodes}: {free_kb:?} kB, elsewhere {elsewhere} kB"
    );
    assert_eq!(
        swap(&first("055-v49-memsw-docker.log")),
        Some(SwapState::Full { total_kb: 16_384 })
    );
    assert_eq!(
        swap(&first("lab/7.2-memcg.kmsg")),
        Some(SwapState::None),
        "swap: limit 0kB"
    );
    assert_eq!(swap(&first("lab/6.1-v1memcg.kmsg")), None, "no limit on it");
}

#[test]
fn who_held_it_and_what_the_kill_freed() {
    let group = first("lab/6.12-oomgroup.kmsg");
    let sums = freed(&group).expect("sizes");
    assert_eq!((sums.counted, sums.anon_kb), (4, 109_568));
    assert_eq!(group.kills.len(), 4, "the chosen one is printed twice");
    let reaped = freed(&first("lab/6.18-reaper.kmsg")).expect("sizes");
    assert_eq!(reaped.left_kb, Some(4), "the reaper's own words");

    let names = by_name(&first("063-v510-220-tasks.log")).expect("a table");
    assert_eq!((names[0].comm.as_str(), names[0].rss_kb), ("bloat", 79_308));
    let docker = by_cgroup(&first("055-v49-memsw-docker.log")).expect("statistics");
    assert_eq!((docker[0].anon_kb, docker[0].killed), (65_144, Some(1)));
    assert_eq!(by_cgroup(&first("049-v44-global.log")), None);
}

#[test]
fn what_fills_a_limit_and_what_was_asked_for() {
    // A leak, an anonymous shared map, a memfd, a file in tmpfs, pipes, sockets: each in a group of its own.
    let judged: Vec<(String, Option<Purpose>)> = fixture("101-v612-what-fills-a-limit.log")
        .iter()
        .map(|report| (kind(report), Verdict::new(report).purpose))
        .collect();
    let judged: Vec<_> = judged.iter().map(|(c, p)| (c.as_str(), *p)).collect();
    assert_eq!(
        judged,
        [
            ("limit_by_processes", Some(Purpose::Anonymous)),
            ("limit_by_tmpfs", Some(Purpose::FileCache)),
            ("limit_by_tmpfs", Some(Purpose::Shmem)),
            ("limit_by_tmpfs", Some(Purpose::Shmem)),
            ("limit_by_kernel", Some(Purpose::Pipe)),
            ("limit_by_kernel", Some(Purpose::FileCache)),
        ]
    );
    let sockets = first("04-limit-full-of-socket-buffers.log");
    let Some(RootCause::LimitByKernel(kernel)) = root_cause(&sockets) else {
        panic!("{:?}", root_cause(&sockets));
    };
    let main = kernel.main_part().expect("a part");
    assert_eq!((main.part, main.kb), (KernelPart::Sockets, 54_272));
    let hidden = Verdict::new(&first("12-page-fault-with-memory-free.log"));
    assert!(
        matches!(&hidden.ran_out, RanOut::HiddenLimit { cgroup: Some(name) } if name.starts_with("aaaabbbb")),
        "{hidden:?}"
    );
}
