//! Writing `oom_score_adj` and taking it back: keys in, effects out, receipts in.

use crate::common::scene::{Scene, host, id, process, processes};
use crate::common::writes::{adj, adj_done, changed, done, failed, one, receipt, writes};
use oomtop::app::msg::{Effect, Msg, Receipt, Undo};
use oomtop::app::settings::Settings;
use oomtop::model::plan::receipt::{FailureKind, Reading};
use oomtop::model::plan::step::Step;
use oomtop::model::process::score::OomScoreAdj;
use oomtop::model::snapshot::Host;

fn write(pid: u32, value: i64) -> Vec<oomtop::model::plan::Plan> {
    one([adj(pid, value)])
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
    assert_eq!(writes(&scene.asked()), [write(2456, -200)]);
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
    assert_eq!(writes(&scene.asked()), [write(2456, -350)]);
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
    assert_eq!(writes(&scene.asked()), [write(2456, -941)]);
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
    assert_eq!(writes(&scene.asked()), [write(2456, -1000)]);
}

#[test]
fn undo_takes_back_the_last_write_and_says_so_before() {
    let mut scene = Scene::new(120, 36);
    scene.keys("u");
    assert_eq!(scene.asked(), []);
    assert!(scene.text().contains("nothing to undo"));
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    assert!(scene.state.dialogs.is_empty(), "closed by its receipt");
    assert!(scene.text().contains("adj 0 → -200"), "{}", scene.text());
    let mut now = processes();
    for p in now.iter_mut().filter(|p| p.id.pid == 2456) {
        p.adj = Some(OomScoreAdj::clamped(-200));
    }
    for _ in 0..8 {
        scene.sample(now.clone());
    }
    assert!(scene.text().contains("u Undo "), "{}", scene.text());
    scene.effects.clear();
    scene.keys("u");
    assert_eq!(scene.asked(), [], "it asks first");
    let text = scene.text();
    assert!(text.contains("Undo mysqld -200 → 0"), "{text}");
    assert!(
        text.contains("write 0 to /proc/2456/oom_score_adj"),
        "{text}"
    );
    scene.keys("Enter");
    assert_eq!(writes(&scene.asked()), [write(2456, 0)]);
    scene.answer(vec![adj_done(2456, -200, 0)]);
    assert!(scene.state.undo.is_empty());
    scene.keys("u");
    assert!(!scene.text().contains("has written nothing"));
}

#[test]
fn undo_asks_again_when_somebody_else_changed_the_value() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene.effects.clear();
    scene.keys("u");
    scene.keys("Enter");
    let asked = scene.asked();
    let [
        Effect::Write {
            undo: Some(Undo { expected, .. }),
            ..
        },
    ] = asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    // No sample knows of it: the value is read when it is written.
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0].left, Reading::Adj(OomScoreAdj::clamped(-200)));
    let now = Reading::Adj(OomScoreAdj::clamped(77));
    scene.answer(vec![changed(adj(2456, -200), now)]);
    for part in [
        "has adj 77 now, not the -200 written by oomtop",
        "press u again to set 0",
    ] {
        assert!(scene.text().contains(part), "{}", scene.text());
    }
    scene.effects.clear();
    scene.keys("u");
    assert_eq!(scene.asked(), []);
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
    assert_eq!(
        (plans, expected.len()),
        (&write(2456, 0), 0),
        "whoever insists has read it"
    );
}

#[test]
fn a_refused_write_keeps_the_dialog_and_its_sentence() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up Enter");
    let refused = failed(
        adj(2456, -200),
        Reading::Adj(OomScoreAdj::ZERO),
        FailureKind::Denied,
        "needs CAP_SYS_RESOURCE",
    );
    scene.answer(vec![receipt(vec![refused])]);
    assert_eq!(scene.state.dialogs.len(), 1);
    assert!(
        scene.text().contains("needs CAP_SYS_RESOURCE"),
        "{}",
        scene.text()
    );
    assert!(scene.state.undo.is_empty());
}

#[test]
fn a_refusal_is_said_once() {
    let nobody = Host {
        uid: 65_534,
        user: "nobody".to_owned(),
        may_lower_adj: false,
        ..host()
    };
    let mut scene = Scene::with(120, 36, Settings::default(), nobody);
    scene.keys("a Up");
    let before = scene.text();
    assert!(
        before.contains("Lowering may be refused") && before.contains("this will be refused"),
        "{before}"
    );
    scene.keys("Enter");
    let refused = failed(
        adj(2456, -200),
        Reading::Adj(OomScoreAdj::ZERO),
        FailureKind::Denied,
        "it belongs to another user",
    );
    scene.answer(vec![receipt(vec![refused])]);
    let after = scene.text();
    assert_eq!(
        after.matches("belongs to another user").count(),
        1,
        "{after}"
    );
    assert!(
        !after.contains("refused") && after.contains("expose the one that leaks"),
        "{after}"
    );
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
    assert!(scene.text().contains("oomtop is read-only"));
}

#[test]
fn tags_are_what_the_dialogs_act_on() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Space Space k Enter");
    let asked = writes(&scene.asked());
    let sent = |plans: &[oomtop::model::plan::Plan]| -> Vec<_> {
        let steps = plans.iter().flat_map(|plan| plan.steps.clone());
        steps
            .map(|step| match step {
                Step::Signal { target, signal } => (target, signal.name),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!(sent(&asked[0]), [(id(1892), "TERM"), (id(2456), "TERM")]);
    let mut scene = Scene::new(120, 36);
    scene.keys("Space Space a").types("100").keys("Enter Enter");
    let asked = writes(&scene.asked());
    assert_eq!(asked, [[write(1892, 100), write(2456, 100)].concat()]);
}

#[test]
fn one_of_many_targets_that_fails_keeps_nobody_from_being_undone() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Space Space a").types("100").keys("Enter Enter");
    let gone = failed(
        adj(1892, 100),
        Reading::Nothing,
        FailureKind::Gone,
        "It has ended.",
    );
    scene.answer(vec![receipt(vec![gone]), adj_done(2456, 0, 100)]);
    assert!(
        scene.text().contains("(1 other was written)"),
        "{}",
        scene.text()
    );
    scene.keys("Esc");
    scene.effects.clear();
    scene.keys("u Enter");
    assert_eq!(writes(&scene.asked()), [write(2456, 0)]);
}

#[test]
fn a_signal_that_misses_one_of_many_says_who_got_it() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Space Space k Enter");
    let asked = writes(&scene.asked());
    let steps: Vec<_> = asked[0]
        .iter()
        .flat_map(|plan| plan.steps.clone())
        .collect();
    let gone = failed(
        steps[0].clone(),
        Reading::Nothing,
        FailureKind::Gone,
        "Process 1892 has ended.",
    );
    let sent = done(steps[1].clone(), Reading::Nothing, Reading::Nothing);
    scene.answer(vec![receipt(vec![gone]), receipt(vec![sent])]);
    for part in [
        "Process 1892 has ended.",
        "(1 other was sent)",
        "sent  2456 mysqld",
    ] {
        assert!(scene.text().contains(part), "{part}: {}", scene.text());
    }
}

#[test]
fn targets_are_held_while_a_dialog_is_open() {
    let mut scene = Scene::new(120, 36);
    let held = |scene: &Scene| {
        let hold = |effect: &Effect| match effect {
            Effect::Hold(targets) => Some(targets.clone()),
            _ => None,
        };
        scene.effects.iter().filter_map(hold).collect::<Vec<_>>()
    };
    scene.keys("k");
    assert_eq!(held(&scene), [vec![id(2456)]]);
    scene.keys("Down Esc");
    assert_eq!(held(&scene), [vec![id(2456)], vec![]]);
}

#[test]
fn a_dialog_takes_its_own_receipt_and_no_other() {
    let mut scene = Scene::new(120, 36);
    scene.keys("a Up Enter Esc");
    let first = scene.asked();
    let [Effect::Write { id, .. }, Effect::Withdraw(withdrawn)] = first.as_slice() else {
        panic!("{first:?}")
    };
    assert_eq!(withdrawn, id, "nobody waits for it");
    scene.keys("a Up Enter");
    let plans = vec![adj_done(2456, 0, -200)];
    let late = Receipt::Write {
        id: *id,
        plans: plans.clone(),
    };
    scene.tell(Msg::Done(late));
    assert_eq!(scene.state.dialogs.len(), 1, "not its receipt");
    scene.answer(plans);
    assert!(scene.state.dialogs.is_empty());
}

#[test]
fn what_is_written_while_an_undo_runs_stays_in_the_log() {
    let mut scene = Scene::new(120, 36);
    scene
        .keys("a Up Enter")
        .answer(vec![adj_done(2456, 0, -200)]);
    scene.keys("u Enter");
    let undo = scene.asked().pop();
    let Some(Effect::Write { id, .. }) = undo else {
        panic!("{undo:?}")
    };
    scene
        .keys("Esc Down a Up Enter")
        .answer(vec![adj_done(1892, 0, -200)]);
    let plans = vec![adj_done(2456, -200, 0)];
    scene.tell(Msg::Done(Receipt::Write { id, plans }));
    scene.effects.clear();
    scene.keys("u Enter");
    assert_eq!(writes(&scene.asked()), [write(1892, 0)]);
}

#[test]
fn the_way_out_is_told_at_80_columns() {
    let mut scene = Scene::new(80, 24);
    scene.keys("Space Space a");
    for keys in ["o", "o Down Enter"] {
        scene.keys(keys);
        assert!(scene.text().contains("Esc q leave"), "{}", scene.text());
    }
}
