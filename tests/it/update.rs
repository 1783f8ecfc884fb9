//! Messages in, effects and state out: what the keys, samples and the mouse do, without a terminal.

use std::sync::Arc;
use std::time::Duration;

use crate::common::scene::{Scene, moment, process, processes, snapshot};
use oomtop::app::msg::{Control, Effect, Mouse, MouseAction, Msg};
use oomtop::app::view::layout::Pane;
use oomtop::model::memory::Pressure;
use oomtop::model::snapshot::Snapshot;

#[test]
fn the_first_row_is_the_next_victim_and_selected() {
    let scene = Scene::new(120, 36);
    assert_eq!(scene.selected(), Some(2456));
    let text = scene.text();
    // The container is nearer to its limit than the host to its end: it comes first.
    assert!(
        text.contains("Next victim 1892 java  in docker 4f5e6d7c8b9a"),
        "{text}"
    );
    assert!(text.contains("host: 2456 mysqld"), "{text}");
    assert!(text.contains("\n!  2456 "), "{text}");
    // The container's own victim is another one, and marked.
    assert!(
        text.lines()
            .any(|l| l.starts_with('*') && l.contains("1892")),
        "{text}"
    );
}

#[test]
fn at_80_columns_the_header_names_the_victim_the_table_marks_and_the_footer_the_way_to_domains() {
    let mut scene = Scene::new(80, 24);
    scene.state.notice = None;
    let text = scene.text();
    assert!(text.contains("Next victim 1892 java"), "{text}");
    assert!(text.contains("host: 2456 mysqld"), "{text}");
    for key in ["d Domains", "F6 Sort", "e Events", "q Quit"] {
        assert!(text.contains(key), "{key}: {text}");
    }
    scene.keys("d");
    let text = scene.text();
    assert!(
        text.contains("z Zoom") && text.contains("d Processes"),
        "{text}"
    );
    let mut wide = Scene::new(120, 36);
    wide.state.notice = None;
    assert!(wide.text().contains("S Killers"), "{}", wide.text());
}

#[test]
fn its_own_cost_is_told_at_120_columns_even_without_room_for_the_back_end() {
    let mut scene = Scene::new(120, 36);
    let mut costly = snapshot(5, processes());
    costly.backend = "bpf task walk";
    costly.own_cost = Some(oomtop::model::snapshot::OwnCost {
        cpu_percent: 0.2,
        resident: 8 << 20,
    });
    scene.state.host.release = "6.12.9-generic-amd64".to_owned();
    scene.tell(Msg::Sampled(Arc::new(costly)));
    assert!(
        scene.text().contains("self 0.2% CPU 8.0M"),
        "{}",
        scene.text()
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
    // When the process ends, the process now in its row is selected.
    moved.retain(|p| p.id.pid != 1892);
    scene.sample(moved);
    assert!(scene.selected().is_some());
    assert!(scene.state.table.cursor() < scene.state.table.rows().len());
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
fn zoom_ranks_by_the_group_and_leaves_with_it() {
    let mut scene = Scene::new(120, 36);
    scene.keys("Down z");
    assert_eq!(scene.state.table.rows().len(), 2);
    assert!(
        scene.text().contains("only docker 4f5e6d7c8b9a"),
        "{}",
        scene.text()
    );
    // The zoomed domain's own victim is the next one here.
    let text = scene.text();
    let first = text.lines().find(|line| line.contains("1892 tomcat"));
    assert!(first.is_some_and(|line| line.starts_with('!')), "{text}");
    scene.keys("z");
    assert!(scene.state.table.rows().len() > 20);
    assert!(scene.text().contains("\n*  1892 "), "{}", scene.text());
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
fn the_mouse_selects_scrolls_and_sorts() {
    let mut scene = Scene::new(120, 36);
    let panes = scene.state.panes();
    let at = |x, y, action| Msg::Mouse(Mouse { x, y, action });
    scene.tell(at(20, panes.table_rows.y + 1, MouseAction::Click));
    assert_eq!(scene.selected(), Some(1892));
    scene.tell(at(20, panes.table_rows.y, MouseAction::ScrollDown));
    assert_eq!(
        (scene.state.table.list().offset(), scene.selected()),
        (3, Some(1892))
    );
    assert!(
        scene.text().contains("selected: 1892 java"),
        "{}",
        scene.text()
    );
    let heads = scene.text();
    let heads = heads.lines().nth(usize::from(panes.table_head.y));
    let pid = heads.and_then(|line| line.find("PID")).expect("its title");
    let pid = u16::try_from(pid).expect("on the screen");
    scene.tell(at(pid, panes.table_head.y, MouseAction::Click));
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

/// Nobody waits for memory, and there is much.
fn calm(seq: u64) -> Snapshot {
    let mut calm = snapshot(seq, processes());
    calm.pressure = Some(Pressure::default());
    calm.memory.available = Some(calm.memory.total);
    calm
}

#[test]
fn samples_that_cost_much_come_less_often() {
    let mut scene = Scene::new(120, 36);
    let mut slow = calm(5);
    slow.spent_micros = 350_000;
    scene.tell(Msg::Tick(moment(5)));
    scene.tell(Msg::Sampled(Arc::new(slow)));
    assert_eq!(scene.state.period(), Duration::from_millis(3500));
    assert!(scene.text().contains("3.5s"), "{}", scene.text());
    let mut stalled = calm(6);
    stalled.spent_micros = 60_000_000;
    scene.tell(Msg::Sampled(Arc::new(stalled)));
    assert_eq!(scene.state.period(), Duration::from_secs(5));
    // One that had to wait for a processor costs nobody anything.
    let mut late = calm(7);
    (late.took_micros, late.spent_micros) = (3_000_000, 9_000);
    scene.tell(Msg::Sampled(Arc::new(late)));
    assert_eq!(scene.state.period(), scene.state.settings.delay);
}

#[test]
fn while_memory_is_short_samples_may_cost_more() {
    let waits = |percent| {
        let mut pressure = Pressure::default();
        pressure.some.avg10 = percent;
        Some(pressure)
    };
    let mut scene = Scene::new(120, 36);
    let mut costly = calm(5);
    costly.spent_micros = 350_000;
    scene.tell(Msg::Tick(moment(5)));
    scene.tell(Msg::Sampled(Arc::new(costly.clone())));
    assert_eq!(scene.state.period(), Duration::from_millis(3500));
    costly.pressure = waits(2.5);
    scene.tell(Msg::Sampled(Arc::new(costly.clone())));
    assert_eq!(scene.state.period(), Duration::from_secs(1));
    // What a busy host shows in calm times is no shortage.
    costly.pressure = waits(0.3);
    scene.tell(Msg::Sampled(Arc::new(costly.clone())));
    assert_eq!(scene.state.period(), Duration::from_millis(3500));
    costly.pressure = waits(2.5);
    // Cheap ones come twice a second, whatever the user asked for, but never take more than a fifth of a processor.
    for (cost, period) in [
        (20_000, 500),
        (150_000, 750),
        (199_000, 995),
        (250_000, 1000),
    ] {
        costly.spent_micros = cost;
        scene.tell(Msg::Sampled(Arc::new(costly.clone())));
        assert_eq!(
            scene.state.period(),
            Duration::from_millis(period),
            "{cost}"
        );
    }
    // Half a processor at most, and five seconds at most.
    costly.spent_micros = 800_000;
    scene.tell(Msg::Sampled(Arc::new(costly.clone())));
    assert_eq!(scene.state.period(), Duration::from_millis(1600));
    costly.spent_micros = 60_000_000;
    scene.tell(Msg::Sampled(Arc::new(costly.clone())));
    assert_eq!(scene.state.period(), Duration::from_secs(5));
    // A kernel without PSI: the band tells.
    (costly.spent_micros, costly.pressure) = (350_000, None);
    costly.memory.available = Some(costly.memory.total / 50);
    scene.tell(Msg::Sampled(Arc::new(costly)));
    assert_eq!(scene.state.period(), Duration::from_secs(1));
}

#[test]
fn what_concerns_the_loop_is_no_effect_on_the_world() {
    for (key, control) in [
        ("q", Control::Quit),
        ("Ctrl-c", Control::Quit),
        ("Ctrl-z", Control::Suspend),
        ("r", Control::Redraw),
    ] {
        let mut scene = Scene::new(120, 36);
        scene.keys(key);
        assert_eq!(scene.control, Some(control), "{key}");
        assert_eq!(scene.asked(), [], "{key}");
    }
    let mut scene = Scene::new(120, 36);
    scene.tell(Msg::Resumed);
    assert_eq!(scene.control, Some(Control::Retake));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever processes start or end and whatever keys come: the cursor is on a visible row, and the selection is
    /// the process of that row.
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
            proptest::prop_assert!(table.list().offset() <= rows);
            let under_cursor = table.process_at(table.cursor(), &scene.state.snapshot).map(|p| p.id);
            proptest::prop_assert_eq!(table.selected(), under_cursor);
            scene.text();
        }
    }
}
