//! The floors: who may import whom, what no pure floor may name, and how long a file may be.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot read its sources fails"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, in lines.
const MOST_LINES: usize = 400;

/// A floor, the floors it may import, and names that must not stand in its code.
struct Floor {
    name: &'static str,
    may_import: &'static [&'static str],
    never: &'static [&'static str],
}

const CLOCKS_AND_FILES: &[&str] = &[
    "tokio",
    "procfs::",
    "std::fs",
    "std::net",
    "std::process",
    "Instant",
    "SystemTime",
    "rustix",
];

const PURE: &[&str] = &[
    "ratatui",
    "crossterm",
    "tokio",
    "procfs::",
    "std::fs",
    "std::net",
    "std::process",
    "Instant",
    "SystemTime",
    "rustix",
    "std::env",
];

const FLOORS: &[Floor] = &[
    Floor {
        name: "oomlog",
        may_import: &["oomlog"],
        never: PURE,
    },
    Floor {
        name: "model",
        may_import: &["model", "oomlog"],
        never: PURE,
    },
    Floor {
        name: "text",
        may_import: &["text", "model", "oomlog"],
        never: PURE,
    },
    Floor {
        name: "linux",
        may_import: &["linux", "model", "oomlog"],
        never: &["ratatui", "crossterm", "tokio"],
    },
    Floor {
        name: "app",
        may_import: &["app", "text", "model", "oomlog"],
        never: CLOCKS_AND_FILES,
    },
    Floor {
        name: "ui",
        may_import: &["ui", "app", "text", "model", "oomlog"],
        never: CLOCKS_AND_FILES,
    },
    Floor {
        name: "output",
        may_import: &["output", "app", "text", "model", "oomlog"],
        never: PURE,
    },
    Floor {
        name: "config",
        may_import: &["config", "app", "ui", "linux", "text", "model", "oomlog"],
        never: &["tokio"],
    },
    Floor {
        name: "runtime",
        may_import: &[
            "runtime", "app", "ui", "output", "linux", "text", "model", "oomlog",
        ],
        never: &[],
    },
];

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("a directory").flatten() {
            let path = entry.path();
            // Where cargo-fuzz builds unless told otherwise.
            if path.ends_with("fuzz/target") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(below),
        &mut found,
    );
    assert!(!found.is_empty(), "no sources below {below}");
    found
}

/// The code without comments and without its unit tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end]
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or("")))
}

#[test]
fn floors_import_only_what_they_may() {
    let mut wrong = Vec::new();
    for floor in FLOORS {
        for (path, text) in sources(&format!("src/{}", floor.name)) {
            for (at, line) in code(&text) {
                for (start, _) in line.match_indices("crate::") {
                    let rest = &line[start + "crate::".len()..];
                    let target: String = rest
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                    let is_floor = FLOORS.iter().any(|f| f.name == target);
                    if is_floor && !floor.may_import.contains(&target.as_str()) {
                        wrong.push(format!(
                            "{}:{at}: {} imports {target}",
                            path.display(),
                            floor.name
                        ));
                    }
                }
                for name in floor.never {
                    if line.contains(name) {
                        wrong.push(format!(
                            "{}:{at}: {} names {name}",
                            path.display(),
                            floor.name
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn app_takes_only_layout_of_ratatui_and_only_keys_of_crossterm() {
    for (path, text) in sources("src/app") {
        for (at, line) in code(&text) {
            let ratatui = line.contains("ratatui") && !line.contains("ratatui::layout");
            let crossterm = line.contains("crossterm") && !line.contains("crossterm::event");
            assert!(!ratatui && !crossterm, "{}:{at}: {line}", path.display());
        }
    }
}

#[test]
fn the_binary_knows_only_config_and_runtime() {
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs"))
        .expect("main.rs");
    for (at, line) in code(&main) {
        for (start, _) in line.match_indices("oomtop::") {
            let rest = &line[start + "oomtop::".len()..];
            assert!(
                rest.starts_with("config") || rest.starts_with("runtime"),
                "main.rs:{at}: {line}"
            );
        }
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut long = Vec::new();
    for below in ["src", "tests"] {
        for (path, text) in sources(below) {
            let lines = text.lines().count();
            if lines > MOST_LINES {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(
        long.is_empty(),
        "longer than {MOST_LINES} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in sources("src") {
        assert!(
            text.starts_with("//!"),
            "{} has no module documentation",
            path.display()
        );
    }
}
