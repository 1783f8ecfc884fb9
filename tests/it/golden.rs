//! The whole JSON document and the whole of `explain --json`, field by field: a change must not surprise
//! programs that read them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::whole;
use oomtop::app::view::processes::marks::Marks;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::memory::band::Thresholds;
use oomtop::output::json::document;
use serde_json::Value;

/// `--once --json` on a host of this version.
fn written(version: CgroupVersion) -> String {
    let (mut snapshot, host) = (whole::snapshot(version), whole::host(version));
    if version == CgroupVersion::V2 {
        let victim = snapshot.processes[2].id;
        snapshot.domains.last_mut().expect("domains").dying = Some(victim);
    }
    let events = whole::events(version);
    let (marks, thresholds) = (Marks::new(&snapshot), Thresholds::default());
    let mut document = document(&snapshot, &host, &marks, &events, &thresholds);
    document.add_ledgers(&snapshot, &host, whole::accounts(&snapshot));
    serde_json::to_string_pretty(&document).expect("a document")
}

#[test]
fn the_document_of_a_host_with_cgroup_v2() {
    insta::assert_snapshot!("document_v2", written(CgroupVersion::V2));
}

#[test]
fn the_document_of_a_host_with_cgroup_v1() {
    insta::assert_snapshot!("document_v1", written(CgroupVersion::V1));
}

#[test]
fn explained_as_json() {
    for version in ["v1", "v2"] {
        let log = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/document")
            .join(version)
            .with_extension("log");
        let output = Command::new(env!("CARGO_BIN_EXE_oomtop"))
            .args(["explain", "--json"])
            .arg(log)
            .stdin(Stdio::null())
            .output()
            .expect("started");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let pretty = serde_json::to_string_pretty(&document).expect("JSON");
        insta::assert_snapshot!(format!("explain_json_{version}"), pretty);
    }
}

/// Fields of an event that only other kernels and logs fill (the corpus has them).
const OF_OTHER_LOGS: &[&str] = &[
    ".events.reports[].already_exiting",
    ".events.reports[].kills[].thread",
    ".events.reports[].memory.zones[].all_unreclaimable",
    ".events.reports[].shared_memory",
    ".events.reports[].stamp",
    ".events.reports[].trigger.legacy_adj",
    ".events.userspace[].at",
    ".events.userspace[].processes",
];

/// Every field needs a value in a golden document: otherwise nobody has checked its unit and meaning.
#[test]
fn every_field_has_a_value_in_one_of_the_documents() {
    let mut has_value: BTreeMap<String, bool> = BTreeMap::new();
    for version in [CgroupVersion::V1, CgroupVersion::V2] {
        let document: Value = serde_json::from_str(&written(version)).expect("JSON");
        visit(&document, "", &mut has_value);
    }
    let never = has_value.iter().filter(|(_, has_value)| !**has_value);
    let never: BTreeSet<&str> = never.map(|(path, _)| path.as_str()).collect();
    let known: BTreeSet<&str> = OF_OTHER_LOGS.iter().copied().collect();
    assert_eq!(never, known);
}

/// Notes for each path (without array indices) whether any value is more than null, "" or [].
fn visit(value: &Value, path: &str, has_value: &mut BTreeMap<String, bool>) {
    let is_something = match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) => true,
    };
    *has_value.entry(path.to_owned()).or_default() |= is_something;
    match value {
        Value::Array(items) => {
            for item in items {
                visit(item, &format!("{path}[]"), has_value);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                visit(field, &format!("{path}.{name}"), has_value);
            }
        }
        _ => {}
    }
}
