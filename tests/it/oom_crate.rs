//! `oomlog` can become a crate of its own: the crates it needs, and the names it exports.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The crates it may use.
const NEEDS: &[&str] = &["aho_corasick", "memchr", "serde", "serde_json"];

/// What others may name. A new name here is a promise to them.
const OFFERS: &[&str] = &[
    "BadRecord",
    "Chosen",
    "Columns",
    "Constraint",
    "FreeBlocks",
    "HugePages",
    "Kill",
    "Killer",
    "LogRecord",
    "MemcgStats",
    "MemcgUse",
    "MemoryState",
    "Monotonic",
    "NodeMemory",
    "OomAssembler",
    "OomEvent",
    "OomReport",
    "Outcome",
    "Pid",
    "Provenance",
    "RawLines",
    "ReportKey",
    "Slab",
    "TaskRow",
    "TaskTable",
    "TextLog",
    "Trigger",
    "Usage",
    "UsageKind",
    "UserspaceKill",
    "Zone",
    "analysis",
    "witness",
];

/// The code of all files below a directory, without comments.
fn code_below(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            code_below(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).expect("UTF-8");
        let lines = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or(""));
        let code: Vec<&str> = lines.collect();
        found.push((path.display().to_string(), code.join("\n")));
    }
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    code_below(&root.join("src/oomlog"), &mut found);
    assert!(found.len() > 20, "the folder was not found");
    found
}

/// Names of the crates in `[dependencies]`, as code spells them.
fn dependencies() -> BTreeSet<String> {
    let manifest = include_str!("../../Cargo.toml");
    let (_, rest) = manifest.split_once("\n[dependencies]\n").expect("a table");
    let table = rest.split("\n[").next().unwrap_or(rest);
    let names = table.lines().filter_map(|line| line.split_once(" = "));
    names
        .map(|(name, _)| name.trim().replace('-', "_"))
        .collect()
}

/// The word that ends where `text` ends.
fn last_word(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    start.map_or(text, |at| text.get(at + 1..).unwrap_or_default())
}

#[test]
fn it_needs_four_crates_and_nothing_of_this_program() {
    let dependencies = dependencies();
    for needed in NEEDS {
        assert!(dependencies.contains(*needed), "{needed} is no dependency");
    }
    let mut used = BTreeSet::new();
    for (path, code) in sources() {
        for (at, _) in code.match_indices("::") {
            let before = code.get(..at).unwrap_or_default();
            let name = last_word(before);
            // Only the first part of a path names a crate.
            if before.ends_with(&format!("::{name}")) {
                continue;
            }
            if dependencies.contains(name) {
                assert!(NEEDS.contains(&name), "{path} uses {name}");
                used.insert(name.to_owned());
            }
        }
        for (at, crate_path) in code.match_indices("crate::") {
            let rest = code.get(at + crate_path.len()..).unwrap_or_default();
            // `pub(in crate::oomlog)` stays inside, too.
            let inside = rest.starts_with("oomlog::") || rest.starts_with("oomlog)");
            assert!(inside, "{path} leaves the folder");
        }
        assert!(!code.contains("include_"), "{path} includes a file");
    }
    let needs: BTreeSet<String> = NEEDS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(used, needs);
}

#[test]
fn it_offers_these_names() {
    let sources = sources();
    let front = sources
        .iter()
        .find(|(path, _)| path.ends_with("oomlog/mod.rs"));
    let (_, code) = front.expect("the front page");
    let mut offers: Vec<&str> = Vec::new();
    for item in code.split(';').map(str::trim) {
        let item = item.trim_start_matches("#[cfg(test)]").trim();
        if let Some(module) = item.strip_prefix("pub mod ") {
            offers.push(module);
        } else if let Some(path) = item.strip_prefix("pub use ") {
            let (_, names) = path.rsplit_once("::").expect("a path");
            let names = names.trim_matches(['{', '}']).split(',').map(str::trim);
            offers.extend(names.filter(|name| !name.is_empty()));
        } else {
            assert!(item.is_empty() || item.starts_with("mod "), "{item}");
        }
    }
    offers.sort_unstable();
    assert_eq!(offers, OFFERS);
}
