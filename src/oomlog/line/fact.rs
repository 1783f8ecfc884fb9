//! What one line of the kernel's log says: the output of the rules, the input of the assembler.

use crate::oomlog::Pid;
use crate::oomlog::report::mem_info::MemoryLine;
use crate::oomlog::report::tasks::Columns;

/// One line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// "X invoked oom-killer".
    Invoked(Invoked),
    /// "CPU: … PID: … Comm: …".
    Cpu(CpuLine),
    /// "X cpuset=… `mems_allowed`=…" (up to 4.20).
    Cpuset { cpuset: String, mems: String },
    /// "Task in A killed as a result of limit of B" (up to 4.20).
    LimitOf { task: Option<String>, limit: String },
    /// "memory: usage …, limit …, failcnt …".
    Usage {
        kind: UsageKind,
        usage_kb: u64,
        limit_kb: u64,
        failcnt: u64,
    },
    /// "Memory cgroup stats for PATH:", with the numbers in the same line up to 5.2.
    StatsHead {
        path: Option<String>,
        pairs: Vec<(String, u64)>,
    },
    /// "Mem-Info:".
    MemInfo,
    /// A line of Mem-Info.
    Memory(MemoryLine),
    /// "[  pid  ]   uid  tgid …".
    TableHead(Columns),
    /// "oom-kill:constraint=…".
    Chosen(ChosenLine),
    /// ",task=…,pid=…,uid=…": the rest of such a line after another message cut it.
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
    /// "Kill process N (x) sharing same memory" (up to 4.3): it dies as well.
    SameMemory { pid: Pid, comm: String },
    /// "OOM victim N (x) is already exiting. Skip killing the task".
    AlreadyExiting { pid: Pid },
    /// "`oom_reaper`: reaped process N (x), …".
    Reaped { pid: Pid },
    /// "Tasks in PATH are going to be killed due to memory.oom.group set".
    GroupKill { path: String },
    /// "Out of memory and no killable processes...".
    NobodyKillable,
    /// "Kernel panic - not syncing: Out of memory…".
    Panic { text: String },
    /// "sysrq: OOM request ignored. No task eligible".
    Ignored,
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

/// Who runs on the CPU that prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CpuLine {
    pub(crate) pid: Pid,
    pub(crate) comm: String,
    pub(crate) kernel: Option<String>,
}

/// Which counter of a memory cgroup a usage line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    /// `memory:`.
    Memory,
    /// `memory+swap:` (v1).
    MemorySwap,
    /// `swap:` (v2).
    Swap,
    /// `kmem:` (v1).
    Kernel,
}

/// The `oom-kill:` line (4.19 and later).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ChosenLine {
    /// As printed, e.g. `CONSTRAINT_MEMCG`.
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
