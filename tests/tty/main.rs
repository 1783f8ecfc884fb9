//! The real binary in a real pseudo terminal.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod bounded;
mod every_key;
mod film;
mod fleet;
mod input;
mod killed;
mod latency;
mod load_test;
mod panics;
mod poor;
mod screenshots;
mod seen;
mod small_group;
mod stopping;
mod traced;
mod tty;
mod unprivileged;
