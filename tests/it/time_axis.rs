//! The time below the graph of memory: "now" and "ago" stand there only where they are true.

use std::sync::Arc;

use crate::common::scene::{Scene, moment, processes};
use oomtop::app::msg::Msg;
use oomtop::app::replay::Replay;
use oomtop::app::replay::timeline::Timeline;

/// A minute has been seen.
fn scene() -> Scene {
    let mut scene = Scene::new(200, 50);
    for _ in 0..60 {
        scene.sample(processes());
    }
    scene
}

/// What stands below the graph.
fn axis(scene: &Scene) -> String {
    let text = scene.text();
    let head = text.lines().position(|line| line.contains("Memory used"));
    let below = text.lines().skip(head.expect("the graph"));
    let mut rows = below.filter(|line| line.contains("──") && !line.contains("━━"));
    let row = rows.next().expect("the axis");
    row.rsplit('│').next().unwrap_or(row).to_owned()
}

#[test]
fn what_is_seen_live_reaches_to_now() {
    let axis = axis(&scene());
    assert!(axis.contains("s ago ─") && axis.contains("─ now"), "{axis}");
    // The title above does not say the same once more.
    let text = scene().text();
    let title = text.lines().find(|line| line.contains("Memory used"));
    assert!(title.is_some_and(|title| !title.contains("last")), "{text}");
}

#[test]
fn a_paused_a_replayed_and_an_old_graph_do_not_reach_to_now() {
    let paused = || {
        let mut scene = scene();
        scene.keys("Z").tell(Msg::Tick(moment(500)));
        assert!(scene.state.paused);
        scene
    };
    let replayed = || {
        let mut scene = scene();
        let nothing = Timeline::default();
        scene.state.replay = Some(Replay::new("r".to_owned(), Arc::new(nothing)));
        scene
    };
    let old = || {
        let mut scene = scene();
        scene.tell(Msg::Tick(moment(500)));
        assert!(scene.state.stale().is_some());
        scene
    };
    for (what, scene) in [
        ("paused", paused()),
        ("replayed", replayed()),
        ("old", old()),
    ] {
        let axis = axis(&scene);
        assert!(axis.contains("s before ─"), "{what}: {axis}");
        let is_of_now = axis.contains("now") || axis.contains("ago");
        assert!(!is_of_now, "{what}: {axis}");
    }
}
