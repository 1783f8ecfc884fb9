//! Every ground-truth field of a corpus of real reports, named by the variable `OOMTOP_CORPUS`:
//! a folder with `index.json`, `*.log` and `lab/KERNEL-CASE.{log,kmsg,journal,json}`.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

use std::path::Path;
use std::{env, fs};

use crate::common::corpus::{Score, check_file, check_lab};
use serde_json::Value;

#[test]
fn every_field_of_the_corpus() {
    let Some(folder) = env::var_os("OOMTOP_CORPUS") else {
        crate::common::skipped("every_field_of_the_corpus", "OOMTOP_CORPUS names no folder");
        return;
    };
    let folder = Path::new(&folder);
    let mut score = Score::default();
    let index = fs::read_to_string(folder.join("index.json")).expect("index.json");
    let index: Value = serde_json::from_str(&index).expect("index.json is JSON");
    for entry in index.as_array().expect("a list of files") {
        let name = entry["file"].as_str().expect("a file name");
        let log = fs::read(folder.join(name)).expect(name);
        check_file(name, &log, entry, &mut score);
    }
    for (name, truth) in crate::common::corpus::lab_cases(&folder.join("lab")) {
        for form in ["log", "kmsg", "journal"] {
            let path = folder.join("lab").join(format!("{name}.{form}"));
            let Ok(log) = fs::read(&path) else {
                continue;
            };
            check_lab(&format!("lab/{name}.{form}"), &log, &truth, &mut score);
        }
    }
    eprintln!("{score}");
    assert!(score.fields_total > 1000, "that is no corpus");
    assert!(score.misses.is_empty(), "{}", score.misses.join("\n"));
}
