//! The details of a process that ended while they were open: how, as far as oomtop saw it.

use std::sync::Arc;
use std::time::Duration;

use crate::common::scene::{GIB, Scene, id, kill_report, moment, processes, snapshot};
use oomtop::app::msg::Msg;
use oomtop::model::cgroup::CgroupKey;
use oomtop::model::event_source::{EventSource, Tracing};
use oomtop::model::killers::oom_policy::{OomPolicy, Unit};
use oomtop::model::process::ProcessId;
use oomtop::model::time::Now;
use oomtop::model::traced::{Sender, Sigkill, Traced};
use oomtop::oomlog::OomEvent;

fn live(lacking: &str, lost: u64) -> Tracing {
    Tracing::Live {
        instructions: 412,
        lacking: lacking.to_owned(),
        lost,
    }
}

fn source(tracing: Tracing) -> Msg {
    Msg::Source(EventSource {
        name: "/dev/kmsg".to_owned(),
        caught_up: true,
        tracing,
        ..EventSource::default()
    })
}

/// The details of java are open; tracepoints tell of signals, or not.
fn opened(traced: bool) -> Scene {
    opened_with(if traced {
        live("", 0)
    } else {
        Tracing::Off("not allowed".to_owned())
    })
}

fn opened_with(tracing: Tracing) -> Scene {
    let mut scene = Scene::new(140, 40);
    scene.tell(source(tracing));
    sample(&mut scene, 1, true);
    sample(&mut scene, 2, true);
    scene.keys("/").types("pid:1892").keys("Enter Enter");
    let text = scene.text();
    assert!(text.contains("Details of 1892 java"), "{text}");
    scene
}

fn sample(scene: &mut Scene, second: u64, alive: bool) {
    scene.tell(Msg::Tick(moment(second)));
    let mut all = processes();
    all.retain(|process| alive || process.id != id(1892));
    scene.tell(Msg::Sampled(Arc::new(snapshot(second, all))));
}

fn sigkill(pid: u32, uid: u32, comm: &str) -> Msg {
    Msg::Traced(Traced::Sigkill(Box::new(Sigkill {
        at: moment(3).monotonic,
        target: id(1892),
        comm: "java".into(),
        by: Sender::Process {
            pid,
            uid,
            comm: comm.into(),
        },
        charged: Some(3 * GIB),
    })))
}

fn after(traced: bool, told: impl IntoIterator<Item = Msg>) -> String {
    let mut scene = opened(traced);
    for msg in told {
        scene.tell(msg);
    }
    sample(&mut scene, 4, false);
    let text = scene.text();
    assert!(text.contains("This process has ended."), "{text}");
    text
}

#[test]
fn the_sender_of_a_sigkill_is_named() {
    let text = after(true, [sigkill(4711, 1000, "bash")]);
    assert!(
        text.contains("SIGKILL ended it: 4711 bash (uid 1000) sent it. That is no OOM kill."),
        "{text}"
    );
    assert!(
        text.contains("tracepoint") && text.contains("signal:signal_generate"),
        "{text}"
    );
    // A daemon that kills before the kernel does, and a user's process of that name.
    let text = after(true, [sigkill(588, 998, "systemd-oomd")]);
    assert!(
        text.contains("systemd-oomd killed it, before the kernel had to"),
        "{text}"
    );
    let text = after(true, [sigkill(4711, 1000, "systemd-oomd")]);
    assert!(
        text.contains("4711 systemd-oomd (uid 1000) sent it"),
        "{text}"
    );
}

#[test]
fn the_kernels_kill_is_the_cause_and_an_elder_one_of_the_number_is_not() {
    let report = |second| {
        let report = kill_report(70 + second, second, 1892, "java", Some("/docker/x"));
        Msg::Oom(OomEvent::Report(Arc::new(report)))
    };
    let text = after(true, [report(3)]);
    assert!(
        text.contains("The kernel's OOM killer killed it: the limit of /docker/x was reached."),
        "{text}"
    );
    assert!(text.contains("kernel log"), "{text}");
    let text = after(false, []);
    assert!(
        text.contains("Unknown.") && text.contains("the kernel's tracepoints"),
        "{text}"
    );
}

#[test]
fn who_was_not_killed_is_said_to_be_not_killed() {
    let text = after(true, []);
    assert!(
        text.contains("Unknown.") && text.contains("no OOM kill and no SIGKILL came"),
        "{text}"
    );
    assert!(text.contains("was in the sample of"), "{text}");
}

#[test]
fn systemd_stops_the_rest_of_the_unit_after_a_kill_in_it() {
    let group = "/system.slice/mysql.service";
    let mut scene = Scene::new(140, 40);
    let sampled = |second: u64, alive: bool, policy: bool| {
        let mut all = processes();
        all.retain(|process| alive || process.id != id(2456));
        let mut sample = snapshot(second, all);
        let key = sample
            .cgroups
            .iter()
            .position(|known| known.path.as_str() == group);
        let key = CgroupKey(u32::try_from(key.expect("the unit")).expect("small"));
        if policy {
            sample.units = Arc::new(vec![Unit {
                group: key,
                policy: OomPolicy::Stop,
                main: None,
                adj: None,
                has_old_limit: false,
            }]);
        }
        Msg::Sampled(Arc::new(sample))
    };
    scene.tell(sampled(1, true, true));
    scene.tell(sampled(2, true, true));
    scene.keys("/").types("pid:2456").keys("Enter Enter");
    assert!(
        scene.text().contains("Details of 2456 mysqld"),
        "{}",
        scene.text()
    );
    scene.tell(sampled(3, true, true));
    let mut report = kill_report(90, 4, 812, "helper", Some(group));
    report.task_memcg = Some(group.to_owned());
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
    // Who is dying is no candidate: nobody asks for its policy any more.
    scene.tell(sampled(5, true, false));
    scene.tell(Msg::Tick(moment(6)));
    scene.tell(sampled(6, false, false));
    let text = scene.text();
    assert!(
        text.contains("killed 812 helper in this unit, and systemd then stopped the rest"),
        "{text}"
    );
}

#[test]
fn tracepoints_that_miss_something_prove_nothing() {
    let ends = |mut scene: Scene, told: Option<Msg>| {
        if let Some(msg) = told {
            scene.tell(Msg::Tick(moment(3)));
            scene.tell(msg);
        }
        sample(&mut scene, 4, false);
        scene.text()
    };
    let certain = "no OOM kill and no SIGKILL came";
    let whole = ends(opened(true), None);
    assert!(whole.contains(certain), "{whole}");
    // What was lost before it was last seen does not matter.
    let before = ends(opened_with(live("", 9)), None);
    assert!(before.contains(certain), "{before}");
    for text in [
        ends(opened_with(live("no tracepoint signal_generate", 0)), None),
        ends(opened(true), Some(source(live("", 7)))),
        ends(opened(true), Some(Msg::Traced(Traced::Lost(2)))),
    ] {
        assert!(!text.contains(certain), "{text}");
        assert!(text.contains("they did not tell oomtop"), "{text}");
    }
}

#[test]
fn a_machine_that_was_suspended_knows_how_its_processes_ended() {
    // java started a second before it was seen first, after an hour in suspend.
    let mut scene = Scene::new(140, 40);
    let asleep = Duration::from_hours(1);
    let at = |second| Now {
        asleep,
        ..moment(second)
    };
    let started = (at(1).monotonic.0 + 3_600_000_000) / 10_000 - 100;
    let java = ProcessId {
        pid: 1892,
        start_ticks: started,
    };
    let sample = |second: u64, alive: bool| {
        let mut all = processes();
        let own = all.iter_mut().find(|process| process.id == id(1892));
        own.expect("java").id = java;
        all.retain(|process| alive || process.id != java);
        let mut sample = snapshot(second, all);
        sample.taken = at(second);
        Msg::Sampled(Arc::new(sample))
    };
    scene.tell(source(live("", 0)));
    for second in [1, 2] {
        scene.tell(Msg::Tick(at(second)));
        scene.tell(sample(second, true));
    }
    scene.keys("/").types("pid:1892").keys("Enter Enter");
    let Msg::Traced(Traced::Sigkill(mut sent)) = sigkill(4711, 1000, "bash") else {
        panic!("another message")
    };
    sent.target = java;
    scene.tell(Msg::Traced(Traced::Sigkill(sent)));
    scene.tell(Msg::Tick(at(4)));
    scene.tell(sample(4, false));
    let text = scene.text();
    assert!(text.contains("SIGKILL ended it: 4711 bash"), "{text}");
}
