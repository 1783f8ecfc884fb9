//! [`Kills`]: which OOM domain ran out when the kernel killed, from the log and from counters.
//!
//! `oom_kill` of a group counts a victim where it lived, whatever ran out (mm/memcontrol.c
//! `memcg_memory_event_mm` in mm/oom_kill.c `__oom_kill_process`): a limited group that loses a process to an
//! OOM of the whole host did not run out itself. A report says what ran out. A kill without a report was an OOM of
//! the host if the host's counter (`oom_kill` of `/proc/vmstat`) has it and no group's own OOM accounts for it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::cgroup::CgroupPath;
use crate::model::oom_domain::urgency::LATELY;
use crate::model::time::Monotonic;
use crate::oomlog::{Constraint, OomReport, ReportKey};

/// Most reports kept. Reports older than [`LATELY`] are dropped anyway.
const KEPT: usize = 64;

/// Most time between a kill and the sample that counts it: groups at rest are read seldom, and the interval
/// between samples can be long. The sample can come first, if the report's last line is read late.
const APART: Duration = Duration::from_secs(12);

/// A group's counter accounts for a rise of the host's counter within this many samples: the counters are
/// read one after the other, and not every group is read in every sample.
const CLAIM: u64 = 2;

/// What ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Host,
    Group(CgroupPath),
    /// A group without a name in the report, memory nodes, or nothing at all (`SysRq`).
    Elsewhere,
}

#[derive(Debug, Clone)]
struct Told {
    key: ReportKey,
    at: Monotonic,
    place: Place,
    /// Somebody was killed. Without, it is an OOM and no more: nobody could be killed, or nobody was yet.
    killed: bool,
    /// Where the chosen victim lived.
    victim: Option<CgroupPath>,
}

/// The kills of the last minute and what is known of their causes.
#[derive(Debug, Clone, Default)]
pub(super) struct Kills {
    told: VecDeque<Told>,
    /// Kills in the host's counter without a line in the log, by the sample that counted them.
    unlogged: VecDeque<(u64, u64)>,
    /// Kills in groups that ran out of memory themselves, by the sample that counted them.
    accounted: VecDeque<(u64, u64)>,
    /// The last OOM of the host that only the counters show.
    host: Option<Monotonic>,
}

impl Kills {
    /// Takes a report, new or grown.
    pub(super) fn report(&mut self, report: &OomReport) {
        let last = report.kills.iter().filter_map(|kill| kill.at).max();
        let Some(at) = last.or(report.at) else {
            return;
        };
        let told = Told {
            key: report.key,
            at,
            place: place(report),
            killed: !report.kills.is_empty(),
            victim: report.task_memcg.as_deref().map(CgroupPath::new),
        };
        match self.told.iter_mut().rev().find(|old| old.key == told.key) {
            Some(old) => *old = told,
            None => self.told.push_back(told),
        }
        if self.told.len() > KEPT {
            self.told.pop_front();
        }
    }

    /// The last kill because the host, or the group of this path, ran out.
    pub(super) fn last_of(&self, path: Option<&CgroupPath>) -> Option<Monotonic> {
        let told = self.last(path, true);
        told.max(self.host.filter(|_| path.is_none()))
    }

    /// The last report of the host, or of the group of this path, that has no kill.
    pub(super) fn last_without_kill(&self, path: Option<&CgroupPath>) -> Option<Monotonic> {
        self.last(path, false)
    }

    fn last(&self, path: Option<&CgroupPath>, killed: bool) -> Option<Monotonic> {
        let is_of = |told: &&Told| match (&told.place, path) {
            (Place::Host, None) => true,
            (Place::Group(of), Some(path)) => of == path,
            _ => false,
        };
        let told = self.told.iter().filter(|told| told.killed == killed);
        told.filter(is_of).map(|told| told.at).max()
    }

    /// True if the log explains a kill in this group at about this time by an OOM of another domain.
    pub(super) fn explains(&self, path: &CgroupPath, at: Monotonic) -> bool {
        let near = |told: &&Told| at.since(told.at).max(told.at.since(at)) <= APART;
        let mut explained = false;
        for told in self.told.iter().filter(|told| told.killed).filter(near) {
            if matches!(&told.place, Place::Group(of) if of == path) {
                return false;
            }
            explained |= match &told.victim {
                Some(victim) => victim.is_within(path),
                None => told.place == Place::Host,
            };
        }
        explained
    }

    /// Takes the number of kills that this sample counts in groups that ran out of memory themselves.
    pub(super) fn account(&mut self, seq: u64, kills: u64) {
        if kills > 0 {
            self.accounted.push_back((seq, kills));
        }
    }

    /// Takes the number of kills that the host counts in this sample and the log does not have.
    pub(super) fn unlogged(&mut self, seq: u64, kills: u64) {
        if kills > 0 {
            self.unlogged.push_back((seq, kills));
        }
    }

    /// Compares the two counts: kills that no group accounts for were an OOM of the host.
    pub(super) fn settle(&mut self, seq: u64, at: Monotonic) {
        for (_, kills) in &mut self.unlogged {
            for (_, accounted) in &mut self.accounted {
                let both = (*kills).min(*accounted);
                *kills -= both;
                *accounted -= both;
            }
        }
        let over = |(since, _): &(u64, u64)| seq >= since + CLAIM;
        if self.unlogged.iter().any(|rise| over(rise) && rise.1 > 0) {
            self.host = Some(at);
        }
        self.unlogged.retain(|rise| rise.1 > 0 && !over(rise));
        // With a log, the host's rise is reported some samples late: its line may still come.
        self.accounted
            .retain(|rise| rise.1 > 0 && seq < rise.0 + 2 * CLAIM);
        while let Some(first) = self.told.front()
            && at.since(first.at) > LATELY
        {
            self.told.pop_front();
        }
    }
}

fn place(report: &OomReport) -> Place {
    // Some 5.x kernels print CONSTRAINT_NONE for a memory cgroup.
    if let Some(path) = &report.oom_memcg {
        return Place::Group(CgroupPath::new(path));
    }
    let asked = report.trigger.as_ref().and_then(|trigger| trigger.order) == Some(-1);
    let message = report.message.as_deref().unwrap_or("");
    match report.constraint {
        _ if asked => Place::Elsewhere,
        _ if report.global_oom => Place::Host,
        Some(Constraint::None) => Place::Host,
        // The kernel prints ten reports in five seconds; after that only the "Killed process" line.
        None if message.starts_with("Out of memory") => Place::Host,
        _ => Place::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::Kills;
    use crate::model::cgroup::CgroupPath;
    use crate::model::time::Monotonic;
    use crate::oomlog::{Constraint, Kill, OomReport, ReportKey};

    fn second(at: u64) -> Monotonic {
        Monotonic(at * 1_000_000)
    }

    #[test]
    fn a_report_names_what_ran_out() {
        let mut kills = Kills::default();
        let (pod, app) = (CgroupPath::new("/pod"), CgroupPath::new("/pod/app"));
        let mut report = OomReport {
            key: ReportKey(1),
            at: Some(second(10)),
            constraint: Some(Constraint::Memcg),
            oom_memcg: Some("/pod".to_owned()),
            task_memcg: Some("/pod/app".to_owned()),
            ..OomReport::default()
        };
        kills.report(&report);
        assert_eq!(kills.last_of(Some(&pod)), None, "nobody was killed yet");
        assert_eq!(kills.last_without_kill(Some(&pod)), Some(second(10)));
        assert!(!kills.explains(&app, second(12)));
        report.kills = vec![Kill::default()];
        kills.report(&report);
        assert_eq!(kills.last_without_kill(Some(&pod)), None);
        assert_eq!(kills.last_of(Some(&pod)), Some(second(10)));
        assert_eq!(
            (kills.last_of(Some(&app)), kills.last_of(None)),
            (None, None)
        );
        assert!(kills.explains(&app, second(12)) && !kills.explains(&pod, second(12)));
        assert!(!kills.explains(&app, second(30)));
        (report.key, report.oom_memcg) = (ReportKey(2), None);
        (report.at, report.global_oom) = (Some(second(40)), true);
        kills.report(&report);
        assert_eq!(kills.last_of(None), Some(second(40)));
        assert!(kills.explains(&pod, second(39)));
        // Only the message decides, and a kill by SysRq is no OOM.
        let mut kills = Kills::default();
        report = OomReport {
            at: Some(second(1)),
            kills: vec![Kill::default()],
            message: Some("Memory cgroup out of memory".to_owned()),
            ..OomReport::default()
        };
        kills.report(&report);
        assert_eq!(kills.last_of(None), None);
        report.message = Some("Out of memory".to_owned());
        kills.report(&report);
        assert_eq!(kills.last_of(None), Some(second(1)));
    }

    #[test]
    fn without_a_log_the_host_has_what_no_group_accounts_for() {
        let run = |of_groups: &[(u64, u64)], of_host: &[(u64, u64)]| {
            let mut kills = Kills::default();
            for seq in 1..20 {
                for (_, n) in of_groups.iter().filter(|(at, _)| *at == seq) {
                    kills.account(seq, *n);
                }
                for (_, n) in of_host.iter().filter(|(at, _)| *at == seq) {
                    kills.unlogged(seq, *n);
                }
                kills.settle(seq, second(seq));
            }
            kills.last_of(None)
        };
        assert_eq!(run(&[], &[(5, 1)]), Some(second(7)));
        assert_eq!(run(&[(5, 2)], &[(5, 2)]), None);
        assert_eq!(run(&[(4, 1), (6, 1)], &[(5, 2)]), None);
        assert_eq!(run(&[(5, 1)], &[(5, 2)]), Some(second(7)));
        assert_eq!(run(&[(5, 1)], &[(12, 1)]), Some(second(14)));
    }
}
