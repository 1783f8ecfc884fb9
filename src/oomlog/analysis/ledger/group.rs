//! The ledger of a memory cgroup, from its `memory.stat` or from the same lines in a report.

use super::shmem::shmem;
use super::{Kind, Ledger};

/// What a cgroup's files say, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupCounts {
    /// `memory.current`, or `memory.usage_in_bytes` on v1.
    pub usage: u64,
    /// v1 `memory.kmem.usage_in_bytes`: all kernel memory; v2 has `kernel` in `memory.stat` (5.18 and later).
    pub kmem: Option<u64>,
}

/// The parts of kernel memory that `memory.stat` tells apart; all are inside `kernel` (mm/memcontrol.c: all are
/// charged as `MEMCG_KMEM`). Sockets are beside it.
const INSIDE: &[(Kind, &[&str])] = &[
    (Kind::SlabReclaimable, &["slab_reclaimable"]),
    (Kind::SlabUnreclaimable, &["slab_unreclaimable"]),
    (Kind::PageTables, &["pagetables", "sec_pagetables"]),
    (Kind::Stacks, &["kernel_stack"]),
    (Kind::PerCpu, &["percpu"]),
    (Kind::Vmalloc, &["vmalloc"]),
    (Kind::Compressed, &["zswap"]),
];

impl GroupCounts {
    /// The ledger. `get` gives a value of `memory.stat` in bytes, of the whole subtree; the names of v2 and v1 differ.
    #[must_use]
    pub fn ledger(&self, get: impl Fn(&str) -> Option<u64>) -> Ledger {
        let anon = get("anon").or_else(|| get("rss"));
        let all_cache = get("file").or_else(|| get("cache"));
        let lists = |names: [&str; 2]| {
            let [a, b] = names.map(&get);
            Some(a?.saturating_add(b?))
        };
        let anon_lists = lists(["active_anon", "inactive_anon"]);
        let shmem = shmem(&get);
        // `file` is NR_FILE_PAGES: the swap cache is in it (mm/swap_state.c `add_to_swap_cache`).
        let swap_cache = get("swapcached").unwrap_or(0);
        // Without the count of shared memory, which is in it too, that of the rest is not known.
        let cache = all_cache
            .zip(shmem)
            .map(|(all, shmem)| all.saturating_sub(shmem).saturating_sub(swap_cache));
        let file_lists = lists(["active_file", "inactive_file"]);
        let unevictable = get("unevictable").unwrap_or(0);
        // memory.stat has no count of locked pages. What is unevictable is page cache as far as the lists of files lack
        // it, and otherwise memory of programs.
        let off_lists = match (cache, file_lists) {
            (Some(cache), Some(lists)) => cache.saturating_sub(lists).min(unevictable),
            _ => 0,
        };
        let swap_unmapped = match (anon, shmem, anon_lists) {
            (Some(anon), Some(shmem), Some(lists)) => lists
                .saturating_add(unevictable - off_lists)
                .saturating_sub(anon.saturating_add(shmem))
                .min(swap_cache),
            _ => 0,
        };
        let locked_anon = (unevictable - off_lists).min(anon.unwrap_or(0));
        let locked = locked_anon.saturating_add(off_lists);
        let mut kinds = vec![
            (Kind::Private, anon.map(|anon| anon - locked_anon)),
            (Kind::Locked, get("unevictable").map(|_| locked)),
            (Kind::Shmem, shmem),
            (Kind::PageCache, cache.map(|cache| cache - off_lists)),
            (Kind::SwapCache, Some(swap_unmapped)),
            (Kind::Sockets, get("sock")),
        ];
        let mut inside = 0_u64;
        for (kind, keys) in INSIDE {
            let values = keys.iter().filter_map(|key| get(key));
            let bytes = values.reduce(u64::saturating_add);
            inside = inside.saturating_add(bytes.unwrap_or(0));
            kinds.push((*kind, bytes));
        }
        let kernel = get("kernel").or(self.kmem);
        let other = kernel.map(|all| all.saturating_sub(inside));
        kinds.push((Kind::OtherKernel, other));
        Ledger::new(self.usage, kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::GroupCounts;
    use crate::oomlog::analysis::ledger::{Kind, Ledger};

    fn ledger(usage: u64, kmem: Option<u64>, stat: &[(&str, u64)]) -> Ledger {
        GroupCounts { usage, kmem }.ledger(|key| {
            let pair = stat.iter().find(|(name, _)| *name == key)?;
            Some(pair.1)
        })
    }

    #[test]
    fn v2_with_each_part_once() {
        let stat = [
            ("anon", 300),
            ("file", 400),
            ("kernel", 200),
            ("kernel_stack", 20),
            ("pagetables", 10),
            ("sock", 50),
            ("shmem", 250),
            ("swapcached", 30),
            ("slab_reclaimable", 40),
            ("slab_unreclaimable", 60),
            ("active_anon", 500),
            ("inactive_anon", 0),
            ("active_file", 60),
            ("inactive_file", 50),
            ("unevictable", 70),
        ];
        let ledger = ledger(1000, None, &stat);
        // 120 of cache, 110 on its lists: 10 of the unevictable are cache, 60 are of programs.
        assert_eq!(ledger.get(Kind::Locked), 70);
        assert_eq!(ledger.get(Kind::Private), 240);
        assert_eq!(ledger.get(Kind::PageCache), 110);
        // The lists have 560 without that cache, anon and shmem 550: 10 of the swap cache are mapped by nobody.
        assert_eq!(ledger.get(Kind::SwapCache), 10);
        assert_eq!(ledger.get(Kind::OtherKernel), 70);
        let sum = 70 + 240 + 250 + 110 + 10 + 50 + 200;
        assert_eq!((ledger.counted(), ledger.uncounted()), (sum, 1000 - sum));
    }

    #[test]
    fn v1_by_its_own_names() {
        let stat = [("rss", 300), ("cache", 400), ("shmem", 100)];
        let ledger = ledger(900, Some(150), &stat);
        let sizes = [Kind::Private, Kind::PageCache, Kind::OtherKernel].map(|k| ledger.get(k));
        assert_eq!(sizes, [300, 300, 150]);
        assert_eq!(ledger.uncounted(), 50);
        assert!(ledger.untold.contains(&Kind::Sockets));
    }

    #[test]
    fn nothing_told_is_all_uncounted() {
        let ledger = ledger(900, None, &[]);
        assert_eq!((ledger.counted(), ledger.uncounted()), (0, 900));
        let odd = super::GroupCounts {
            usage: 1,
            kmem: None,
        };
        let odd = odd.ledger(|_| Some(u64::MAX));
        assert!(odd.excess() > 0);
    }
}
