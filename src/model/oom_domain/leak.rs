//! [`Leak`]: whose memory it is that fills an OOM domain.

use crate::model::oom_domain::victim::Scope;
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;

/// A process that has at least this part of the growth is named for it.
const MOST: f64 = 0.6;

/// Growth below this many bytes per second is no leak.
const LEAST: f64 = 65_536.0;

/// Where the growth of a domain comes from. Rates are in bytes per second, of rss + swap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leak {
    /// One process has most of it.
    One(ProcessId, f64),
    /// Several grow; the fastest has this rate.
    Several {
        /// How many grow.
        count: usize,
        /// The fastest.
        first: ProcessId,
        /// Of the fastest.
        rate: f64,
    },
    /// The processes grow by less than half of it: the rest is page cache, tmpfs or the kernel's own memory.
    Elsewhere,
}

impl Leak {
    /// Whose growth of `rate` bytes per second fills the domain; `None` if it does not grow. The scope of a group without
    /// a limit will do as well.
    #[must_use]
    pub fn new(scope: Scope, snapshot: &Snapshot, rate: f64) -> Option<Self> {
        if rate <= 0.0 {
            return None;
        }
        let (mut sum, mut count) = (0.0, 0);
        let mut fastest: Option<(ProcessId, f64)> = None;
        for process in snapshot.processes.iter().filter(|p| !p.kernel_thread) {
            let own = growth(process);
            if own < LEAST || !is_in(process, scope, snapshot) {
                continue;
            }
            sum += own;
            count += 1;
            if fastest.is_none_or(|(_, most)| own > most) {
                fastest = Some((process.id, own));
            }
        }
        let Some((first, most)) = fastest.filter(|_| sum >= rate / 2.0) else {
            return Some(Self::Elsewhere);
        };
        Some(if most >= sum * MOST {
            Self::One(first, most)
        } else {
            Self::Several {
                count,
                first,
                rate: most,
            }
        })
    }

    /// The process to look at first.
    #[must_use]
    pub fn first(&self) -> Option<ProcessId> {
        match self {
            Self::One(id, _) | Self::Several { first: id, .. } => Some(*id),
            Self::Elsewhere => None,
        }
    }
}

/// The last two samples say it first; the smoothed growth does not forget it at once. A process seen once got its size
/// between two samples.
fn growth(process: &Process) -> f64 {
    let pace = process.pace;
    f64::from(process.growth.unwrap_or(0.0).max(pace.last))
}

fn is_in(process: &Process, scope: Scope, snapshot: &Snapshot) -> bool {
    match scope {
        Scope::Host => true,
        Scope::Memcg(key) => process
            .member_of()
            .is_some_and(|own| snapshot.ancestry(own).any(|(at, _)| at == key)),
        Scope::Nodes(set) => process.nodes.is_none_or(|own| own.common(set).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::Leak;
    use crate::model::cgroup::CgroupKey;
    use crate::model::on_paper::{group, member};
    use crate::model::oom_domain::victim::Scope;
    use crate::model::process::Process;
    use crate::model::process::pace::{Birth, Pace};
    use crate::model::snapshot::Snapshot;

    const MIB: f64 = 1_048_576.0;

    /// Growth in MiB a second.
    fn process(pid: u32, group: u32, growth: Option<f32>) -> Process {
        Process {
            growth: growth.map(|rate| rate * 1_048_576.0),
            ..member(pid, 1, 0, group)
        }
    }

    /// The root, `/shop` (1) and `/shop/deep` (2), `/else` (3).
    fn leak(processes: Vec<Process>, rate: f64) -> Option<Leak> {
        let snapshot = Snapshot {
            processes,
            cgroups: Arc::new(vec![
                group("/", None, None, 0),
                group("/shop", Some(0), Some(1 << 30), 0),
                group("/shop/deep", Some(1), None, 0),
                group("/else", Some(0), None, 0),
            ]),
            ..Snapshot::default()
        };
        Leak::new(Scope::Memcg(CgroupKey(1)), &snapshot, rate)
    }

    #[test]
    fn the_one_that_grows_is_named_wherever_in_the_domain_it_is_and_no_other() {
        let found = leak(
            vec![
                process(1, 1, Some(2.0)),
                process(2, 2, Some(20.0)),
                process(3, 3, Some(90.0)),
            ],
            22.0 * MIB,
        );
        let Some(Leak::One(id, rate)) = found else {
            panic!("{found:?}")
        };
        assert_eq!(id.pid, 2);
        assert!((rate / MIB - 20.0).abs() < 0.1);
    }

    #[test]
    fn many_that_grow_alike_are_counted_and_page_cache_is_nobodys() {
        let many = [1_u16, 2, 3, 4, 5].map(|pid| process(pid.into(), 1, Some(pid.into())));
        let found = leak(many.into(), 15.0 * MIB);
        assert!(
            matches!(found, Some(Leak::Several { count: 5, first, .. }) if first.pid == 5),
            "{found:?}"
        );
        let found = leak(vec![process(1, 1, Some(1.0))], 20.0 * MIB);
        assert_eq!(found, Some(Leak::Elsewhere));
        assert_eq!(leak(Vec::new(), 0.0), None);
    }

    #[test]
    fn processes_that_have_just_begun_count_with_what_they_hold() {
        let newcomer = |pid| Process {
            pace: Pace::newcomer(&Birth {
                bytes: 4 << 20,
                inherited: 0,
                lived: Duration::from_millis(10),
                unseen: Some(Duration::from_secs(1)),
            }),
            ..process(pid, 1, None)
        };
        let found = leak((1..=5).map(newcomer).collect(), 20.0 * MIB);
        assert!(
            matches!(found, Some(Leak::Several { count: 5, .. })),
            "{found:?}"
        );
    }
}
