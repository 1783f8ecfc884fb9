//! Signals to what has ended already: a zombie is listed until its parent takes notice, and no signal does anything.

use crate::common::scene::{Scene, processes};
use oomtop::app::msg::Effect;
use oomtop::model::process::{Process, TaskState};

/// The scene's processes, 1892 a zombie with this many threads.
fn sample(threads: u32) -> Vec<Process> {
    let mut all = processes();
    for process in all.iter_mut().filter(|p| p.id.pid == 1892) {
        (process.state, process.memory) = (TaskState('Z'), None);
        process.threads = threads;
    }
    all
}

fn writes(scene: &mut Scene) -> usize {
    let asked = scene.asked().into_iter();
    asked.filter(|e| matches!(e, Effect::Write { .. })).count()
}

#[test]
fn the_dialog_of_a_zombie_offers_no_signal() {
    let mut scene = Scene::new(120, 36);
    scene.keys("1 8 9 2 Enter k");
    assert!(
        scene.text().contains("send SIGTERM to 1892"),
        "{}",
        scene.text()
    );
    scene.sample(sample(1));
    let text = scene.text();
    assert!(
        text.contains("It has ended: no signal can reach anybody."),
        "{text}"
    );
    assert!(!text.contains("send SIG"), "{text}");
    scene.asked();
    scene.keys("Enter");
    assert_eq!(writes(&mut scene), 0);
}

#[test]
fn threads_whose_main_thread_has_ended_get_their_signal() {
    let mut scene = Scene::new(120, 36);
    scene.keys("1 8 9 2 Enter k").sample(sample(3));
    assert!(
        scene.text().contains("send SIGTERM to 1892"),
        "{}",
        scene.text()
    );
    scene.asked();
    scene.keys("Enter");
    assert_eq!(writes(&mut scene), 1);
}
