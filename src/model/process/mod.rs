//! One process in the last sample.

pub mod badness;
pub mod comm;
pub mod cpu;
pub mod growth;
pub mod init;
pub mod pace;
pub mod protection;
pub mod score;
pub mod signal;
pub mod youth;

use std::num::NonZeroU64;
use std::sync::Arc;

use super::cgroup::CgroupKey;
use crate::model::memory::nodes::NodeSet;
use crate::model::process::comm::Comm;
use crate::model::process::cpu::CpuTime;
use crate::model::process::pace::Pace;
use crate::model::process::score::OomScoreAdj;

pub use crate::oomlog::Pid;

/// The identity of a process: pids are reused, but a pid and a start time are unique.
///
/// Never use a pid alone for a write, a signal or a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct ProcessId {
    /// The process number (thread group id).
    pub pid: Pid,
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
}

/// The letter of field 3 of `/proc/PID/stat` (`proc_pid_stat(5))`: `R`, `S`, `D`, `Z`, `T`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct TaskState(pub char);

impl TaskState {
    /// True for zombies and dead tasks: there is nothing left to kill.
    #[must_use]
    pub fn is_dead(self) -> bool {
        matches!(self.0, 'Z' | 'X' | 'x')
    }

    /// The state in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            'R' => "running",
            'S' => "sleeping",
            'D' => "disk sleep",
            'T' => "stopped",
            't' => "traced",
            'Z' => "zombie",
            'X' | 'x' => "dead",
            'I' => "idle",
            'P' => "parked",
            _ => "unknown",
        }
    }
}

impl Default for TaskState {
    fn default() -> Self {
        Self('?')
    }
}

/// The memory that badness counts for a process, in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryUse {
    /// Resident pages as `oom_badness()` reads them (which file shows that number depends on the
    /// kernel, see [`super::kernel::RssSource`]).
    pub rss: u64,
    /// `RssAnon` of `/proc/PID/status`.
    pub anon: u64,
    /// `RssFile` of `/proc/PID/status`.
    pub file: u64,
    /// `RssShmem` of `/proc/PID/status`.
    pub shmem: u64,
    /// Swapped-out private pages (`VmSwap`). Badness does not count swapped-out shared memory.
    pub swap: u64,
    /// Page tables of all levels (`VmPTE`, and `VmPMD` where a kernel splits them).
    pub page_tables: u64,
}

impl MemoryUse {
    /// Everything badness counts, in pages: rss + swap + page tables (mm/oom_kill.c `oom_badness`, 3.6
    /// to 7.3).
    #[must_use]
    pub fn charged(&self) -> u64 {
        self.rss + self.swap + self.page_tables
    }
}

/// From this share of a processor on, in percent, a process does not sleep.
const BUSY: f32 = 10.0;

/// The facts of one row. Cheap to copy: a sample can have tens of thousands.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Process {
    /// Pid and start time.
    pub id: ProcessId,
    /// Parent pid; 0 for the first processes and for those whose parent is outside the namespace.
    pub ppid: Pid,
    /// Effective user id.
    pub uid: u32,
    /// Short name.
    pub comm: Comm,
    /// Task state letter.
    pub state: TaskState,
    /// Number of threads.
    pub threads: u32,
    /// Processor time; `None` where it was not asked for, and in a recording.
    pub cpu: Option<CpuTime>,
    /// A kernel thread (`PF_KTHREAD` in field 9 of stat): never a victim.
    pub kernel_thread: bool,
    /// The host's pid 1: never a victim. A container's init is not this.
    pub global_init: bool,
    /// The memory of the process; `None` if it has none (kernel thread, zombie) or if it could not be read
    /// (`unreadable`). A child between `vfork` and `exec` shows the memory of its parent, which badness does
    /// not count for the child: see `skipped_by_kernel`.
    pub memory: Option<MemoryUse>,
    /// A number that identifies the address space: equal for the processes that share it. Only the BPF task
    /// walk reads it (`task_struct.mm`); `/proc` does not show it. Processes that share an address space die
    /// together (mm/oom_kill.c `__oom_kill_process`; up to 3.16 the log names each of them, since 4.4 only
    /// the victim). The number is a kernel pointer: never show it on the screen or write it to a file or
    /// document.
    pub address_space: Option<NonZeroU64>,
    /// The kernel shows an `oom_score` of 0 although the computed score is higher: it skips this process for
    /// a reason that `/proc` does not show (already reaped, or between vfork and exec;
    /// [`crate::model::process::badness::Immunity::SkippedByKernel`] lists the kernels). The dashboard sets it too once it
    /// knows that the kernel has killed the process ([`crate::model::oom_domain::victim::pass_over`]).
    pub skipped_by_kernel: bool,
    /// True if the process holds `CAP_SYS_ADMIN`, on a kernel that subtracts 3 % for it
    /// ([`super::kernel::KernelRules::root_bonus`]).
    pub root_bonus: bool,
    /// Memory nodes that its cpuset allows; `None` if all, and on hosts with one node.
    pub nodes: Option<NodeSet>,
    /// True if the process exists but its memory could not be read (permission).
    pub unreadable: bool,
    /// `oom_score_adj`; `None` if it could not be read.
    pub adj: Option<OomScoreAdj>,
    /// The memory cgroup, as an index into the sample's table; `None` if not read.
    pub cgroup: Option<CgroupKey>,
    /// The kernfs id of the cgroup (the inode number of its directory), if the back end knows it without
    /// reading a file. A change means that the process has moved.
    pub cgroup_id: Option<u64>,
    /// Seconds for which a read of its command line has not returned: somebody holds the mmap lock of the process.
    /// `None` if no read blocks.
    pub command_blocks: Option<f32>,
    /// Smoothed growth of rss + swap in bytes per second; `None` before the second sample.
    pub growth: Option<f32>,
    /// How fast rss + swap have changed lately; all 0 where that is not known yet.
    pub pace: Pace,
    /// The full command line (arguments joined by spaces), if a column or filter needs it.
    pub command: Option<Arc<str>>,
}

impl Process {
    /// The group that it is a member of. A dead process, of which only the entry in the process table is left, is
    /// none (kernel/cgroup/cgroup.c `css_task_iter_advance`), unless other threads of it live.
    #[must_use]
    pub fn member_of(&self) -> Option<CgroupKey> {
        let remains = self.state.is_dead() && self.memory.is_none() && self.threads <= 1;
        self.cgroup.filter(|_| !remains)
    }

    /// rss + swap + page tables in pages; 0 for a process without memory of its own.
    #[must_use]
    pub fn charged_pages(&self) -> u64 {
        self.memory.as_ref().map_or(0, MemoryUse::charged)
    }

    /// Its state in words. The letter is that of the main thread at the moment of the sample: beside processor time of the
    /// time before, `sleeping` alone would contradict it.
    #[must_use]
    pub fn state_words(&self) -> String {
        let name = self.state.name();
        let percent = self.cpu.and_then(|cpu| cpu.percent);
        let is_busy = percent.is_some_and(|percent| percent >= BUSY)
            && ['S', 'D', 'I'].contains(&self.state.0);
        match (self.threads, is_busy) {
            (2.., true) => format!("main thread {name}, others run"),
            (_, true) => format!("{name} when sampled, busy before"),
            (_, false) => name.to_owned(),
        }
    }

    /// The command line if known, otherwise the short name.
    #[must_use]
    pub fn title(&self) -> std::borrow::Cow<'_, str> {
        match &self.command {
            Some(line) if !line.is_empty() => std::borrow::Cow::Borrowed(line),
            _ => self.comm.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cpu::CpuTime;
    use super::{MemoryUse, Process, TaskState};
    use crate::model::cgroup::CgroupKey;

    #[test]
    fn a_zombie_is_no_member_of_its_group_and_a_dead_leader_is() {
        let process = |state, threads, memory| Process {
            state: TaskState(state),
            threads,
            memory,
            cgroup: Some(CgroupKey(1)),
            ..Process::default()
        };
        assert_eq!(process('Z', 1, None).member_of(), None);
        assert_eq!(process('Z', 0, None).member_of(), None);
        let with_threads = process('Z', 3, None);
        assert_eq!(with_threads.member_of(), Some(CgroupKey(1)));
        let with_memory = process('Z', 1, Some(MemoryUse::default()));
        assert_eq!(with_memory.member_of(), Some(CgroupKey(1)));
        assert_eq!(process('S', 1, None).member_of(), Some(CgroupKey(1)));
    }
    #[test]
    fn who_uses_the_processor_does_not_just_sleep() {
        let words = |state, threads, percent| {
            let cpu = CpuTime {
                percent,
                ..CpuTime::default()
            };
            let process = Process {
                state: TaskState(state),
                threads,
                cpu: Some(cpu),
                ..Process::default()
            };
            process.state_words()
        };
        assert_eq!(words('S', 1, Some(0.3)), "sleeping");
        assert_eq!(words('S', 1, None), "sleeping");
        assert_eq!(words('R', 4, Some(97.0)), "running");
        assert_eq!(
            words('S', 1, Some(97.0)),
            "sleeping when sampled, busy before"
        );
        assert_eq!(
            words('S', 4, Some(97.0)),
            "main thread sleeping, others run"
        );
    }
}
