//! The `linux` floor: on a fake root, and on the processes of this machine.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

#[path = "../common/mod.rs"]
mod common;

mod backends;
mod blocked;
mod cgroup_move;
mod cgroup_writer;
mod churn;
mod counted;
mod domain_cost;
mod exact;
mod headless;
mod incident;
mod killers;
mod kmsg;
mod ledger;
mod live_score;
mod processor_time;
mod run_loop;
mod same_group;
mod sampler;
mod sampler_cgroups;
mod sampler_kills;
mod sampler_victims;
mod self_protection;
mod starved;
mod systemd;
mod time_zone;
mod units;
mod urgent;
mod waker;
mod writer;
