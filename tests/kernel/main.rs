//! The real kernel, end to end: cgroups of our own, real kills, real writes.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod audit;
mod containers;
mod cut_off;
mod distance;
mod fleet;
mod heap;
mod incident;
mod kernel;
mod kernel_domains;
mod kernel_limits;
mod load_killed;
mod load_test;
mod load_together;
mod metrics;
mod protect;
mod record;
mod reused;
mod rule_made;
mod scarce;
mod stuck;
mod together;
mod watch;
mod whole;
mod woken;
