//! What an action refuses to do, and what it asks about twice: whatever would leave the terminal raw, a kernel thread, a
//! limit without room, the first process.

use crate::common::changed::says;
use crate::common::scene::{Scene, host};
use crate::common::writes::writes;
use oomtop::app::msg::{GroupChoice, Msg};
use oomtop::app::settings::Settings;
use oomtop::model::cgroup::CgroupPath;
use oomtop::model::snapshot::Host;

fn groups() -> Msg {
    Msg::Groups(Ok(vec![GroupChoice {
        path: CgroupPath::root(),
        limit: None,
        usage: Some(1 << 20),
        writable: true,
        has_memory: true,
    }]))
}

/// The scene with one process in its table, selected.
fn only(pid: u32) -> Scene {
    let mut scene = Scene::new(120, 36);
    scene.keys("K /").types(&format!("pid:{pid}")).keys("Enter");
    assert_eq!(scene.selected(), Some(pid), "{}", scene.text());
    scene.asked();
    scene
}

#[test]
fn no_signal_ends_or_stops_oomtop_before_it_can_restore_the_terminal() {
    let own = Host {
        own_pid: Some(2456),
        ..host()
    };
    let refused = "The signal would leave the terminal in the full screen's modes";
    // KILL, USR1, USR2, STOP have no handler; TERM has one.
    for (number, is_sent) in [
        ("9", false),
        ("1 0", false),
        ("1 2", false),
        ("1 9", false),
        ("1 5", true),
    ] {
        let mut scene = Scene::with(120, 36, Settings::default(), own.clone());
        scene.keys(&format!("k {number}"));
        says(&scene, "is oomtop itself");
        assert_eq!(
            !scene.text().contains("full screen's modes"),
            is_sent,
            "{}",
            scene.text()
        );
        if !is_sent {
            says(&scene, refused);
        }
        scene.keys("Enter Enter");
        let asked = writes(&scene.asked());
        assert_eq!(asked.len(), usize::from(is_sent), "{number}: {asked:?}");
    }
}

#[test]
fn no_action_is_offered_for_a_kernel_thread() {
    for key in ["a", "c", "k", "Space", "F7", "F8"] {
        let mut scene = only(2);
        scene.keys(key);
        let text = scene.text();
        assert!(
            text.contains("2 kthreadd is a kernel thread"),
            "{key}: {text}"
        );
        assert!(!text.contains('┌'), "{key} opens a dialog: {text}");
        scene.keys("Enter Enter");
        assert!(writes(&scene.asked()).is_empty(), "{key}");
    }
}

#[test]
fn a_new_group_without_room_for_a_program_is_asked_for_twice() {
    for size in ["0", "4096", "0.0000001T"] {
        let mut scene = Scene::new(120, 36);
        scene.keys("c").tell(groups()).types(size).keys("Enter");
        let asked = writes(&scene.asked());
        assert!(asked.is_empty(), "{size}: {asked:?}");
        says(
            &scene,
            "leaves the process no room: its next pages can kill it",
        );
        scene.keys("Enter");
        assert_eq!(writes(&scene.asked()).len(), 1, "{size}");
    }
}

#[test]
fn a_limit_on_the_first_process_is_asked_for_twice() {
    let mut scene = only(1);
    scene.keys("c").tell(groups()).types("12G").keys("Enter");
    assert!(writes(&scene.asked()).is_empty(), "{}", scene.text());
    says(
        &scene,
        "pid 1 runs this machine or container: a limit on it can end everything.",
    );
    scene.keys("Enter");
    assert_eq!(writes(&scene.asked()).len(), 1, "{}", scene.text());
}
