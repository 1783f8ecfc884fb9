//! Checks the floors: who may import whom, what a pure floor must not name, that files do not need each other
//! in circles, and how long a file may be.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot read its sources fails"
)]

mod floors;
mod graph;
mod sources;
mod tokens;
mod uses;

use graph::Graph;
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
