//! Writes to the kernel, each bound to a pinned process or group and read back.

pub mod adj;
pub mod cgroup;
pub(super) mod errors;
pub(super) mod pinned;
pub mod signal;
