//! The process table from inside the kernel: a BPF program walks all tasks and fills an array.
//!
//! This takes one system call per sample instead of three files per process, and gives the very counters that
//! badness adds up. It needs no compiler and no prebuilt object: oomtop assembles the program ([`program`])
//! for the running kernel from the kernel's type information ([`btf`], [`layout`]). It needs `CAP_BPF` and
//! `CAP_PERFMON` (or `CAP_SYS_ADMIN`), kernel 6.7 or later, and the initial pid namespace. On 5.8 to 6.6 the
//! kernel calls the program for each task instead, at about five times the cost.
//!
//! [`groups`] walks all cgroups in the same way, for the numbers of their memory files.
//!
//! [`kills`] puts programs at two tracepoints in the same way: kills come in at once, without the kernel's log.
//! [`starts`] does so for processes that start.

mod assembler;
mod btf;
mod calls;
mod groups;
pub(super) mod kills;
mod layout;
mod loading;
mod policy;
mod program;
mod record;
mod refusal;
pub(super) mod starts;
mod unlisted;
mod usable;
mod walk;

pub(crate) use groups::GroupScan;
pub(crate) use layout::Way;
pub(crate) use policy::has_oom_policy;
pub(crate) use refusal::Refusal;
pub(crate) use usable::{sees_this_machine, usable};
pub(crate) use walk::BpfScan;
