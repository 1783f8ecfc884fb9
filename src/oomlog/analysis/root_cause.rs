//! Why there was no memory: one root cause, with the numbers it rests on.
//!
//! Only what the report holds counts. Where its numbers point nowhere clearly, there is no verdict.

mod cgroup;
mod host;

pub(super) use cgroup::is_full;

use crate::oomlog::{Constraint, MemoryState, OomReport, UsageKind};

/// Part of the memory, in percent, from which on one kind of it is said to have filled it.
const MOST: u64 = 40;
/// Part of a limit or of swap, in percent, from which on it is full.
const FULL: u64 = 98;

/// What used the memory up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum RootCause {
    /// Somebody asked for a kill (SysRq-f); memory need not have been short.
    ByHand,
    /// The kernel was called because a page fault failed, though memory was there: a memory cgroup's
    /// limit, mostly (kernels before 5.16).
    NoShortage {
        /// Free in the zones that could have served it, in kB.
        free_kb: u64,
    },
    /// Nothing could be killed: every task in the table has `oom_score_adj` -1000.
    NobodyKillable {
        /// How many tasks were listed.
        tasks: u64,
    },
    /// A memory cgroup's limit, full of the memory of its programs.
    LimitByProcesses(Share),
    /// A memory cgroup's limit, full of tmpfs files or shared memory, which killing does not free.
    LimitByTmpfs(Share),
    /// A memory cgroup's limit, full of page cache that could not be dropped in time.
    LimitByPageCache(Share),
    /// A memory cgroup's limit, full of kernel memory: slab, page tables, sockets.
    LimitByKernel(Share),
    /// There was memory, but no free block as big as asked for.
    Fragmented {
        /// Order of the request: 2^order pages in one piece.
        order: u32,
        /// Free memory of the zones that may serve it, in kB.
        free_kb: u64,
    },
    /// The zones that may serve the request were empty while others had room: lack of low memory.
    ZonesExhausted {
        /// The empty ones, e.g. `node 0 Normal`.
        zones: Vec<String>,
        /// Free memory of the others, in kB.
        free_elsewhere_kb: u64,
    },
    /// The nodes that the request may use (of a cpuset or a memory policy) were empty.
    NodesExhausted {
        /// The list as printed, e.g. `0-1,3`.
        nodes: String,
        /// Free memory on them, in kB.
        free_kb: u64,
        /// Free memory on them that the request may not use, in kB: movable-only zones, mostly.
        unusable_kb: u64,
        /// Free memory on the other nodes, in kB, where the report tells.
        free_elsewhere_kb: Option<u64>,
    },
    /// The host's RAM, full of the memory of programs.
    HostByProcesses(Share),
    /// The host's RAM, full of tmpfs files and shared memory, which killing does not free.
    HostByTmpfs(Share),
    /// The host's RAM, full of kernel memory that cannot be reclaimed: slab, page tables, stacks.
    HostByKernel(Share),
    /// The host's RAM, set aside as huge pages.
    HostByHugePages(Share),
    /// The host's RAM, gone where no counter looks: a driver, a balloon, a GPU.
    HostByUncounted(Share),
}

/// How much of the memory one kind of it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Share {
    /// This kind, in kB.
    pub held_kb: u64,
    /// Of so much: the limit, or the host's RAM without what the kernel reserves, in kB.
    pub of_kb: u64,
}

impl Share {
    /// In percent, rounded down; 0 of nothing.
    #[must_use]
    pub fn percent(self) -> u64 {
        self.held_kb
            .saturating_mul(100)
            .checked_div(self.of_kb)
            .unwrap_or(0)
    }
}

/// Swap when memory ran out: of the host, or what the cgroup may use of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "swap", rename_all = "snake_case")]
pub enum SwapState {
    /// There is none, or the cgroup may use none.
    None,
    /// As good as full.
    Full {
        /// All of it, in kB.
        total_kb: u64,
    },
    /// There was room.
    Left {
        /// Free, in kB.
        free_kb: u64,
        /// All of it, in kB.
        total_kb: u64,
    },
}

/// The root cause; `None` if the report cannot tell.
#[must_use]
pub fn root_cause(report: &OomReport) -> Option<RootCause> {
    let trigger = report.trigger.as_ref();
    if trigger.is_some_and(|trigger| trigger.order == Some(-1)) {
        return Some(RootCause::ByHand);
    }
    let filled = if report.is_memcg() {
        cgroup::cause(report)
    } else {
        host::cause(report)
    };
    // Files in a tmpfs with nobody left to kill are still the reason; programs are not.
    match filled {
        Some(RootCause::LimitByProcesses(_) | RootCause::HostByProcesses(_)) | None => {
            nobody(report).or(filled)
        }
        filled => filled,
    }
}

/// All tasks are exempt, and the kernel said that it found none.
fn nobody(report: &OomReport) -> Option<RootCause> {
    let table = report.tasks.as_ref().filter(|_| report.nobody_killable)?;
    let exempt = table.rows.iter().all(|row| row.adj == Some(-1000));
    (exempt && !table.rows.is_empty()).then(|| RootCause::NobodyKillable {
        tasks: table.listed(),
    })
}

/// Swap as the report shows it; `None` if it does not.
#[must_use]
pub fn swap(report: &OomReport) -> Option<SwapState> {
    if !report.is_memcg() {
        let memory: &MemoryState = report.memory.as_ref()?;
        let total_kb = memory.total_swap_kb?;
        return state(memory.free_swap_kb?, total_kb);
    }
    let memcg = report.memcg.as_ref()?;
    if let Some(swap) = memcg.usage(UsageKind::Swap) {
        // Without a limit of its own the host's swap decides, which is not printed here.
        return (!swap.is_unlimited())
            .then(|| state(swap.limit_kb.saturating_sub(swap.usage_kb), swap.limit_kb))?;
    }
    let both = memcg.usage(UsageKind::MemorySwap)?;
    let memory = memcg.usage(UsageKind::Memory)?;
    if both.is_unlimited() || memory.is_unlimited() {
        return None;
    }
    let total_kb = both.limit_kb.saturating_sub(memory.limit_kb);
    let used_kb = both.usage_kb.saturating_sub(memory.usage_kb);
    state(total_kb.saturating_sub(used_kb), total_kb)
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

/// `part` is at least so many percent of `whole`.
fn reaches(part: u64, whole: u64, percent: u64) -> bool {
    whole > 0 && u128::from(part) * 100 >= u128::from(whole) * u128::from(percent)
}

/// One kind of memory: how much of it there is in kB, and the cause that it would be.
type Kind = (u64, fn(Share) -> RootCause);

/// The largest of several kinds of memory, if it is most of it.
fn largest(of_kb: u64, kinds: &[Kind]) -> Option<RootCause> {
    let (held_kb, cause) = kinds.iter().max_by_key(|(kb, _)| *kb)?;
    let share = Share {
        held_kb: *held_kb,
        of_kb,
    };
    reaches(*held_kb, of_kb, MOST).then(|| cause(share))
}

/// Only a list of nodes; `(null)` means that the request was free to go anywhere.
fn nodes(report: &OomReport) -> Option<&str> {
    let list = match report.constraint? {
        Constraint::Cpuset => report.mems_allowed.as_deref(),
        Constraint::MemoryPolicy => report.nodemask.as_deref(),
        _ => None,
    };
    list.filter(|list| list.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{RootCause, Share, SwapState, reaches, root_cause, swap};
    use crate::oomlog::report::memcg::{MemcgUse, Usage};
    use crate::oomlog::{Constraint, MemoryState, OomReport, Trigger, UsageKind};
    use std::sync::Arc;

    #[test]
    fn a_report_without_numbers_has_no_verdict() {
        assert_eq!(root_cause(&OomReport::default()), None);
        assert_eq!(swap(&OomReport::default()), None);
        let by_hand = OomReport {
            trigger: Some(Trigger {
                order: Some(-1),
                ..Trigger::default()
            }),
            ..OomReport::default()
        };
        assert_eq!(root_cause(&by_hand), Some(RootCause::ByHand));
    }

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
    }

    #[test]
    fn parts_of_a_whole() {
        assert!(reaches(98, 100, 98) && !reaches(97, 100, 98) && !reaches(0, 0, 0));
        let share = Share {
            held_kb: u64::MAX,
            of_kb: 0,
        };
        assert_eq!(share.percent(), 0);
    }
}
