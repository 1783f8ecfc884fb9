//! How much a process can grow before it becomes the victim. [`crate::model::oom_domain::headroom::Room`] is
//! how much its OOM domain can grow before anybody dies.

use crate::model::oom_domain::victim::DomainState;
use crate::model::process::badness::{Badness, Immunity, badness};
use crate::model::process::{Process, ProcessId};

/// The rank of a process in one domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// The process is the victim.
    First {
        /// Bytes that the process must free to become second; `None` if there is no other candidate.
        ahead: Option<u64>,
    },
    /// Another process, `leader`, is the victim.
    Behind {
        /// Bytes that the process must grow to become the victim, taking both adjs into account.
        bytes: u64,
        /// The current victim.
        leader: ProcessId,
    },
    /// Never chosen.
    Immune(Immunity),
    /// Its memory could not be read.
    Unknown,
    /// The kernel kills nobody in this domain (v1 `oom_kill_disable`: the tasks hang, seen on 6.18).
    NobodyDies,
}

/// How much `process` can grow before the kernel would choose it in `domain`. Each additional page adds one
/// point, whatever the adj (mm/oom_kill.c `oom_badness`, 3.6 to 7.3), so the distance is the difference in
/// points.
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

#[cfg(test)]
mod tests {
    use super::{Lead, lead};
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper::{MIB, process};
    use crate::model::oom_domain::victim::assess;
    use crate::model::process::badness::{Immunity, badness};

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

    proptest::proptest! {
        /// A process that grows by one page more than the distance is the victim; by one page less it is not.
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
