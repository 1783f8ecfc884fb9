//! [`Verdict`]: what a report comes down to. Headline, cause and advice follow from it, so that they cannot contradict
//! each other.

use super::evidence::{Table, table};
use super::ledger::{self, Ledger, Prospect};
use super::memcg_version::{MemcgVersion, memcg_version};
use super::purpose::{Purpose, purpose};
use super::root_cause::{RootCause, is_full, is_request_known, root_cause};
use super::swap::{SwapState, swap};
use crate::oomlog::{Constraint, OomReport, UsageKind};

/// What ran out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "ran_out", rename_all = "snake_case")]
pub enum RanOut {
    /// Nothing need have: a person or a program asked for a kill.
    ByRequest,
    /// A memory cgroup reached its limit.
    Limit {
        /// Its path; `None` if the log has lost it.
        cgroup: Option<String>,
        /// The limit in kB.
        limit_kb: Option<u64>,
        /// Usage in kB.
        usage_kb: Option<u64>,
        /// v1: it was the limit of memory and swap together that was reached: that limit in kB.
        with_swap_kb: Option<u64>,
    },
    /// Not the host's memory: a limit that the report does not show.
    HiddenLimit {
        /// The asker's cgroup by the name of its cpuset, if the log has it.
        cgroup: Option<String>,
    },
    /// The host's memory.
    Host {
        /// Its swap.
        swap: Option<SwapState>,
    },
    /// Not memory, but blocks of the size of the request.
    Blocks,
    /// The zones that could serve the request, while others had room.
    Zones,
    /// The memory nodes of a cpuset.
    CpusetNodes,
    /// The memory nodes of a memory policy.
    PolicyNodes,
    /// The memory nodes that the request could use; the report does not say why only those.
    Nodes,
    /// The numbers of the report do not show that anything had.
    NothingShown,
    /// A constraint that this version does not know.
    Other,
    /// The log does not tell.
    Unknown,
}

/// What a report comes down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What ran out.
    pub ran_out: RanOut,
    /// What had used it up; `None` if the report cannot tell.
    pub cause: Option<RootCause>,
    /// What the memory was for that could not be had; `None` if the report cannot tell.
    pub purpose: Option<Purpose>,
    /// Swap at that moment; `None` if the report cannot tell.
    pub swap: Option<SwapState>,
    /// Whose files set the limits; `None` if the report does not tell.
    pub version: Option<MemcgVersion>,
    /// How far the table of tasks can be trusted.
    pub table: Table,
    /// Where the memory was; `None` if the log does not tell.
    pub ledger: Option<Ledger>,
    /// What kills could free at most; `None` without the numbers or the table of tasks.
    pub prospect: Option<Prospect>,
}

impl Verdict {
    /// Judges a report.
    #[must_use]
    pub fn new(report: &OomReport) -> Self {
        let cause = root_cause(report);
        let swap = swap(report);
        Self {
            ran_out: ran_out(report, cause.as_ref(), swap),
            cause,
            purpose: purpose(report),
            swap,
            version: memcg_version(report),
            table: table(report),
            ledger: ledger::report::ledger(report),
            prospect: ledger::report::prospect(report),
        }
    }

    /// True if programs filled what ran out with their own memory.
    #[must_use]
    pub fn is_by_processes(&self) -> bool {
        matches!(
            self.cause,
            Some(RootCause::HostByProcesses(_) | RootCause::LimitByProcesses(_))
        )
    }

    /// True if something else than the memory of programs filled what ran out, by the numbers.
    #[must_use]
    pub fn is_by_others(&self) -> bool {
        match self.cause {
            Some(
                RootCause::LimitByTmpfs(_)
                | RootCause::LimitByPageCache(_)
                | RootCause::LimitByKernel(_)
                | RootCause::HostByTmpfs(_)
                | RootCause::HostByKernel(_)
                | RootCause::HostByHugePages(_)
                | RootCause::HostByUncounted(_),
            ) => true,
            Some(
                RootCause::ByHand
                | RootCause::ByBpf
                | RootCause::NoShortage { .. }
                | RootCause::NobodyKillable { .. }
                | RootCause::LimitByProcesses(_)
                | RootCause::HostByProcesses(_)
                | RootCause::Fragmented { .. }
                | RootCause::ZonesExhausted { .. }
                | RootCause::NodesExhausted { .. },
            )
            | None => false,
        }
    }
}

/// What ran out alone, for rows: the same answer as that of a [`Verdict`].
#[must_use]
pub fn what_ran_out(report: &OomReport) -> RanOut {
    ran_out(report, root_cause(report).as_ref(), swap(report))
}

/// What ran out: by the cause where there is one, otherwise by what the kernel calls the constraint.
fn ran_out(report: &OomReport, cause: Option<&RootCause>, swap: Option<SwapState>) -> RanOut {
    match cause {
        Some(RootCause::ByHand | RootCause::ByBpf) => return RanOut::ByRequest,
        Some(RootCause::NoShortage {
            page_fault: true,
            cgroup,
            ..
        }) => {
            return RanOut::HiddenLimit {
                cgroup: cgroup.clone(),
            };
        }
        // Somebody may have asked for a kill: the line that tells is lost.
        Some(RootCause::NoShortage { .. }) if !is_request_known(report) => return RanOut::Unknown,
        Some(RootCause::NoShortage { .. }) => return RanOut::NothingShown,
        Some(RootCause::Fragmented { .. }) => return RanOut::Blocks,
        Some(RootCause::ZonesExhausted { .. }) => return RanOut::Zones,
        Some(RootCause::NodesExhausted { .. }) if report.constraint != Some(Constraint::None) => {
            return match report.constraint {
                Some(Constraint::Cpuset) => RanOut::CpusetNodes,
                Some(Constraint::MemoryPolicy) => RanOut::PolicyNodes,
                _ => RanOut::Nodes,
            };
        }
        Some(RootCause::NodesExhausted { .. }) => return RanOut::Nodes,
        _ => {}
    }
    match report.constraint {
        Some(Constraint::Memcg) => limit(report),
        Some(Constraint::Cpuset) => RanOut::CpusetNodes,
        Some(Constraint::MemoryPolicy) => RanOut::PolicyNodes,
        Some(Constraint::Other) => RanOut::Other,
        Some(Constraint::None) => RanOut::Host { swap },
        // Kernels before 5.0 do not say it; with Mem-Info in the report it was no cgroup. Where the log has lost the zones,
        // it may have been some nodes of a cpuset.
        None if report.oom_memcg.is_none() && has_zones(report) => RanOut::Host { swap },
        None => RanOut::Unknown,
    }
}

/// The log has the state of the zones. A shed report has none any more, but it keeps its constraint.
fn has_zones(report: &OomReport) -> bool {
    let memory = report.memory.as_ref();
    memory.is_some_and(|memory| !memory.zones.is_empty())
}

/// Which of a cgroup's limits: that of memory, unless only the one with swap was full.
fn limit(report: &OomReport) -> RanOut {
    let memcg = report.memcg.as_ref();
    let usage = |kind| memcg.and_then(|memcg| memcg.usage(kind));
    let memory_full = usage(UsageKind::Memory).is_none_or(is_full);
    let both = usage(UsageKind::MemorySwap).filter(|both| !memory_full && is_full(both));
    RanOut::Limit {
        cgroup: report.oom_memcg.clone(),
        limit_kb: report.limit_kb,
        usage_kb: report.usage_kb,
        with_swap_kb: both.map(|both| both.limit_kb),
    }
}

#[cfg(test)]
mod tests {
    use super::{RanOut, Verdict};
    use crate::oomlog::on_paper::report;

    #[test]
    fn a_failed_page_fault_on_a_host_with_memory_is_a_cgroups() {
        let lines = |cpuset: &str| {
            let verdict = format!(
                "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset={cpuset},mems_allowed=0,global_oom,task_memcg=/a,task=a,pid=7,uid=0"
            );
            let report = report([
                "a invoked oom-killer: gfp_mask=0x0(), order=0, oom_score_adj=0",
                "CPU: 1 PID: 7 Comm: a Not tainted 5.4.0",
                "Call Trace:",
                " pagefault_out_of_memory+0x6a/0x7d",
                "Mem-Info:",
                " free:30149832 free_pcp:4723 free_cma:0",
                "33554298 pages RAM",
                "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
                "[      7]     0     7    20480    15104   176128        0             0 a",
                verdict.as_str(),
                "Out of memory: Killed process 7 (a) total-vm:81920kB, anon-rss:60416kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:172kB oom_score_adj:0",
            ]);
            Verdict::new(&report).ran_out
        };
        let named = Some("box".to_owned());
        assert_eq!(lines("box"), RanOut::HiddenLimit { cgroup: named });
        assert_eq!(lines("/"), RanOut::HiddenLimit { cgroup: None });
    }

    #[test]
    fn a_request_by_hand_is_no_shortage() {
        let report = report([
            "kworker/0:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0",
            "Mem-Info:",
            "1000 pages RAM",
        ]);
        assert_eq!(Verdict::new(&report).ran_out, RanOut::ByRequest);
    }
}
