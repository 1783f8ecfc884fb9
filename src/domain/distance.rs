//! How far from death: how much a process can grow before it is the victim, and how much an OOM domain
//! can grow before anybody dies.

use super::badness::{Badness, Immunity, badness};
use super::cgroup::Cgroup;
use super::killers::kernel_room;
use super::memory::Memory;
use super::process::{Process, ProcessId};
use super::victim::{DomainState, Scope};

/// Where a process stands in one domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// It is the victim; so many bytes ahead of the next one (`None`: there is no other).
    First {
        /// Bytes it would have to give back to be second.
        ahead: Option<u64>,
    },
    /// It must grow by so much to be the victim; before that it is `leader`.
    Behind {
        /// Bytes, adj counted for both.
        bytes: u64,
        /// The victim now.
        leader: ProcessId,
    },
    /// Never chosen.
    Immune(Immunity),
    /// Its memory could not be read.
    Unknown,
    /// Nobody is killed in this domain (`oom_kill_disable`).
    NobodyDies,
}

/// How much `process` can grow before the kernel would choose it in `domain`. A grown page counts as a point,
/// whatever its adj (mm/oom_kill.c `oom_badness`), so the leader's lead is the whole distance.
#[must_use]
pub fn lead(process: &Process, domain: &DomainState, page_size: u64) -> Lead {
    let points = match badness(process, domain.total_pages) {
        Badness::Points(points) => points,
        Badness::Immune(immunity) => return Lead::Immune(immunity),
        Badness::Unknown => return Lead::Unknown,
    };
    let Some(verdict) = domain.verdict else {
        return Lead::NobodyDies;
    };
    let bytes = |pages: u64| pages.saturating_mul(page_size);
    if verdict.victim.id == process.id {
        let ahead = verdict
            .runner_up
            .map(|second| bytes(points.abs_diff(second.points.min(points))));
        return Lead::First { ahead };
    }
    Lead::Behind {
        bytes: bytes(points.abs_diff(verdict.victim.points.max(points))),
        leader: verdict.victim.id,
    }
}

/// What a group may still take before its limit kills, in bytes: memory up to the limit, then swap as far as
/// it may and there is some (mm/memcontrol.c `try_charge_memcg`; v1 limits both together). Page cache of
/// the group is part of its usage and can be given up: that comes on top. `None` without a limit, or where
/// its usage cannot be read.
#[must_use]
pub fn group_room(group: &Cgroup, host: &Memory) -> Option<u64> {
    let memory = group.limits.max?.saturating_sub(group.usage?);
    let swapped = group.swap_usage.unwrap_or(0);
    let swap = match group.limits.swap_max {
        Some(most) => most.saturating_sub(swapped).min(host.swap_free),
        None => host.swap_free,
    };
    let room = memory.saturating_add(swap);
    Some(match group.limits.memsw_max {
        Some(both) => {
            let used = group.usage?.saturating_add(swapped);
            room.min(both.saturating_sub(used))
        }
        None => room,
    })
}

/// How much the domain can grow before anybody dies, in bytes, without the page cache of a group.
#[must_use]
pub fn domain_room(scope: Scope, cgroups: &[Cgroup], host: &Memory) -> Option<u64> {
    if let Scope::Memcg(key) = scope {
        group_room(cgroups.get(key.index())?, host)
    } else {
        (scope == Scope::Host).then(|| kernel_room(host))
    }
}

#[cfg(test)]
mod tests {
    use super::{Lead, domain_room, group_room, lead};
    use crate::domain::badness::{Immunity, badness};
    use crate::domain::cgroup::{Cgroup, CgroupPath};
    use crate::domain::kernel::KernelRules;
    use crate::domain::memory::Memory;
    use crate::domain::process::{MemoryUse, Process, ProcessId, TaskState};
    use crate::domain::score::OomScoreAdj;
    use crate::domain::victim::{Scope, assess};

    const MIB: u64 = 1 << 20;

    fn process(pid: u32, pages: u64, adj: i64) -> Process {
        Process {
            id: ProcessId {
                pid,
                start_ticks: u64::from(pid),
            },
            state: TaskState('S'),
            memory: Some(MemoryUse {
                rss: pages,
                ..MemoryUse::default()
            }),
            adj: OomScoreAdj::new(adj),
            ..Process::default()
        }
    }

    fn host() -> Memory {
        Memory {
            total: 4096 * MIB,
            available: Some(1000 * MIB),
            swap_total: 500 * MIB,
            swap_free: 300 * MIB,
            ..Memory::default()
        }
    }

    #[test]
    fn the_distance_counts_the_adj_of_both() {
        let table = [
            process(1, 1000, 0),
            process(2, 400, 0),
            process(3, 9000, -1000),
        ];
        let rules = KernelRules::default();
        let states = assess(&table, &[], &host(), &rules);
        let of = |at: usize| lead(&table[at], &states[0], 4096);
        assert_eq!(
            of(0),
            Lead::First {
                ahead: Some(600 * 4096)
            }
        );
        let leader = table[0].id;
        assert_eq!(
            of(1),
            Lead::Behind {
                bytes: 600 * 4096,
                leader
            }
        );
        assert_eq!(of(2), Lead::Immune(Immunity::Adj));
        let protected = [process(1, 1000, 0), process(2, 400, -100)];
        let states = assess(&protected, &[], &host(), &rules);
        let expected = (600 + 100 * (states[0].total_pages / 1000)) * 4096;
        assert_eq!(
            lead(&protected[1], &states[0], 4096),
            Lead::Behind {
                bytes: expected,
                leader
            }
        );
    }

    #[test]
    fn room_of_groups_of_both_versions() {
        let mut group = Cgroup::unread(CgroupPath::new("/g"), None);
        assert_eq!(group_room(&group, &host()), None);
        (group.limits.max, group.usage) = (Some(100 * MIB), Some(70 * MIB));
        assert_eq!(group_room(&group, &host()), Some(330 * MIB));
        (group.limits.swap_max, group.swap_usage) = (Some(20 * MIB), Some(5 * MIB));
        assert_eq!(group_room(&group, &host()), Some(45 * MIB));
        group.limits.swap_max = None;
        group.limits.memsw_max = Some(100 * MIB);
        assert_eq!(group_room(&group, &host()), Some(25 * MIB));
        group.usage = Some(200 * MIB);
        assert_eq!(group_room(&group, &host()), Some(0));
        assert_eq!(domain_room(Scope::Host, &[], &host()), Some(1300 * MIB));
    }

    proptest::proptest! {
        /// Grown by one page more than the distance, the process is the victim; by one less it is not.
        #[test]
        fn the_distance_is_exact(
            sizes in proptest::collection::vec((1..100_000_u64, -999..=1000_i64), 2..8),
            at in 0..8_usize,
        ) {
            let at = at % sizes.len();
            let table: Vec<_> = (1..).zip(&sizes).map(|(pid, (p, a))| process(pid, *p, *a)).collect();
            let rules = KernelRules::default();
            let states = assess(&table, &[], &host(), &rules);
            let total = states[0].total_pages;
            if let Lead::Behind { bytes, leader } = lead(&table[at], &states[0], 4096) {
                let pages = bytes / 4096;
                let grown = |by: u64| {
                    let mut table = table.clone();
                    let memory = table[at].memory.as_mut().expect("it has memory");
                    memory.rss += by;
                    assess(&table, &[], &host(), &rules)[0].verdict.expect("a victim").victim.id
                };
                proptest::prop_assert_eq!(grown(pages + 1), table[at].id);
                if pages > 0 {
                    proptest::prop_assert_eq!(grown(pages - 1), leader);
                }
                proptest::prop_assert!(badness(&table[at], total).points().is_some());
            }
        }
    }
}
