//! [`Advice`]: what to do after an OOM, as facts. Words and keys are for whoever shows it.

use super::super::{Kill, OomReport, Outcome, UsageKind};
use super::evidence::{Table, some_may_be_killed, whole_kb};
use super::holders::{NameHolder, by_name};
use super::memcg_version::MemcgVersion;
use super::root_cause::{KernelPart, KernelShare, RootCause, is_full};
use super::share::reaches;
use super::swap::SwapState;
use super::verdict::{RanOut, Verdict};

/// A process that held less than this share of the whole, in percent, is not worth a limit of its own, and did not
/// crowd the victim out.
const WORTH_A_LIMIT: u64 = 10;

/// A victim smaller than this was unlucky and is not worth protection, in kB.
const WORTH_PROTECTION: u64 = 1024;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "advice", rename_all = "snake_case")]
pub enum Advice {
    /// Nobody could be killed: give one process an adj above -1000, or raise the limit.
    MakeKillable {
        /// The name that held most; `None` without a table of tasks.
        largest: Option<String>,
        /// It was a cgroup's limit, which can be raised.
        in_cgroup: bool,
    },
    /// Delete files in tmpfs, or give it a size.
    FreeTmpfs,
    /// Slow the writers of the cgroup's page cache down, or give it more room.
    SlowWriters {
        /// v2 alone can throttle.
        version: Option<MemcgVersion>,
    },
    /// Find out what costs kernel memory.
    FindKernelMemory {
        /// What it mostly is, if the report tells.
        part: Option<KernelPart>,
        /// The caches that the log lists, the largest first.
        caches: Vec<String>,
        /// It is a cgroup's.
        in_cgroup: bool,
        /// Whose files show it.
        version: Option<MemcgVersion>,
    },
    /// Give huge pages back.
    FreeHugePages,
    /// Ask the drivers: no counter has the memory.
    AskDrivers,
    /// Compact memory, or keep more of it free.
    Compact,
    /// Relieve the zones that alone may serve the request.
    RelieveZones {
        /// The zones with room are high memory; otherwise movable-only memory.
        high_memory: bool,
    },
    /// Allow more memory nodes, or move work to others.
    WidenNodes,
    /// Look for a cgroup's limit that the report does not name.
    FindLimit {
        /// The asker's cgroup, if the log has it.
        cgroup: Option<String>,
    },
    /// Ask who pressed SysRq-f.
    FindWhoAsked,
    /// Look at the BPF program that asked for the kill.
    FindBpfProgram,
    /// Raise the limit that ran out.
    RaiseLimit {
        /// Path of the cgroup; `None` if the log has lost it.
        cgroup: Option<String>,
        /// The limit of memory now, in kB, as printed.
        limit_kb: Option<u64>,
        /// v1: the limit of memory and swap together, in kB, if that was full too: it must be raised first.
        with_swap_kb: Option<u64>,
        /// Whose files set it; `None` if the report does not tell.
        version: Option<MemcgVersion>,
    },
    /// Give the processes of this name a memory limit of their own, so that nobody else dies for them.
    LimitAlone {
        /// The name that held most.
        comm: String,
        /// How many processes have it.
        processes: u64,
    },
    /// Protect the victim with a lower adj.
    Protect {
        /// Its name.
        comm: String,
        /// The name that held more.
        larger: String,
    },
    /// Turn `vm.oom_kill_allocating_task` off: with it no adj but -1000 protects.
    RankAgain,
    /// Look for the report above this kill, in the older part of the log.
    FindReport,
    /// Add swap or zram.
    AddSwap,
}

/// What to do, the root cause first, then protection, then what fixes it for good. `verdict` is that of the same
/// report.
#[must_use]
pub fn advice(report: &OomReport, verdict: &Verdict) -> Vec<Advice> {
    let holders = by_name(report).unwrap_or_default();
    let largest = holders.first().filter(|_| verdict.table == Table::Whole);
    let none_killed = report.outcome == Outcome::NobodyKillable || report.nobody_killable;
    if none_killed && !some_may_be_killed(report) {
        let largest = largest.map(|holder| holder.comm.clone());
        let in_cgroup = report.is_memcg();
        let make = Advice::MakeKillable { largest, in_cgroup };
        // Where something else than programs filled the memory, that comes first; and with nobody left in the table,
        // no adj helps.
        if !verdict.is_by_others() {
            return vec![make];
        }
        let listed = verdict.table != Table::Missing;
        return fix(verdict)
            .into_iter()
            .chain(listed.then_some(make))
            .collect();
    }
    let mut steps: Vec<Advice> = fix(verdict).into_iter().collect();
    if allocating_task_dies(report) {
        steps.push(Advice::RankAgain);
    }
    match verdict.ran_out {
        RanOut::Limit { .. } => steps.push(raise(report, verdict)),
        _ if verdict.is_by_processes() => {
            let holder = largest.filter(|holder| crowds(holder, report));
            steps.extend(holder.map(|holder| Advice::LimitAlone {
                comm: holder.comm.clone(),
                processes: holder.processes,
            }));
        }
        _ => {}
    }
    let victim = report.kills.first();
    let by_programs = verdict.is_by_processes() && !allocating_task_dies(report);
    steps.extend(
        victim
            .filter(|_| by_programs)
            .and_then(|kill| protect(kill, largest?, report)),
    );
    if !report.has_header && victim.is_some() {
        steps.push(Advice::FindReport);
    }
    let on_host = matches!(verdict.cause, Some(RootCause::HostByProcesses(_)));
    if on_host && verdict.swap == Some(SwapState::None) {
        steps.push(Advice::AddSwap);
    }
    steps
}

/// True if whoever asked was killed, whatever its badness (mm/oom_kill.c `out_of_memory`).
#[must_use]
pub fn allocating_task_dies(report: &OomReport) -> bool {
    let message = report.message.as_deref();
    message.is_some_and(|text| text.contains("oom_kill_allocating_task"))
}

/// The step that goes to the root; `None` where limits and protection are all that helps.
fn fix(verdict: &Verdict) -> Option<Advice> {
    let kernel = |kernel: &KernelShare, in_cgroup| Advice::FindKernelMemory {
        part: kernel.main_part().map(|main| main.part),
        caches: kernel.caches.iter().map(|(name, _)| name.clone()).collect(),
        in_cgroup,
        version: verdict.version,
    };
    Some(match verdict.cause.as_ref()? {
        RootCause::LimitByTmpfs(_) | RootCause::HostByTmpfs(_) => Advice::FreeTmpfs,
        RootCause::LimitByPageCache(_) => Advice::SlowWriters {
            version: verdict.version,
        },
        RootCause::LimitByKernel(share) => kernel(share, true),
        RootCause::HostByKernel(share) => kernel(share, false),
        RootCause::HostByHugePages(_) => Advice::FreeHugePages,
        RootCause::HostByUncounted(_) => Advice::AskDrivers,
        RootCause::Fragmented { .. } => Advice::Compact,
        RootCause::ZonesExhausted { high_memory, .. } => Advice::RelieveZones {
            high_memory: *high_memory,
        },
        RootCause::NodesExhausted { .. } => Advice::WidenNodes,
        RootCause::NoShortage {
            page_fault: true,
            cgroup,
            ..
        } => Advice::FindLimit {
            cgroup: cgroup.clone(),
        },
        RootCause::ByHand => Advice::FindWhoAsked,
        RootCause::ByBpf => Advice::FindBpfProgram,
        RootCause::NoShortage { .. }
        | RootCause::NobodyKillable { .. }
        | RootCause::LimitByProcesses(_)
        | RootCause::HostByProcesses(_) => return None,
    })
}

fn raise(report: &OomReport, verdict: &Verdict) -> Advice {
    let both = report
        .memcg
        .as_ref()
        .and_then(|memcg| memcg.usage(UsageKind::MemorySwap))
        .filter(|both| verdict.version == Some(MemcgVersion::V1) && is_full(both));
    Advice::RaiseLimit {
        cgroup: report.oom_memcg.clone(),
        limit_kb: report.limit_kb,
        with_swap_kb: both.map(|both| both.limit_kb),
        version: verdict.version,
    }
}

/// Held enough of the whole that a limit of its own would have helped.
fn crowds(holder: &NameHolder, report: &OomReport) -> bool {
    let held = holder.rss_kb.saturating_add(holder.swap_kb.unwrap_or(0));
    whole_kb(report).is_some_and(|whole| reaches(held, whole, WORTH_A_LIMIT))
}

/// A victim of some size that nobody had offered (adj 0 or less) while another name held much more.
fn protect(kill: &Kill, largest: &NameHolder, report: &OomReport) -> Option<Advice> {
    let offered = kill.adj.is_some_and(|adj| adj > 0);
    let small = kill.anon_rss_kb.is_none_or(|kb| kb < WORTH_PROTECTION);
    let unlucky = largest.comm != kill.comm && crowds(largest, report);
    (!offered && !small && unlucky).then(|| Advice::Protect {
        comm: kill.comm.clone(),
        larger: largest.comm.clone(),
    })
}

#[cfg(test)]
mod tests;
