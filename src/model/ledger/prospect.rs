//! [`Prospect`] of a domain of a sample: cheap enough for every sample, from numbers that are read anyway.

use std::collections::HashSet;

use super::{Kind, Ledger, Prospect};
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::process::Process;
use crate::model::process::badness::badness;
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
}

/// What kills free at most in a domain; `None` where `memory.stat` was not read, for memory nodes, and for the host if
/// its processes cannot be seen (from a container, or with hidepid): those that are seen hold less than three quarters
/// of its private memory then. `page_size` is in bytes.
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
    let private = held
        .private
        .min(sizes.anon.saturating_sub(held.largest_immune));
    let shared = match ledger.filter(|ledger| ledger.get(Kind::Shmem) == 0) {
        Some(ledger) if held.killable > 0 => ledger.get(Kind::Shared),
        _ => held.mapped,
    };
    let shared = shared.min(sizes.shmem);
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
    /// Reclaim gets it back without swap.
    reclaim: u64,
    swap_left: u64,
}

impl Sizes {
    fn of(domain: &DomainState, snapshot: &Snapshot) -> Option<Self> {
        let room = Room::from_domain(domain, snapshot)?;
        let (used, anon, shmem, reclaim) = match domain.scope {
            Scope::Host => {
                let memory = &snapshot.memory;
                let used = memory.total.saturating_sub(memory.free);
                let reclaim = memory.obtainable().saturating_sub(memory.free);
                (used, memory.anon?, memory.shmem?, reclaim)
            }
            Scope::Memcg(key) => {
                let stat = snapshot.cgroup(key)?.stat?;
                let reclaim = room.droppable.saturating_add(room.slab);
                (room.usage, stat.anon?, stat.shmem?, reclaim)
            }
            Scope::Nodes(_) => return None,
        };
        Some(Self {
            limit: domain.limit,
            used,
            anon,
            shmem,
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
        let (Some(memory), true) = (process.memory, is_in(process, domain.scope, snapshot)) else {
            continue;
        };
        held.members += 1;
        let bytes = |pages: u64| pages.saturating_mul(page_size);
        held.seen = held.seen.saturating_add(bytes(memory.anon));
        let is_killable = badness(process, domain.total_pages).points().is_some();
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
mod tests {
    use std::num::NonZeroU64;
    use std::sync::Arc;

    use super::{Held, doubtful, held, prospect};
    use crate::model::cgroup::GroupStat;
    use crate::model::kernel::KernelRules;
    use crate::model::ledger::{Kind, Ledger, Outlook};
    use crate::model::memory::Memory;
    use crate::model::on_paper::{self, MIB};
    use crate::model::oom_domain::victim::{Scope, assess};
    use crate::model::process::Process;
    use crate::model::snapshot::Snapshot;

    fn member(pid: u32, mib: u64, adj: i64) -> Process {
        let mut process = on_paper::member(pid, mib, adj, 1);
        if let Some(memory) = &mut process.memory {
            memory.anon = memory.rss;
        }
        process
    }

    fn snapshot(processes: Vec<Process>, shmem: u64) -> Snapshot {
        let mut groups = vec![
            on_paper::group("/", None, None, 0),
            on_paper::group("/a", Some(0), Some(100 * MIB), 98 * MIB),
        ];
        groups[1].stat = Some(GroupStat {
            anon: Some((98 * MIB).saturating_sub(shmem)),
            shmem: Some(shmem),
            ..GroupStat::default()
        });
        let memory = Memory {
            total: 8000 * MIB,
            free: 1000 * MIB,
            available: Some(6000 * MIB),
            anon: Some(300 * MIB),
            shmem: Some(shmem),
            ..Memory::default()
        };
        let domains = assess(&processes, &groups, &memory, &KernelRules::default());
        Snapshot {
            processes,
            memory,
            domains,
            cgroups: Arc::new(groups),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_group_full_of_tmpfs_is_freed_by_nobodys_death() {
        let of = |shmem: u64, processes: Vec<Process>, ledger: Option<&Ledger>| {
            let sample = snapshot(processes, shmem * MIB);
            let domain = sample
                .domains
                .iter()
                .find(|d| d.scope != Scope::Host)
                .expect("the group");
            prospect(domain, &sample, 4096, ledger).expect("its numbers")
        };
        let full = of(95, vec![member(5, 3, 0)], None);
        assert_eq!((full.by_kill, full.used), (3 * MIB, 98 * MIB));
        assert_eq!(full.outlook(), Outlook::Hopeless);
        let hog = of(0, vec![member(5, 98, 0)], None);
        assert_eq!(hog.outlook(), Outlook::Fine);
        // Whoever cannot be killed keeps what it holds.
        let immune = of(0, vec![member(5, 98, -1000)], None);
        assert_eq!((immune.by_kill, immune.killable), (0, 0));
        assert_eq!(immune.outlook(), Outlook::Hopeless);
        // A memfd that nobody maps: only the ledger knows that it has no name.
        let known = Ledger::new(98 * MIB, [(Kind::Shared, Some(95 * MIB))]);
        let memfd = of(95, vec![member(5, 3, 0)], Some(&known));
        assert_eq!(memfd.by_kill, 98 * MIB);
    }

    proptest::proptest! {
        #[test]
        fn all_that_is_not_fine_is_doubtful(
            shmem in 0_u64..120,
            members in proptest::collection::vec((0_u64..120, proptest::bool::ANY), 0..3),
        ) {
            let members = (5..).zip(members).map(|(pid, (mib, immune))| member(pid, mib, if immune { -1000 } else { 0 }));
            let sample = snapshot(members.collect(), shmem * MIB);
            for domain in &sample.domains {
                let known = prospect(domain, &sample, 4096, None);
                let known = known.filter(|known| known.outlook() != Outlook::Fine);
                let doubtful = doubtful(domain, &sample, 4096);
                proptest::prop_assert!(known.is_none() || doubtful == known);
            }
        }
    }

    #[test]
    fn nothing_is_said_of_a_host_whose_processes_are_not_seen() {
        let of = |mib| {
            let sample = snapshot(vec![member(5, mib, 0)], 0);
            prospect(&sample.domains[0], &sample, 4096, None).map(|known| known.by_kill / MIB)
        };
        assert_eq!(of(290), Some(290));
        assert_eq!(of(20), None);
    }

    #[test]
    fn shared_pages_are_no_more_than_there_are() {
        let mut twins = vec![member(5, 60, 0), member(6, 60, 0)];
        let sample = snapshot(twins.clone(), 0);
        let domain = &sample.domains[1];
        let of = |held: Held| (held.killable, held.private / MIB);
        assert_eq!(of(held(domain, &sample, 4096)), (2, 120));
        let known = prospect(domain, &sample, 4096, None).expect("its numbers");
        assert_eq!(
            known.by_kill,
            98 * MIB,
            "copied on write: the group has no more"
        );
        for twin in &mut twins {
            twin.address_space = NonZeroU64::new(1);
        }
        let sample = snapshot(twins, 0);
        assert_eq!(of(held(&sample.domains[1], &sample, 4096)), (2, 60));
        // A child that cannot be killed keeps the pages that it shares.
        let sample = snapshot(vec![member(5, 90, 0), member(6, 80, -1000)], 0);
        let known = prospect(&sample.domains[1], &sample, 4096, None).expect("its numbers");
        assert_eq!(known.by_kill, 18 * MIB);
    }
}
