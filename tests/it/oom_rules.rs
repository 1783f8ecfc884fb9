//! The reader of OOM reports on logs of real kernels, 4.4 to 7.3, in the forms they come in.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

use std::path::Path;

use crate::common::corpus::{Score, check_file, check_lab, lab_cases};
use serde_json::Value;

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/oom"))
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).expect(name)
}

#[test]
fn every_known_field_of_the_fixtures() {
    let mut score = Score::default();
    let index: Value = serde_json::from_slice(&read("index.json")).expect("index.json");
    for entry in index.as_array().expect("a list of files") {
        let name = entry["file"].as_str().expect("a file name");
        check_file(name, &read(name), entry, &mut score);
    }
    eprintln!("{score}");
    assert!(score.fields_total > 1500, "fixtures are missing: {score}");
    assert!(score.misses.is_empty(), "{}", score.misses.join("\n"));
}

#[test]
fn every_lab_case_in_every_form() {
    let mut score = Score::default();
    for (name, truth) in lab_cases(&fixtures().join("lab")) {
        for form in ["log", "kmsg", "journal"] {
            let name = format!("lab/{name}.{form}");
            if fixtures().join(&name).exists() {
                check_lab(&name, &read(&name), &truth, &mut score);
            }
        }
    }
    eprintln!("{score}");
    assert!(score.fields_total > 800, "fixtures are missing: {score}");
    assert!(score.misses.is_empty(), "{}", score.misses.join("\n"));
}
