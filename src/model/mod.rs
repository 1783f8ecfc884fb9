//! What things mean: values, rules and parsers. Pure: no I/O, no clock, no terminal.
//!
//! Everything here is computed from what another floor read. The kernel rules (badness, victim,
//! OOM domains) name the kernel source file they restate.

pub mod cgroup;
pub mod kernel;
pub mod killers;
pub mod memory;
#[cfg(test)]
pub(crate) mod on_paper;
pub mod oom_domain;
pub mod plan;
pub mod process;
pub mod size;
pub mod snapshot;
pub mod time;
pub mod vm_settings;
