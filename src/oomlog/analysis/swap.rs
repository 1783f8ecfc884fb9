//! Swap at the time of the OOM.

use super::memcg_total::{SwapLimit, allowed_swap, swap_limit};
use super::share::{FULL, reaches};
use crate::oomlog::{MemoryState, OomReport, UsageKind};

/// Swap when memory ran out: the host's, or the part that the cgroup may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "swap", rename_all = "snake_case")]
pub enum SwapState {
    /// There is none, or the cgroup may use none.
    None,
    /// The cgroup's limits allow some, but it used none. The log of a cgroup's OOM does not say whether the host has
    /// any.
    Unused {
        /// What the limits allow, in kB.
        allowed_kb: u64,
    },
    /// Full, or nearly so.
    Full {
        /// Size of swap, in kB.
        total_kb: u64,
    },
    /// There was room; in a cgroup, room below its own limit, if the host has that much.
    Left {
        /// Free, in kB.
        free_kb: u64,
        /// Size of swap, in kB.
        total_kb: u64,
    },
}

/// Swap as the report shows it; `None` if it shows none.
#[must_use]
pub fn swap(report: &OomReport) -> Option<SwapState> {
    if !report.is_memcg() {
        let memory: &MemoryState = report.memory.as_ref()?;
        let total_kb = memory.total_swap_kb?;
        return state(memory.free_swap_kb?, total_kb);
    }
    let memcg = report.memcg.as_ref()?;
    let (used_kb, allowed_kb) = match swap_limit(report) {
        // Without a limit of the cgroup the host's swap decides. The kernel does not print that here.
        SwapLimit::None | SwapLimit::Never => return None,
        SwapLimit::Swap(limit_kb) => (memcg.usage(UsageKind::Swap)?.usage_kb, limit_kb),
        SwapLimit::Both(both_kb) => {
            let memory = memcg.usage(UsageKind::Memory)?;
            if memory.is_unlimited() {
                return None;
            }
            let both = memcg.usage(UsageKind::MemorySwap)?;
            let used_kb = both.usage_kb.saturating_sub(memory.usage_kb);
            (
                used_kb,
                allowed_swap(memory.limit_kb, SwapLimit::Both(both_kb)),
            )
        }
    };
    match used_kb {
        0 if allowed_kb > 0 => Some(SwapState::Unused { allowed_kb }),
        _ => state(allowed_kb.saturating_sub(used_kb), allowed_kb),
    }
}

fn state(free_kb: u64, total_kb: u64) -> Option<SwapState> {
    if free_kb > total_kb {
        return None;
    }
    Some(match total_kb {
        0 => SwapState::None,
        _ if reaches(total_kb - free_kb, total_kb, FULL) => SwapState::Full { total_kb },
        _ => SwapState::Left { free_kb, total_kb },
    })
}

#[cfg(test)]
mod tests {
    use super::{SwapState, swap};
    use crate::oomlog::{Constraint, MemcgUse, MemoryState, OomReport, Usage, UsageKind};
    use std::sync::Arc;

    #[test]
    fn swap_of_the_host() {
        let of = |free, total| {
            swap(&OomReport {
                memory: Some(Arc::new(MemoryState {
                    free_swap_kb: Some(free),
                    total_swap_kb: Some(total),
                    ..MemoryState::default()
                })),
                ..OomReport::default()
            })
        };
        assert_eq!(of(0, 0), Some(SwapState::None));
        assert_eq!(of(1, 100), Some(SwapState::Full { total_kb: 100 }));
        assert_eq!(
            of(60, 100),
            Some(SwapState::Left {
                free_kb: 60,
                total_kb: 100
            })
        );
        assert_eq!(of(60, 0), None, "damaged");
    }

    #[test]
    fn swap_of_a_cgroup() {
        let of = |usage: &[(UsageKind, u64, u64)]| {
            swap(&OomReport {
                constraint: Some(Constraint::Memcg),
                memcg: Some(Arc::new(MemcgUse {
                    usage: usage
                        .iter()
                        .map(|&(kind, usage_kb, limit_kb)| Usage {
                            kind,
                            usage_kb,
                            limit_kb,
                            failcnt: 0,
                        })
                        .collect(),
                    ..MemcgUse::default()
                })),
                ..OomReport::default()
            })
        };
        let memory = (UsageKind::Memory, 100, 100);
        assert_eq!(
            of(&[memory, (UsageKind::Swap, 0, 0)]),
            Some(SwapState::None)
        );
        assert_eq!(of(&[memory, (UsageKind::Swap, 0, 1 << 60)]), None);
        assert_eq!(
            of(&[memory, (UsageKind::MemorySwap, 150, 150)]),
            Some(SwapState::Full { total_kb: 50 })
        );
        assert_eq!(
            of(&[memory, (UsageKind::MemorySwap, 100, 100)]),
            Some(SwapState::None)
        );
        // Perhaps the host has no swap at all: nothing was "free".
        let unused = Some(SwapState::Unused { allowed_kb: 100 });
        assert_eq!(of(&[memory, (UsageKind::MemorySwap, 100, 200)]), unused);
        assert_eq!(of(&[memory, (UsageKind::Swap, 0, 100)]), unused);
    }
}
