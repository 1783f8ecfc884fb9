//! Whether BPF programs can decide who dies in an OOM.

use std::fs::File;

use super::btf::{Blob, Btf, BtfError};
use crate::linux::SysRoot;

/// The structure whose functions such a program fills in (the series "mm: BPF OOM"; in no release up to 7.3).
const OPERATIONS: &str = "bpf_oom_ops";

/// True if the kernel's type information has it; `None` if that could not be read.
pub(crate) fn has_oom_policy(root: &SysRoot) -> Option<bool> {
    let types = File::open(root.base.join("sys/kernel/btf/vmlinux")).ok()?;
    of_types(types)
}

fn of_types(types: impl Blob) -> Option<bool> {
    match Btf::read(types, &[OPERATIONS]).and_then(|mut btf| btf.struct_size(OPERATIONS)) {
        Ok(_) => Some(true),
        Err(BtfError::Missing(_)) => Some(false),
        Err(_) => None,
    }
}
