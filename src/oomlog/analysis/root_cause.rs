//! Why there was no memory: one root cause, with its numbers.
//!
//! Only the report's own numbers count. Where they show no clear cause, there is none.

mod cgroup;
mod host;
mod kernel;

pub(super) use cgroup::is_full;
pub use kernel::{KernelPart, KernelShare, KernelUse};

use super::share::{Share, reaches};
use super::trace;
use crate::oomlog::{Constraint, OomReport};

/// A kind of memory is the cause if it takes at least this much of the whole, in percent.
const MOST: u64 = 40;

/// What used the memory up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum RootCause {
    /// Somebody asked for a kill (SysRq-f). Memory was not necessarily short.
    ByHand,
    /// A BPF program asked for a kill. Memory was not necessarily short.
    ByBpf,
    /// The host had memory. Where a page fault failed, it was mostly the limit of a memory cgroup (kernels before
    /// 5.16).
    NoShortage {
        /// Free in the zones that could have served it, in kB.
        free_kb: u64,
        /// A page fault failed, and the report does not show why.
        page_fault: bool,
        /// The asker's cgroup, by the name of its cpuset; `None` if that is the root or not in the log.
        cgroup: Option<String>,
    },
    /// Nothing could be killed: every task in the table has `oom_score_adj` -1000.
    NobodyKillable {
        /// How many tasks were listed.
        tasks: u64,
    },
    /// A memory cgroup's limit, full of the memory of its programs.
    LimitByProcesses(Share),
    /// A memory cgroup's limit, full of tmpfs files or shared memory. A kill frees it only if no file holds it.
    LimitByTmpfs(Share),
    /// A memory cgroup's limit, full of page cache that reclaim could not drop in time.
    LimitByPageCache(Share),
    /// A memory cgroup's limit, full of kernel memory: slab, page tables, sockets.
    LimitByKernel(KernelShare),
    /// There was memory, but no free block of the size of the request.
    Fragmented {
        /// Order of the request: 2^order pages in one piece.
        order: u32,
        /// Free memory of the zones that may serve it, in kB.
        free_kb: u64,
    },
    /// The zones that may serve the request were empty while others had room.
    ZonesExhausted {
        /// The empty zones, e.g. `node 0 Normal`.
        zones: Vec<String>,
        /// Free memory of the other zones, in kB.
        free_elsewhere_kb: u64,
        /// The others are high memory (32-bit kernels); otherwise movable-only memory.
        high_memory: bool,
    },
    /// The nodes that the request may use (of a cpuset or a memory policy) were empty.
    NodesExhausted {
        /// The list as printed, e.g. `0-1,3`.
        nodes: String,
        /// Free memory on them, in kB; `None` if the log has lost a zone of them.
        free_kb: Option<u64>,
        /// Free memory on them in zones that the request may not use, in kB: mostly movable-only zones.
        unusable_kb: u64,
        /// Free memory on the other nodes, in kB, where the report has it.
        free_elsewhere_kb: Option<u64>,
    },
    /// The host's RAM, full of the memory of programs.
    HostByProcesses(Share),
    /// The host's RAM, full of tmpfs files and shared memory. A kill frees it only if no file holds it.
    HostByTmpfs(Share),
    /// The host's RAM, full of kernel memory: slab, page tables, stacks.
    HostByKernel(KernelShare),
    /// The host's RAM, set aside as huge pages.
    HostByHugePages(Share),
    /// The host's RAM, used by what no counter includes: a driver, a balloon, a GPU, vmalloc, the pool of zram.
    HostByUncounted(Share),
}

/// The root cause; `None` if the report cannot tell.
#[must_use]
pub fn root_cause(report: &OomReport) -> Option<RootCause> {
    let trigger = report.trigger.as_ref();
    // `moom_callback` is what SysRq-f runs (drivers/tty/sysrq.c): the first line may be lost.
    if trigger.is_some_and(|trigger| trigger.order == Some(-1))
        || trace::functions(report).any(|name| name == "moom_callback")
    {
        return Some(RootCause::ByHand);
    }
    let named = report.constraint_text.as_deref();
    if named.is_some_and(|text| text.starts_with("CONSTRAINT_BPF"))
        || trace::functions(report).any(|name| name == "bpf_out_of_memory")
    {
        return Some(RootCause::ByBpf);
    }
    let filled = if report.is_memcg() {
        cgroup::cause(report)
    } else {
        host::cause(report)
    };
    // If programs filled the memory and all are exempt from the OOM killer, the exemption is the cause. A full tmpfs
    // stays the cause.
    match filled {
        Some(RootCause::LimitByProcesses(_) | RootCause::HostByProcesses(_)) | None => {
            nobody(report).or(filled)
        }
        filled => filled,
    }
}

/// Every task is exempt (adj -1000), and the kernel printed that it found nobody.
fn nobody(report: &OomReport) -> Option<RootCause> {
    let table = report.tasks.as_ref().filter(|_| report.nobody_killable)?;
    let exempt = table.rows.iter().all(|row| row.adj == Some(-1000));
    (exempt && !table.rows.is_empty()).then(|| RootCause::NobodyKillable {
        tasks: table.listed(),
    })
}

/// One kind of memory: its size in kB, and the cause if this kind filled the memory.
type Kind<'a> = (u64, &'a dyn Fn(Share) -> RootCause);

/// The largest of several kinds of memory, if it takes [`MOST`] of the whole.
fn largest(of_kb: u64, kinds: &[Kind<'_>]) -> Option<RootCause> {
    let (held_kb, cause) = kinds.iter().max_by_key(|(kb, _)| *kb)?;
    let share = Share {
        held_kb: *held_kb,
        of_kb,
    };
    reaches(*held_kb, of_kb, MOST).then(|| cause(share))
}

/// True if the log has the line that says what was asked for.
#[must_use]
pub fn is_request_known(report: &OomReport) -> bool {
    let trigger = report.trigger.as_ref();
    trigger.is_some_and(|trigger| trigger.order.is_some())
}

/// The nodes that the request was restricted to. `(null)` is no restriction.
pub(super) fn nodes(report: &OomReport) -> Option<&str> {
    let list = match report.constraint? {
        Constraint::Cpuset => report.mems_allowed.as_deref(),
        Constraint::MemoryPolicy => report.nodemask.as_deref(),
        _ => None,
    };
    list.filter(|list| list.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{RootCause, root_cause};
    use crate::oomlog::analysis::swap::swap;
    use crate::oomlog::{OomReport, Trigger};

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
}
