//! Checks the floors: who may import whom, what a pure floor must not name, that files do not need each other
//! in circles, and how long a file may be.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot read its sources fails"
)]

mod docs;
mod floors;
mod graph;
mod sources;
mod tokens;
mod uses;

use graph::Graph;
use oomtop::model::cgroup::limits::LimitFile;
use sources::{modules, sources};

/// Longest source file, in lines.
const MOST_LINES: usize = 400;

/// Median of the lines of all source files of the program.
const MEDIAN_LINES: usize = 150;

#[test]
fn no_two_files_need_each_other_but_parent_and_child() {
    let modules = modules();
    let graph = Graph::new(
        modules
            .iter()
            .map(|(_, module, text)| (module.clone(), text.as_str())),
    );
    let mut wrong = Vec::new();
    for (from, to) in graph.circular() {
        let line = graph.edges[&(from.to_owned(), to.to_owned())];
        wrong.push(format!("{from}:{line} needs {to}, which leads back"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
fn half_of_the_files_are_read_in_five_minutes() {
    let mut lines: Vec<_> = sources("src")
        .iter()
        .map(|(_, text)| text.lines().count())
        .collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(
        median <= MEDIAN_LINES,
        "the median of the files is {median} lines"
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

/// The texts that a line of source spells out, and of a text over several lines what is on this one.
fn spelled(line: &str, in_text: bool) -> impl Iterator<Item = &str> {
    let parts = line.split('"').enumerate();
    parts.filter_map(move |(at, part)| ((at % 2 == 1) != in_text).then_some(part))
}

/// True if the text has this name as a word: `memory.max_usage_in_bytes` is another file than `memory.max`.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    let mut words = text.split(|c| !is_part(c));
    words.any(|word| word.trim_end_matches('.') == name)
}

/// Kernel logs (`oomlog`) have words of their own.
#[test]
fn limit_files_are_named_by_their_table_alone() {
    let mut wrong = Vec::new();
    for (file, module, text) in modules() {
        let is_table = module.ends_with(&["cgroup".to_owned(), "limits".to_owned()]);
        if is_table || module.get(1).is_some_and(|floor| floor == "oomlog") {
            continue;
        }
        let program = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let mut in_text = false;
        for (at, line) in program.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            let names = |name: &&str| spelled(line, in_text).any(|text| has_word(text, name));
            if let Some(name) = LimitFile::ALL.iter().map(|file| file.name()).find(names) {
                wrong.push(format!("{}:{}: {name}", file.display(), at + 1));
            }
            in_text = line.ends_with('\\');
        }
    }
    assert!(wrong.is_empty(), "ask LimitFile:\n{}", wrong.join("\n"));
}
