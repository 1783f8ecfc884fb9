//! Kills that tracepoints tell: at once, without the log, and as one row with the report that follows.

use std::sync::Arc;

use crate::common::scene::{GIB, MIB, Scene, id, kill_report, moment, processes, snapshot};
use oomtop::app::msg::Msg;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::event_source::{EventSource, Tracing};
use oomtop::model::oom_domain::urgency::Acute;
use oomtop::model::oom_domain::victim::Scope;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::process::{MemoryUse, ProcessId};
use oomtop::model::snapshot::KillCounters;
use oomtop::model::time::Monotonic;
use oomtop::model::traced::{FactSource, HowTaken, Sender, Sigkill, Traced, TracedKill};
use oomtop::oomlog::OomEvent;

fn source(name: &str, missing: &str, tracing: Tracing) -> Msg {
    Msg::Source(EventSource {
        name: name.to_owned(),
        missing: missing.to_owned(),
        caught_up: true,
        tracing,
        ..EventSource::default()
    })
}

fn live() -> Tracing {
    Tracing::Live {
        instructions: 412,
        lacking: String::new(),
        lost: 0,
    }
}

/// Only the tracepoint is there.
fn closed() -> Scene {
    let mut scene = Scene::new(160, 40);
    scene.tell(source(
        EventSource::TRACEPOINT,
        "kills are listed but not explained; /dev/kmsg: no permission (needs CAP_SYSLOG or root)",
        live(),
    ));
    scene
}

fn kill(number: u64, second: u64, pid: u32) -> TracedKill {
    TracedKill {
        number,
        pid,
        thread: None,
        start_ticks: Some(id(pid).start_ticks),
        comm: "java".into(),
        at: moment(second).monotonic,
        how: HowTaken::Killed,
        counted: 1,
        uid: Some(998),
        adj: OomScoreAdj::new(100),
        memory: Some(MemoryUse {
            rss: 800_000,
            anon: 3000 * 256,
            ..MemoryUse::default()
        }),
        page_size: 4096,
        cgroup_id: None,
        cgroup: Some(CgroupPath::new("/docker/shop")),
        asked_by: Some((2456, "mysqld".into())),
        facts: FactSource::Tracepoint,
    }
}

fn told(kill: TracedKill) -> Msg {
    Msg::Traced(Traced::Kill(Box::new(kill)))
}

fn reported(key: u64, second: u64, pid: u32) -> Msg {
    let report = kill_report(key, second, pid, "java", Some("/docker/x"));
    Msg::Oom(OomEvent::Report(Arc::new(report)))
}

fn sampled(second: u64, kills: u64) -> Msg {
    let mut sample = snapshot(second, processes());
    sample.kills = KillCounters { host: Some(kills) };
    Msg::Sampled(Arc::new(sample))
}

#[test]
fn without_a_log_a_traced_kill_is_a_row_with_its_facts_and_what_the_sample_knew() {
    let mut scene = closed();
    let before = scene.state.events.len();
    scene.tell(told(kill(1, 3, 1892)));
    let text = scene.text();
    assert!(text.contains("the kernel killed 1892 java"), "{text}");
    assert!(text.contains("killed 1892 java"), "{text}");
    assert!(text.contains("2.9G anon adj 100"), "{text}");
    assert!(text.contains("asked by mysqld (2456)"), "{text}");
    assert!(text.contains("1 logged + 1 traced"), "{text}");
    assert!(
        text.contains("live from tracepoint, not explained"),
        "{text}"
    );
    assert_eq!(scene.state.events.len(), before + 1);
    scene.keys("e Enter");
    let text = scene.text();
    for part in [
        "java -Xmx3g -jar /opt/shop/shop.jar  (the last sample)",
        "998  (the tracepoint, at the kill)",
        "/docker/shop  (/proc, right after the kill)",
        "412 instructions",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // More about the same kill is the same row.
    scene.tell(told(TracedKill {
        counted: 2,
        ..kill(1, 3, 1892)
    }));
    assert_eq!(scene.state.events.len(), before + 1);
}

#[test]
fn the_report_takes_the_row_over_with_the_selection_and_tells_no_news() {
    let mut scene = Scene::new(160, 40);
    scene.tell(source("/dev/kmsg + tracepoint", "", live()));
    let kills = scene.state.events.kills();
    scene
        .tell(told(kill(1, 3, 1892)))
        .tell(told(kill(2, 4, 956)));
    // The older of the two is selected.
    scene.keys("e Down");
    scene.tell(reported(9, 3, 1892));
    assert_eq!(scene.state.events.kills(), kills + 2, "{}", scene.text());
    let text = scene.text();
    assert!(text.contains("2 logged + 1 traced"), "{text}");
    assert_eq!(text.matches("killed 1892 java ").count(), 1, "{text}");
    let row = scene.state.events.selected_row().expect("a row");
    assert_eq!(row.kill.map(|kill| kill.pid), Some(1892));
    scene.keys("Enter End");
    let text = scene.text();
    assert!(text.contains("Told of 1892 beside the log:"), "{text}");
    assert!(
        text.contains("2456 mysqld  (the tracepoint, at the kill)"),
        "{text}"
    );
}

#[test]
fn a_report_that_comes_first_is_filled_in() {
    let mut scene = Scene::new(160, 40);
    scene.tell(source("/dev/kmsg + tracepoint", "", live()));
    scene.tell(reported(9, 3, 1892));
    let rows = scene.state.events.len();
    // The clocks of the two differ a little.
    let mut late = kill(1, 3, 1892);
    late.at = Monotonic(late.at.0 + 900_000);
    scene.tell(told(late.clone()));
    assert_eq!(scene.state.events.len(), rows);
    // The same pid much later is another process.
    scene.tell(told(TracedKill {
        start_ticks: Some(7),
        ..kill(2, 190, 1892)
    }));
    assert_eq!(scene.state.events.len(), rows + 1);
}

#[test]
fn who_shares_memory_and_who_was_ending_are_rows_that_say_so() {
    let mut scene = closed();
    scene.tell(told(TracedKill {
        how: HowTaken::SharesMemory(1892),
        counted: 0,
        ..kill(1, 3, 1893)
    }));
    scene.tell(told(TracedKill {
        how: HowTaken::Ending,
        counted: 0,
        ..kill(2, 3, 956)
    }));
    let text = scene.text();
    assert!(text.contains("shares the memory of 1892"), "{text}");
    assert!(text.contains("ending 956"), "{text}");
    assert!(text.contains("was ending already"), "{text}");
}

#[test]
fn a_traced_kill_is_not_counted_again_and_a_lost_one_is() {
    let mut scene = closed();
    scene.tell(sampled(3, 5)).tell(sampled(4, 5));
    let rows = scene.state.events.len();
    scene.tell(told(kill(1, 5, 1892)));
    for second in 5..12 {
        scene.tell(sampled(second, 6));
    }
    assert_eq!(scene.state.events.len(), rows + 1, "{}", scene.text());
    // The ring had no room for three: the counter has them.
    scene.tell(Msg::Tick(moment(12)));
    scene.tell(Msg::Traced(Traced::Lost(3)));
    scene.tell(told(kill(2, 13, 956)));
    for second in 13..20 {
        scene
            .tell(sampled(second, 10))
            .tell(Msg::Tick(moment(second)));
    }
    let text = scene.text();
    assert!(text.contains("3 killed"), "{text}");
    assert!(text.contains("+ 3 unlogged"), "{text}");
    assert_eq!(scene.state.events.len(), rows + 3);
}

#[test]
fn without_a_report_the_host_is_still_seen_to_run_out() {
    // What ran out follows from the counters, which a tracepoint does not replace.
    let urgent = |traced: bool| {
        let mut scene = if traced {
            closed()
        } else {
            let mut scene = Scene::new(160, 40);
            scene.tell(source(
                EventSource::COUNTERS_ONLY,
                "no permission",
                Tracing::NotYet,
            ));
            scene
        };
        scene.tell(sampled(3, 5)).tell(sampled(4, 5));
        if traced {
            scene.tell(told(kill(1, 5, 1892)));
        }
        for second in 5..9 {
            scene.tell(sampled(second, 6));
        }
        let host = scene.state.domains.watch(Scope::Host).expect("the host");
        host.acute()
    };
    assert_eq!(urgent(false), Some(Acute::Killed));
    assert_eq!(urgent(true), urgent(false));
}

#[test]
fn a_sigkill_is_kept_and_is_a_row_only_for_a_large_process() {
    let mut scene = Scene::new(160, 40);
    let rows = scene.state.events.len();
    let kills = scene.state.events.kills();
    let sigkill = |pid: u32, charged: u64, comm: &str| Sigkill {
        at: moment(3).monotonic,
        target: id(pid),
        comm: "java".into(),
        by: Sender::Process {
            pid: 4711,
            uid: 1000,
            comm: comm.into(),
        },
        charged: Some(charged),
    };
    let tell = |scene: &mut Scene, sigkill: Sigkill| {
        scene.tell(Msg::Traced(Traced::Sigkill(Box::new(sigkill))));
    };
    // Nothing to see is no frame: whoever kills in a loop does not make the screen busy.
    scene.state.changed = false;
    tell(&mut scene, sigkill(700, 8 * MIB, "bash"));
    assert!(!scene.state.changed);
    // Never seen in the table, or told by the program itself.
    tell(&mut scene, sigkill(77, GIB, "bash"));
    tell(&mut scene, sigkill(956, GIB, "earlyoom"));
    assert_eq!(scene.state.events.len(), rows);
    tell(&mut scene, sigkill(1892, 3 * GIB, "bash"));
    assert!(scene.state.changed);
    tell(&mut scene, sigkill(1892, 3 * GIB, "second"));
    assert_eq!(scene.state.events.len(), rows + 1);
    assert_eq!(
        scene.state.events.kills(),
        kills,
        "no kill by the OOM killer"
    );
    let text = scene.text();
    assert!(
        text.contains("SIGKILL 1892 java  from 4711 bash (uid 1000)"),
        "{text}"
    );
    let by = |pid: u32| scene.state.sigkills.of(id(pid)).map(|kept| kept.by);
    assert!(by(700).is_some() && by(77).is_some());
    assert_eq!(
        by(1892),
        Some(sigkill(1892, 0, "bash").by),
        "the first one kills"
    );
    let other = ProcessId {
        start_ticks: 1,
        ..id(1892)
    };
    assert_eq!(scene.state.sigkills.of(other), None);
    scene.keys("e Enter");
    assert!(
        scene.text().contains("no kill by the OOM killer"),
        "{}",
        scene.text()
    );
}

#[test]
fn why_there_is_no_tracepoint_is_said_where_it_matters() {
    let off = || Tracing::Off("it needs CAP_BPF and CAP_PERFMON".to_owned());
    // The log is whole: only who looks at the pane learns it.
    let mut scene = Scene::new(159, 40);
    scene.tell(source("/dev/kmsg + journal", "", off()));
    assert!(!scene.text().contains("CAP_BPF"), "{}", scene.text());
    scene.keys("e");
    let text = scene.text();
    assert!(
        text.contains("live from /dev/kmsg + journal; no tracepoint: it needs CAP_BPF"),
        "{text}"
    );
    // It would fill a hole: everybody learns it.
    let mut scene = Scene::new(159, 40);
    scene.tell(source(
        EventSource::COUNTERS_ONLY,
        "kills are counted",
        off(),
    ));
    let text = scene.text();
    assert!(
        text.contains("kills are counted; no tracepoint: it needs CAP_BPF"),
        "{text}"
    );
    // A narrow screen keeps the name of the log.
    let mut scene = Scene::new(80, 24);
    scene.tell(source("/dev/kmsg + journal", "", off()));
    scene.keys("e");
    assert!(
        scene.text().contains("live from /dev/kmsg + journal"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_victim_that_moved_since_the_sample_is_in_the_group_that_the_tracepoint_names() {
    let mut scene = closed();
    let mut crowd = processes();
    for process in &mut crowd {
        // Keys of groups as ids: java was in 4 and is in that of mysqld, 2.
        process.cgroup_id = process.cgroup.map(|key| u64::from(key.0) + 100);
    }
    scene.sample(crowd);
    let moved = |number, second, id| TracedKill {
        cgroup: None,
        cgroup_id: Some(id),
        ..kill(number, second, 1892)
    };
    let row = |scene: &Scene| {
        let text = scene.text();
        let row = text.lines().find(|line| line.contains("killed 1892"));
        row.expect("a row").to_owned()
    };
    scene.tell(told(moved(1, 3, 102)));
    let first = row(&scene);
    assert!(first.contains("mysql.service"), "{first}");
    // A group that no process of the sample was in has no name here: none is better than a wrong one.
    scene.tell(told(moved(2, 3, 999)));
    let second = row(&scene);
    assert!(
        !second.contains("docker") && !second.contains(" in "),
        "{second}"
    );
}
