//! Keys act on the row of the pane that has the keyboard, and only while the screen shows it.

use std::sync::Arc;

use crate::common::scene::{Scene, kill_report, processes};
use oomtop::app::msg::Msg;
use oomtop::oomlog::OomEvent;

#[test]
fn keys_of_the_events_pane_act_on_its_row_or_say_that_nobody_is_there() {
    for (key, words) in [("k", "has ended"), ("a", "has ended"), ("c", "has ended")] {
        for view in ["e", "d e"] {
            let mut scene = Scene::new(120, 36);
            scene.keys(view).keys(key);
            let text = scene.text();
            assert!(scene.state.dialogs.is_empty(), "{view} {key}: {text}");
            assert!(
                text.contains("2211 stress") && text.contains(words),
                "{text}"
            );
        }
    }
    // A victim that still lives: known by its start time, or by a name and an age that fit.
    let mut scene = Scene::new(120, 36);
    let report = kill_report(77, 2, 1892, "java", None);
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
    scene.keys("d e k");
    assert!(
        scene.text().contains("Send a signal to 1892 java"),
        "{}",
        scene.text()
    );
    // Its pid has another process now.
    let mut reused = processes();
    for process in reused.iter_mut().filter(|p| p.id.pid == 1892) {
        process.id.start_ticks += 1;
    }
    scene.keys("Esc").sample(reused).keys("k");
    assert!(scene.state.dialogs.is_empty(), "{}", scene.text());
}

#[test]
fn in_the_events_pane_no_key_changes_the_hidden_table() {
    let look = |scene: &Scene| {
        let table = &scene.state.table;
        (
            table.cursor(),
            table.tree,
            table.kernel_threads,
            table.follow,
            table.inverted,
            table.sort.id,
            table.tagged.len(),
        )
    };
    for key in ["t", "K", "F", "I", ">", "<", "U", "n", "Space", "F5"] {
        let mut scene = Scene::new(120, 36);
        scene.keys("Down d e");
        let before = look(&scene);
        scene.keys(key);
        assert_eq!(look(&scene), before, "{key}");
        assert!(scene.state.dialogs.is_empty(), "{key}");
    }
    // The pane above has its own order.
    let mut scene = Scene::new(120, 36);
    scene.keys("Down d e F6 Down Down Enter");
    assert!(
        scene.text().contains("OOM domains by domain"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_row_that_was_scrolled_away_is_shown_before_a_key_acts_on_it() {
    let mut scene = Scene::new(120, 24);
    let wheel = |scene: &mut Scene| {
        let at = scene.state.panes().table_rows;
        for _ in 0..4 {
            scene.tell(Msg::Mouse(oomtop::app::msg::Mouse {
                x: at.x,
                y: at.y,
                action: oomtop::app::msg::MouseAction::ScrollDown,
            }));
        }
    };
    wheel(&mut scene);
    scene.keys("k");
    assert!(scene.state.dialogs.is_empty());
    assert!(scene.text().contains("2456 mysqld"), "{}", scene.text());
    scene.keys("k");
    assert!(scene.text().contains("Send a signal to 2456 mysqld"));
}
