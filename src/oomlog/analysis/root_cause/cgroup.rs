//! What filled a memory cgroup up to its limit.

use super::kernel::{plain, sorted};
use super::{KernelPart, KernelShare, KernelUse, RootCause, largest};
use crate::oomlog::analysis::holders::resident_kb;
use crate::oomlog::analysis::ledger::shmem::shmem;
use crate::oomlog::analysis::share::{FULL, reaches};
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
        return largest(full, &[(resident, &RootCause::LimitByProcesses)]);
    };
    let shmem = shmem(|key| sum_kb(memcg, &[key]));
    let files = sum(&["file", "cache"]);
    let cache = files
        .zip(shmem)
        .map(|(files, shmem)| files.saturating_sub(shmem));
    let parts = parts(memcg);
    let kernel = kernel_kb(memcg, &parts);
    let by_kernel = |share| {
        RootCause::LimitByKernel(KernelShare {
            share,
            parts: parts.clone(),
            caches: Vec::new(),
        })
    };
    let (known_cache, known_shmem) = (cache.unwrap_or(0), shmem.unwrap_or(0));
    let found = largest(
        full,
        &[
            (kernel, &by_kernel),
            (known_cache, &RootCause::LimitByPageCache),
            (known_shmem, &RootCause::LimitByTmpfs),
            (anon, &RootCause::LimitByProcesses),
        ],
    );
    // A counter that the log has lost may be larger than all that it has.
    let known = [kernel, known_cache, known_shmem, anon];
    let lost = full.saturating_sub(known.into_iter().fold(0, u64::saturating_add));
    found.filter(|_| cache.is_some() || known.into_iter().any(|kb| kb >= lost))
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

/// The parts that `memory.stat` tells apart. On v1 the usage line is all there is.
fn parts(memcg: &MemcgUse) -> Vec<KernelUse> {
    let kb = |keys: &[&str]| sum_kb(memcg, keys).unwrap_or(0);
    let reclaimable_kb = kb(&["slab_reclaimable"]);
    let slab = kb(&["slab"]).max(reclaimable_kb.saturating_add(kb(&["slab_unreclaimable"])));
    let tables = kb(&["pagetables"]).saturating_add(kb(&["sec_pagetables"]));
    sorted(vec![
        KernelUse {
            part: KernelPart::Slab,
            kb: slab,
            reclaimable_kb,
        },
        plain(KernelPart::PageTables, tables),
        plain(KernelPart::Stacks, kb(&["kernel_stack"])),
        plain(KernelPart::Sockets, kb(&["sock"])),
        plain(KernelPart::PerCpu, kb(&["percpu"])),
        plain(KernelPart::Vmalloc, kb(&["vmalloc"])),
        plain(KernelPart::Zswap, kb(&["zswap"])),
    ])
}

/// All kernel memory: one number since 5.18, the sum of its parts before, a usage line on cgroup v1. Socket buffers
/// and the pool of zswap are charged beside that number (mm/memcontrol.c `memory_stats`).
fn kernel_kb(memcg: &MemcgUse, parts: &[KernelUse]) -> u64 {
    let sum = |beside: bool| {
        let is_beside = |part| matches!(part, KernelPart::Sockets | KernelPart::Zswap);
        let some = parts.iter().filter(|u| is_beside(u.part) == beside);
        some.map(|part| part.kb).fold(0, u64::saturating_add)
    };
    let counted = memcg.usage(UsageKind::Kernel).map(|usage| usage.usage_kb);
    let inside = sum_kb(memcg, &["kernel"]).unwrap_or(0).max(sum(false));
    let beside = sum(true);
    inside.saturating_add(beside).max(counted.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::{KernelPart, RootCause};
    use super::cause;
    use crate::oomlog::analysis::share::Share;
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
        let cases: [(&[(&str, u64)], RootCause); 4] = [
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
                &[("rss", 900), ("cache", 9)],
                RootCause::LimitByProcesses(share(900)),
            ),
        ];
        for (stats, expected) in cases {
            assert_eq!(cause(&with(1000, stats)), Some(expected));
        }
    }

    #[test]
    fn kernel_memory_by_its_parts() {
        let of = |stats: &[(&str, u64)]| match cause(&with(1000, stats)) {
            Some(RootCause::LimitByKernel(kernel)) => {
                (kernel.share.held_kb, kernel.main_part().map(|u| u.part))
            }
            other => panic!("{other:?}"),
        };
        let anon = ("anon", 100);
        assert_eq!(of(&[anon, ("file", 0), ("kernel", 700)]), (700, None));
        // Sockets are charged beside `kernel`.
        let sockets = [anon, ("kernel", 20), ("sock", 800)];
        assert_eq!(of(&sockets), (820, Some(KernelPart::Sockets)));
        let slab = [anon, ("slab_reclaimable", 300), ("slab_unreclaimable", 500)];
        assert_eq!(of(&slab), (800, Some(KernelPart::Slab)));
        let tables = [anon, ("kernel", 700), ("pagetables", 600), ("slab", 50)];
        assert_eq!(of(&tables), (700, Some(KernelPart::PageTables)));
    }

    #[test]
    fn a_limit_that_was_not_full_is_no_cause() {
        assert_eq!(cause(&with(500, &[("anon", 450), ("file", 0)])), None);
        assert_eq!(cause(&with(1000, &[("anon", 300), ("file", 300)])), None);
    }
}
