//! What one line of the kernel's log says: the output of the rules, the input of the assembler.

use crate::oomlog::Pid;
use crate::oomlog::report::mem_info::MemoryLine;
use crate::oomlog::report::memcg::Usage;
use crate::oomlog::report::tasks::Columns;

/// A line that decides: it begins a report, or tells by itself which report it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// "X invoked oom-killer".
    Invoked(Invoked),
    /// "oom-kill:constraint=…" (4.19 and later).
    Chosen(ChosenLine),
    /// ",task=…,pid=…,uid=…": the rest of an `oom-kill:` line that another message cut.
    ChosenTail { comm: String, pid: Pid, uid: u32 },
    /// "Kill process A (x) score N or sacrifice child" (up to 5.0).
    Selected {
        message: String,
        pid: Pid,
        comm: String,
        score: u64,
    },
    /// "Killed process …".
    Killed(KilledLine),
    /// "Kill process N (x) sharing same memory" (up to 4.3): process N dies too.
    SameMemory { pid: Pid, comm: String },
    /// "OOM victim N (x) is already exiting. Skip killing the task" (5.10 and later).
    AlreadyExiting { pid: Pid },
    /// "oom_reaper: reaped process N (x), …" (4.6 and later).
    Reaped { pid: Pid },
    /// "Tasks in PATH are going to be killed due to memory.oom.group set" (4.19 and later).
    GroupKill { path: String },
    /// "Out of memory and no killable processes...".
    NobodyKillable,
    /// "Kernel panic - not syncing: Out of memory…".
    Panic { text: String },
    /// "sysrq: OOM request ignored. No task eligible".
    Ignored,
}

/// A line of a report's body. Alone it means nothing: it belongs to the open report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// "CPU: … PID: … Comm: …".
    Cpu(CpuLine),
    /// "X cpuset=… mems_allowed=…" (up to 4.20).
    Cpuset { cpuset: String, mems: String },
    /// "Task in A killed as a result of limit of B" (up to 4.20).
    LimitOf { task: Option<String>, limit: String },
    /// "memory: usage …, limit …, failcnt …".
    Usage(Usage),
    /// "Memory cgroup stats for PATH:". Up to 5.2 the numbers follow in the same line.
    StatsHead {
        path: Option<String>,
        pairs: Vec<(String, u64)>,
    },
    /// "Mem-Info:".
    MemInfo,
    /// A line of Mem-Info.
    Memory(MemoryLine),
    /// `[  pid  ]   uid  tgid …`.
    TableHead(Columns),
}

/// The first line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Invoked {
    pub(crate) comm: String,
    pub(crate) gfp_mask: Option<u64>,
    pub(crate) gfp_flags: Option<String>,
    pub(crate) nodemask: Option<String>,
    pub(crate) order: Option<i32>,
    pub(crate) adj: Option<i16>,
    pub(crate) legacy_adj: Option<i32>,
}

/// The process that runs on the CPU that prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CpuLine {
    pub(crate) pid: Pid,
    pub(crate) comm: String,
    pub(crate) kernel: Option<String>,
}

/// The `oom-kill:` line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ChosenLine {
    /// As printed, e.g. `CONSTRAINT_MEMCG`; empty if the line was cut inside it.
    pub(crate) constraint: String,
    pub(crate) nodemask: Option<String>,
    pub(crate) cpuset: Option<String>,
    pub(crate) mems_allowed: Option<String>,
    pub(crate) global_oom: bool,
    pub(crate) oom_memcg: Option<String>,
    pub(crate) task_memcg: Option<String>,
    pub(crate) comm: Option<String>,
    pub(crate) pid: Option<Pid>,
    pub(crate) uid: Option<u32>,
    /// The line ends with its `uid=`; false if another message cut it.
    pub(crate) whole: bool,
}

/// A "Killed process" line of any version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KilledLine {
    pub(crate) message: Option<String>,
    pub(crate) pid: Pid,
    pub(crate) comm: String,
    pub(crate) uid: Option<u32>,
    pub(crate) total_vm_kb: Option<u64>,
    pub(crate) anon_rss_kb: Option<u64>,
    pub(crate) file_rss_kb: Option<u64>,
    pub(crate) shmem_rss_kb: Option<u64>,
    pub(crate) pgtables_kb: Option<u64>,
    pub(crate) adj: Option<i16>,
}
