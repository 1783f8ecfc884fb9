//! The ranking computed from a report's task table puts the kernel's victim first.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it counted"
)]

use std::fs;
use std::path::Path;

use crate::common::corpus::reports;
use oomtop::oomlog::analysis::ranking::ranking;

#[test]
fn the_victim_of_every_report_comes_out_first() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom");
    let mut logs: Vec<_> = [folder.clone(), folder.join("lab")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("fixtures"))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "kmsg" || e == "log"))
        .collect();
    logs.sort();
    let (mut ranked, mut explained, mut misses) = (0, 0, Vec::new());
    for path in logs {
        for report in reports(&fs::read(&path).expect("fixture")) {
            // With oom_kill_allocating_task nobody is ranked: whoever asks dies.
            let asker = report
                .message
                .as_ref()
                .is_some_and(|m| m.contains("allocating"));
            let Some(ranking) = ranking(&report).filter(|_| !asker) else {
                continue;
            };
            let Some(right) = ranking.explains(&report) else {
                continue;
            };
            ranked += 1;
            explained += usize::from(right);
            if !right {
                misses.push(format!(
                    "{}: chosen {:?}, ranking {:?}",
                    path.display(),
                    report.chosen,
                    ranking.rows.get(..2)
                ));
            }
        }
    }
    eprintln!("{explained} of {ranked} victims come out first");
    assert!(ranked > 100, "only {ranked} reports have a ranking");
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}
