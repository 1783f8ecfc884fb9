//! OOM events: what the kernel's log says about a kill, as values.
//!
//! A [`LogRecord`] goes into the [`OomAssembler`]; out come [`OomEvent`]s. A report
//! is emitted as soon as its first line is seen and again whenever something was added, always under
//! the same [`ReportKey`]: the receiver replaces what it had.
//!
//! ```text
//! /dev/kmsg ── LogRecord::parse_kmsg ─┐
//! text log ─── prefix ── stitch ──────┴─► OomAssembler ── rules ── Fact ─► Draft ─► OomEvent
//! ```

pub mod analysis;
mod base;
pub mod line;
#[cfg(test)]
mod on_paper;
pub mod record;
pub mod report;
pub mod transport;
pub mod userspace;

use std::sync::Arc;

pub use crate::oomlog::line::fact::UsageKind;
pub use crate::oomlog::report::assembler::OomAssembler;
pub use crate::oomlog::report::mem_info::MemoryState;
pub use crate::oomlog::report::memcg::MemcgUse;
pub use crate::oomlog::report::raw::RawLines;
pub use crate::oomlog::report::tasks::{TaskRow, TaskTable};
pub use crate::oomlog::transport::TextLog;
pub use base::{Monotonic, Pid};
pub use record::LogRecord;
pub use userspace::{Killer, UserspaceKill};

/// Identity of a report while it grows: unique within one run of the assembler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(transparent)]
pub struct ReportKey(pub u64);

/// What comes out of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OomEvent {
    /// A report began or grew.
    Report(Arc<OomReport>),
    /// A program killed before the kernel had to; the same key again when more is known.
    Userspace(Arc<UserspaceKill>),
    /// Records were lost (the ring buffer was overrun): kills may be missing here.
    Gap {
        /// Stamp of the first record after the gap, if it had one.
        at: Option<Monotonic>,
        /// How many records are missing; 0 if that is not known.
        lost: u64,
    },
}

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

/// Who asked for the memory that was not there.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Trigger {
    /// Short name; kernel escapes kept as text.
    pub comm: String,
    /// Pid, from the `CPU: … PID:` line.
    pub pid: Option<Pid>,
    /// `gfp_mask` as a number.
    pub gfp_mask: Option<u64>,
    /// Its flags as the kernel printed them, e.g. `GFP_KERNEL|__GFP_ZERO`.
    pub gfp_flags: Option<String>,
    /// Order of the allocation; -1 is `SysRq`.
    pub order: Option<i32>,
    /// `oom_score_adj` of the asker.
    pub adj: Option<i16>,
    /// `oom_adj` or `oomkilladj` of the asker, which kernels before 3.7 print.
    pub legacy_adj: Option<i32>,
}

/// The task the kernel chose. Up to 5.0 the victim may be a child of it instead.
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
    /// Pid in the initial namespace.
    pub pid: Pid,
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
    /// Died because of `memory.oom.group`, not because it was chosen.
    pub group_member: bool,
    /// How many "Killed process" lines named this pid: oom.group prints (and the kernel counts) the
    /// chosen victim twice.
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
    /// Stamp of the first line.
    pub at: Option<Monotonic>,
    /// Wall-clock stamp of the first line as the log's transport printed it.
    pub stamp: Option<String>,
    /// Kernel version, from the `CPU:` line.
    pub kernel: Option<String>,
    /// True when the report's head ("invoked oom-killer") was seen; false for a kill of which only the
    /// "Killed process" line was printed (the kernel prints 10 reports in 5 s) or kept.
    pub has_header: bool,
    /// Who asked.
    pub trigger: Option<Trigger>,
    /// What ran out; `None` while unknown.
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
    /// `global_oom` stood in the `oom-kill:` line.
    pub global_oom: bool,
    /// Whom the kernel chose.
    pub chosen: Option<Chosen>,
    /// The cgroup whose `memory.oom.group` made its tasks die together.
    pub oom_group: Option<String>,
    /// The cgroup whose limit ran out (`oom_memcg`).
    pub oom_memcg: Option<String>,
    /// The victim's cgroup (`task_memcg`).
    pub task_memcg: Option<String>,
    /// Limit of that cgroup in kB, as printed.
    pub limit_kb: Option<u64>,
    /// Usage of that cgroup in kB, as printed.
    pub usage_kb: Option<u64>,
    /// The dead, in the order of the log; each pid once.
    pub kills: Vec<Kill>,
    /// Pids whose memory the reaper took, in the order of the log; not all are among `kills`:
    /// a process that shared the victim's memory dies without a line of its own.
    pub reaped: Vec<Pid>,
    /// Processes that died because they shared the victim's memory, where the kernel says so.
    pub shared_memory: Vec<Pid>,
    /// Chosen processes that were dying already: nothing was done to them.
    pub already_exiting: Vec<Pid>,
    /// How it ended.
    pub outcome: Outcome,
    /// "Out of memory and no killable processes" was printed (a panic may have followed).
    pub nobody_killable: bool,
    /// What the kernel panicked with.
    pub panic: Option<String>,
    /// How many times the same report came again without a kill in between (a memcg with only -1000
    /// tasks repeats without limit); 0 normally.
    pub repeats: u64,
    /// The table of tasks, if the kernel printed one (`vm.oom_dump_tasks`).
    pub tasks: Option<Arc<TaskTable>>,
    /// Usage, limits and statistics of the memory cgroup that ran out.
    pub memcg: Option<Arc<MemcgUse>>,
    /// The machine's memory; the kernel prints it unless a memory cgroup ran out.
    pub memory: Option<Arc<MemoryState>>,
    /// Records were lost while the report was being printed.
    pub gap: bool,
    /// The lines as they came, without the transport's prefixes.
    pub raw: Arc<RawLines>,
}

impl OomReport {
    /// True if a memory cgroup's limit ran out.
    #[must_use]
    pub fn is_memcg(&self) -> bool {
        self.constraint == Some(Constraint::Memcg)
    }
}
