//! On the running kernel: the badness computed here gives the `oom_score` the kernel shows.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;

use crate::common::own_child::OwnChild;
use crate::common::patience::alone;
use crate::common::{measured, skipped};
use oomtop::linux::SysRoot;
use oomtop::linux::sampler::Sampler;
use oomtop::linux::scan::backend::BackendChoice;
use oomtop::linux::write::executor::KernelWriter;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::plan::execute::Executor;
use oomtop::model::plan::step::Step;
use oomtop::model::process::Process;
use oomtop::model::process::badness::{Badness, badness};
use oomtop::model::process::score::{OomScoreAdj, oom_score};
use oomtop::model::snapshot::Needs;
use oomtop::model::time::Now;

/// How much a process may change between the two readings, in pages, on top of the reading error.
const SLACK_PAGES: u64 = 512;

/// Attempts before a difference counts: other processes run between the two readings.
const ATTEMPTS: u32 = 8;

fn kernel_score(process: &Process) -> Option<u32> {
    let path = format!("/proc/{}/oom_score", process.id.pid);
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// One round over all processes of the machine.
#[derive(Default)]
struct Round {
    compared: u32,
    equal: u32,
    /// Allowed difference in points, and where it comes from.
    tolerance: u32,
    reading_error: u64,
    by_adj: BTreeMap<i16, u32>,
    wrong: Vec<String>,
}

fn compare(sampler: &mut Sampler) -> Round {
    let snapshot = sampler
        .sample(&Needs::default(), Now::default())
        .expect("a sample");
    let rules = sampler.host().rules;
    let total = snapshot.memory.host_total_pages(rules.page_size);
    let slack = rules.rss_error + SLACK_PAGES;
    let mut round = Round {
        tolerance: u32::try_from(slack * 1000 / total.max(1)).unwrap_or(0) + 1,
        reading_error: rules.rss_error,
        ..Round::default()
    };
    for process in &snapshot.processes {
        let verdict = badness(process, total);
        if verdict == Badness::Unknown {
            continue;
        }
        let Some(kernel) = kernel_score(process) else {
            continue;
        };
        round.compared += 1;
        *round
            .by_adj
            .entry(process.adj.map_or(0, OomScoreAdj::get))
            .or_default() += 1;
        let ours = oom_score(verdict.points(), total, rules.score);
        round.equal += u32::from(ours == kernel);
        if ours.abs_diff(kernel) > round.tolerance {
            round.wrong.push(format!(
                "{} {:?} adj {:?}: computed {ours}, kernel {kernel}, tolerance {}",
                process.id.pid, process.comm, process.adj, round.tolerance
            ));
        }
    }
    round
}

/// Children with these adj values, as far as permitted: without CAP_SYS_RESOURCE no process goes below its
/// inherited adj.
fn children(values: &[i64]) -> Vec<OwnChild> {
    let mut kernel = KernelWriter::new(SysRoot::default(), CgroupVersion::None);
    let mut refused = Vec::new();
    let mut with_adj = |value: &i64| {
        let child = OwnChild::waiting();
        let value = OomScoreAdj::clamped(*value);
        let target = child.id();
        let receipt = kernel.step(&Step::Adj { target, value });
        if let Err(error) = &receipt.outcome {
            assert!(i64::from(value.get()) < child.adj(), "{value}: {error:?}");
            refused.push(value.to_string());
        }
        child
    };
    let children = values.iter().map(&mut with_adj).collect();
    if !refused.is_empty() {
        let values = format!("scores at adj {}", refused.join(" "));
        skipped(&values, "this process may not lower an adj");
    }
    children
}

#[test]
fn computed_scores_equal_the_kernels() {
    alone();
    if !std::path::Path::new("/proc/self/oom_score").exists() {
        skipped("computed_scores", "this /proc has no oom_score");
        return;
    }
    let children = children(&[0, 1, 58, 500, 999, 1000, -1, -58, -500, -999, -1000]);
    for choice in [BackendChoice::Auto, BackendChoice::ProcAll] {
        let sampler = Sampler::with_backend(SysRoot::default(), choice);
        let mut sampler = sampler.expect("a sampler");
        let mut round = compare(&mut sampler);
        for _ in 1..ATTEMPTS {
            if round.wrong.is_empty() {
                break;
            }
            round = compare(&mut sampler);
        }
        measured(&format!(
            "oom_score by {choice:?}: {} of {} computed as the kernel shows them, the others off by at most {} (reading error {} pages), {} different adj",
            round.equal,
            round.compared,
            round.tolerance,
            round.reading_error,
            round.by_adj.len(),
        ));
        assert_eq!(round.wrong, Vec::<String>::new());
        assert!(
            round.compared as usize > children.len(),
            "{} compared",
            round.compared
        );
    }
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
