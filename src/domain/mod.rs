//! What things mean: values, rules and parsers. Pure: no I/O, no clock, no terminal.
//!
//! Everything here is computed from what another floor read. The kernel rules (badness, victim,
//! OOM domains) name the kernel source file they restate.

pub mod badness;
pub mod band;
pub mod cgroup;
pub mod comm;
pub mod container;
pub mod distance;
pub mod headroom;
pub mod kernel;
pub mod killers;
pub mod memory;
pub mod nodes;
pub mod oom;
pub mod process;
pub mod protection;
pub mod score;
pub mod signal;
pub mod size;
pub mod snapshot;
pub mod time;
pub mod urgency;
pub mod victim;
pub mod vm_settings;
pub mod whatif;
pub mod write;
