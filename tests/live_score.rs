//! On the running kernel: the badness computed here gives the `oom_score` the kernel shows.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "common/own_child.rs"]
mod own_child;

use std::fs;

use oomtop::domain::badness::{Badness, badness};
use oomtop::domain::process::Process;
use oomtop::domain::score::{OomScoreAdj, oom_score};
use oomtop::domain::snapshot::Needs;
use oomtop::domain::time::Now;
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::writer::write_adj;
use own_child::{OwnChild, skipped};

/// What a process may change by between the two readings, in pages, on top of the reading error.
const SLACK_PAGES: u64 = 512;

/// Attempts before a difference counts: other processes work while this reads.
const ATTEMPTS: u32 = 8;

fn kernel_score(process: &Process) -> Option<u32> {
    let path = format!("/proc/{}/oom_score", process.id.pid);
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Every process of the machine whose score differs by more than the stated tolerance.
fn differing(sampler: &mut Sampler, compared: &mut u32) -> Vec<String> {
    let snapshot = sampler
        .sample(&Needs::default(), Now::default())
        .expect("a sample");
    let rules = sampler.host().rules;
    let total = snapshot.memory.host_total_pages(rules.page_size);
    // Three counters (anon, file, shmem) may each be off; a point is total / 1000 pages.
    let slack = 3 * rules.rss_error + SLACK_PAGES;
    let tolerance = u32::try_from(slack * 1000 / total.max(1)).unwrap_or(0) + 1;
    let mut wrong = Vec::new();
    *compared = 0;
    for process in &snapshot.processes {
        let verdict = badness(process, total);
        if verdict == Badness::Unknown {
            continue;
        }
        let Some(kernel) = kernel_score(process) else {
            continue;
        };
        *compared += 1;
        let ours = oom_score(verdict.points(), total, rules.score);
        if ours.abs_diff(kernel) > tolerance {
            wrong.push(format!(
                "{} {:?}: computed {ours}, kernel {kernel}, tolerance {tolerance}",
                process.id.pid, process.comm
            ));
        }
    }
    wrong
}

#[test]
fn computed_scores_equal_the_kernels() {
    if !std::path::Path::new("/proc/self/oom_score").exists() {
        skipped("computed_scores", "this /proc has no oom_score");
        return;
    }
    // Not only adj 0: some that a process without privilege may have.
    let root = SysRoot::default();
    let children: Vec<OwnChild> = [0, 1, 58, 500, 999, 1000]
        .into_iter()
        .map(|value| {
            let child = OwnChild::waiting();
            let value = OomScoreAdj::clamped(value.max(child.adj()));
            let receipt = write_adj(&root, child.id(), value);
            assert_eq!(receipt.outcome, Ok(value));
            child
        })
        .collect();
    let mut sampler = Sampler::new(root).expect("a sampler");
    let mut compared = 0;
    let mut wrong = Vec::new();
    for _ in 0..ATTEMPTS {
        wrong = differing(&mut sampler, &mut compared);
        if wrong.is_empty() {
            break;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(compared as usize > children.len(), "{compared} compared");
}

#[test]
fn own_facts_agree_with_the_system() {
    let sampler = Sampler::new(SysRoot::default()).expect("a sampler");
    let host = sampler.host();
    assert_eq!(host.own_pid, Some(std::process::id()));
    assert_eq!(host.uid, rustix::process::geteuid().as_raw());
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    assert_eq!(host.release, release.trim());
    let adj = fs::read_to_string("/proc/self/oom_score_adj").expect("an adj");
    assert_eq!(host.own_adj.to_string(), adj.trim());
}
