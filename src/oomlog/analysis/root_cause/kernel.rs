//! What kernel memory consists of: each part has its own remedy.

use crate::oomlog::analysis::share::Share;

/// A part of the kernel's own memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelPart {
    /// Caches of kernel objects, reclaimable ones included: reclaim had not got them back.
    Slab,
    /// Page tables, those of virtual machines included.
    PageTables,
    /// Stacks of threads.
    Stacks,
    /// Buffers of network sockets.
    Sockets,
    /// Per-CPU data.
    PerCpu,
    /// Memory mapped by vmalloc.
    Vmalloc,
    /// The compressed pool of zswap.
    Zswap,
}

/// One part with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct KernelUse {
    /// Which part.
    pub part: KernelPart,
    /// Its size in kB.
    pub kb: u64,
    /// The reclaimable part of it, in kB; 0 where there is none.
    pub reclaimable_kb: u64,
}

/// Kernel memory and its parts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KernelShare {
    /// All of it.
    #[serde(flatten)]
    pub share: Share,
    /// The parts that the report tells apart, the largest first; their sum can be less than all.
    pub parts: Vec<KernelUse>,
    /// The largest caches that cannot shrink, if the log lists them: name and size in kB, the largest first.
    pub caches: Vec<(String, u64)>,
}

impl KernelShare {
    /// The part that makes up at least half of it.
    #[must_use]
    pub fn main_part(&self) -> Option<KernelUse> {
        let first = self.parts.first().copied()?;
        (first.kb.saturating_mul(2) >= self.share.held_kb).then_some(first)
    }
}

/// The parts in the order of their size, without empty ones.
pub(super) fn sorted(mut parts: Vec<KernelUse>) -> Vec<KernelUse> {
    parts.retain(|part| part.kb > 0);
    parts.sort_by_key(|part| std::cmp::Reverse(part.kb));
    parts
}

/// A part without a reclaimable share.
pub(super) fn plain(part: KernelPart, kb: u64) -> KernelUse {
    KernelUse {
        part,
        kb,
        reclaimable_kb: 0,
    }
}
