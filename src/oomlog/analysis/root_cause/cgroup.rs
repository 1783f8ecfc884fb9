//! What filled a memory cgroup up to its limit.

use super::{FULL, RootCause, largest, reaches};
use crate::oomlog::analysis::holders::resident_kb;
use crate::oomlog::report::memcg::{MemcgUse, Usage};
use crate::oomlog::{OomReport, UsageKind};

/// The largest kind of memory in it, if it takes most of the limit.
pub(super) fn cause(report: &OomReport) -> Option<RootCause> {
    let memcg = report.memcg.as_ref()?;
    let full = limit_kb(memcg)?;
    let sum = |keys: &[&str]| sum_kb(memcg, keys);
    // `rss` and `cache` are the names of cgroup v1, `anon` and `file` those of v2. Some kernels print v1's for v2
    // or v2's for v1.
    let Some(anon) = sum(&["anon", "rss"]) else {
        // Without statistics, the table can still prove that programs filled the cgroup. If it shows more than
        // the limit, some of the pages are charged to other cgroups.
        let resident = resident_kb(report).filter(|kb| *kb <= full)?;
        return largest(full, &[(resident, RootCause::LimitByProcesses)]);
    };
    let shmem = sum(&["shmem"]).unwrap_or(0);
    let cache = sum(&["file", "cache"]).unwrap_or(0).saturating_sub(shmem);
    largest(
        full,
        &[
            (kernel_kb(memcg), RootCause::LimitByKernel),
            (cache, RootCause::LimitByPageCache),
            (shmem, RootCause::LimitByTmpfs),
            (anon, RootCause::LimitByProcesses),
        ],
    )
}

/// The memory that the limit allows: the limit, or the usage if memory and swap together are at theirs. `None` if
/// neither limit was full: then another limit ran out.
fn limit_kb(memcg: &MemcgUse) -> Option<u64> {
    let memory = memcg.usage(UsageKind::Memory)?;
    let both = memcg.usage(UsageKind::MemorySwap);
    if is_full(memory) {
        return Some(memory.limit_kb);
    }
    both.is_some_and(is_full).then_some(memory.usage_kb)
}

/// At its limit. Usage stays a little below the limit: each CPU holds a batch of charges, and reclaim just freed
/// some.
pub(in crate::oomlog::analysis) fn is_full(usage: &Usage) -> bool {
    !usage.is_unlimited() && reaches(usage.usage_kb, usage.limit_kb, FULL - 8)
}

/// Sum of a statistic over all cgroups listed, by the first key that the log has.
fn sum_kb(memcg: &MemcgUse, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| {
        let values = memcg.stats.iter().filter_map(|stats| stats.get(key));
        values.reduce(u64::saturating_add).map(|bytes| bytes / 1024)
    })
}

/// All kernel memory: one number since 5.18, the sum of its parts before, a usage line on cgroup v1.
fn kernel_kb(memcg: &MemcgUse) -> u64 {
    let parts = || {
        ["slab", "kernel_stack", "pagetables", "percpu", "sock"]
            .iter()
            .filter_map(|key| sum_kb(memcg, &[key]))
            .reduce(u64::saturating_add)
    };
    let counted = memcg.usage(UsageKind::Kernel).map(|usage| usage.usage_kb);
    let summed = sum_kb(memcg, &["kernel"]).or_else(parts);
    counted.unwrap_or(0).max(summed.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::{RootCause, Share};
    use super::cause;
    use crate::oomlog::report::memcg::{MemcgStats, MemcgUse, Usage};
    use crate::oomlog::{OomReport, UsageKind};
    use std::sync::Arc;

    fn with(usage_kb: u64, stats: &[(&str, u64)]) -> OomReport {
        OomReport {
            memcg: Some(Arc::new(MemcgUse {
                usage: vec![Usage {
                    kind: UsageKind::Memory,
                    usage_kb,
                    limit_kb: 1000,
                    failcnt: 1,
                }],
                stats: vec![MemcgStats {
                    path: None,
                    values: stats
                        .iter()
                        .map(|(key, kb)| ((*key).to_owned(), kb * 1024))
                        .collect(),
                }],
                dropped: 0,
            })),
            ..OomReport::default()
        }
    }

    #[test]
    fn each_kind_of_memory() {
        let share = |held_kb| Share {
            held_kb,
            of_kb: 1000,
        };
        let cases: [(&[(&str, u64)], RootCause); 5] = [
            (
                &[("anon", 900), ("file", 50), ("shmem", 0)],
                RootCause::LimitByProcesses(share(900)),
            ),
            (
                &[("anon", 100), ("file", 850), ("shmem", 800)],
                RootCause::LimitByTmpfs(share(800)),
            ),
            (
                &[("anon", 100), ("file", 850), ("shmem", 50)],
                RootCause::LimitByPageCache(share(800)),
            ),
            (
                &[("anon", 100), ("file", 0), ("kernel", 700)],
                RootCause::LimitByKernel(share(700)),
            ),
            (
                &[("rss", 900), ("cache", 9)],
                RootCause::LimitByProcesses(share(900)),
            ),
        ];
        for (stats, expected) in cases {
            assert_eq!(cause(&with(1000, stats)), Some(expected));
        }
    }

    #[test]
    fn a_limit_that_was_not_full_is_no_cause() {
        assert_eq!(cause(&with(500, &[("anon", 450), ("file", 0)])), None);
        assert_eq!(cause(&with(1000, &[("anon", 300), ("file", 300)])), None);
    }
}
