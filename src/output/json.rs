//! [`Document`]: one whole sample as JSON, for `--once --json`.
//!
//! Units: sizes are in bytes, shares (and pressure) in percent, times and durations in microseconds. Fields
//! with another unit say so in their name or here: badness and the totals it is compared with are in pages
//! (`badness`, `*_pages`, `host.rules.rss_error`, `host.rules.swap_error`), `badness_permille` is per mille,
//! `start_ticks` counts clock ticks (`host.ticks_per_second`), and events carry the kernel's own units
//! (`*_kb`, `*_pages`, and pages in the table of tasks).
//!
//! Null means that a number could not be read, or that this kernel or kind of domain does not have it; each
//! field says which. Null never stands for 0. Processes are sorted by badness, the next victim first.

mod events;
mod ledger;
mod processes;

use serde::Serialize;

use crate::app::view::domains::death::Death;
use crate::app::view::events::EventLog;
use crate::app::view::processes::columns::CellContext;
use crate::app::view::processes::columns::command::Commands;
use crate::app::view::processes::marks::Marks;
use crate::model::blast::{Along, Blast};
use crate::model::cgroup::container;
use crate::model::cgroup::{CgroupPath, GroupEvents, GroupPressure, GroupStat, Limits};
use crate::model::killers::RunningKiller;
use crate::model::killers::oom_policy::OomPolicy;
use crate::model::memory::band::{Band, Thresholds};
use crate::model::memory::nodes::NodeSet;
use crate::model::memory::{Memory, Pressure, percent};
use crate::model::oom_domain::enclosing::runs_out_first;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::ProcessId;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::vm_settings::{OomAction, VmSettings};

use events::event_facts;
use ledger::{HostLedgerFacts, LedgerFacts};
use processes::process_facts;

pub use events::EventFacts;
pub use processes::{ProcessFacts, ranked};

/// Version of the layout: 2 since the soft limit of cgroup v1 is `limits.soft` and no longer `limits.high`.
const FORMAT: u32 = 2;

/// The top of the document.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// Version of this layout; it rises when a field changes its meaning or goes away.
    pub format: u32,
    /// The machine and the rules of its kernel. `own_pid` is null if oomtop reads another machine's `/proc`;
    /// `version` is null if the release does not start with two numbers.
    pub host: &'a Host,
    /// When the scan began: microseconds since 1970 (UTC).
    pub unix_micros: i64,
    /// When the scan began: microseconds since boot (`CLOCK_MONOTONIC`).
    pub monotonic_micros: u64,
    /// How long the scan took, in microseconds.
    pub took_micros: u64,
    /// Which back end made the process table.
    pub backend: &'a str,
    /// What read the memory cgroups: `files`, or a BPF walk beside them where there are hundreds of groups.
    pub groups_backend: &'a str,
    /// Processes that vanished while they were read.
    pub skipped: u32,
    /// The gauge.
    pub gauge: GaugeFacts<'a>,
    /// Kernel settings that change what the next OOM does, in the unit of their file; null for a setting that
    /// could not be read or that this kernel does not have.
    pub settings: &'a VmSettings,
    /// Programs that kill before the kernel does, with their conditions: shares in percent, amounts in
    /// bytes, `lasting_micros` in microseconds. A null `group` is the host.
    pub killers: &'a [RunningKiller],
    /// Where the memory of the host is and what frees it; null if it could not be read.
    pub ledger: Option<HostLedgerFacts>,
    /// Every OOM domain, the host first.
    pub domains: Vec<DomainFacts<'a>>,
    /// Every process, the next victim of the host first.
    pub processes: Vec<ProcessFacts<'a>>,
    /// Kills and gaps out of the log, oldest first.
    pub events: EventFacts<'a>,
}

/// Memory as the gauge shows it.
#[derive(Debug, Serialize)]
pub struct GaugeFacts<'a> {
    /// Used share of RAM in percent, without what the kernel drops before it kills; in a container, of the limit that
    /// applies to it.
    pub percent: f64,
    /// The limit in bytes: RAM, or that of `cgroup`.
    pub limit: u64,
    /// Path of the cgroup around oomtop whose limit is nearest to being hit; null if the host is watched.
    pub cgroup: Option<&'a CgroupPath>,
    /// Its band.
    pub band: Band,
    /// The three marks in percent.
    pub marks: [f64; 3],
    /// `/proc/meminfo` in bytes; null for a line this kernel does not print.
    pub memory: &'a Memory,
    /// `/proc/pressure/memory`: `avg10`, `avg60` and `avg300` in percent, `total` in microseconds since boot.
    /// Null without PSI.
    pub pressure: Option<Pressure>,
    /// `oom_kill` of `/proc/vmstat`: kills since boot. Null before 4.13.
    pub oom_kills: Option<u64>,
}

/// One OOM domain.
#[derive(Debug, Serialize)]
pub struct DomainFacts<'a> {
    /// Path of the cgroup; null for the host and for memory nodes.
    pub cgroup: Option<&'a CgroupPath>,
    /// The memory nodes of a cpuset, as in `0-1`; null for the host and for a cgroup.
    pub nodes: Option<NodeSet>,
    /// Container, pod, machine or unit named by the path; null if the path names none.
    pub name: Option<String>,
    /// The limit in bytes (RAM for the host).
    pub limit: u64,
    /// Bytes used of the limit; null if usage could not be read.
    pub usage: Option<u64>,
    /// Used share of the limit in percent, page cache included; null with `usage`.
    pub percent: Option<f64>,
    /// Page cache, swap and the bytes left before an OOM; null if usage could not be read.
    pub room: Option<RoomFacts>,
    /// The band of `room.kept_percent`, or that of the domain in `runs_out_first`, whichever is worse; null with `room`.
    pub band: Option<Band>,
    /// Path of the enclosing cgroup that runs out before this domain; `/` also stands for the host. Null if
    /// this domain runs out first.
    pub runs_out_first: Option<CgroupPath>,
    /// The pages that adj is a share of: adj 1000 adds this many to badness (`totalpages`, mm/oom_kill.c).
    pub total_pages: u64,
    /// Processes in the domain.
    pub members: u32,
    /// What the kernel does when the domain runs out, by `panic_on_oom` and `oom_kill_allocating_task`.
    pub action: OomAction,
    /// Who dies next. Null if `action` is not `kill_worst` (badness does not matter then), and if nobody can
    /// be killed.
    pub next_victim: Option<ProcessId>,
    /// The process that the kernel has killed in the domain and that still holds memory: nobody else is killed meanwhile. Null
    /// without one.
    pub dying: Option<ProcessId>,
    /// Who may die instead, where it is too close to call: by error of reading, or because it may overtake the victim
    /// before the domain is full. Null where the victim is certain.
    pub or: Option<ProcessId>,
    /// Everybody else who ends with the victim. Also empty where oomtop sees neither shared memory, units nor PID
    /// namespaces.
    pub dies_along: Vec<AlongFacts>,
    /// The cgroup that dies with the victim (`memory.oom.group`); null if none does.
    pub group_kill: Option<&'a CgroupPath>,
    /// True for a cgroup whose only limit is `memory.high`: above it the kernel slows its tasks down and kills nobody.
    pub throttles_only: bool,
    /// The systemd unit that is stopped after the kill; null if the rest of the victim's unit lives on, if no unit
    /// is around the victim, or if its policy is not known (yet).
    pub unit_stop: Option<UnitStopFacts<'a>>,
    /// Limits of the cgroup in bytes (`swappiness` is a plain number); null for the host and for memory nodes. A
    /// null field inside means no limit, or a limit that this cgroup version does not have: [`Limits`] names the
    /// file and the version of each field.
    pub limits: Option<&'a Limits>,
    /// Counters since the cgroup was made; null for the host (`gauge.oom_kills` has its kills) and for memory
    /// nodes. A null field inside means that this cgroup version or kernel does not count it.
    pub counters: Option<&'a GroupEvents>,
    /// The cgroup's `memory.pressure`; null on v1, without PSI, for the host (see `gauge.pressure`) and for memory
    /// nodes.
    pub pressure: Option<PressureFacts>,
    /// Values of `memory.stat` in bytes (`refaults` in pages, null if the kernel does not count them). Null for the
    /// host and memory nodes, and for a cgroup far from its limit: oomtop does not read the file there.
    pub stat: Option<GroupStat>,
    /// True if tasks of the cgroup are stopped at its limit now (v1 `under_oom`).
    pub under_oom: bool,
    /// Where the memory of the cgroup is and what frees it; null for the host (`ledger` at the top), for memory nodes,
    /// and if it could not be read.
    pub ledger: Option<LedgerFacts>,
}

/// A process that ends with the victim.
#[derive(Debug, Serialize)]
pub struct AlongFacts {
    /// Which process.
    #[serde(flatten)]
    pub id: ProcessId,
    /// Why it ends.
    pub why: Along,
}

/// A unit that systemd stops after the kernel has killed one of its processes.
#[derive(Debug, Serialize)]
pub struct UnitStopFacts<'a> {
    /// Path of the unit's cgroup.
    pub cgroup: &'a CgroupPath,
    /// `OOMPolicy=`: `stop` or `kill`.
    pub policy: OomPolicy,
    /// Processes that end with it, the victim included.
    pub processes: usize,
}

/// Pressure of one cgroup, in the shape of `gauge.pressure`.
#[derive(Debug, Serialize)]
pub struct PressureFacts {
    /// At least one task waited for memory.
    pub some: StallFacts,
    /// All tasks waited for memory.
    pub full: StallFacts,
}

/// One line of a cgroup's `memory.pressure`.
#[derive(Debug, Serialize)]
pub struct StallFacts {
    /// Share of the last 10 s in percent.
    pub avg10: f64,
}

impl From<GroupPressure> for PressureFacts {
    fn from(pressure: GroupPressure) -> Self {
        let stall = |hundredths: u32| StallFacts {
            avg10: f64::from(hundredths) / 100.0,
        };
        Self {
            some: stall(pressure.some),
            full: stall(pressure.full),
        }
    }
}

/// How near a domain is to an OOM, in bytes.
#[derive(Debug, Serialize)]
pub struct RoomFacts {
    /// Page cache within the usage that the kernel drops before it kills; 0 if `memory.stat` was not read.
    pub droppable: u64,
    /// Usage minus `droppable`, as a share of the limit in percent.
    pub kept_percent: f64,
    /// Swap used; null if this kernel does not count swap for the domain.
    pub swap_used: Option<u64>,
    /// Swap the domain may still use; 0 if it may use none.
    pub swap_left: u64,
    /// Bytes the domain can still take before somebody dies: the least up its path, the host included. `runs_out_first`
    /// names whose it is.
    pub left: u64,
}

impl From<Room> for RoomFacts {
    fn from(room: Room) -> Self {
        Self {
            droppable: room.droppable,
            kept_percent: room.percent(),
            swap_used: room.swap_used,
            swap_left: room.swap_left,
            left: room.left(),
        }
    }
}

/// Puts the document together.
pub fn document<'a>(
    snapshot: &'a Snapshot,
    host: &'a Host,
    marks: &'a Marks,
    events: &'a EventLog,
    thresholds: &Thresholds,
) -> Document<'a> {
    let total = snapshot.memory.host_total_pages(host.rules.page_size);
    let context = CellContext {
        snapshot,
        rules: &host.rules,
        total,
        marks,
        ticks: host.ticks_per_second,
        commands: Commands::default(),
    };
    let (used, limit, group) = snapshot.gauge();
    Document {
        format: FORMAT,
        host,
        unix_micros: snapshot.taken.wall.unix_micros,
        monotonic_micros: snapshot.taken.monotonic.0,
        took_micros: snapshot.took_micros,
        backend: snapshot.backend,
        groups_backend: snapshot.groups_backend,
        skipped: snapshot.skipped,
        gauge: GaugeFacts {
            percent: used,
            limit,
            cgroup: group.and_then(|key| snapshot.cgroup(key)).map(|g| &g.path),
            band: thresholds.band(used),
            marks: thresholds.marks(),
            memory: &snapshot.memory,
            pressure: snapshot.pressure,
            oom_kills: snapshot.kills.host,
        },
        settings: &snapshot.vm_settings,
        killers: &snapshot.killers,
        ledger: None,
        domains: snapshot
            .domains
            .iter()
            .map(|d| domain_facts(d, snapshot, thresholds))
            .collect(),
        processes: ranked(snapshot, total)
            .into_iter()
            .map(|p| process_facts(p, &context))
            .collect(),
        events: event_facts(events),
    }
}

fn domain_facts<'a>(
    domain: &'a DomainState,
    snapshot: &'a Snapshot,
    thresholds: &Thresholds,
) -> DomainFacts<'a> {
    let room = Room::from_domain(domain, snapshot);
    let group_of = |scope: Scope| scope.memcg().and_then(|key| snapshot.cgroup(key));
    let first = runs_out_first(domain.scope, snapshot);
    // Where tasks are only slowed down, no enclosing limit makes that a kill.
    let nearest = first
        .map(|(_, room)| room)
        .filter(|_| !domain.throttles_only);
    let outer = first.map(|(outer, _)| {
        group_of(outer).map_or_else(CgroupPath::root, |group| group.path.clone())
    });
    let group = group_of(domain.scope);
    let nodes = match domain.scope {
        Scope::Nodes(set) => Some(set),
        Scope::Host | Scope::Memcg(_) => None,
    };
    let action = snapshot.vm_settings.action(domain.scope);
    let verdict = Death::from_domain(domain, snapshot).verdict();
    DomainFacts {
        cgroup: group.map(|g| &g.path),
        nodes,
        name: group.and_then(|g| container::label(g.path.as_str())),
        room: room.map(|room| RoomFacts {
            left: nearest.map_or(room.left(), |nearest| nearest.left()),
            ..RoomFacts::from(room)
        }),
        band: room.map(|room| {
            let nearest = nearest.unwrap_or(room);
            thresholds.band(room.percent().max(nearest.percent()))
        }),
        runs_out_first: outer,
        limit: domain.limit,
        usage: domain.usage,
        percent: domain.usage.map(|usage| percent(usage, domain.limit)),
        total_pages: domain.total_pages,
        members: domain.members,
        action,
        next_victim: verdict.map(|v| v.victim.id),
        dying: domain.dying,
        or: verdict.and_then(|v| v.or()).map(|c| c.id),
        dies_along: verdict
            .map(|v| Blast::new(v.victim.id, domain.group_kill, snapshot).along)
            .unwrap_or_default()
            .into_iter()
            .map(|(id, why)| AlongFacts { id, why })
            .collect(),
        throttles_only: domain.throttles_only,
        group_kill: domain
            .group_kill
            .filter(|_| verdict.is_some())
            .and_then(|key| snapshot.cgroup(key))
            .map(|g| &g.path),
        unit_stop: verdict.and_then(|v| {
            let (key, policy) = snapshot.stopped_with(v.victim.id)?;
            Some(UnitStopFacts {
                cgroup: &snapshot.cgroup(key)?.path,
                policy,
                processes: snapshot.mortals_in(key),
            })
        }),
        limits: group.map(|g| &g.limits),
        counters: group.map(|g| &g.events),
        pressure: group.and_then(|g| g.pressure).map(PressureFacts::from),
        stat: group.and_then(|g| g.stat),
        under_oom: group.is_some_and(|g| g.under_oom),
        ledger: None,
    }
}
