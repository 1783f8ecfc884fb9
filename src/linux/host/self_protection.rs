//! Keeps oomtop alive during an OOM: its memory stays resident and with it, and the kernel kills other processes first.

use rustix::mm::MlockAllFlags;

use super::allocator;
use crate::linux::kernel_file::{FileBuffer, open_dir, signed};
use crate::linux::scan::proc::status_lines;
use crate::linux::urgent;

/// The lowest value that still allows a kill. -1000 would be wrong: the kernel cannot enforce the limit of a
/// memory cgroup in which all remaining processes have it (mm/oom_kill.c "no killable processes").
const ADJ: &str = "-999";

/// The nice value: where memory is short there is much to run as well, and whoever looks at it must get a turn. oomtop
/// itself runs for a few milliseconds a second.
const NICE: i32 = -10;

/// `CAP_IPC_LOCK` (include/uapi/linux/capability.h).
const CAP_IPC_LOCK: u64 = 1 << 14;

/// What [`protect_self`] achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelfProtection {
    /// No page that oomtop has used is ever swapped out or dropped.
    pub locked: bool,
    /// `oom_score_adj` of oomtop is -999 now.
    pub adj_lowered: bool,
    /// Its threads run before those with the usual nice value.
    pub nice_lowered: bool,
}

/// Locks the memory and lowers the adj, as far as this process is allowed to. oomtop works without either.
#[must_use]
pub fn protect_self() -> SelfProtection {
    // The settings panel says whether it was refused.
    let _ = urgent::OWN.arm();
    // Other allocators than that of glibc stay as they are.
    let _ = allocator::keep_freed();
    SelfProtection {
        locked: may_lock() && lock(),
        adj_lowered: lower_adj(),
        nice_lowered: lower_nice(),
    }
}

/// Locks pages when they are first used: locking everything at once would allocate the whole stack of every
/// thread.
fn lock() -> bool {
    rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
        .is_ok()
}

/// Without `CAP_IPC_LOCK` the limit `ulimit -l` applies, and locking future pages would make later
/// allocations fail.
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

/// Changes only the default 0: whoever started oomtop chose any other value.
fn lower_adj() -> bool {
    let path = "/proc/self/oom_score_adj";
    let is_plain = std::fs::read(path).is_ok_and(|text| signed(&text) == Some(0));
    // The kernel refuses this without CAP_SYS_RESOURCE.
    is_plain && std::fs::write(path, ADJ).is_ok()
}

/// Lowers the nice value, if it is the default 0: oomtop runs before those that have the default. Threads that are
/// started later inherit it (setpriority(2)).
pub(crate) fn lower_nice() -> bool {
    let is_plain = rustix::process::getpriority_process(None) == Ok(0);
    is_plain && rustix::process::setpriority_process(None, NICE).is_ok()
}
