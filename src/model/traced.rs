//! [`TracedKill`] and [`Sigkill`]: deaths that the kernel told of while they happened, not in its log.

use crate::model::cgroup::CgroupPath;
use crate::model::process::comm::Comm;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{MemoryUse, Pid, ProcessId};
use crate::model::time::Monotonic;

/// Something that the tracepoints told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traced {
    /// The OOM killer took a process. It replaces an earlier one of the same number.
    Kill(Box<TracedKill>),
    /// Somebody sent SIGKILL.
    Sigkill(Box<Sigkill>),
    /// There was no room for so many victims: the kernel's counters still have them.
    Lost(u64),
}

/// How the OOM killer took a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowTaken {
    /// It was killed (mm/oom_kill.c `__oom_kill_process`); the kernel prints a line and counts it.
    Killed,
    /// It was ending already, so that the kernel only let it use the reserves (`task_will_free_mem`): no line, no
    /// count.
    Ending,
    /// It shares the memory of the victim with this pid and is killed along, without a line or a count.
    SharesMemory(Pid),
}

/// Where the facts of a victim come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactSource {
    /// The tracepoint, at the moment of the kill.
    Tracepoint,
    /// The files of `/proc`, read as soon as the kernel named the pid.
    Proc,
    /// Nobody: it was gone before its files could be read.
    Nobody,
}

/// A process that the OOM killer took. What is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedKill {
    /// Counts them in this run. More about the same kill comes with the same number.
    pub number: u64,
    /// Pid of the process.
    pub pid: Pid,
    /// The thread that the kernel marked, if that is not the main thread.
    pub thread: Option<Pid>,
    /// Start of the process as [`ProcessId::start_ticks`].
    pub start_ticks: Option<u64>,
    /// Short name.
    pub comm: Comm,
    /// When the kernel marked it.
    pub at: Monotonic,
    /// Killed, or taken along.
    pub how: HowTaken,
    /// How often the kernel's counter `oom_kill` counts it: a group kill counts its first victim twice.
    pub counted: u64,
    /// Effective user.
    pub uid: Option<u32>,
    /// `oom_score_adj`.
    pub adj: Option<OomScoreAdj>,
    /// Memory in pages as the kernel's counters had it at that moment.
    pub memory: Option<MemoryUse>,
    /// Bytes of a page of `memory`.
    pub page_size: u64,
    /// The kernfs id of its memory cgroup.
    pub cgroup_id: Option<u64>,
    /// Its memory cgroup, as `/proc/PID/cgroup` had it right after.
    pub cgroup: Option<CgroupPath>,
    /// The process whose request for memory failed: never the victim's murderer, often another process.
    pub asked_by: Option<(Pid, Comm)>,
    /// Where uid, adj and memory come from.
    pub facts: FactSource,
}

impl TracedKill {
    /// True if this may be that process: pid and start, as far as the start is known.
    #[must_use]
    pub fn is(&self, id: ProcessId) -> bool {
        self.pid == id.pid && self.start_ticks.is_none_or(|start| start == id.start_ticks)
    }
}

/// Who sent a SIGKILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A process: `kill(2)` and its kin, or a write to `cgroup.kill`.
    Process {
        /// Its pid.
        pid: Pid,
        /// Its real user.
        uid: u32,
        /// Its short name.
        comm: Comm,
    },
    /// The kernel itself, not the OOM killer: the init of a pid namespace has ended, or a limit on processor time.
    Kernel,
}

/// A SIGKILL that was not the OOM killer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sigkill {
    /// When.
    pub at: Monotonic,
    /// The target.
    pub target: ProcessId,
    /// Its short name.
    pub comm: Comm,
    /// The sender.
    pub by: Sender,
    /// Resident memory and swap of the target in bytes; `None` if it has none any more.
    pub charged: Option<u64>,
}
