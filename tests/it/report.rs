//! The report dialog on real reports: pages, order, scrolling, saving.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::common::corpus::lab_events;
use crate::common::scene::Scene;
use crate::common::styled::dialog;
use oomtop::app::msg::{Effect, Msg, Receipt};
use oomtop::oomlog::{OomEvent, OomReport, TaskRow, TaskTable};
use oomtop::output::saved;
use oomtop::ui::theme::Theme;
use ratatui::buffer::Cell;

/// The last state of every report in a file of raw kmsg records.
fn reports(fixture: &str) -> Vec<Arc<OomReport>> {
    let mut reports: Vec<Arc<OomReport>> = Vec::new();
    for event in lab_events(fixture) {
        if let OomEvent::Report(report) = event {
            reports.retain(|known| known.key != report.key);
            reports.push(report);
        }
    }
    reports
}

/// The dialog without what is behind it.
fn dialog_text(scene: &Scene) -> String {
    let dialog = dialog(&scene.buffer(&Theme::mono()));
    let rows = dialog.content().chunks(usize::from(dialog.area.width));
    let lines = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

fn opened(report: Arc<OomReport>, width: u16, height: u16) -> Scene {
    let mut scene = Scene::new(width, height);
    scene.tell(Msg::Oom(OomEvent::Report(report)));
    scene.keys("e Home Enter");
    scene.effects.clear();
    scene
}

#[test]
fn pages_of_a_global_oom() {
    let report = reports("6.12-global.kmsg").pop().expect("a report");
    let mut scene = opened(report, 120, 36);
    for page in ["summary", "memory", "tasks", "raw"] {
        insta::assert_snapshot!(format!("global_{page}"), dialog_text(&scene));
        scene.keys("Tab");
    }
    assert!(scene.text().contains("[Summary]"), "round and round");
}

#[test]
fn summary_of_a_group_kill_and_of_a_memcg() {
    for fixture in ["6.18-oomgroup.kmsg", "5.10-v1memcg.kmsg"] {
        let report = reports(fixture).pop().expect("a report");
        let text = dialog_text(&opened(report, 80, 24));
        insta::assert_snapshot!(fixture.replace('.', "_"), text);
    }
}

#[test]
fn ten_thousand_tasks_scroll_and_sort() {
    let mut report = OomReport::clone(&reports("6.12-global.kmsg").pop().expect("a report"));
    let row = |pid: u32| TaskRow {
        pid,
        rss: Some(u64::from(pid)),
        total_vm: Some(u64::from(pid)),
        swapents: Some(0),
        adj: Some(0),
        comm: format!("task-{pid}"),
        ..TaskRow::default()
    };
    let columns = report.tasks.as_ref().expect("a table").columns.clone();
    report.tasks = Some(Arc::new(TaskTable {
        columns,
        rows: (1..=10_000).map(row).collect(),
        dropped: 0,
    }));
    let mut scene = opened(Arc::new(report), 120, 36);
    scene.keys("3");
    assert!(scene.text().contains("task-10000"), "{}", scene.text());
    scene.keys("End");
    assert!(
        scene.text().contains("task-1\n") || scene.text().contains("task-1 "),
        "{}",
        scene.text()
    );
    assert!(
        scene.text().contains("row 9972 of 10000"),
        "{}",
        scene.text()
    );
    scene.keys("F6 F6 F6 F6");
    assert!(
        scene.text().contains("by pid") && scene.text().contains("task-1 "),
        "{}",
        scene.text()
    );
    scene.keys(&"PgDn ".repeat(2000));
    scene.keys(&"Up ".repeat(20));
    assert!(scene.text().contains("task-9980"), "{}", scene.text());
}

#[test]
fn its_advice_is_one_key_away() {
    let report = reports("6.12-global.kmsg").pop().expect("a report");
    let mut scene = opened(Arc::clone(&report), 120, 36);
    scene.keys("c");
    assert!(
        scene.text().contains("no process named leaker runs now"),
        "{}",
        scene.text()
    );
    // It runs again, and a filter hides it.
    let mut again = crate::common::scene::processes();
    again.push(crate::common::scene::process(5000, "leaker", 300, 0, 1));
    again.push(crate::common::scene::process(5001, "preferred", 20, 0, 1));
    let mut scene = Scene::new(120, 36);
    scene.keys("/").types("mysqld").keys("Enter");
    scene
        .sample(again)
        .tell(Msg::Oom(OomEvent::Report(report)))
        .keys("e Home Enter c");
    assert!(
        scene.text().contains("Cgroup of 5000 leaker"),
        "{}",
        scene.text()
    );
    scene.keys("Esc e Enter a");
    assert!(
        scene.text().contains("Adjust 5001 preferred"),
        "{}",
        scene.text()
    );
}

#[test]
fn saving_asks_for_two_files_and_says_what_came_of_it() {
    let report = reports("6.12-global.kmsg").pop().expect("a report");
    let mut scene = opened(report, 120, 36);
    scene.keys("s");
    let effects = scene.asked();
    let [Effect::Save { report, remembered }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(saved::file_stem(report), "oomtop-preferred-257");
    let provenance = saved::Provenance {
        oomtop: "0",
        host: "web-03".to_owned(),
        running_kernel: "6.12.9".to_owned(),
        saved_at: "2026-11-27 08:16:38 +01:00".to_owned(),
        happened_at: Some("2026-11-27 08:12:00 +01:00".to_owned()),
    };
    let text = saved::text(report, remembered, &provenance);
    for said in [
        "saved 2026-11-27 08:16:38 +01:00 on web-03, Linux 6.12.9",
        "happened 2026-11-27 08:12:00 +01:00",
    ] {
        assert!(text.contains(said), "{text}");
    }
    assert!(
        text.contains("== Summary")
            && text.contains("== Raw")
            && text.contains("invoked oom-killer")
    );
    let json: serde_json::Value =
        serde_json::from_str(&saved::json(report, remembered, &provenance)).expect("JSON");
    assert_eq!(json["report"]["kills"][0]["pid"], 257);
    assert_eq!(json["ranking_explains_victim"], true);
    scene.tell(Msg::Done(Receipt::Saved(Ok(
        "/tmp/x.txt and .json".to_owned()
    ))));
    assert!(
        scene.text().contains("saved /tmp/x.txt"),
        "{}",
        scene.text()
    );
}

#[test]
fn a_summary_is_at_most_a_dozen_lines() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/lab");
    let mut seen = 0;
    for entry in fs::read_dir(dir).expect("fixtures").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_none_or(|end| end != "kmsg") {
            continue;
        }
        for report in reports(&name) {
            let lines = oomtop::text::report::summary::lines(&report, &[]);
            let facts = lines
                .iter()
                .take_while(|line| !line.spans.is_empty())
                .count();
            assert!((1..=12).contains(&facts), "{name}: {facts} lines");
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} reports");
}
