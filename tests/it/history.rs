//! The history of writes: what stands in it, and the undo of any of them.

use oomtop::app::msg::{Effect, Msg, Receipt, Undo, WriteId};
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::process::score::OomScoreAdj;
use oomtop::ui::theme::Theme;

use crate::common::scene::{Scene, moment};
use crate::common::styled::styled_view;
use crate::common::writes::{adj, adj_done, changed, failed, one, receipt, writes};

fn write(pid: u32, value: i64) -> Vec<oomtop::model::plan::Plan> {
    one([adj(pid, value)])
}

/// Three writes: one done, one refused, one done and taken back.
fn scene(width: u16, height: u16) -> Scene {
    let mut scene = Scene::new(width, height);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene.keys("Down a Up Enter");
    let refused = failed(
        adj(1892, -200),
        Reading::Adj(OomScoreAdj::ZERO),
        FailureKind::Denied,
        "Lowering needs CAP_SYS_RESOURCE.",
    );
    scene.answer(vec![receipt(vec![refused])]).keys("Esc");
    scene
        .keys("a Down Enter")
        .answer(vec![adj_done(1892, 0, 300)]);
    scene.keys("u Enter").answer(vec![adj_done(1892, 300, 0)]);
    scene.effects.clear();
    scene
}

#[test]
fn frames() {
    for (width, height) in [(40, 10), (80, 24), (120, 36)] {
        let mut scene = scene(width, height);
        scene.keys("H");
        let view = styled_view(&scene.buffer(&Theme::colours()));
        insta::assert_snapshot!(format!("history_{width}x{height}"), view);
    }
}

#[test]
fn nothing_written_is_said() {
    let mut scene = Scene::new(80, 24);
    scene.keys("H");
    assert!(scene.text().contains("written nothing"), "{}", scene.text());
    scene.keys("Up Down PgDn u Enter H");
    assert_eq!(scene.asked(), []);
}

#[test]
fn any_write_that_stands_is_taken_back_and_no_other() {
    let mut scene = scene(120, 36);
    scene.keys("H");
    for said in [" done    ", " failed  ", " undo    ", " undone  "] {
        assert!(scene.text().contains(said), "{said}: {}", scene.text());
    }
    // The undo itself, the write that it took back, the refused one: none of them is taken back.
    for _ in 0..3 {
        scene.keys("u");
        assert_eq!(scene.state.dialogs.len(), 1, "{}", scene.text());
        scene.keys("Down");
    }
    assert!(scene.text().contains("u takes it back"), "{}", scene.text());
    scene.keys("u");
    assert_eq!(scene.asked(), [], "it asks first");
    assert!(scene.text().contains("Undo mysqld -200 → 0"));
    scene.keys("Enter");
    assert_eq!(writes(&scene.asked()), [write(2456, 0)]);
    scene.answer(vec![adj_done(2456, -200, 0)]);
    assert!(scene.text().contains("Writes of this session"));
    assert!(scene.state.undo.is_empty());
    scene.keys("u");
    assert_eq!(scene.state.dialogs.len(), 1);
}

#[test]
fn the_choice_stays_on_its_write_when_another_arrives() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene
        .keys("Down a Up Enter")
        .answer(vec![adj_done(1892, 0, -200)]);
    scene.keys("H Down");
    scene.tell(Msg::Done(Receipt::Write {
        id: WriteId(77),
        plans: vec![adj_done(1892, -200, 5)],
    }));
    scene.effects.clear();
    scene.keys("u Enter");
    assert_eq!(writes(&scene.asked()), [write(2456, 0)]);
}

#[test]
fn an_older_write_whose_value_is_another_now_asks_again() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene
        .keys("Down a Up Enter")
        .answer(vec![adj_done(1892, 0, -200)]);
    scene.keys("H Down u Enter");
    let now = Reading::Adj(OomScoreAdj::clamped(77));
    scene.answer(vec![changed(adj(2456, -200), now)]);
    scene.effects.clear();
    scene.keys("u");
    assert!(
        scene.text().contains("has adj 77 now, not the -200"),
        "{}",
        scene.text()
    );
    scene.keys("Enter");
    let asked = scene.asked();
    let [
        Effect::Write {
            plans,
            undo: Some(Undo { expected, .. }),
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    assert_eq!((plans, expected.len()), (&write(2456, 0), 0));
    // What is known of one write is no warning for another.
    scene.answer(vec![adj_done(2456, 77, 0)]);
    scene.keys("Esc Esc u");
    let text = scene.text();
    assert!(text.contains("Undo ") && !text.contains("adj 77"), "{text}");
}

#[test]
fn an_undo_that_comes_too_late_takes_nothing_back() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene.keys("u Enter");
    let gone = failed(
        adj(2456, 0),
        Reading::Nothing,
        FailureKind::Gone,
        "It has ended.",
    );
    scene.answer(vec![receipt(vec![gone])]).keys("Esc H");
    let text = scene.text();
    assert!(text.contains("Tried to take back"), "{text}");
    scene.keys("Down");
    let text = scene.text();
    assert!(text.contains("cannot be taken back"), "{text}");
    assert!(
        !text.contains("Taken back") && !text.contains("undone"),
        "{text}"
    );
}

#[test]
fn an_undo_is_waited_for_in_its_dialog_and_esc_ends_the_wait() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene.keys("u Enter");
    let asked = scene.asked();
    let Some(Effect::Write { id, .. }) = asked.last() else {
        panic!("{asked:?}")
    };
    let id = *id;
    scene.tell(Msg::Tick(moment(5)));
    for part in ["Undo mysqld -200 → 0", "after 3 s. Esc stops waiting."] {
        assert!(scene.text().contains(part), "{part}: {}", scene.text());
    }
    // It is asked for once.
    scene.effects.clear();
    scene.keys("Enter");
    assert_eq!(scene.asked(), []);
    scene.keys("Esc");
    assert!(scene.effects.contains(&Effect::Withdraw(id)));
    assert!(scene.state.dialogs.is_empty());
    scene.keys("u");
    assert!(scene.text().contains("still running"), "{}", scene.text());
    let withdrawn = failed(
        adj(2456, 0),
        Reading::Nothing,
        FailureKind::Withdrawn,
        "Not written.",
    );
    scene.tell(Msg::Done(Receipt::Write {
        id,
        plans: vec![receipt(vec![withdrawn])],
    }));
    assert_eq!(scene.state.undo.len(), 1, "it can be tried again");
    scene.keys("u");
    assert!(scene.text().contains("Undo mysqld -200 → 0"));
}

#[test]
fn an_undo_that_is_refused_says_so_in_its_dialog_with_what_is_allowed() {
    let mut scene = Scene::new(120, 36);
    scene.state.host.uid = 1000;
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene.keys("u Enter");
    let refused = failed(
        adj(2456, 0),
        Reading::Adj(OomScoreAdj::clamped(-200)),
        FailureKind::Denied,
        "Lowering needs CAP_SYS_RESOURCE.",
    );
    scene.answer(vec![receipt(vec![refused])]);
    for part in ["Undo mysqld -200 → 0", "CAP_SYS_RESOURCE", "Without root"] {
        assert!(scene.text().contains(part), "{part}: {}", scene.text());
    }
    scene.effects.clear();
    scene.keys("Enter");
    assert_eq!(writes(&scene.asked()), [write(2456, 0)], "tried again");
}
