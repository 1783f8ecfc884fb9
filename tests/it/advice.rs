//! Advice after an OOM: the printed report names no dashboard keys, and only files of the report's own cgroup
//! version.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::common::corpus::reports;
use crate::common::scene::{Scene, process, processes};
use oomtop::app::msg::Msg;
use oomtop::oomlog::{OomEvent, OomReport, Outcome};

/// The output of `oomtop explain` for a lab log.
fn explained(fixture: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/oom/lab")
        .join(fixture);
    let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .arg("explain")
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .expect("started");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The lines below "What to do now".
fn advice(printed: &str) -> Vec<&str> {
    let lines = printed.lines().skip_while(|line| *line != "What to do now");
    lines.skip(1).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn printed_advice_names_no_key_of_the_dashboard() {
    let printed = explained("6.18-global.log");
    let steps = advice(&printed);
    let all = steps.join("\n");
    assert!(
        all.contains("give leaker its own memory limit, so only it is killed"),
        "{all}"
    );
    for step in &steps {
        let label = step.split_whitespace().next().expect("a label");
        assert!(label.len() > 1, "a key: {step}");
    }
}

#[test]
fn a_limit_is_raised_in_the_file_of_its_cgroup_version() {
    let v1 = explained("5.10-v1memcg.log");
    let v1 = advice(&v1).join("\n");
    assert!(v1.contains("memory.limit_in_bytes"), "{v1}");
    assert!(!v1.contains("memory.max"), "{v1}");
    let v2 = explained("6.18-memcg.log");
    let v2 = advice(&v2).join("\n");
    assert!(v2.contains("memory.max"), "{v2}");
    assert!(!v2.contains("limit_in_bytes"), "{v2}");
}

#[test]
fn the_dashboard_names_its_key_beside_a_step_it_can_take() {
    let log = include_bytes!("../fixtures/oom/lab/6.12-global.kmsg");
    let mut report = OomReport::clone(&reports(log)[0]);
    report.outcome = Outcome::NobodyKillable;
    report.kills.truncate(1);
    // Otherwise the kernel killed nobody because somebody was dying already.
    let table = report.tasks.as_mut().expect("a table");
    for row in &mut Arc::make_mut(table).rows {
        row.adj = Some(-1000);
    }
    let mut running = processes();
    running.push(process(5000, "leaker", 300, 0, 1));
    let mut scene = Scene::new(120, 36);
    scene
        .sample(running)
        .tell(Msg::Oom(OomEvent::Report(Arc::new(report))))
        .keys("e Home Enter");
    let text = scene.text();
    assert!(
        text.contains("a       give at least one process (leaker holds most)"),
        "{text}"
    );
    scene.keys("a");
    assert!(
        scene.text().contains("Adjust 5000 leaker"),
        "{}",
        scene.text()
    );
}
