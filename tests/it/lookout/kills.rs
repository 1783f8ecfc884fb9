//! A kill is counted once, whoever tells of it first: a tracepoint, the log, or the counters.

use std::sync::Arc;

use oomtop::app::lookout::{By, Lookout, WhatRanOut};
use oomtop::model::event_source::{EventSource, Tracing};
use oomtop::model::memory::band::Thresholds;
use oomtop::model::snapshot::KillCounters;
use oomtop::model::traced::{FactSource, HowTaken, Traced, TracedKill};
use oomtop::oomlog::OomEvent;

use super::sample_of;
use crate::common::scene::{kill_report, moment};

fn following(lookout: &mut Lookout, name: &str, tracing: Tracing) {
    let source = EventSource {
        name: name.to_owned(),
        caught_up: true,
        tracing,
        ..EventSource::default()
    };
    lookout.source(source, moment(100));
}

fn traced(number: u64, second: u64, pid: u32) -> Traced {
    Traced::Kill(Box::new(TracedKill {
        number,
        pid,
        thread: None,
        start_ticks: None,
        comm: "java".into(),
        at: moment(second).monotonic,
        how: HowTaken::Killed,
        counted: 1,
        uid: None,
        adj: None,
        memory: None,
        page_size: 4096,
        cgroup_id: None,
        cgroup: None,
        asked_by: None,
        facts: FactSource::Nobody,
    }))
}

fn counted(lookout: &mut Lookout, second: u64, kills: u64) -> u64 {
    let mut sample = sample_of(second, Vec::new(), Vec::new());
    sample.kills = KillCounters { host: Some(kills) };
    let deaths = lookout.sampled(Arc::new(sample));
    deaths.iter().map(|death| death.processes).sum()
}

fn told(lookout: &mut Lookout, key: u64, second: u64, pid: u32) -> usize {
    let report = kill_report(key, second, pid, "java", Some("/docker/x"));
    let event = OomEvent::Report(Arc::new(report));
    lookout.told(event, moment(second)).len()
}

fn toll(lookout: &Lookout) -> (u64, u64) {
    let of = |what| lookout.toll.of(By::Kernel(what));
    let all = WhatRanOut::ALL.into_iter().map(of).sum();
    (all, of(WhatRanOut::Unknown))
}

#[test]
fn a_traced_kill_counts_once_whether_the_log_tells_of_it_or_not() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let live = Tracing::Live {
        instructions: 1,
        lacking: String::new(),
        lost: 0,
    };
    following(&mut lookout, "/dev/kmsg + tracepoint", live);
    assert_eq!(counted(&mut lookout, 101, 5), 0);
    // The log has lost the first, and tells of the second.
    assert_eq!(lookout.traced(traced(1, 102, 700), moment(102)).len(), 0);
    assert_eq!(lookout.traced(traced(2, 102, 701), moment(102)).len(), 0);
    assert_eq!(told(&mut lookout, 9, 102, 701), 1);
    let found: u64 = (103..110).map(|at| counted(&mut lookout, at, 7)).sum();
    assert_eq!((found, toll(&lookout)), (1, (2, 1)));
    // The report comes after all.
    assert_eq!(told(&mut lookout, 10, 102, 700), 0);
    // The log is first.
    assert_eq!(told(&mut lookout, 11, 111, 702), 1);
    assert_eq!(lookout.traced(traced(3, 111, 702), moment(111)).len(), 0);
    let found: u64 = (112..120).map(|at| counted(&mut lookout, at, 8)).sum();
    assert_eq!((found, toll(&lookout)), (0, (3, 1)));
}

#[test]
fn a_trace_that_comes_after_the_count_is_the_same_kill() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    following(&mut lookout, EventSource::COUNTERS_ONLY, Tracing::NotYet);
    counted(&mut lookout, 101, 5);
    assert_eq!(counted(&mut lookout, 103, 6), 1);
    assert_eq!(lookout.traced(traced(1, 102, 700), moment(103)).len(), 0);
    assert_eq!(lookout.traced(traced(2, 104, 701), moment(104)).len(), 1);
    let found: u64 = (105..110).map(|at| counted(&mut lookout, at, 7)).sum();
    assert_eq!((found, toll(&lookout).0), (0, 2));
}

#[test]
fn a_report_that_comes_late_explains_the_kill_that_was_counted() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    let off = Tracing::Off("no".to_owned());
    following(&mut lookout, "journal", off);
    counted(&mut lookout, 101, 5);
    let found: u64 = (102..108).map(|at| counted(&mut lookout, at, 6)).sum();
    assert_eq!((found, toll(&lookout)), (1, (1, 1)));
    assert_eq!(told(&mut lookout, 9, 102, 700), 0, "the same kill");
    let late = lookout.explained();
    assert_eq!(
        late.iter().map(|death| death.pid).collect::<Vec<_>>(),
        [Some(700)]
    );
    assert!(lookout.explained().is_empty(), "once");
    assert_eq!(toll(&lookout), (1, 1));
    counted(&mut lookout, 109, 7);
    assert_eq!(told(&mut lookout, 10, 109, 701), 1, "another one");
    assert!(lookout.explained().is_empty());
    let found: u64 = (110..115).map(|at| counted(&mut lookout, at, 7)).sum();
    assert_eq!((found, toll(&lookout).0), (0, 2));
}

#[test]
fn who_was_killed_is_the_next_victim_of_no_later_sample() {
    let mut lookout = Lookout::new(Thresholds::default(), moment(100));
    following(&mut lookout, "/dev/kmsg", Tracing::NotYet);
    let groups = vec![
        crate::common::shop::group("/", None, 0, 0),
        crate::common::shop::group("/docker", Some(0), 300, 200),
    ];
    let sampled = |lookout: &mut Lookout, second| {
        let java = crate::common::scene::process(700, "java", 150, 0, 1);
        let other = crate::common::scene::process(701, "other", 50, 0, 1);
        lookout.sampled(Arc::new(sample_of(
            second,
            groups.clone(),
            vec![java, other],
        )));
        let ranked = lookout.ranked();
        let victims = ranked.iter().filter_map(|(domain, _)| domain.verdict);
        victims.map(|v| v.victim.id.pid).collect::<Vec<_>>()
    };
    assert_eq!(sampled(&mut lookout, 101), [700, 700]);
    told(&mut lookout, 9, 102, 700);
    assert_eq!(sampled(&mut lookout, 102), [701, 701]);
    // Who is dying counts from the news on, however long the sample before is past.
    let dying = |lookout: &Lookout| {
        let ranked = lookout.ranked();
        ranked.iter().any(|(domain, _)| domain.dying.is_some())
    };
    assert!(dying(&lookout));
    for (told_at, sampled_at) in [(119, 120), (239, 240)] {
        let mut lookout = Lookout::new(Thresholds::default(), moment(100));
        following(&mut lookout, "/dev/kmsg", Tracing::NotYet);
        sampled(&mut lookout, 101);
        told(&mut lookout, 9, told_at, 700);
        assert_eq!(sampled(&mut lookout, sampled_at), [701, 701]);
        assert!(dying(&lookout), "{told_at}");
    }
}
