//! Compares what was told of kills with what the kernel has counted.

use super::EventLog;
use super::counter::{GRACE, groups_that_rose};
use super::entry::Entry;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;

/// Kills in the kernel's counter that a sample has brought to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Nobody told of them: they have a row now.
    pub kills: u64,
    /// No report says what ran out, even if a tracepoint told who died.
    pub unexplained: u64,
}

impl EventLog {
    /// Compares the kernel's own counter with the log: a kill that nobody told of gets a row too.
    /// Returns how many such kills were found now.
    pub fn reconcile(&mut self, newest: &Snapshot, previous: &Snapshot) -> Found {
        let log_works = self.source.has_log();
        self.unexplained.overtaken(newest);
        let unexplained = self.unexplained.unlogged(newest, log_works);
        let overtaken = self.counter.overtaken(newest);
        self.counting(|log| log.take_back(overtaken));
        let since = previous.taken.monotonic;
        let owes = self.owed > 0;
        self.owed = self.owed.saturating_sub(1);
        let covered = !owes
            && self.traced_since.is_some_and(|traced| traced <= since)
            && self.counter.cover(newest, log_works);
        let kills = if covered {
            0
        } else {
            let comes = log_works || self.source.is_traced();
            self.counter.unlogged(newest, comes)
        };
        // The row is made some samples after the rise: collect the groups of all these samples.
        for group in groups_that_rose(newest, previous) {
            if !self.rose.contains(&group) {
                self.rose.push(group);
            }
        }
        if kills > 0 {
            let groups = std::mem::take(&mut self.rose);
            self.counting(|log| {
                log.push(Entry::Unlogged {
                    at: newest.taken.monotonic,
                    kills,
                    groups,
                });
            });
            self.relist();
        } else if !self.counter.is_ahead() {
            self.rose.clear();
        }
        Found { kills, unexplained }
    }

    /// A tracepoint had no room for some kills: for some samples only the counters have them all.
    pub fn lose_traced(&mut self, now: Monotonic) {
        self.whole_since = self.whole_since.map(|_| now);
        self.owed = GRACE + 1;
    }
}
