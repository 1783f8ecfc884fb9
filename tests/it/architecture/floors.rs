//! The floors: who may import whom, and what each must not name.

use std::fs;
use std::path::Path;

use super::sources::modules;
use super::uses::{Mention, named};

/// A floor, the floors it may import, and the crates, modules and types that its code must not name.
struct Floor {
    name: &'static str,
    may_import: &'static [&'static str],
    never: &'static [&'static [&'static str]],
}

const CLOCKS_AND_FILES: &[&str] = &[
    "tokio",
    "procfs",
    "std::fs",
    "std::net",
    "std::process",
    "Instant",
    "SystemTime",
    "rustix",
];

const TERMINAL: &[&str] = &["ratatui", "crossterm"];

const PURE: &[&[&str]] = &[CLOCKS_AND_FILES, TERMINAL, &["std::env"]];

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
        name: "recording",
        may_import: &["recording", "model", "oomlog"],
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
        never: &[TERMINAL, &["tokio"]],
    },
    Floor {
        name: "app",
        may_import: &["app", "text", "model", "oomlog"],
        never: &[CLOCKS_AND_FILES],
    },
    Floor {
        name: "ui",
        may_import: &["ui", "app", "text", "model", "oomlog"],
        never: &[CLOCKS_AND_FILES],
    },
    Floor {
        name: "output",
        may_import: &["output", "app", "text", "model", "oomlog"],
        never: &[CLOCKS_AND_FILES],
    },
    Floor {
        name: "config",
        may_import: &["config", "app", "ui", "linux", "text", "model", "oomlog"],
        never: &[&["tokio"]],
    },
    Floor {
        name: "runtime",
        may_import: &[
            "runtime",
            "app",
            "ui",
            "output",
            "linux",
            "text",
            "recording",
            "model",
            "oomlog",
        ],
        never: &[],
    },
];

/// What `module` names that its floor must not.
fn breaches(module: &[String], text: &str) -> Vec<String> {
    let Some(floor) = module
        .get(1)
        .and_then(|name| FLOORS.iter().find(|f| f.name == name))
    else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for Mention { path, line } in named(module, text).mentions {
        let is_floor = |name: &&String| FLOORS.iter().any(|f| f.name == **name);
        let target = path.get(1).filter(|_| path[0] == "crate").filter(is_floor);
        if let Some(target) = target.filter(|t| !floor.may_import.contains(&t.as_str())) {
            wrong.push(format!("{line}: {} imports {target}", floor.name));
        }
        let path = path.join("::");
        let names = |never: &&&str| format!("::{path}::").contains(&format!("::{never}::"));
        if let Some(never) = floor.never.iter().copied().flatten().find(names) {
            wrong.push(format!("{line}: {} names {never}", floor.name));
        }
    }
    wrong
}

#[test]
fn floors_import_only_what_they_may() {
    let mut wrong = Vec::new();
    for (file, module, text) in modules() {
        let found = breaches(&module, &text).into_iter();
        wrong.extend(found.map(|breach| format!("{}:{breach}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_crate_is_a_floor() {
    let lib = include_str!("../../../src/lib.rs");
    let mut modules: Vec<_> = lib
        .lines()
        .filter_map(|line| {
            let (visibility, name) = line.strip_suffix(';')?.split_once("mod ")?;
            visibility
                .split_whitespace()
                .all(|word| word.starts_with("pub"))
                .then_some(name)
        })
        .collect();
    let mut floors: Vec<_> = FLOORS.iter().map(|floor| floor.name).collect();
    modules.sort_unstable();
    floors.sort_unstable();
    assert_eq!(modules, floors);
    for floor in FLOORS {
        let unknown = |name: &&&str| !floors.contains(*name);
        assert_eq!(
            floor.may_import.iter().find(unknown),
            None,
            "in {}",
            floor.name
        );
    }
}

#[test]
fn a_breach_of_the_floors_is_found_however_it_is_written() {
    for (source, breach) in [
        (
            "use crate::{app::State, linux};",
            "1: model imports app|1: model imports linux",
        ),
        ("use super::super::ui::theme;", "1: model imports ui"),
        ("pub use crate::text::tone::Tone;", "1: model imports text"),
        (
            "fn f() { crate::runtime::run() }",
            "1: model imports runtime",
        ),
        (
            "use std::{fmt, fs::File, time::Instant};",
            "1: model names std::fs|1: model names Instant",
        ),
        (
            "use std::time;\nfn f() { time::Instant::now(); }",
            "2: model names Instant",
        ),
        (
            "fn f() { rustix::process::getpid(); }",
            "1: model names rustix",
        ),
        (
            "use crate::oomlog::OomEvent; use super::size::Bytes; // crate::app",
            "",
        ),
    ] {
        let module = ["crate", "model", "memory"].map(str::to_owned);
        assert_eq!(breaches(&module, source).join("|"), breach, "{source}");
    }
}

#[test]
fn app_takes_only_layout_of_ratatui_and_only_keys_of_crossterm() {
    for (file, module, text) in modules() {
        if module.get(1).is_none_or(|floor| floor != "app") {
            continue;
        }
        for Mention { path, line } in named(&module, &text).mentions {
            let part = |krate| {
                path[0] != krate || path.get(1).is_some_and(|p| p == "layout" || p == "event")
            };
            assert!(
                part("ratatui") && part("crossterm"),
                "{}:{line}: {path:?}",
                file.display()
            );
        }
    }
}

#[test]
fn the_binary_knows_only_config_and_runtime() {
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs"))
        .expect("main.rs");
    for Mention { path, line } in named(&["main".to_owned()], &main).mentions {
        let allowed = path[0] != "oomtop" || ["config", "runtime"].contains(&path[1].as_str());
        assert!(allowed, "main.rs:{line}: {path:?}");
    }
}
