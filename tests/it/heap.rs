//! The details say how far a runtime lets its heap grow, and where its domain ends.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::model::heap::{HeapBound, Launch, heap_bound};
use oomtop::model::snapshot::Detail;

use crate::common::scene::{Scene, id, processes, snapshot};

/// The java of the scene, in a container of 4 GiB.
const JAVA: u32 = 1892;

fn details(bound: Option<HeapBound>) -> String {
    let mut scene = Scene::new(160, 50);
    let mut sample = snapshot(9, processes());
    sample.detail = Some(Detail {
        id: id(JAVA),
        heap: bound,
        ..Detail::default()
    });
    scene.keys("/ p i d : 1 8 9 2 Enter Home");
    scene.tell(Msg::Sampled(Arc::new(sample)));
    scene.keys("Enter");
    // Without the frame: long lines are broken in it.
    let text = scene.text().replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn java(options: &str, is_environment_known: bool) -> Option<HeapBound> {
    heap_bound(&Launch {
        arguments: format!("java {options} Main")
            .split(' ')
            .map(str::to_owned)
            .collect(),
        is_environment_known,
        environment: Vec::new(),
    })
}

#[test]
fn a_heap_that_does_not_fit_is_said_before_it_grows() {
    let large = details(java("-Xmx900g", true));
    for part in [
        "What its runtime allows",
        "the Java heap may grow to 900 GiB (-Xmx900g)",
        "the kernel kills first",
    ] {
        assert!(large.contains(part), "{part}: {large}");
    }
    let small = details(java("-Xmx1m", true));
    assert!(small.contains("may grow to 1 MiB (-Xmx1m); "), "{small}");
    assert!(!small.contains("kernel kills first"));
    let tight = details(java("-XX:MaxRAMPercentage=95", true));
    assert!(tight.contains("for the rest of the process"), "{tight}");
    assert!(!details(None).contains("What its runtime allows"));
}

#[test]
fn what_the_environment_may_say_is_not_hidden() {
    assert!(details(java("-ea", false)).contains("may say otherwise"));
    let known = details(java("-ea", true));
    assert!(
        known.contains("the default, MaxRAMPercentage=25"),
        "{known}"
    );
    assert!(!known.contains("may say otherwise"));
}
