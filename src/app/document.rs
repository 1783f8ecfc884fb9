//! [`Document`]: one whole sample as JSON, for `--once --json`.
//!
//! Sizes are bytes, shares are per mille, times are microseconds; a value that could not be read is
//! `null`. Processes are sorted by badness, the next victim first.

use serde::Serialize;

use super::columns::{CellContext, score};
use super::domains::death::Death;
use super::marks::Marks;
use crate::domain::badness::{Badness, Immunity, badness};
use crate::domain::band::{Band, Thresholds};
use crate::domain::cgroup::{CgroupPath, GroupEvents, GroupPressure, GroupStat, Limits};
use crate::domain::container;
use crate::domain::headroom::{Room, runs_out_first};
use crate::domain::killers::RunningKiller;
use crate::domain::memory::{Memory, Pressure, percent};
use crate::domain::nodes::NodeSet;
use crate::domain::oom::{OomReport, UserspaceKill};
use crate::domain::process::{Pid, Process, ProcessId};
use crate::domain::protection::Protection;
use crate::domain::score::OomScoreAdj;
use crate::domain::snapshot::{Host, Snapshot};
use crate::domain::victim::{DomainState, Scope};
use crate::domain::vm_settings::{OomAction, VmSettings};

use super::events::{Entry, EventLog};

/// The top of the document.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// Version of this layout; it rises when a field changes its meaning or goes away.
    pub format: u32,
    /// The machine and the rules of its kernel.
    pub host: &'a Host,
    /// When the scan began: microseconds since 1970 (UTC).
    pub unix_micros: i64,
    /// The same moment as microseconds since boot.
    pub monotonic_micros: u64,
    /// How long the scan took.
    pub took_micros: u64,
    /// Which back end made the process table.
    pub backend: &'a str,
    /// Processes that vanished while they were read.
    pub skipped: u32,
    /// The gauge.
    pub gauge: GaugeFacts<'a>,
    /// Kernel settings that change what the next OOM does; null for what could not be read.
    pub settings: &'a VmSettings,
    /// Programs that kill before the kernel does, with their conditions.
    pub killers: &'a [RunningKiller],
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
    /// Used share in percent.
    pub percent: f64,
    /// Its band.
    pub band: Band,
    /// The three marks in percent.
    pub marks: [f64; 3],
    /// `/proc/meminfo`.
    pub memory: &'a Memory,
    /// `/proc/pressure/memory`; null without PSI.
    pub pressure: Option<Pressure>,
    /// `oom_kill` of `/proc/vmstat`: kills since boot.
    pub oom_kills: Option<u64>,
}

/// One OOM domain.
#[derive(Debug, Serialize)]
pub struct DomainFacts<'a> {
    /// Path of the cgroup; null for the host and for memory nodes.
    pub cgroup: Option<&'a CgroupPath>,
    /// The memory nodes of a cpuset, as in `0-1`; null for the host and for a cgroup.
    pub nodes: Option<NodeSet>,
    /// What the path tells: container, pod, machine or unit; null where it tells nothing.
    pub name: Option<String>,
    /// The limit in bytes (RAM for the host).
    pub limit: u64,
    /// Bytes used of it.
    pub usage: Option<u64>,
    /// Used share in percent.
    pub percent: Option<f64>,
    /// Swap and page cache besides, and what follows: null where usage could not be read.
    pub room: Option<RoomFacts>,
    /// The band of `room.kept_percent`.
    pub band: Option<Band>,
    /// Path of the enclosing cgroup that runs out before this one; `/` also stands for the host. Null if
    /// none does.
    pub runs_out_first: Option<CgroupPath>,
    /// What adj is weighed by, in pages.
    pub total_pages: u64,
    /// Processes in it.
    pub members: u32,
    /// What the kernel does when it runs out, by `panic_on_oom` and `oom_kill_allocating_task`.
    pub action: OomAction,
    /// Who dies next; null where `action` is not `kill_worst`: then badness does not matter.
    pub next_victim: Option<ProcessId>,
    /// The one after, where it is too close to call.
    pub or: Option<ProcessId>,
    /// Processes that share the victim's memory and die with it; empty also where that cannot be seen.
    pub dies_along: Vec<ProcessId>,
    /// The cgroup that dies with the victim (`memory.oom.group`).
    pub group_kill: Option<&'a CgroupPath>,
    /// Limits of the cgroup; null for the host.
    pub limits: Option<&'a Limits>,
    /// Counters of the cgroup; null for the host.
    pub counters: Option<&'a GroupEvents>,
    /// `avg10` of the cgroup's `memory.pressure` in hundredths of a percent (v2 only).
    pub pressure: Option<GroupPressure>,
    /// What `memory.stat` says; null for the host, and far from the limit.
    pub stat: Option<GroupStat>,
    /// Tasks of the cgroup hang at its limit now (v1 `under_oom`).
    pub under_oom: bool,
}

/// How near a domain is to its OOM.
#[derive(Debug, Serialize)]
pub struct RoomFacts {
    /// Page cache in the usage that is dropped before anybody dies; 0 where it was not read.
    pub droppable: u64,
    /// Usage without it, as a share of the limit in percent.
    pub kept_percent: f64,
    /// Swap used; null where it is not counted.
    pub swap_used: Option<u64>,
    /// Swap it may still use.
    pub swap_left: u64,
    /// Bytes it can still take before somebody dies.
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

/// One process.
#[derive(Debug, Serialize)]
pub struct ProcessFacts<'a> {
    /// Process number.
    pub pid: Pid,
    /// Start time in clock ticks since boot; with the pid the identity.
    pub start_ticks: u64,
    /// Parent.
    pub ppid: Pid,
    /// Effective uid.
    pub uid: u32,
    /// Its name.
    pub user: Option<&'a str>,
    /// Short name.
    pub comm: String,
    /// Full command line, if read.
    pub command: Option<&'a str>,
    /// State letter.
    pub state: char,
    /// A kernel thread.
    pub kernel_thread: bool,
    /// `oom_score_adj`.
    pub oom_score_adj: Option<OomScoreAdj>,
    /// `oom_score`, computed.
    pub oom_score: Option<u32>,
    /// Badness in pages on the host; null for one that is never chosen.
    pub badness: Option<i64>,
    /// The same as a share of RAM + swap.
    pub badness_permille: Option<i64>,
    /// Why it is never chosen.
    pub immune: Option<Immunity>,
    /// Level of its adj.
    pub protection: Option<Protection>,
    /// Resident bytes as badness counts them.
    pub rss: Option<u64>,
    /// Private bytes swapped out.
    pub swap: Option<u64>,
    /// Page tables in bytes.
    pub page_tables: Option<u64>,
    /// Growth of rss + swap in bytes per second between the two samples; null for a new process.
    pub growth: Option<f32>,
    /// Memory cgroup.
    pub cgroup: Option<&'a CgroupPath>,
}

/// Where events came from, and what they are.
#[derive(Debug, Serialize)]
pub struct EventFacts<'a> {
    /// `/dev/kmsg`, `journal`, or counters only.
    pub source: &'a str,
    /// What is missing and why; empty if nothing is.
    pub missing: &'a str,
    /// Reports, oldest first.
    pub reports: Vec<&'a OomReport>,
    /// Kills by systemd-oomd, earlyoom and others, as they say themselves.
    pub userspace: Vec<&'a UserspaceKill>,
    /// Records that were overwritten unread; 0 also where the number is not known.
    pub lost_records: u64,
    /// True if records were lost.
    pub gaps: bool,
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
    };
    let main = snapshot.main_domain();
    let used = main
        .and_then(DomainState::percent)
        .unwrap_or_else(|| snapshot.memory.used_percent());
    Document {
        format: 1,
        host,
        unix_micros: snapshot.taken.wall.unix_micros,
        monotonic_micros: snapshot.taken.monotonic.0,
        took_micros: snapshot.took_micros,
        backend: snapshot.backend,
        skipped: snapshot.skipped,
        gauge: GaugeFacts {
            percent: used,
            band: thresholds.band(used),
            marks: thresholds.marks(),
            memory: &snapshot.memory,
            pressure: snapshot.pressure,
            oom_kills: snapshot.kills.host,
        },
        settings: &snapshot.vm_settings,
        killers: &snapshot.killers,
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

/// Processes by badness, never-chosen ones last, equals by pid.
pub fn ranked(snapshot: &Snapshot, total: u64) -> Vec<&Process> {
    let mut processes: Vec<_> = snapshot.processes.iter().collect();
    processes.sort_by_key(|p| (std::cmp::Reverse(badness(p, total).points()), p.id));
    processes
}

fn domain_facts<'a>(
    domain: &'a DomainState,
    snapshot: &'a Snapshot,
    thresholds: &Thresholds,
) -> DomainFacts<'a> {
    let room = Room::of(domain, snapshot);
    let group_of = |scope: Scope| scope.memcg().and_then(|key| snapshot.cgroup(key));
    let outer = runs_out_first(domain.scope, snapshot).map(|(outer, _)| {
        group_of(outer).map_or_else(CgroupPath::root, |group| group.path.clone())
    });
    let group = group_of(domain.scope);
    let nodes = match domain.scope {
        Scope::Nodes(set) => Some(set),
        Scope::Host | Scope::Memcg(_) => None,
    };
    let action = snapshot.vm_settings.action(domain.scope);
    let verdict = Death::of(domain, snapshot).verdict();
    DomainFacts {
        cgroup: group.map(|g| &g.path),
        nodes,
        name: group.and_then(|g| container::label(g.path.as_str())),
        room: room.map(RoomFacts::from),
        band: room.map(|room| thresholds.band(room.percent())),
        runs_out_first: outer,
        limit: domain.limit,
        usage: domain.usage,
        percent: domain.usage.map(|usage| percent(usage, domain.limit)),
        total_pages: domain.total_pages,
        members: domain.members,
        action,
        next_victim: verdict.map(|v| v.victim.id),
        or: verdict
            .filter(|v| v.close)
            .and_then(|v| v.runner_up)
            .map(|c| c.id),
        dies_along: verdict
            .and_then(|v| snapshot.process(v.victim.id))
            .map(|victim| snapshot.sharers(victim).map(|p| p.id).collect())
            .unwrap_or_default(),
        group_kill: domain
            .group_kill
            .filter(|_| verdict.is_some())
            .and_then(|key| snapshot.cgroup(key))
            .map(|g| &g.path),
        limits: group.map(|g| &g.limits),
        counters: group.map(|g| &g.events),
        pressure: group.and_then(|g| g.pressure),
        stat: group.and_then(|g| g.stat),
        under_oom: group.is_some_and(|g| g.under_oom),
    }
}

fn process_facts<'a>(process: &'a Process, context: &CellContext<'a>) -> ProcessFacts<'a> {
    let verdict = badness(process, context.total);
    let bytes = |pages: u64| pages * context.rules.page_size;
    ProcessFacts {
        pid: process.id.pid,
        start_ticks: process.id.start_ticks,
        ppid: process.ppid,
        uid: process.uid,
        user: context.snapshot.user(process.uid),
        comm: process.comm.text().into_owned(),
        command: process.command.as_deref(),
        state: process.state.0,
        kernel_thread: process.kernel_thread,
        oom_score_adj: process.adj,
        oom_score: score(process, context),
        badness: verdict.points(),
        badness_permille: verdict.permille(context.total),
        immune: match verdict {
            Badness::Immune(why) => Some(why),
            Badness::Points(_) | Badness::Unknown => None,
        },
        protection: process.adj.map(Protection::of),
        rss: process.memory.map(|m| bytes(m.rss)),
        swap: process.memory.map(|m| bytes(m.swap)),
        page_tables: process.memory.map(|m| bytes(m.page_tables)),
        growth: process.growth,
        cgroup: process
            .cgroup
            .and_then(|key| context.snapshot.cgroup(key))
            .map(|g| &g.path),
    }
}

fn event_facts(events: &EventLog) -> EventFacts<'_> {
    let mut facts = EventFacts {
        source: &events.source.name,
        missing: &events.source.missing,
        reports: Vec::new(),
        userspace: Vec::new(),
        lost_records: 0,
        gaps: false,
    };
    for entry in events.entries() {
        match entry {
            Entry::Report { report, .. } => facts.reports.push(report),
            Entry::Gap { lost, .. } => {
                facts.lost_records += lost;
                facts.gaps = true;
            }
            Entry::Userspace(kill) => facts.userspace.push(kill),
            Entry::Unlogged { .. } => {}
        }
    }
    facts
}
