//! Writing `oom_score_adj` and taking it back: keys in, effects out, receipts in.

use crate::common::scene::{Scene, host, id, process, processes};
use oomtop::app::msg::{AdjWrite, Effect, Msg, Receipt};
use oomtop::app::settings::Settings;
use oomtop::model::plan::step::{AdjReceipt, Failure, FailureKind};
use oomtop::model::process::score::OomScoreAdj;

fn adj(value: i64) -> OomScoreAdj {
    OomScoreAdj::clamped(value)
}

fn write(pid: u32, value: i64, undo: bool) -> Effect {
    Effect::WriteAdj {
        writes: vec![AdjWrite {
            target: id(pid),
            value: adj(value),
        }],
        undo,
    }
}

fn written(pid: u32, before: i64, after: i64, undo: bool) -> Msg {
    let receipt = AdjReceipt {
        target: id(pid),
        before: Some(adj(before)),
        outcome: Ok(adj(after)),
    };
    Msg::Done(Receipt::Adj {
        receipts: vec![receipt],
        undo,
    })
}

#[test]
fn adjust_writes_the_pinned_process_even_if_another_has_its_row_or_its_pid() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up");
    let mut others = processes();
    others.push(process(9999, "hog", 23_000, 0, 1));
    scene.sample(others);
    scene.effects.clear();
    scene.keys("Enter");
    assert_eq!(scene.asked(), [write(2456, -200, false)]);
    // The same pid with another start time is another process: nothing is asked for.
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up");
    let mut reused = processes();
    for p in &mut reused {
        p.id.start_ticks += u64::from(p.id.pid == 2456);
    }
    scene.sample(reused);
    scene.effects.clear();
    scene.keys("Enter");
    assert_eq!(scene.asked(), []);
    assert!(scene.text().contains("has ended"), "{}", scene.text());
}

#[test]
fn a_typed_value_replaces_the_level_and_nonsense_is_not_written() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a").types("-350").keys("Enter");
    assert_eq!(scene.asked(), [write(2456, -350, false)]);
    let mut scene = Scene::new(120, 36);
    scene.keys("a").types("5000").keys("Enter");
    assert_eq!(scene.asked(), []);
    assert!(
        scene.text().contains("outside -1000 to 1000"),
        "{}",
        scene.text()
    );
    let mut scene = Scene::new(120, 36);
    scene.keys("a o").types("-16").keys("Enter");
    assert_eq!(scene.asked(), [write(2456, -941, false)]);
}

#[test]
fn immune_wants_a_second_enter() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a").types("-1000").keys("Enter");
    assert_eq!(scene.asked(), []);
    assert!(
        scene.text().contains("Press Enter again"),
        "{}",
        scene.text()
    );
    scene.keys("Enter");
    assert_eq!(scene.asked(), [write(2456, -1000, false)]);
}

#[test]
fn undo_takes_back_the_last_write_and_says_so_before() {
    let mut scene = Scene::new(120, 36);
    scene.keys("u");
    assert_eq!(scene.asked(), []);
    assert!(scene.text().contains("nothing to undo"));
    scene.keys("a Up Enter").tell(written(2456, 0, -200, false));
    assert!(scene.state.dialogs.is_empty(), "closed by its receipt");
    assert!(scene.text().contains("adj 0 → -200"), "{}", scene.text());
    let mut now = processes();
    for p in now.iter_mut().filter(|p| p.id.pid == 2456) {
        p.adj = Some(adj(-200));
    }
    for _ in 0..8 {
        scene.sample(now.clone());
    }
    assert!(
        scene.text().contains("Undo mysqld -200 → 0"),
        "{}",
        scene.text()
    );
    scene.effects.clear();
    scene.keys("u");
    assert_eq!(scene.asked(), [write(2456, 0, true)]);
    scene.tell(written(2456, -200, 0, true));
    assert!(scene.state.undo.is_empty());
}

#[test]
fn undo_asks_again_when_somebody_else_changed_the_value() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up Enter").tell(written(2456, 0, -200, false));
    let mut now = processes();
    for p in now.iter_mut().filter(|p| p.id.pid == 2456) {
        p.adj = Some(adj(77));
    }
    scene.sample(now.clone()).sample(now);
    scene.effects.clear();
    scene.keys("u");
    assert_eq!(scene.asked(), []);
    assert!(scene.text().contains("press u again"), "{}", scene.text());
    scene.keys("u");
    assert_eq!(scene.asked(), [write(2456, 0, true)]);
}

#[test]
fn a_refused_write_keeps_the_dialog_and_its_sentence() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up Enter");
    let failure = Failure {
        kind: FailureKind::Denied,
        sentence: "needs CAP_SYS_RESOURCE".to_owned(),
    };
    let receipt = AdjReceipt {
        target: id(2456),
        before: Some(adj(0)),
        outcome: Err(failure),
    };
    scene.tell(Msg::Done(Receipt::Adj {
        receipts: vec![receipt],
        undo: false,
    }));
    assert_eq!(scene.state.dialogs.len(), 1);
    assert!(
        scene.text().contains("needs CAP_SYS_RESOURCE"),
        "{}",
        scene.text()
    );
    assert!(scene.state.undo.is_empty());
}

#[test]
fn read_only_writes_nothing() {
    let settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    let mut scene = Scene::with(120, 36, settings, host());
    for keys in ["a", "c", "k", "u", "F7", "F8", "F9"] {
        scene.keys(keys);
        assert!(scene.state.dialogs.is_empty(), "{keys}");
        assert_eq!(scene.asked(), [], "{keys}");
    }
    assert!(scene.text().contains("--read-only"));
}

#[test]
fn tags_are_what_the_dialogs_act_on() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Space Space k Enter");
    let effects = scene.asked();
    let Some(Effect::SendSignal { targets, signal }) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (targets.as_slice(), signal.name),
        ([id(1892), id(2456)].as_slice(), "TERM")
    );
    let mut scene = Scene::new(120, 36);
    scene.keys("Space Space a").types("100").keys("Enter Enter");
    let effects = scene.asked();
    let Some(Effect::WriteAdj { writes, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!(writes.len(), 2);
}

#[test]
fn the_way_out_is_told_at_80_columns() {
    let mut scene = Scene::new(80, 24);
    scene.keys("Space Space a");
    for keys in ["o", "o Down Enter"] {
        scene.keys(keys);
        assert!(scene.text().contains("Esc leave"), "{}", scene.text());
    }
}
