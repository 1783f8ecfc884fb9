//! The parts of a group's memory out of `memory.stat`: what no reclaim gets back, and what it does.

use crate::linux::kernel_file::{MOST_BYTES, keyed};
use crate::model::memory::Memory;
use crate::model::run::course::Held;

/// Kernel memory on v2 before 5.18, which has no line for the sum.
const KERNEL_PARTS: [&str; 5] = ["kernel_stack", "pagetables", "percpu", "sock", "slab"];

/// What one text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// No reclaim gets it back.
    pub(super) held: Held,
    /// Page cache on the lists of files, and kernel caches that shrink.
    pub(super) cache: u64,
}

/// The parts on v2. `None` where the text has no `anon` line.
pub(super) fn v2(stat: &[u8]) -> Option<Parts> {
    let bytes = |key| keyed(stat, key).map(|bytes| bytes.min(MOST_BYTES));
    let whole = bytes("kernel").unwrap_or_else(|| {
        let parts = KERNEL_PARTS.iter().filter_map(|key| bytes(key));
        parts.sum()
    });
    let shrinks = bytes("slab_reclaimable").unwrap_or(0).min(whole);
    let files = ["active_file", "inactive_file"].map(|key| bytes(key).unwrap_or(0));
    Some(Parts {
        held: Held {
            anon: bytes("anon")?,
            shmem: bytes("shmem").unwrap_or(0),
            kernel: whole - shrinks,
            swap: 0,
        },
        cache: files.into_iter().sum::<u64>() + shrinks,
    })
}

/// How much of `memory.kmem.usage_in_bytes` can shrink: by the host's mix of slab, but no more than `grown`, by which what
/// shrinks on the host has grown since the start. Page tables, stacks and pipes are not in that.
pub(super) fn shrinks(kernel: u64, host: &Memory, grown: u64) -> u64 {
    host.reclaimable_part(kernel).min(kernel).min(grown)
}

/// The parts on v1: the lines that count what is below, too. `kernel` is `memory.kmem.usage_in_bytes`, `shrinks` what can
/// shrink of it.
pub(super) fn v1(stat: &[u8], kernel: u64, shrinks: u64) -> Option<Parts> {
    let bytes = |key| keyed(stat, key).map(|bytes| bytes.min(MOST_BYTES));
    let kernel = kernel.min(MOST_BYTES);
    let shrinks = shrinks.min(kernel);
    let files = ["total_active_file", "total_inactive_file"].map(|key| bytes(key).unwrap_or(0));
    Some(Parts {
        held: Held {
            anon: bytes("total_rss")?,
            shmem: bytes("total_shmem").unwrap_or(0),
            kernel: kernel - shrinks,
            swap: 0,
        },
        cache: files.into_iter().sum::<u64>() + shrinks,
    })
}

#[cfg(test)]
mod tests {
    use super::{shrinks, v1, v2};
    use crate::model::memory::Memory;

    #[test]
    fn kernel_memory_is_its_sum_or_its_parts_without_what_shrinks() {
        let new = b"anon 100\nfile 5\nactive_file 3\ninactive_file 1\nkernel 60\nkernel_stack 20\npagetables 10\nshmem 7\nslab_reclaimable 25\nslab 30\n";
        let parts = v2(new).expect("its anon line");
        let held = parts.held;
        assert_eq!((held.anon, held.shmem, held.kernel), (100, 7, 35));
        assert_eq!(parts.cache, 29);
        let old = b"anon 100\nfile 5\nkernel_stack 20\nshmem 7\nslab_reclaimable 25\nslab_unreclaimable 5\nslab 30\npercpu 3\nsock 2\n";
        assert_eq!(v2(old).map(|parts| parts.held.kernel), Some(30));
        assert_eq!(v2(b"file 3\n\xff 4\n"), None);
        assert_eq!(v2(b"anon 99999999999999999999\n"), None);
    }

    #[test]
    fn v1_counts_the_subtree_and_the_shrinking_part_by_the_host() {
        let host = Memory {
            slab: Some(100),
            slab_reclaimable: Some(25),
            ..Memory::default()
        };
        let stat = b"rss 1\nshmem 1\ntotal_rss 50\ntotal_shmem 6\ntotal_inactive_file 4\n";
        let parts = v1(stat, 40, shrinks(40, &host, 1000)).expect("its rss");
        let held = parts.held;
        assert_eq!((held.anon, held.shmem, held.kernel), (50, 6, 30));
        assert_eq!(parts.cache, 14);
        // Page tables: no dentry has come to the host meanwhile.
        let parts = v1(stat, 40, shrinks(40, &host, 2)).expect("its rss");
        assert_eq!((parts.held.kernel, parts.cache), (38, 6));
    }
}
