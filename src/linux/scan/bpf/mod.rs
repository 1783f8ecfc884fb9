//! The process table from inside the kernel: a BPF program walks all tasks and fills an array.
//!
//! One system call per sample instead of three files per process, and the numbers are the very ones
//! that badness adds up. No compiler and no prepared object is needed: the program ([`program`]) is
//! assembled for the running kernel from its own type information ([`btf`], [`layout`]). Needs
//! `CAP_BPF` and `CAP_PERFMON` (or `CAP_SYS_ADMIN`), kernel 6.7 or later, the first pid namespace. On
//! 5.8 to 6.6 the kernel calls the program for each task instead: a walk at some five times the cost.

mod assembler;
mod btf;
mod calls;
mod layout;
mod program;
mod record;
mod unlisted;
mod walk;

pub(crate) use layout::Way;
pub(crate) use walk::{BpfScan, Refusal};
