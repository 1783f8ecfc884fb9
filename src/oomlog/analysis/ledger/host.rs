//! The ledger of a host, from `/proc/meminfo` or from the Mem-Info of a report.

use super::{Kind, Ledger};

/// Counters of a host in bytes; `None` where the source does not print one.
///
/// Sources: fs/proc/meminfo.c `meminfo_proc_show`, mm/show_mem.c `show_free_areas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostCounts {
    /// RAM without what the kernel reserves at boot.
    pub total: u64,
    /// Free pages of the zones.
    pub free: u64,
    /// Free pages on the lists of the CPUs (`pcp`): neither free nor used by anybody.
    pub free_per_cpu: Option<u64>,
    /// Both lists of anonymous pages, shared memory and the swap cache included, locked pages not.
    pub anon_lists: Option<u64>,
    /// Both lists of file pages.
    pub file_lists: Option<u64>,
    /// The list of pages that cannot be reclaimed.
    pub unevictable: Option<u64>,
    /// Pages of locked mappings.
    pub mlocked: Option<u64>,
    /// Mapped anonymous pages, locked ones included (`AnonPages`); a report has only the lists.
    pub anon: Option<u64>,
    /// Page cache without shared memory and swap cache.
    pub cache: Option<u64>,
    /// Shared memory and tmpfs.
    pub shmem: Option<u64>,
    /// Swap cache, mapped or not.
    pub swap_cache: Option<u64>,
    /// Slab that shrinks.
    pub slab_reclaimable: Option<u64>,
    /// Slab that does not.
    pub slab_unreclaimable: Option<u64>,
    /// `KReclaimable` without the slab (4.20 and later).
    pub kernel_reclaimable: Option<u64>,
    /// Page tables of all kinds.
    pub page_tables: Option<u64>,
    /// Kernel stacks.
    pub stacks: Option<u64>,
    /// Pages of TCP buffers (`mem` of /proc/net/sockstat); their heads are slab objects, as all of UDP's are.
    pub sockets: Option<u64>,
    /// Per-CPU data (4.20 and later).
    pub per_cpu: Option<u64>,
    /// Pages of vmalloc (5.3 and later; 0 before). Where stacks are virtually mapped they are in it
    /// (kernel/fork.c `alloc_thread_stack_node`).
    pub vmalloc: Option<u64>,
    /// All pools of huge pages.
    pub huge_pages: Option<u64>,
    /// What zram and zswap take.
    pub compressed: Option<u64>,
    /// Exported device buffers; some are shared memory as well, so they count only up to what is left.
    pub dma_buf: Option<u64>,
}

/// Pages in flight to the lists (per-CPU batches) look as if they were on none: below this share of the cache, in
/// percent, they are not called pinned.
const IN_FLIGHT: u64 = 5;

impl HostCounts {
    /// All memory in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.total
            .saturating_sub(self.free)
            .saturating_sub(self.free_per_cpu.unwrap_or(0))
    }

    /// The ledger; each page in one entry.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let or_0 = |value: Option<u64>| value.unwrap_or(0);
        let unevictable = or_0(self.unevictable);
        // A report has the lists alone: shared memory is on those of anonymous pages, locked memory on the other one.
        // With one of the three counters lost, what programs hold is not known.
        let anon = self.anon.or_else(|| {
            let listed = self.anon_lists?.saturating_add(self.unevictable?);
            Some(listed.saturating_sub(self.shmem?))
        });
        let cache = self.cache.or(self.file_lists);
        // Page cache on neither list of files is on that of unevictable pages: locked by a program, or ramfs.
        let off_lists = self.file_lists.map_or(0, |lists| {
            or_0(cache).saturating_sub(lists).min(unevictable)
        });
        let mlocked = or_0(self.mlocked);
        let locked_cache = mlocked.min(off_lists);
        let rest = off_lists - locked_cache;
        let pinned = if rest.saturating_mul(100) < or_0(cache).saturating_mul(IN_FLIGHT) {
            0
        } else {
            rest
        };
        let locked_anon = (mlocked - locked_cache).min(or_0(anon));
        let stacks = or_0(self.stacks);
        let vmalloc = self
            .vmalloc
            .map(|all| if all >= stacks { all - stacks } else { all });
        let mut kinds = vec![
            (Kind::Private, anon.map(|anon| anon - locked_anon)),
            (
                Kind::Locked,
                self.mlocked
                    .map(|_| locked_anon.saturating_add(locked_cache)),
            ),
            (Kind::Shmem, self.shmem),
            (
                Kind::PageCache,
                cache.map(|cache| cache - locked_cache - pinned),
            ),
            (Kind::Pinned, Some(pinned)),
            (Kind::SwapCache, Some(self.unmapped_swap_cache())),
            (Kind::SlabReclaimable, self.slab_reclaimable),
            (Kind::SlabUnreclaimable, self.slab_unreclaimable),
            (Kind::KernelReclaimable, self.kernel_reclaimable),
            (Kind::PageTables, self.page_tables),
            (Kind::Stacks, self.stacks),
            (Kind::PerCpu, self.per_cpu),
            (Kind::Vmalloc, vmalloc),
            (Kind::HugePages, self.huge_pages),
            (Kind::Compressed, self.compressed),
        ];
        let counted = kinds.iter().filter_map(|(_, bytes)| *bytes);
        let counted = counted.fold(0, u64::saturating_add);
        let mut left = self.used().saturating_sub(counted);
        // Part of both is in other counters too: they count only up to what is left.
        for (kind, bytes) in [(Kind::Sockets, self.sockets), (Kind::DmaBuf, self.dma_buf)] {
            let bytes = bytes.map(|bytes| bytes.min(left));
            left -= bytes.unwrap_or(0);
            kinds.push((kind, bytes));
        }
        Ledger::new(self.used(), kinds)
    }

    /// The swap cache that `AnonPages` does not count: pages on the lists that are neither mapped anonymous memory, nor
    /// page cache, nor shared memory.
    fn unmapped_swap_cache(&self) -> u64 {
        let listed = [self.anon_lists, self.file_lists, self.unevictable];
        let known = [self.anon, self.cache, self.shmem];
        let sum = |parts: [Option<u64>; 3]| {
            let parts: Option<Vec<u64>> = parts.into_iter().collect();
            parts.map(|parts| parts.into_iter().fold(0, u64::saturating_add))
        };
        match (sum(listed), sum(known), self.swap_cache) {
            (Some(listed), Some(known), Some(cache)) => listed.saturating_sub(known).min(cache),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostCounts;
    use crate::oomlog::analysis::ledger::Kind;

    fn counts() -> HostCounts {
        HostCounts {
            total: 1000,
            free: 90,
            free_per_cpu: Some(10),
            anon_lists: Some(300),
            file_lists: Some(100),
            unevictable: Some(60),
            mlocked: Some(50),
            anon: Some(200),
            cache: Some(120),
            shmem: Some(140),
            swap_cache: Some(0),
            slab_unreclaimable: Some(70),
            stacks: Some(30),
            vmalloc: Some(45),
            dma_buf: Some(5000),
            ..HostCounts::default()
        }
    }

    #[test]
    fn each_page_is_in_one_entry() {
        let ledger = counts().ledger();
        assert_eq!(ledger.used, 900);
        // 20 of the page cache are locked, so 30 of the anonymous memory are.
        assert_eq!(ledger.get(Kind::Locked), 50);
        assert_eq!(ledger.get(Kind::Private), 170);
        assert_eq!(ledger.get(Kind::PageCache), 100);
        assert_eq!(ledger.get(Kind::Vmalloc), 15, "the stacks are in it");
        // Device buffers may be shared memory as well: never more than what is left.
        let others = 50 + 170 + 100 + 140 + 70 + 30 + 15;
        assert_eq!(ledger.get(Kind::DmaBuf), 900 - others);
        assert_eq!((ledger.uncounted(), ledger.excess()), (0, 0));
    }

    #[test]
    fn ramfs_is_pinned_and_pages_in_flight_are_not() {
        let of = |cache, mlocked| {
            let counts = HostCounts {
                cache: Some(cache),
                mlocked: Some(mlocked),
                ..counts()
            };
            let ledger = counts.ledger();
            [Kind::Pinned, Kind::Locked, Kind::PageCache].map(|kind| ledger.get(kind))
        };
        assert_eq!(of(150, 0), [50, 0, 100]);
        assert_eq!(of(102, 0), [0, 0, 102]);
        assert_eq!(of(150, 20), [30, 20, 100]);
    }

    #[test]
    fn only_the_swap_cache_that_nobody_maps_has_an_entry() {
        let with = |anon_lists| {
            let counts = HostCounts {
                anon_lists: Some(anon_lists),
                swap_cache: Some(40),
                ..counts()
            };
            counts.ledger().get(Kind::SwapCache)
        };
        // The lists hold 300 + 100 + 60, the mapped kinds 200 + 120 + 140.
        assert_eq!(with(300), 0);
        assert_eq!(with(325), 25);
        assert_eq!(with(900), 40);
    }

    #[test]
    fn a_report_has_the_lists_alone() {
        let counts = HostCounts {
            anon: None,
            cache: None,
            ..counts()
        };
        let ledger = counts.ledger();
        assert_eq!(ledger.get(Kind::Private) + ledger.get(Kind::Locked), 220);
        assert_eq!(ledger.get(Kind::PageCache), 100);
        assert_eq!(HostCounts::default().ledger().entries, []);
    }
}
