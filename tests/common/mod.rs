//! Helpers for all test binaries: a pseudo terminal, cgroups, memory hogs, fake trees and scenes.
#![allow(
    dead_code,
    reason = "every test crate compiles all of this and uses a part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and a hog answers on its standard output"
)]

pub(crate) mod bound;
mod bus;
pub(crate) mod changed;
pub(crate) mod corpus;
pub(crate) mod crowd;
pub(crate) mod driver;
pub(crate) mod fake_root;
pub(crate) mod fake_systemd;
pub(crate) mod hands;
pub(crate) mod hog;
pub(crate) mod keys;
pub(crate) mod kmsg;
pub(crate) mod memcg;
pub(crate) mod moving_systemd;
mod output;
pub(crate) mod own_child;
pub(crate) mod paper;
pub(crate) mod paper_kernel;
pub(crate) mod patience;
pub(crate) mod pid;
pub(crate) mod prometheus;
pub(crate) mod pty;
pub(crate) mod recorder;
pub(crate) mod sampling;
pub(crate) mod scene;
pub(crate) mod scene_tree;
pub(crate) mod screen;
pub(crate) mod shop;
pub(crate) mod sight;
pub(crate) mod styled;
pub(crate) mod svg;
pub(crate) mod svg_film;
pub(crate) mod svg_glyph;
pub(crate) mod typing;
pub(crate) mod web;
pub(crate) mod whole;
pub(crate) mod writes;

use std::io::Write as _;

/// Says loudly that a test was skipped, and why. Bypasses the test harness's capture of `eprintln!`, so that
/// a plain `cargo test` shows the line too.
pub(crate) fn skipped(test: &str, because: &str) {
    say(&format!("SKIPPED: {test} because {because}"));
}

/// One write, on a line of its own: the harness prints to the same terminal.
pub(crate) fn say(line: &str) {
    let line = format!("\n{line}\n");
    std::io::stderr().write_all(line.as_bytes()).ok();
}

/// Reports a measured figure that no test judges. Bypasses the capture too.
pub(crate) fn measured(line: &str) {
    say(&format!("MEASURED: {line}"));
}

/// True when the test runs with uid 0.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
