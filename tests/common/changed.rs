//! Scenes whose newest sample was changed by hand, and the words of their dialogs.

use std::sync::Arc;

use oomtop::app::msg::Msg;
use oomtop::model::snapshot::Snapshot;
use oomtop::model::vm_settings::VmSettings;

use super::scene::{GIB, Scene, moment, processes, snapshot, vm_settings};

/// A scene whose newest sample was changed by hand.
pub(crate) fn scene_with(size: (u16, u16), change: impl Fn(&mut Snapshot)) -> Scene {
    scene_at(size, &[3, 4], change)
}

/// A scene whose container is far from its limit, for long enough that the header names the host.
pub(crate) fn calm_scene(size: (u16, u16), change: impl Fn(&mut Snapshot)) -> Scene {
    scene_at(size, &[3, 15, 30, 45], |snapshot| {
        calm(snapshot);
        change(snapshot);
    })
}

pub(crate) fn calm(snapshot: &mut Snapshot) {
    Arc::make_mut(&mut snapshot.cgroups)[4].usage = Some(GIB);
}

pub(crate) fn scene_at(size: (u16, u16), seconds: &[u64], change: impl Fn(&mut Snapshot)) -> Scene {
    let mut scene = Scene::new(size.0, size.1);
    for &second in seconds {
        let mut sample = snapshot(second, processes());
        change(&mut sample);
        scene.tell(Msg::Tick(moment(second)));
        scene.tell(Msg::Sampled(Arc::new(sample)));
    }
    scene
}

/// The text of the dialog on the screen, its broken lines joined.
pub(crate) fn words(scene: &Scene) -> String {
    let text = scene.text();
    let inside = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once('│')?;
        Some(rest.rsplit_once('│')?.0.trim())
    });
    let joined: Vec<_> = inside.collect();
    let words: Vec<_> = joined.iter().flat_map(|l| l.split_whitespace()).collect();
    words.join(" ")
}

#[track_caller]
pub(crate) fn says(scene: &Scene, wanted: &str) {
    let words = words(scene);
    assert!(words.contains(wanted), "{wanted:?} is not in: {words}");
}

pub(crate) fn set(change: impl Fn(&mut VmSettings)) -> impl Fn(&mut Snapshot) {
    move |snapshot| {
        let mut settings = vm_settings();
        change(&mut settings);
        snapshot.vm_settings = Arc::new(settings);
    }
}
