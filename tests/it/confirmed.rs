//! A line end that comes with the text before it, in one read of a slow connection or a paste without brackets, confirms
//! nothing: what it would confirm was never on the screen.

use oomtop::app::msg::{Effect, Msg};
use oomtop::model::plan::Plan;
use oomtop::model::time::Monotonic;

use crate::common::scene::{Scene, moment};

/// A scene with a dialog that the screen shows, and what was written when `bytes` came in one read; then, once that is on
/// the screen, when Enter comes alone.
fn written(open: &str, together: &str) -> [Vec<Plan>; 2] {
    let at = |millis: u64| Monotonic(moment(3).monotonic.0 + millis * 1000);
    let mut scene = Scene::new(120, 36);
    scene.tell(Msg::Read(at(0)));
    scene.keys(open);
    scene.state.drawn(at(10));
    scene.asked();
    [(500, together), (900, "Enter")].map(|(millis, keys)| {
        scene.tell(Msg::Read(at(millis)));
        scene.keys(keys);
        scene.state.drawn(at(millis + 10));
        let asked = scene.asked();
        let plans = asked.into_iter().filter_map(|effect| match effect {
            Effect::Write { plans, .. } => Some(plans),
            _ => None,
        });
        plans.flatten().collect()
    })
}

#[test]
fn a_line_end_in_one_read_with_what_it_confirms_writes_nothing() {
    let cases = [
        ("a", "5 0 0 Enter"),
        ("a", "Down Enter"),
        ("a", "Esc a 3 Enter"),
        ("k", "9 Enter"),
        ("k", "Down Enter"),
    ];
    for (open, together) in cases {
        let [at_once, alone] = written(open, together);
        assert_eq!(at_once, [], "{open}, then {together}");
        assert_eq!(alone.len(), 1, "{open}, then {together}, then Enter");
    }
}

#[test]
fn a_line_end_that_comes_alone_confirms_what_is_on_the_screen() {
    for open in ["a 5 0 0", "k 9", "a Down"] {
        let [at_once, _] = written(open, "Enter");
        assert_eq!(at_once.len(), 1, "{open}");
    }
}
