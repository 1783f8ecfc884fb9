//! Whether BPF programs can be loaded here, and tell of the processes that `/proc` shows.

use std::os::fd::{AsFd, OwnedFd};

use super::refusal::Refusal;
use crate::linux::SysRoot;
use crate::linux::host::is_own_namespace;
use crate::linux::kernel_file::{FileBuffer, open_dir};
use crate::linux::scan::proc::status_lines;

/// `CAP_SYS_ADMIN`, which implies the other two; `CAP_PERFMON` and `CAP_BPF`
/// (include/uapi/linux/capability.h).
const CAP_SYS_ADMIN: u64 = 1 << 21;
const CAP_PERFMON_AND_BPF: u64 = 1 << 38 | 1 << 39;

/// Inode numbers of the initial namespaces (include/linux/proc_ns.h).
const INITIAL_PID_NS: &str = "pid:[4026531836]";
const INITIAL_TIME_NS: &str = "time:[4026531834]";

/// The procfs directory, if BPF programs can be used and tell of the processes that it shows.
///
/// # Errors
/// Why not.
pub(crate) fn usable(root: &SysRoot) -> Result<OwnedFd, Refusal> {
    let dir = sees_this_machine(root)?;
    if !is_in(&dir, "time", INITIAL_TIME_NS) {
        return Err(Refusal::NotHere("oomtop is in a time namespace of its own"));
    }
    if !may_use_bpf(&dir) {
        return Err(Refusal::NotHere(
            "it needs CAP_BPF and CAP_PERFMON (setcap cap_bpf,cap_perfmon+ep), or root",
        ));
    }
    Ok(dir)
}

/// The procfs directory, if the pids that the kernel tells oomtop are those that it shows.
///
/// # Errors
/// Why not.
pub(crate) fn sees_this_machine(root: &SysRoot) -> Result<OwnedFd, Refusal> {
    let dir = open_dir(&root.proc)
        .map_err(|_| Refusal::NotHere("the procfs directory cannot be opened"))?;
    if !is_own_namespace(&root.proc, dir.as_fd()) {
        return Err(Refusal::NotHere("it sees this machine, not another /proc"));
    }
    // The records have pids and times of the initial namespaces.
    if !is_in(&dir, "pid", INITIAL_PID_NS) {
        return Err(Refusal::NotHere(
            "oomtop is in a pid namespace of its own (a container)",
        ));
    }
    Ok(dir)
}

/// True if oomtop is in the initial namespace of this kind, or if the kernel has no such namespaces.
fn is_in(proc: &OwnedFd, kind: &str, initial: &str) -> bool {
    match rustix::fs::readlinkat(proc, format!("self/ns/{kind}"), Vec::new()) {
        Ok(target) => target.as_bytes() == initial.as_bytes(),
        Err(errno) => errno == rustix::io::Errno::NOENT,
    }
}

fn may_use_bpf(proc: &OwnedFd) -> bool {
    let mut buffer = FileBuffer::default();
    let effective = buffer
        .read_whole(proc, "self/status")
        .ok()
        .and_then(|text| status_lines::mask(text, "CapEff"))
        .unwrap_or(0);
    effective & CAP_SYS_ADMIN != 0 || effective & CAP_PERFMON_AND_BPF == CAP_PERFMON_AND_BPF
}
