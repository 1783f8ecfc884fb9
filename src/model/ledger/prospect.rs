//! [`Prospect`] of a domain of a sample: cheap enough for every sample, from numbers that are read anyway.

use std::collections::HashSet;

use super::{Kind, Ledger, Prospect};
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::process::badness::{Badness, badness};
use crate::model::snapshot::Snapshot;

/// What the processes of a domain hold, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Held {
    killable: u64,
    members: u64,
    private: u64,
    tables: u64,
    mapped: u64,
    /// Private memory of all that are seen.
    seen: u64,
    /// The largest private memory of one that cannot be killed: at least this much of all is not freed.
    largest_immune: u64,
    /// Somebody's memory cannot be read, nor whether it can be killed.
    is_unknown: bool,
}

/// What kills free at most in a domain; `None` where `memory.stat` was not read, for memory nodes, for a group with a process
/// that cannot be read, and for the host if its processes cannot be seen (from a container, or with hidepid): those that are
/// seen hold less than three quarters of its private memory then. `page_size` is in bytes.
///
/// Shared memory counts as freed as far as those that can be killed have it mapped: a memfd that is open and not
/// mapped is not seen here. With the `ledger` of the host it is exact.
#[must_use]
pub fn prospect(
    domain: &DomainState,
    snapshot: &Snapshot,
    page_size: u64,
    ledger: Option<&Ledger>,
) -> Option<Prospect> {
    let sizes = Sizes::of(domain, snapshot)?;
    let held = held(domain, snapshot, page_size);
    if domain.scope == Scope::Host && held.seen < sizes.anon / 4 * 3 {
        return None;
    }
    if domain.scope != Scope::Host && held.is_unknown {
        return None;
    }
    let anon = sizes.anon.saturating_add(sizes.uncounted);
    let private = held.private.min(anon.saturating_sub(held.largest_immune));
    let shared = match ledger.filter(|ledger| ledger.get(Kind::Shmem) == 0) {
        Some(ledger) if held.killable > 0 => ledger.get(Kind::Shared),
        _ => held.mapped,
    };
    let shared = shared.min(sizes.shmem.saturating_add(sizes.uncounted));
    let by_kill = private.saturating_add(shared).saturating_add(held.tables);
    Some(Prospect {
        by_kill: by_kill.min(sizes.used),
        killable: held.killable,
        members: held.members,
        ..sizes.without_kills(shared)
    })
}

/// As [`prospect`], but `None` also where all is [`Outlook::Fine`](super::Outlook::Fine) without a kill: then no process is looked at.
#[must_use]
pub fn doubtful(domain: &DomainState, snapshot: &Snapshot, page_size: u64) -> Option<Prospect> {
    // What processes keep of the shared memory, a kill frees in place of swap: no more stays with them than without.
    let without_kills = Sizes::of(domain, snapshot)?.without_kills(0);
    if without_kills.is_fine_without_kills() {
        return None;
    }
    prospect(domain, snapshot, page_size, None)
}

/// What is known of a domain without a look at its processes, in bytes.
struct Sizes {
    limit: u64,
    used: u64,
    anon: u64,
    shmem: u64,
    /// Of a group: in use, but of no kind that reclaim leaves. `memory.stat` is not read in every sample, and the kernel sums
    /// it up late (mm/memcontrol.c `mem_cgroup_flush_stats_ratelimited`): what has come since may be anything, and what was
    /// page cache may have made room for it.
    uncounted: u64,
    /// Reclaim gets it back without swap.
    reclaim: u64,
    swap_left: u64,
}

impl Sizes {
    fn of(domain: &DomainState, snapshot: &Snapshot) -> Option<Self> {
        let room = Room::from_domain(domain, snapshot)?;
        let (used, anon, shmem, uncounted, reclaim) = match domain.scope {
            Scope::Host => {
                let memory = &snapshot.memory;
                let used = memory.total.saturating_sub(memory.free);
                let reclaim = memory.obtainable().saturating_sub(memory.free);
                (used, memory.anon?, memory.shmem?, 0, reclaim)
            }
            Scope::Memcg(key) => {
                let stat = snapshot.cgroup(key)?.stat?;
                let reclaim = room.droppable.saturating_add(room.slab);
                let (anon, shmem) = (stat.anon?, stat.shmem?);
                let kernel = stat.kernel.or(stat.slab_reclaimable).unwrap_or(0);
                let counted = [anon, shmem, kernel];
                let counted = counted.into_iter().fold(0, u64::saturating_add);
                let uncounted = room.usage.saturating_sub(counted);
                (room.usage, anon, shmem, uncounted, reclaim)
            }
            Scope::Nodes(_) => return None,
        };
        Some(Self {
            limit: domain.limit,
            used,
            anon,
            shmem,
            uncounted,
            reclaim,
            swap_left: room.swap_left,
        })
    }

    /// If nobody is killed, and processes keep this much of the shared memory.
    fn without_kills(&self, shared: u64) -> Prospect {
        let swappable = self.shmem.saturating_sub(shared).min(self.swap_left);
        Prospect {
            limit: self.limit,
            used: self.used,
            by_reclaim: self.reclaim.saturating_add(swappable).min(self.used),
            ..Prospect::default()
        }
    }
}

/// Processes that share an address space hold it once, where sharing is known.
fn held(domain: &DomainState, snapshot: &Snapshot, page_size: u64) -> Held {
    let mut held = Held::default();
    let likely = match domain.scope {
        Scope::Host => snapshot.processes.len(),
        _ => 0,
    };
    let mut spaces = HashSet::with_capacity(likely);
    for process in &snapshot.processes {
        if !is_in(process, domain.scope, snapshot) {
            continue;
        }
        let badness = badness(process, domain.total_pages);
        held.is_unknown |= badness == Badness::Unknown;
        let Some(memory) = process.memory else {
            continue;
        };
        held.members += 1;
        let bytes = |pages: u64| pages.saturating_mul(page_size);
        held.seen = held.seen.saturating_add(bytes(memory.anon));
        let is_killable = badness.points().is_some();
        // What a victim still holds comes free without another kill.
        if !is_killable && !process.skipped_by_kernel {
            held.largest_immune = held.largest_immune.max(bytes(memory.anon));
            continue;
        }
        held.killable += 1;
        let is_first = process.address_space.is_none_or(|at| spaces.insert(at));
        if is_first {
            held.private = held.private.saturating_add(bytes(memory.anon));
            held.tables = held.tables.saturating_add(bytes(memory.page_tables));
            held.mapped = held.mapped.saturating_add(bytes(memory.shmem));
        }
    }
    held
}

fn is_in(process: &Process, scope: Scope, snapshot: &Snapshot) -> bool {
    match scope {
        Scope::Host => true,
        Scope::Nodes(_) => false,
        Scope::Memcg(group) => process
            .member_of()
            .is_some_and(|key| snapshot.ancestry(key).any(|(key, _)| key == group)),
    }
}

#[cfg(test)]
mod tests;
