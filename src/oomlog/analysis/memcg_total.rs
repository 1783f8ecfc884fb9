//! The total that a memory cgroup's OOM ranks by: one function for the live tables and for reports.

use crate::oomlog::{OomReport, Usage, UsageKind};

/// How a memory cgroup may swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapLimit {
    /// It may not: swappiness 0.
    Never,
    /// No limit of its own.
    None,
    /// v2 `memory.swap.max`, in the unit of the memory limit.
    Swap(u64),
    /// v1 `memory.memsw.limit_in_bytes`: memory and swap together.
    Both(u64),
}

/// `mem_cgroup_get_max` (mm/memcontrol.c; `mem_cgroup_get_limit` before 4.17; the same sum from 3.16 to 7.3): the
/// limit plus the swap that the cgroup may use, but never more swap than exists. All in one unit.
///
/// v1: `limit + min(memsw - limit, total_swap_pages)`. v2: `limit + min(swap.max, total_swap_pages)`. Only the
/// cgroup's own limits count, not those of its ancestors.
#[must_use]
pub fn memcg_total(limit: u64, swap: SwapLimit, total_swap: u64) -> u64 {
    limit.saturating_add(allowed_swap(limit, swap).min(total_swap))
}

/// Swap that the limits allow, whether or not it exists; `u64::MAX` without a limit.
#[must_use]
pub fn allowed_swap(limit: u64, swap: SwapLimit) -> u64 {
    match swap {
        SwapLimit::Never => 0,
        SwapLimit::None => u64::MAX,
        SwapLimit::Swap(most) => most,
        SwapLimit::Both(both) => both.saturating_sub(limit),
    }
}

/// What the usage lines of a report say about swap. Their limits are in kB.
pub(super) fn swap_limit(report: &OomReport) -> SwapLimit {
    let usage = |kind| report.memcg.as_ref().and_then(|memcg| memcg.usage(kind));
    let limited = |usage: &&Usage| !usage.is_unlimited();
    match (
        usage(UsageKind::MemorySwap).filter(limited),
        usage(UsageKind::Swap).filter(limited),
    ) {
        (Some(both), _) => SwapLimit::Both(both.limit_kb),
        (None, Some(swap)) => SwapLimit::Swap(swap.limit_kb),
        (None, None) => SwapLimit::None,
    }
}

#[cfg(test)]
mod tests {
    use super::{SwapLimit, memcg_total};

    #[test]
    fn swap_counts_only_as_far_as_it_exists() {
        let of = |swap, total_swap| memcg_total(100, swap, total_swap);
        assert_eq!(of(SwapLimit::Both(150), 0), 100, "a host without swap");
        assert_eq!(of(SwapLimit::Both(150), 20), 120);
        assert_eq!(of(SwapLimit::Both(150), 900), 150);
        assert_eq!(of(SwapLimit::Both(50), 900), 100, "damaged");
        assert_eq!(of(SwapLimit::Swap(30), 900), 130);
        assert_eq!(of(SwapLimit::None, 900), 1000);
        assert_eq!(of(SwapLimit::Never, 900), 100);
    }
}
