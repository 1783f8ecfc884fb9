//! Values, rules and parsers. Pure: no I/O, no clock, no terminal.
//!
//! Everything here is computed from values that another floor has read. The kernel rules (badness, victim,
//! OOM domains) cite the kernel source file that they reproduce.

pub mod actor;
pub mod blast;
pub mod cgroup;
pub mod event_source;
pub mod filter;
pub mod fleet;
pub mod freezer;
pub mod heap;
pub mod incident;
pub mod kernel;
pub mod killers;
pub mod ledger;
pub mod memory;
#[cfg(test)]
pub(crate) mod on_paper;
pub mod oom_domain;
pub mod plan;
pub mod process;
pub mod recall;
pub mod record;
pub mod rules;
pub mod run;
pub mod shell;
pub mod sigkills;
pub mod size;
pub mod snapshot;
pub mod systemd;
pub mod time;
pub mod traced;
pub mod vm_settings;
pub mod wake;
