//! [`ProcessFacts`]: one process in the document, and the order of processes.

use serde::Serialize;

use crate::app::view::processes::columns::CellContext;
use crate::model::cgroup::CgroupPath;
use crate::model::process::badness::{Badness, Immunity, badness, score};
use crate::model::process::protection::Protection;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{Pid, Process};
use crate::model::snapshot::Snapshot;

/// One process. Its address space id stays out of the document: it is a kernel pointer.
#[derive(Debug, Serialize)]
pub struct ProcessFacts<'a> {
    /// Process number.
    pub pid: Pid,
    /// Start time in clock ticks since boot; pid and start time together identify the process.
    pub start_ticks: u64,
    /// Parent.
    pub ppid: Pid,
    /// Effective uid.
    pub uid: u32,
    /// Name of the uid; null if none is known.
    pub user: Option<&'a str>,
    /// Short name.
    pub comm: String,
    /// Full command line; null where it could not be read or there is none.
    pub command: Option<&'a str>,
    /// Seconds for which a read of the command line has not returned, because somebody holds the mmap lock of the
    /// process; null where none blocks.
    pub command_blocks_seconds: Option<f32>,
    /// State letter.
    pub state: char,
    /// True for a kernel thread.
    pub kernel_thread: bool,
    /// `oom_score_adj`, -1000 ..= 1000; null if it could not be read.
    pub oom_score_adj: Option<OomScoreAdj>,
    /// `oom_score` as the kernel computes it, 0 ..= 2000; null where `rss` is not known.
    pub oom_score: Option<u32>,
    /// Badness in pages on the host; a low adj makes it negative. Null for a process that is never chosen, and if
    /// `rss` is not known.
    pub badness: Option<i64>,
    /// Badness in per mille of RAM + swap; null with `badness`.
    pub badness_permille: Option<i64>,
    /// Why the kernel never chooses it; null for a candidate.
    pub immune: Option<Immunity>,
    /// Protection level of its adj; null with `oom_score_adj`.
    pub protection: Option<Protection>,
    /// Resident bytes as badness counts them; null for a process without memory of its own, or if unreadable.
    pub rss: Option<u64>,
    /// Private bytes swapped out; null with `rss`.
    pub swap: Option<u64>,
    /// Page tables in bytes; null with `rss`.
    pub page_tables: Option<u64>,
    /// Growth of rss + swap in bytes per second between the two samples; null for a new process.
    pub growth: Option<f32>,
    /// Memory cgroup; null if it could not be read.
    pub cgroup: Option<&'a CgroupPath>,
}

/// Processes by badness, those never chosen last, equals by pid.
pub fn ranked(snapshot: &Snapshot, total: u64) -> Vec<&Process> {
    let mut processes: Vec<_> = snapshot.processes.iter().collect();
    processes.sort_by_key(|p| (std::cmp::Reverse(badness(p, total).points()), p.id));
    processes
}

/// The row of one process.
pub(super) fn process_facts<'a>(
    process: &'a Process,
    context: &CellContext<'a>,
) -> ProcessFacts<'a> {
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
        command_blocks_seconds: process.command_blocks,
        state: process.state.0,
        kernel_thread: process.kernel_thread,
        oom_score_adj: process.adj,
        oom_score: score(process, &context.snapshot.memory, context.rules),
        badness: verdict.points(),
        badness_permille: verdict.permille(context.total),
        immune: match verdict {
            Badness::Immune(why) => Some(why),
            Badness::Points(_) | Badness::Unknown => None,
        },
        protection: process.adj.map(Protection::from_adj),
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
