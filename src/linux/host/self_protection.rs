//! Keeps oomtop alive in the storm it is there to show: its memory stays resident, and the kernel
//! takes others first.

use rustix::mm::MlockAllFlags;

use crate::linux::kernel_file::{FileBuffer, open_dir, signed};
use crate::linux::scan::proc::status_lines;

/// As far from being killed as one may be. Not -1000: if only such processes are left in a memory
/// cgroup, its limit cannot be enforced (mm/oom_kill.c "no killable processes").
const ADJ: &str = "-999";

/// `CAP_IPC_LOCK` (include/uapi/linux/capability.h).
const CAP_IPC_LOCK: u64 = 1 << 14;

/// What could be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelfProtection {
    /// No page of oomtop is ever swapped out or dropped once it was used.
    pub locked: bool,
    /// `oom_score_adj` of oomtop is -999 now.
    pub adj_lowered: bool,
}

/// Does what this process is allowed to do; nothing of it is necessary.
#[must_use]
pub fn protect_self() -> SelfProtection {
    SelfProtection {
        locked: may_lock() && lock(),
        adj_lowered: lower_adj(),
    }
}

/// Pages are locked as they are used: to have all of them at once would be to take the memory of
/// every thread's whole stack.
fn lock() -> bool {
    rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
        .is_ok()
}

/// Under a limit (`ulimit -l`) a lock on what is to come would make later allocations fail.
fn may_lock() -> bool {
    let Ok(proc) = open_dir(std::path::Path::new("/proc")) else {
        return false;
    };
    let effective = FileBuffer::default()
        .read_whole(&proc, "self/status")
        .ok()
        .and_then(|text| status_lines::mask(text, "CapEff"));
    effective.is_some_and(|mask| mask & CAP_IPC_LOCK != 0)
}

/// Only from a plain 0: another value was chosen by whoever started oomtop.
fn lower_adj() -> bool {
    let path = "/proc/self/oom_score_adj";
    let is_plain = std::fs::read(path).is_ok_and(|text| signed(&text) == Some(0));
    // Without CAP_SYS_RESOURCE this is refused.
    is_plain && std::fs::write(path, ADJ).is_ok()
}
