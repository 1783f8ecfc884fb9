//! The details of a process that ended while they were open: how, as far as oomtop saw it.

use std::sync::Arc;

use crate::common::scene::{GIB, Scene, id, kill_report, moment, processes, snapshot};
use oomtop::app::msg::Msg;
use oomtop::model::event_source::{EventSource, Tracing};
use oomtop::model::traced::{Sender, Sigkill, Traced};
use oomtop::oomlog::OomEvent;

/// The details of java are open; tracepoints tell of signals, or not.
fn opened(traced: bool) -> Scene {
    let mut scene = Scene::new(140, 40);
    let tracing = if traced {
        Tracing::Live {
            instructions: 412,
            lacking: String::new(),
        }
    } else {
        Tracing::Off("not allowed".to_owned())
    };
    scene.tell(Msg::Source(EventSource {
        name: "/dev/kmsg".to_owned(),
        caught_up: true,
        tracing,
        ..EventSource::default()
    }));
    sample(&mut scene, 1, true);
    sample(&mut scene, 2, true);
    scene.keys("/ p i d : 1 8 9 2 Enter Enter");
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
        text.contains("Unknown.") && text.contains("oomtop as root"),
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
