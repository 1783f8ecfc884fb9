//! [`Advice`]: what to do after an OOM, as facts. Words and keys are for whoever shows it.

use super::super::{Kill, OomReport, Outcome, UsageKind};
use super::holders::{NameHolder, by_name};
use super::memcg_version::{MemcgVersion, memcg_version};
use super::root_cause::{RootCause, SwapState, is_full, swap};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "advice", rename_all = "snake_case")]
pub enum Advice {
    /// Nobody could be killed: give one process an adj above -1000, or raise the limit.
    MakeKillable {
        /// The name that held most; `None` without a table of tasks.
        largest: Option<String>,
    },
    /// Delete files in tmpfs, or give it a size.
    FreeTmpfs,
    /// Slow the writers of the cgroup's page cache down, or give it more room.
    SlowWriters {
        /// v2 alone can throttle.
        version: Option<MemcgVersion>,
    },
    /// Find out what costs the cgroup kernel memory.
    FindGroupKernelMemory,
    /// Find the kernel cache that grows, and its driver.
    FindSlab,
    /// Give huge pages back.
    FreeHugePages,
    /// Ask the drivers: no counter has the memory.
    AskDrivers,
    /// Compact memory, or keep more of it free.
    Compact,
    /// Relieve the zones that alone may serve the request.
    RelieveZones,
    /// Allow more memory nodes, or move work to others.
    WidenNodes,
    /// Look for a cgroup's limit that the report does not name.
    FindLimit,
    /// Ask who pressed SysRq-f.
    FindWhoAsked,
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
    /// Look for the report above this kill, in the older part of the log.
    FindReport,
    /// Add swap or zram.
    AddSwap,
}

/// What to do, the root cause first, then protection, then what fixes it for good. `root` is
/// [`super::root_cause::root_cause`] of the same report.
#[must_use]
pub fn advice(report: &OomReport, root: Option<&RootCause>) -> Vec<Advice> {
    let holders = by_name(report).unwrap_or_default();
    let largest = holders.first();
    if report.outcome == Outcome::NobodyKillable {
        let largest = largest.map(|holder| holder.comm.clone());
        return vec![Advice::MakeKillable { largest }];
    }
    let by_programs = matches!(
        root,
        Some(RootCause::HostByProcesses(_) | RootCause::LimitByProcesses(_)) | None
    );
    let on_host = matches!(root, Some(RootCause::HostByProcesses(_)));
    let mut steps: Vec<Advice> = root
        .and_then(|root| fix(root, report))
        .into_iter()
        .collect();
    if report.is_memcg() {
        steps.push(raise(report));
    } else if by_programs {
        steps.extend(largest.map(|holder| Advice::LimitAlone {
            comm: holder.comm.clone(),
            processes: holder.processes,
        }));
    }
    let victim = report.kills.first();
    steps.extend(
        victim
            .filter(|_| by_programs)
            .and_then(|kill| protect(kill, largest?)),
    );
    if !report.has_header && victim.is_some() {
        steps.push(Advice::FindReport);
    }
    if on_host && swap(report) == Some(SwapState::None) {
        steps.push(Advice::AddSwap);
    }
    steps
}

/// The step that goes to the root; `None` where limits and protection are all that helps.
fn fix(root: &RootCause, report: &OomReport) -> Option<Advice> {
    Some(match root {
        RootCause::LimitByTmpfs(_) | RootCause::HostByTmpfs(_) => Advice::FreeTmpfs,
        RootCause::LimitByPageCache(_) => Advice::SlowWriters {
            version: memcg_version(report),
        },
        RootCause::LimitByKernel(_) => Advice::FindGroupKernelMemory,
        RootCause::HostByKernel(_) => Advice::FindSlab,
        RootCause::HostByHugePages(_) => Advice::FreeHugePages,
        RootCause::HostByUncounted(_) => Advice::AskDrivers,
        RootCause::Fragmented { .. } => Advice::Compact,
        RootCause::ZonesExhausted { .. } => Advice::RelieveZones,
        RootCause::NodesExhausted { .. } => Advice::WidenNodes,
        RootCause::NoShortage { .. } => Advice::FindLimit,
        RootCause::ByHand => Advice::FindWhoAsked,
        RootCause::NobodyKillable { .. }
        | RootCause::LimitByProcesses(_)
        | RootCause::HostByProcesses(_) => return None,
    })
}

fn raise(report: &OomReport) -> Advice {
    let version = memcg_version(report);
    let both = report
        .memcg
        .as_ref()
        .and_then(|memcg| memcg.usage(UsageKind::MemorySwap))
        .filter(|both| version == Some(MemcgVersion::V1) && is_full(both));
    Advice::RaiseLimit {
        cgroup: report.oom_memcg.clone(),
        limit_kb: report.limit_kb,
        with_swap_kb: both.map(|both| both.limit_kb),
        version,
    }
}

/// A victim that nobody had offered (adj 0 or less) while another name held more.
fn protect(kill: &Kill, largest: &NameHolder) -> Option<Advice> {
    let offered = kill.adj.is_some_and(|adj| adj > 0);
    (!offered && largest.comm != kill.comm).then(|| Advice::Protect {
        comm: kill.comm.clone(),
        larger: largest.comm.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Advice, advice};
    use crate::oomlog::analysis::memcg_version::MemcgVersion;
    use crate::oomlog::analysis::root_cause::{RootCause, Share};
    use crate::oomlog::report::memcg::{MemcgUse, Usage};
    use crate::oomlog::{Constraint, Kill, OomReport, Outcome, UsageKind};

    #[test]
    fn on_v1_the_limit_with_swap_is_raised_too_where_it_was_full() {
        let of = |both_usage_kb| {
            let usage = |kind, usage_kb, limit_kb| Usage {
                kind,
                usage_kb,
                limit_kb,
                failcnt: 1,
            };
            let report = OomReport {
                has_header: true,
                constraint: Some(Constraint::Memcg),
                oom_memcg: Some("/web".to_owned()),
                limit_kb: Some(1000),
                memcg: Some(Arc::new(MemcgUse {
                    usage: vec![
                        usage(UsageKind::Memory, 1000, 1000),
                        usage(UsageKind::MemorySwap, both_usage_kb, 1500),
                    ],
                    ..MemcgUse::default()
                })),
                ..OomReport::default()
            };
            advice(&report, None)
        };
        let raise = |with_swap_kb| {
            vec![Advice::RaiseLimit {
                cgroup: Some("/web".to_owned()),
                limit_kb: Some(1000),
                with_swap_kb,
                version: Some(MemcgVersion::V1),
            }]
        };
        assert_eq!(of(1000), raise(None));
        assert_eq!(of(1500), raise(Some(1500)));
    }

    #[test]
    fn each_cause_is_fixed_at_its_root() {
        let share = Share {
            held_kb: 9,
            of_kb: 10,
        };
        let first = |root: RootCause| {
            advice(&OomReport::default(), Some(&root))
                .into_iter()
                .next()
        };
        assert_eq!(
            first(RootCause::HostByTmpfs(share)),
            Some(Advice::FreeTmpfs)
        );
        assert_eq!(
            first(RootCause::HostByKernel(share)),
            Some(Advice::FindSlab)
        );
        assert_eq!(first(RootCause::ByHand), Some(Advice::FindWhoAsked));
        assert_eq!(first(RootCause::HostByProcesses(share)), None, "no table");
    }

    #[test]
    fn a_line_alone_and_a_host_that_may_kill_nobody() {
        let alone = OomReport {
            kills: vec![Kill::default()],
            ..OomReport::default()
        };
        assert_eq!(advice(&alone, None), [Advice::FindReport]);
        let nobody = OomReport {
            outcome: Outcome::NobodyKillable,
            ..OomReport::default()
        };
        let made = Advice::MakeKillable { largest: None };
        assert_eq!(advice(&nobody, Some(&RootCause::ByHand)), [made]);
    }
}
