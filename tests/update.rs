//! Messages in, effects and state out: what the keys, samples and events do, without a terminal.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scene::{Scene, host, id, kill_report, moment, process, processes, snapshot};
use oomtop::app::layout::Pane;
use oomtop::app::msg::{AdjWrite, Effect, EventSource, Mouse, MouseAction, Msg, Receipt};
use oomtop::app::settings::Settings;
use oomtop::domain::oom::OomEvent;
use oomtop::domain::score::OomScoreAdj;
use oomtop::domain::snapshot::KillCounters;
use oomtop::domain::time::Monotonic;
use oomtop::domain::write::{AdjReceipt, Failure, FailureKind};

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
fn the_first_row_is_the_next_victim_and_selected() {
    let scene = Scene::new(120, 36);
    assert_eq!(scene.selected(), Some(2456));
    let text = scene.text();
    assert!(text.contains("Next victim 2456 mysqld"), "{text}");
    assert!(text.contains("NEXT VICTIM"), "{text}");
    // The container's own victim is another one, and marked.
    assert!(
        text.lines()
            .any(|l| l.starts_with('*') && l.contains("1892") && l.contains("group victim")),
        "{text}"
    );
}

#[test]
fn the_selection_stays_on_its_process_when_rows_move() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down");
    assert_eq!(scene.selected(), Some(1892));
    let mut moved = processes();
    moved.retain(|p| p.id.pid != 2456);
    moved.push(process(9999, "hog", 20_000, 0, 1));
    moved.push(process(9998, "hog", 19_000, 0, 1));
    scene.sample(moved.clone());
    assert_eq!(scene.selected(), Some(1892));
    // When it ends, whoever has its row now.
    moved.retain(|p| p.id.pid != 1892);
    scene.sample(moved);
    assert!(scene.selected().is_some());
    assert!(scene.state.table.cursor() < scene.state.table.rows().len());
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
fn filters_are_live_and_esc_clears_them() {
    let mut scene = Scene::new(120, 36);
    scene.keys("/").types("rss>1G adj<0");
    assert_eq!(scene.state.table.rows().len(), 1);
    assert_eq!(scene.selected(), Some(956));
    scene.keys("Enter Esc");
    assert!(scene.state.table.rows().len() > 20);
    // Half typed, the last filter that made sense stays in force and the prompt says what is missing.
    scene.keys("/").types("rss>");
    assert!(
        scene.text().contains("a size such as 100M is needed"),
        "{}",
        scene.text()
    );
}

#[test]
fn keys_typed_into_a_prompt_or_pasted_are_no_commands() {
    let mut scene = Scene::new(120, 36);
    scene.keys("/").types("kaqu");
    assert_eq!(scene.asked(), []);
    assert!(scene.state.dialogs.is_empty());
    scene.keys("Esc");
    scene.tell(Msg::Paste("k\nq".to_owned()));
    assert_eq!(scene.asked(), []);
    assert!(scene.state.dialogs.is_empty());
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
fn zoom_ranks_by_the_group_and_leaves_with_it() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down z");
    assert_eq!(scene.state.table.rows().len(), 2);
    assert!(scene.text().contains("only /docker/"), "{}", scene.text());
    scene.keys("z");
    assert!(scene.state.table.rows().len() > 20);
    scene.keys("Home z");
    assert!(
        scene.text().contains("its OOM domain is the host"),
        "{}",
        scene.text()
    );
}

#[test]
fn tree_sort_and_invert_keep_everybody() {
    let mut scene = Scene::new(120, 36);
    let all = scene.state.table.rows().len();
    for keys in ["t", "I", "> > >", "t", "K", "F6 Down Enter"] {
        scene.keys(keys);
        assert!(scene.state.table.rows().len() >= all, "{keys}");
    }
}

#[test]
fn paused_takes_nothing_in_and_one_sample_is_in_flight_at_most() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Z");
    scene.sample(vec![process(1, "alone", 1, 0, 0)]);
    assert!(scene.state.table.rows().len() > 20);
    assert!(scene.text().contains("PAUSED"));
    scene.keys("Z");
    let samples = |scene: &mut Scene| {
        std::mem::take(&mut scene.effects)
            .iter()
            .filter(|e| matches!(e, Effect::Sample(_)))
            .count()
    };
    samples(&mut scene);
    for second in 100..110 {
        scene.tell(Msg::Tick(moment(second)));
    }
    assert_eq!(samples(&mut scene), 0, "one is in flight already");
    assert!(scene.text().contains("s old"), "{}", scene.text());
    scene.tell(Msg::Sampled(Arc::new(snapshot(110, processes()))));
    scene.tell(Msg::Tick(moment(112)));
    assert_eq!(samples(&mut scene), 1);
}

#[test]
fn a_kill_is_a_row_a_notice_and_remembers_its_victim() {
    let mut scene = Scene::new(200, 50);
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9,
        2,
        1892,
        "java",
        Some("/docker/x"),
    )))));
    let text = scene.text();
    assert!(text.contains("the kernel killed 1892 java"), "{text}");
    assert!(text.contains("limit 3.5G of /docker/x"), "{text}");
    scene.keys("e Enter");
    let text = scene.text();
    assert!(
        text.contains("java -Xmx3g -jar /opt/shop/shop.jar"),
        "{text}"
    );
    assert!(text.contains("rank 2 of the host, user tomcat"), "{text}");
    // The same report again (the reaper came) is the same row.
    let rows = scene.state.events.len();
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9,
        2,
        1892,
        "java",
        Some("/docker/x"),
    )))));
    assert_eq!(scene.state.events.len(), rows);
}

#[test]
fn an_old_kill_is_not_joined_to_whoever_has_its_pid_now() {
    let mut scene = Scene::new(200, 50);
    let mut report = kill_report(9, 0, 1892, "java", None);
    report.kills[0].at = Some(Monotonic(5_000_000));
    scene
        .tell(Msg::Oom(OomEvent::Report(Arc::new(report))))
        .keys("e Enter");
    assert!(
        !scene.text().contains("of the host, user"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_counter_that_rises_without_a_line_is_a_row_of_its_own() {
    let mut scene = Scene::new(120, 36);
    let with_kills = |second, host| {
        let mut sample = snapshot(second, processes());
        sample.kills = KillCounters { host: Some(host) };
        Msg::Sampled(Arc::new(sample))
    };
    scene.tell(with_kills(3, 2)).tell(with_kills(4, 2));
    assert_eq!(scene.state.events.len(), 1, "the line may still come");
    scene.tell(with_kills(5, 2));
    assert_eq!(scene.state.events.len(), 2);
    assert!(
        scene.text().contains("no line in the log"),
        "{}",
        scene.text()
    );
    scene
        .tell(with_kills(6, 2))
        .tell(with_kills(7, 2))
        .tell(with_kills(8, 2));
    assert_eq!(scene.state.events.len(), 2, "told once");
    // A kill that the log tells is not told twice.
    scene.tell(Msg::Oom(OomEvent::Report(Arc::new(kill_report(
        9, 9, 1892, "java", None,
    )))));
    for second in 9..14 {
        scene.tell(with_kills(second, 3));
    }
    assert_eq!(scene.state.events.len(), 3);
    // Without a log there is nothing to wait for.
    let missing = "no permission".to_owned();
    scene.tell(Msg::Source(EventSource {
        name: "counters only".to_owned(),
        missing,
        caught_up: true,
    }));
    scene.tell(with_kills(15, 5));
    assert_eq!(scene.state.events.len(), 4);
}

#[test]
fn gaps_show() {
    let mut scene = Scene::new(120, 36);
    scene.tell(Msg::Oom(OomEvent::Gap { at: None, lost: 17 }));
    assert!(
        scene.text().contains("17 log records were overwritten"),
        "{}",
        scene.text()
    );
}

#[test]
fn the_mouse_selects_scrolls_and_sorts() {
    let mut scene = Scene::new(120, 36);
    let panes = scene.state.panes();
    let at = |x, y, action| Msg::Mouse(Mouse { x, y, action });
    scene.tell(at(20, panes.table_rows.y + 1, MouseAction::Click));
    assert_eq!(scene.selected(), Some(1892));
    scene.tell(at(20, panes.table_rows.y, MouseAction::ScrollDown));
    assert_eq!(
        (scene.state.table.offset, scene.selected()),
        (3, Some(1892))
    );
    assert!(
        scene.text().contains("selected: 1892 java"),
        "{}",
        scene.text()
    );
    scene.tell(at(5, panes.table_head.y, MouseAction::Click));
    assert_eq!(scene.state.table.sort.id, "pid");
    scene.tell(at(5, panes.events_rows.y, MouseAction::Click));
    assert_eq!(scene.state.focus, Pane::Events);
    scene.tell(at(u16::MAX, u16::MAX, MouseAction::Click));
}

#[test]
fn delay_stays_in_its_range() {
    let mut scene = Scene::new(120, 36);
    scene.keys(&"- ".repeat(20));
    assert_eq!(scene.state.settings.delay, Duration::from_millis(100));
    scene.keys(&"+ ".repeat(40));
    assert_eq!(scene.state.settings.delay, Duration::from_hours(1));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever lives or dies, and whatever is pressed: the cursor is on a row, on the screen's side of
    /// the table, and the selection is the process of that row.
    #[test]
    fn selection_survives_any_sample(
        pids in proptest::collection::vec((1_u32..60, 0_u64..500, -1000_i64..=1000), 0..40),
        keys in proptest::collection::vec("Up|Down|PgUp|PgDn|Home|End|t|I|F|K|Space|>|<|z|n|Esc|e|Tab", 0..30),
        width in 0_u16..140, height in 0_u16..50,
    ) {
        let mut scene = Scene::new(width, height);
        for (at, key) in keys.iter().enumerate() {
            scene.keys(key);
            let table: Vec<_> = pids.iter().skip(at % 7).map(|(pid, mib, adj)| process(*pid, "p", *mib, *adj, 1)).collect();
            scene.sample(table);
            let table = &scene.state.table;
            let rows = table.rows().len();
            proptest::prop_assert!(rows == 0 || table.cursor() < rows);
            proptest::prop_assert!(table.offset <= rows);
            let under_cursor = table.process_at(table.cursor(), &scene.state.snapshot).map(|p| p.id);
            proptest::prop_assert_eq!(table.selected, under_cursor);
            scene.text();
        }
    }
}
