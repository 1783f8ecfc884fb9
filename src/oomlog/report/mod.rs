//! One OOM report as a value: what the kernel printed, line by line, in fields.
//!
//! A field that the kernel's version does not print, or that the log lost, is `None` or empty.

pub(crate) mod mem_info;
pub(crate) mod memcg;
pub(crate) mod raw;
pub(crate) mod tasks;
mod weight;

use std::sync::Arc;

use crate::oomlog::{
    MemcgUse, MemoryState, Monotonic, Pid, Provenance, RawLines, ReportKey, TaskTable,
};

/// Which memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// The whole host.
    None,
    /// A memory cgroup's limit.
    Memcg,
    /// The nodes of a cpuset.
    Cpuset,
    /// The nodes of a memory policy.
    MemoryPolicy,
    /// A constraint this version does not know (out-of-tree kernels have some).
    Other,
}

/// How a report ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was decided yet (or the log ends here).
    #[default]
    Pending,
    /// At least one process was killed.
    Killed,
    /// "Out of memory and no killable processes".
    NobodyKillable,
    /// The kernel panicked.
    Panic,
    /// SysRq-f found nobody ("OOM request ignored").
    Ignored,
}

/// The process whose request for memory failed: the asker.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Trigger {
    /// Short name; kernel escapes kept as text.
    pub comm: String,
    /// Pid, from the `CPU: … PID:` line.
    pub pid: Option<Pid>,
    /// `gfp_mask` as a number.
    pub gfp_mask: Option<u64>,
    /// The flags as the kernel printed them, e.g. `GFP_KERNEL|__GFP_ZERO`.
    pub gfp_flags: Option<String>,
    /// Order of the allocation: 2^order pages. -1 is `SysRq`.
    pub order: Option<i32>,
    /// `oom_score_adj` of the asker.
    pub adj: Option<i16>,
    /// `oom_adj` or `oomkilladj` of the asker, which kernels before 3.7 print.
    pub legacy_adj: Option<i32>,
}

/// The task that the kernel chose. Up to 5.0 a child of this task may die instead.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Chosen {
    /// Pid in the initial namespace.
    pub pid: Pid,
    /// Short name as text.
    pub comm: String,
    /// Uid, from the `oom-kill:` line.
    pub uid: Option<u32>,
    /// Score as printed up to 5.0; may exceed 1000 in a memory cgroup.
    pub score: Option<u64>,
}

/// One process that died.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Kill {
    /// Pid of the process in the initial namespace.
    pub pid: Pid,
    /// The thread that the kernel names instead, because the main thread had ended before
    /// (mm/oom_kill.c `__oom_kill_process`); `None` normally.
    pub thread: Option<Pid>,
    /// Short name as text.
    pub comm: String,
    /// Stamp of the "Killed process" line.
    pub at: Option<Monotonic>,
    /// Uid, where the kernel prints it.
    pub uid: Option<u32>,
    /// `total-vm` in kB.
    pub total_vm_kb: Option<u64>,
    /// `anon-rss` in kB.
    pub anon_rss_kb: Option<u64>,
    /// `file-rss` in kB.
    pub file_rss_kb: Option<u64>,
    /// `shmem-rss` in kB.
    pub shmem_rss_kb: Option<u64>,
    /// `pgtables` in kB.
    pub pgtables_kb: Option<u64>,
    /// `oom_score_adj`, from the line itself or from the task table.
    pub adj: Option<i16>,
    /// Died because of `memory.oom.group`, not because the kernel chose this process. Where the report does not name
    /// the group ([`OomReport::oom_group`]), that is likely, not proven.
    pub group_member: bool,
    /// How many "Killed process" lines name this pid. A group kill prints the chosen victim twice, and the kernel
    /// counts it twice.
    pub lines: u32,
    /// The reaper took its memory.
    pub reaped: bool,
}

/// One OOM, from the first line to the last that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
pub struct OomReport {
    /// Identity.
    pub key: ReportKey,
    /// Whether the log proves that the kernel wrote every line of it.
    pub source: Provenance,
    /// Stamp of the first line.
    pub at: Option<Monotonic>,
    /// Wall-clock stamp of the first line as the log's transport printed it.
    pub stamp: Option<String>,
    /// Kernel version, from the `CPU:` line.
    pub kernel: Option<String>,
    /// True if the log has the report's head ("invoked oom-killer"). False for a kill with only a "Killed process"
    /// line: the kernel prints at most 10 reports in 5 s, and a log may have lost the head.
    pub has_header: bool,
    /// The asker.
    pub trigger: Option<Trigger>,
    /// Which memory ran out; `None` while unknown.
    pub constraint: Option<Constraint>,
    /// The constraint as printed, e.g. `CONSTRAINT_MEMCG` (some 5.x kernels print
    /// `CONSTRAINT_NONE` for a memory cgroup).
    pub constraint_text: Option<String>,
    /// The kernel's words in front of "Kill(ed) process", e.g. `Memory cgroup out of memory`.
    pub message: Option<String>,
    /// `nodemask` of the allocation as printed; `(null)` means no restriction.
    pub nodemask: Option<String>,
    /// Name of the asker's cpuset.
    pub cpuset: Option<String>,
    /// Nodes that cpuset may use, e.g. `0-1,3`.
    pub mems_allowed: Option<String>,
    /// The `oom-kill:` line has `global_oom`.
    pub global_oom: bool,
    /// The task that the kernel chose.
    pub chosen: Option<Chosen>,
    /// The cgroup that was killed as a group (`memory.oom.group`).
    pub oom_group: Option<String>,
    /// The cgroup whose limit ran out (`oom_memcg`).
    pub oom_memcg: Option<String>,
    /// The victim's cgroup (`task_memcg`).
    pub task_memcg: Option<String>,
    /// Limit of that cgroup in kB, as printed.
    pub limit_kb: Option<u64>,
    /// Usage of that cgroup in kB, as printed.
    pub usage_kb: Option<u64>,
    /// The processes that died, in the order of the log; each pid once.
    pub kills: Vec<Kill>,
    /// Pids whose memory the reaper took, in the order of the log. Some are not in `kills`: a process that shared the
    /// victim's memory dies without a line of its own.
    pub reaped: Vec<Pid>,
    /// Processes that died because they shared the victim's memory (up to 4.3, which print them).
    pub shared_memory: Vec<Pid>,
    /// Chosen processes that were already exiting: the kernel did nothing to them.
    pub already_exiting: Vec<Pid>,
    /// How it ended.
    pub outcome: Outcome,
    /// The log has "Out of memory and no killable processes". A panic may have followed.
    pub nobody_killable: bool,
    /// The text of the kernel's panic.
    pub panic: Option<String>,
    /// How many more times the kernel printed the same report without a kill; 0 normally. A memory cgroup whose tasks
    /// all have adj -1000 repeats its report without end.
    pub repeats: u64,
    /// The table of tasks, if the kernel printed one (`vm.oom_dump_tasks`).
    pub tasks: Option<Arc<TaskTable>>,
    /// Usage, limits and statistics of the memory cgroup that ran out.
    pub memcg: Option<Arc<MemcgUse>>,
    /// The machine's memory. The kernel does not print it if a memory cgroup ran out.
    pub memory: Option<Arc<MemoryState>>,
    /// Records were lost while the kernel printed the report.
    pub gap: bool,
    /// The lines as they came, without the transport's prefixes.
    pub raw: Arc<RawLines>,
    /// The table of tasks, the state of the memory and the lines were dropped to bound the memory of whoever keeps many
    /// reports ([`OomReport::shed`]); the log may still have them.
    pub shed: bool,
}

impl OomReport {
    /// Drops what is large: the table of tasks, the state of the memory, the statistics, the lines. Who died and why
    /// stays.
    pub fn shed(&mut self) {
        // Before 5.0 only the state of the memory shows that it was the host's.
        let zones = self
            .memory
            .as_ref()
            .is_some_and(|memory| !memory.zones.is_empty());
        if self.constraint.is_none() && zones && self.oom_memcg.is_none() {
            self.constraint = Some(Constraint::None);
        }
        self.tasks = None;
        self.memory = None;
        self.memcg = None;
        self.raw = Arc::default();
        self.shed = true;
    }

    /// The process of a "Killed process" line of this report: normally the pid of the line. The kernel names a thread
    /// if the main thread has ended; then the table tells the process, or the choice made just before.
    pub(crate) fn process_of(&self, pid: Pid) -> Pid {
        if let Some(row) = self.tasks.as_ref().and_then(|table| table.row(pid)) {
            return row.process();
        }
        match &self.chosen {
            // Up to 5.0, which print scores, a child may die instead of the chosen process.
            Some(chosen) if chosen.score.is_none() && self.kills.is_empty() => chosen.pid,
            _ => pid,
        }
    }

    /// True if a memory cgroup's limit ran out.
    #[must_use]
    pub fn is_memcg(&self) -> bool {
        self.constraint == Some(Constraint::Memcg)
    }
}
