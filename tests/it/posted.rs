//! Logs as people post them: cut, quoted, grepped, packed. `oomtop explain` is run on each, as text and as JSON,
//! and compared with what is known.
//!
//! The index has for each file the number of reports, fields of kills and reports, kills by other programs, and
//! patterns that the text must and must not match. `OOMTOP_FAULTS` names another folder with such an index.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what is wrong"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use regex::RegexBuilder;
use serde_json::Value;

/// One file: how many fields are right, and which are not.
struct Checked {
    name: String,
    total: usize,
    misses: Vec<String>,
}

impl Checked {
    fn field(&mut self, right: bool, miss: impl FnOnce() -> String) {
        self.total += 1;
        if !right {
            self.misses.push(format!("{}: {}", self.name, miss()));
        }
    }
}

fn explain(args: &[&str], log: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .arg("explain")
        .args(args)
        .arg(log)
        .stdin(Stdio::null())
        .output()
        .expect("started")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A field of a report under the name that the index has for it.
fn field_of(document: &Value, name: &str) -> Value {
    let report = &document["report"];
    let rows = report["tasks"]["rows"].as_array();
    match name {
        "trigger_comm" => report["trigger"]["comm"].clone(),
        "trigger_pid" => report["trigger"]["pid"].clone(),
        "order" => report["trigger"]["order"].clone(),
        "gfp_mask" => report["trigger"]["gfp_mask"].clone(),
        "chosen_pid" => report["chosen"]["pid"].clone(),
        "chosen_score" => report["chosen"]["score"].clone(),
        "candidates" => rows.map_or(Value::Null, |rows| rows.len().into()),
        "last_row_comm" => rows
            .and_then(|rows| rows.last())
            .map_or(Value::Null, |row| row["comm"].clone()),
        other => report[other].clone(),
    }
}

fn check(folder: &Path, entry: &Value) -> Checked {
    let name = entry["file"].as_str().expect("a file name").to_owned();
    let log = folder.join(&name);
    let mut checked = Checked {
        name,
        total: 0,
        misses: Vec::new(),
    };
    let output = explain(&["--json"], &log);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let reports: Vec<&Value> = list(&document["reports"]).collect();
    checked.field(entry["reports"] == reports.len(), || {
        format!("{} reports, known {}", reports.len(), entry["reports"])
    });
    let kills: Vec<&Value> = reports
        .iter()
        .flat_map(|document| list(&document["report"]["kills"]))
        .collect();
    let known: Vec<&Value> = list(&entry["kills"]).collect();
    checked.field(kills.len() == known.len(), || {
        format!("{} kills, known {}", kills.len(), known.len())
    });
    for (number, known) in known.iter().enumerate() {
        let kill = kills.get(number).copied().unwrap_or(&Value::Null);
        for (field, known) in known.as_object().expect("fields") {
            checked.field(kill[field] == *known, || {
                format!("kill {number}: {field} is {}, known {known}", kill[field])
            });
        }
    }
    for (number, known) in entry["report"].as_object().expect("reports") {
        let number: usize = number.parse().expect("a number");
        let document = reports.get(number).copied().unwrap_or(&Value::Null);
        for (field, known) in known.as_object().expect("fields") {
            let ours = field_of(document, field);
            checked.field(ours == *known, || {
                format!("report {number}: {field} is {ours}, known {known}")
            });
        }
    }
    for known in list(&entry["user_kills"]) {
        let found = list(&document["user_kills"]).any(|kill| {
            kill["killer"] == known[0] && kill["pid"] == known[1] && kill["name"] == known[2]
        });
        checked.field(found, || format!("no kill {known}"));
    }
    let output = explain(&[], &log);
    let text = String::from_utf8_lossy(&output.stdout);
    for (patterns, wanted) in [("text_must", true), ("text_must_not", false)] {
        for pattern in list(&entry[patterns]).filter_map(Value::as_str) {
            let regex = RegexBuilder::new(pattern).multi_line(true).build();
            let matches = regex.expect("a pattern").is_match(&text);
            checked.field(matches == wanted, || format!("{patterns} {pattern:?}"));
        }
    }
    if let Some(status) = entry["exit"].as_i64() {
        let ours = output.status.code().map(i64::from);
        checked.field(ours == Some(status), || {
            format!("status {ours:?}, known {status}")
        });
    }
    checked
}

/// Checks every file of a folder's index and says how many fields of each are right.
fn check_all(folder: &Path) {
    let index = fs::read_to_string(folder.join("index.json")).expect("index.json");
    let index: Value = serde_json::from_str(&index).expect("index.json is JSON");
    let files: Vec<Checked> = list(&index).map(|entry| check(folder, entry)).collect();
    let (mut right, mut total) = (0, 0);
    for file in &files {
        let good = file.total - file.misses.len();
        eprintln!("{:<44} {good} of {}", file.name, file.total);
        right += good;
        total += file.total;
    }
    eprintln!("{right} of {total} fields in {}", folder.display());
    assert!(total > 0, "that is no index");
    let misses: Vec<&str> = files
        .iter()
        .flat_map(|file| &file.misses)
        .map(String::as_str)
        .collect();
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

#[test]
fn every_field_of_posted_logs() {
    check_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oom/posted"));
}

#[test]
fn every_field_of_the_logs_handed_over() {
    match env::var_os("OOMTOP_FAULTS").map(PathBuf::from) {
        Some(folder) => check_all(&folder),
        None => crate::common::skipped(
            "every_field_of_the_logs_handed_over",
            "OOMTOP_FAULTS names no folder",
        ),
    }
}
