//! [`Snapshot`]: one consistent sample of the machine, immutable once made.

mod queries;

use std::collections::HashMap;
use std::sync::Arc;

use super::cgroup::{Cgroup, CgroupKey, CgroupPath, CgroupVersion};
use super::heap::HeapBound;
use super::kernel::{KernelRules, KernelVersion};
use super::killers::RunningKiller;
use super::killers::oom_policy::Unit;
use super::memory::{Memory, Pressure};
use super::process::init::Init;
use super::process::{Process, ProcessId};
use super::rules::Rules;
use super::rules::held::HeldBy;
use super::systemd::CommandUser;
use super::time::Now;
use super::vm_settings::VmSettings;
use crate::model::freezer::{Freezable, FreezerState};
use crate::model::memory::nodes::NodeMemory;
use crate::model::oom_domain::victim::{DomainState, Scope};

/// Optional facts that cost a read per process: the sampler reads only those that are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// True to read the command lines of all processes (for a text filter or search); otherwise only those of
    /// `visible`.
    pub all_commands: bool,
    /// True if nobody sees a later sample: it waits a moment for what is not known yet.
    pub complete: bool,
    /// The rows on the screen: the sampler reads their command lines and exact numbers.
    pub visible: Vec<ProcessId>,
    /// True to read the processor time of every process; otherwise it is there where it costs nothing.
    pub cpu: bool,
    /// The process whose details pane is open.
    pub detail: Option<ProcessId>,
    /// The memory cgroups on the screen: the sampler reads all their files.
    pub groups: Vec<CgroupKey>,
    /// Processes of domains that are stuck, a few: where each of them waits is read.
    pub waiting: Vec<ProcessId>,
    /// What oomtop has stopped: the sampler looks whether it still is.
    pub frozen: Vec<Freezable>,
    /// Groups that grow, a few: the sampler looks whether somebody has frozen them.
    pub growing: Vec<CgroupPath>,
    /// The rules: the sampler tells which of them holds the process of the details.
    pub rules: Arc<Rules>,
}

/// Facts about the machine that do not change while oomtop runs.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the host"
)]
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Kernel release, e.g. `6.18.44`.
    pub release: String,
    /// The release as numbers, if it starts with two.
    pub version: Option<KernelVersion>,
    /// Rules of this kernel.
    pub rules: KernelRules,
    /// Which cgroup version controls memory.
    pub cgroups: CgroupVersion,
    /// Effective uid of oomtop.
    pub uid: u32,
    /// Name of that user.
    pub user: String,
    /// True if `CAP_SYS_RESOURCE` is effective: oomtop may write any adj.
    pub may_lower_adj: bool,
    /// `oom_score_adj` of oomtop at start. Without the capability its children cannot go below it.
    pub own_adj: i16,
    /// pid of oomtop in the `/proc` it reads; `None` if that `/proc` is not its own.
    pub own_pid: Option<u32>,
    /// True if, at start, oomtop's cgroup or one of its ancestors had a memory limit below RAM.
    /// [`Snapshot::own_limit`] is the present limit.
    pub in_container: bool,
    /// True if `/proc` is mounted with hidepid: only oomtop's own user's processes are visible.
    pub hidepid: bool,
    /// Clock ticks per second of `start_ticks`.
    pub ticks_per_second: u64,
    /// True if systemd is pid 1 there.
    pub systemd: bool,
    /// For whom commands on the screen are. A recording has none: whoever plays it may be somebody else.
    #[serde(skip)]
    pub command_user: CommandUser,
}

/// The additional facts of the details pane, read for one process.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Detail {
    /// Which process.
    pub id: ProcessId,
    /// `/proc/PID/oom_score` as the kernel prints it.
    pub kernel_score: Option<u32>,
    /// `oom_adj`, the legacy value.
    pub legacy_adj: Option<i16>,
    /// Resident size by field 24 of stat, pages.
    pub stat_rss: Option<u64>,
    /// Resident size by status (`RssAnon` + `RssFile` + `RssShmem`), pages.
    pub status_rss: Option<u64>,
    /// Lines of `/proc/PID/cgroup`.
    pub cgroup_lines: Vec<String>,
    /// Path of the executable (the link `/proc/PID/exe`), if readable.
    pub exe: Option<String>,
    /// Number of threads. Does not include other processes that share the address space.
    pub threads: u32,
    /// How far its runtime lets its heap grow; `None` if nothing bounds it, or that is not known.
    pub heap: Option<HeapBound>,
    /// The rule that holds it; `None` if none does.
    pub rule: Option<HeldBy>,
}

/// Kill counters, which show kills that are not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct KillCounters {
    /// `oom_kill` of `/proc/vmstat` (4.13 and later): every kill of any cause.
    pub host: Option<u64>,
}

/// A process with threads that wait in the kernel and that no signal wakes (state D), or only a deadly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// Which process.
    pub id: ProcessId,
    /// How many of its threads.
    pub threads: u32,
    /// The kernel function that the first of them waits in (`/proc/PID/wchan`); `None` if it may not be read.
    pub place: Option<String>,
}

/// Counters of `/proc/vmstat` since boot that show whether reclaim still gets anywhere, in pages. `None` on a kernel
/// that does not print one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ReclaimCounters {
    /// `pswpin`: read from swap.
    pub swapped_in: Option<u64>,
    /// `workingset_refault_anon` + `_file` (before 5.9 `workingset_refault`): read again soon after they were dropped.
    pub refaults: Option<u64>,
}

/// The CPU time and memory that oomtop itself uses.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct OwnCost {
    /// Processor time since the sample before, in percent of one CPU.
    pub cpu_percent: f32,
    /// Resident memory in bytes (`/proc/self/statm`).
    pub resident: u64,
}

/// One sample. The app keeps the newest and never changes it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Counts samples from 1; 0 before the first.
    pub seq: u64,
    /// When the scan began.
    pub taken: Now,
    /// How long the scan took, in microseconds.
    pub took_micros: u64,
    /// Processor time that the scan cost, in microseconds: less than it took where others had the processors.
    pub spent_micros: u64,
    /// Every visible process, in no particular order.
    pub processes: Vec<Process>,
    /// Host memory.
    pub memory: Memory,
    /// Memory pressure; `None` on a kernel without PSI.
    pub pressure: Option<Pressure>,
    /// Every known memory cgroup with its ancestors, by key: those of the processes in the table, now or
    /// earlier, and those found in the tree.
    pub cgroups: Arc<Vec<Cgroup>>,
    /// Every OOM domain: the host first, then each group with a limit of its own, then the sets of memory
    /// nodes that some process is restricted to.
    pub domains: Vec<DomainState>,
    /// Memory nodes, on a host that has more than one.
    pub nodes: Vec<NodeMemory>,
    /// The domain whose limit applies to oomtop itself, if it runs inside one (a container).
    pub own_limit: Option<Scope>,
    /// Kernel settings that change what an OOM does; read every few seconds.
    pub vm_settings: Arc<VmSettings>,
    /// Programs that kill before the kernel does, as they run now.
    pub killers: Arc<Vec<RunningKiller>>,
    /// The units of those who would die first, by the key of the unit's group, ascending: what systemd does once one
    /// of their processes was killed. A unit that is missing has no policy, or it is not known yet.
    pub units: Arc<Vec<Unit>>,
    /// Those who would die first and are the first process of a PID namespace, by id, ascending.
    pub inits: Arc<Vec<Init>>,
    /// User names by uid, as far as they were needed.
    pub users: Arc<HashMap<u32, Arc<str>>>,
    /// Kill counters.
    pub kills: KillCounters,
    /// Reclaim of the host.
    pub reclaim: ReclaimCounters,
    /// Those of [`Needs::waiting`] that wait in the kernel, with one thread or more.
    pub waiting: Vec<Waiter>,
    /// The process of [`Needs::detail`].
    pub detail: Option<Detail>,
    /// How far that of [`Needs::frozen`] and [`Needs::growing`] is stopped; `None` if it is gone.
    pub frozen: Vec<(Freezable, Option<FreezerState>)>,
    /// Processes that vanished or failed while they were read.
    pub skipped: u32,
    /// The cost of oomtop itself; `None` before the second sample, and if this `/proc` does not show oomtop.
    pub own_cost: Option<OwnCost>,
    /// Name of the back end that made the process table.
    pub backend: &'static str,
    /// Why this is not the cheapest back end, as a sentence without a full stop; `None` if it is.
    pub backend_note: Option<Arc<str>>,
    /// Name of what reads the memory cgroups: `files`, or a BPF walk beside them.
    pub groups_backend: &'static str,
    /// Why thousands of groups are read by files alone, as a sentence without a full stop; `None` if they are not.
    pub groups_note: Option<Arc<str>>,
}
