//! [`Twice`]: kills that an earlier log of the same call has too, as `kern.log` and `syslog` have the same lines.
//!
//! Two lines of one log are two kills; the assembler knows which of them repeat. Two logs hold one kill if its time,
//! its process and its numbers are the same in both.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::oomlog::{Kill, Monotonic, OomReport, UserspaceKill};

/// Most times of kills remembered. Further kills are not recognised in later logs.
const MOST: usize = 200_000;

/// The kills of the logs so far.
#[derive(Debug, Default)]
pub(super) struct Twice {
    /// What earlier logs have.
    known: HashSet<u64>,
    /// What the log that is being read has.
    here: HashSet<u64>,
}

/// What an earlier log knows of a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Repeat {
    /// Which of the report's kills an earlier log has, in their order.
    pub(super) kills: Vec<bool>,
    /// An earlier log has the whole report.
    pub(super) whole: bool,
}

impl Repeat {
    /// How many of its kills an earlier log has.
    pub(super) fn count(&self) -> u64 {
        self.kills.iter().filter(|known| **known).count() as u64
    }
}

/// Names that one moment can have in two logs.
struct Names {
    wanted: Vec<u64>,
    given: Vec<u64>,
}

impl Twice {
    /// The log that was read has ended, and another one may follow.
    pub(super) fn next_log(&mut self) {
        let here = std::mem::take(&mut self.here);
        for told in here {
            if self.known.len() >= MOST {
                break;
            }
            self.known.insert(told);
        }
    }

    /// Notes a report, and tells what earlier logs have of it.
    pub(super) fn report(&mut self, report: &OomReport) -> Repeat {
        let stamp = report.stamp.as_deref();
        let kills = report.kills.iter();
        let kills: Vec<bool> = kills
            .map(|kill| self.note(&names(kill.at, stamp, &of_kill(kill))))
            .collect();
        let trigger = report
            .trigger
            .as_ref()
            .map(|asker| (&asker.comm, asker.pid));
        let outcome = (report.outcome, trigger);
        // A log with the kill alone does not make up for the one that explains it.
        let parts = [
            report.memory.is_some(),
            report.tasks.is_some(),
            report.memcg.is_some(),
        ];
        let is_known = if kills.is_empty() {
            self.note(&names(report.at, stamp, &outcome))
        } else {
            kills.iter().all(|known| *known)
        };
        let first = report.kills.first().map(|kill| (kill.at, of_kill(kill)));
        let (at, who) = first.map_or((report.at, None), |(at, who)| (at, Some(who)));
        let mut says_more = false;
        for (part, has) in (0_u8..).zip(parts) {
            says_more |= has && !self.note(&names(at, stamp, &(part, &who)));
        }
        Repeat {
            kills,
            whole: is_known && !says_more,
        }
    }

    /// Notes a kill by a program; true if an earlier log has it.
    pub(super) fn userspace(&mut self, kill: &UserspaceKill) -> bool {
        let what = (
            kill.killer,
            kill.pid,
            &kill.comm,
            &kill.cgroup,
            &kill.signal,
        );
        self.note(&names(kill.at, kill.stamp.as_deref(), &what))
    }

    fn note(&mut self, names: &Names) -> bool {
        if self.here.len() < MOST {
            self.here.extend(&names.given);
        }
        names.wanted.iter().any(|name| self.known.contains(name))
    }
}

fn of_kill(kill: &Kill) -> impl Hash + use<> {
    (
        (kill.pid, kill.comm.clone(), kill.uid),
        (
            kill.total_vm_kb,
            kill.anon_rss_kb,
            kill.file_rss_kb,
            kill.shmem_rss_kb,
        ),
    )
}

/// The kernel's stamp is exact: where both logs have it, it alone counts. Else the wall clock's does. Without either
/// nothing is the same.
fn names(at: Option<Monotonic>, stamp: Option<&str>, what: &impl Hash) -> Names {
    let name = |kind: u8, time: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        time(&mut hasher);
        what.hash(&mut hasher);
        hasher.finish()
    };
    let exact = at.map(|at| name(0, &|hasher| at.hash(hasher)));
    let by_clock = |kind| stamp.map(|stamp| name(kind, &|hasher| stamp.hash(hasher)));
    // 1: the log also has the kernel's stamp; 2: it has not.
    let (beside, alone) = (by_clock(1), by_clock(2));
    match exact {
        Some(exact) => Names {
            wanted: std::iter::once(exact).chain(alone).collect(),
            given: std::iter::once(exact).chain(beside).collect(),
        },
        None => Names {
            wanted: alone.into_iter().chain(beside).collect(),
            given: alone.into_iter().collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Twice};
    use crate::oomlog::{Kill, Monotonic, OomReport};

    fn report(at: u64) -> OomReport {
        OomReport {
            kills: vec![Kill {
                pid: 7,
                at: Some(Monotonic(at)),
                ..Kill::default()
            }],
            ..OomReport::default()
        }
    }

    #[test]
    fn lines_of_one_log_are_kills_of_their_own_and_what_is_remembered_has_a_bound() {
        let mut twice = Twice::default();
        assert!(!twice.report(&report(1)).whole);
        assert!(!twice.report(&report(1)).whole, "the same log");
        twice.next_log();
        assert!(twice.report(&report(1)).whole);
        for at in 2..MOST as u64 + 9 {
            twice.report(&report(at));
        }
        twice.next_log();
        twice.report(&report(u64::MAX));
        twice.next_log();
        assert!(twice.known.len() <= MOST && twice.here.is_empty());
        assert!(!twice.report(&report(u64::MAX)).whole, "no room was left");
    }
}
