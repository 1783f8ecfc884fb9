//! Kernel memory as a cause: which part of it, and the caches that the log names.

use super::full_of;
use crate::oomlog::analysis::root_cause::{KernelPart, KernelShare, KernelUse};
use crate::text::report::summary::kb;

/// Parts named one by one.
const NAMED: usize = 3;

/// `RAM was full of kernel memory: …, 2.9 GiB of it slab (…). The largest caches …`.
pub(super) fn sentence(whole: &str, kernel: &KernelShare) -> String {
    let parts = kernel.parts.iter();
    // A part of less than a twentieth explains nothing.
    let worth = parts.filter(|part| part.kb.saturating_mul(20) >= kernel.share.held_kb);
    let named: Vec<String> = worth.take(NAMED).map(part).collect();
    let of_it = if named.is_empty() {
        String::new()
    } else {
        format!(", of it {}", named.join(", "))
    };
    let caches: Vec<String> = kernel
        .caches
        .iter()
        .map(|(name, size)| format!("{name} {}", kb(*size)))
        .collect();
    let caches = if caches.is_empty() {
        String::new()
    } else {
        format!(
            " The largest caches that cannot shrink: {}.",
            caches.join(", ")
        )
    };
    format!(
        "{}{of_it}.{caches}",
        full_of(whole, kernel.share, "kernel memory")
    )
}

fn part(part: &KernelUse) -> String {
    let size = kb(part.kb);
    match part.part {
        KernelPart::Slab if part.reclaimable_kb > 0 => format!(
            "{size} slab ({} of that reclaimable, but not reclaimed)",
            kb(part.reclaimable_kb)
        ),
        KernelPart::Slab => format!("{size} slab"),
        KernelPart::PageTables => format!("{size} page tables"),
        KernelPart::Stacks => format!("{size} stacks of threads"),
        KernelPart::Sockets => format!("{size} buffers of network sockets"),
        KernelPart::PerCpu => format!("{size} per-CPU data"),
        KernelPart::Vmalloc => format!("{size} vmalloc"),
        KernelPart::Zswap => format!("{size} pool of zswap"),
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;
    use crate::oomlog::analysis::root_cause::{KernelPart, KernelShare, KernelUse};
    use crate::oomlog::analysis::share::Share;

    #[test]
    fn parts_and_caches_are_named() {
        let kernel = KernelShare {
            share: Share {
                held_kb: 3000 * 1024,
                of_kb: 3200 * 1024,
            },
            parts: vec![
                KernelUse {
                    part: KernelPart::Slab,
                    kb: 2900 * 1024,
                    reclaimable_kb: 1400 * 1024,
                },
                KernelUse {
                    part: KernelPart::Stacks,
                    kb: 10,
                    reclaimable_kb: 0,
                },
            ],
            caches: vec![("btrfs_inode".to_owned(), 1 << 20)],
        };
        assert_eq!(
            sentence("RAM", &kernel),
            "RAM was full of kernel memory: 2.9 GiB of 3.1 GiB (93 %), of it 2.8 GiB slab (1.4 GiB of that \
             reclaimable, but not reclaimed). The largest caches that cannot shrink: btrfs_inode 1 GiB."
        );
        let half = KernelShare {
            share: Share {
                held_kb: 1600,
                of_kb: 3200,
            },
            parts: Vec::new(),
            caches: Vec::new(),
        };
        let half = sentence("The limit", &half);
        assert!(
            half.starts_with("Most of the limit was kernel memory"),
            "{half}"
        );
    }
}
