//! Writes to the kernel, each bound to a pinned process or group and read back. [`executor`] does them all.

pub(super) mod adj;
pub(super) mod cgroup;
pub(super) mod errors;
pub mod executor;
pub(super) mod pinned;
pub(super) mod pins;
mod rules;
pub(super) mod signal;
mod spared;
mod stop;
mod unit;
pub(crate) mod whole;
