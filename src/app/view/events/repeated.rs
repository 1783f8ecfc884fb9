//! [`Repeated`]: whose name died most often of late, and since when the records of that reach back.

use std::collections::BTreeMap;

use super::{Entry, EventLog, EventRow};
use crate::model::snapshot::Snapshot;
use crate::model::time::Wall;
use crate::text::format;

/// Microseconds over which the deaths of a name are counted.
const HOUR: i64 = 3_600_000_000;

/// The name that died most often in the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated<'a> {
    /// Its name.
    pub name: &'a str,
    /// How often, two or more.
    pub times: usize,
    /// The records begin within the hour: what died before is not counted.
    pub since: Option<Wall>,
}

impl Repeated<'_> {
    /// `java ×7 in 1 h`, or `java ×7 since 14:02` where nobody has the records of the whole hour.
    pub fn words(&self, now: Wall) -> String {
        let Self { name, times, since } = self;
        match since {
            None => format!("{name} ×{times} in 1 h"),
            Some(since) => {
                let since = format::day_or_time(*since, now);
                format!("{name} ×{times} since {since}")
            }
        }
    }
}

impl EventLog {
    /// The name that died most often in the last hour, and how often; `None` below two. Records that were overwritten
    /// within the hour are not counted: `sample` has the kernel's own count of kills.
    pub fn repeated(&self, sample: &Snapshot) -> Option<Repeated<'_>> {
        let age = |at: Wall| self.clock.wall.unix_micros.saturating_sub(at.unix_micros);
        let recent = |row: &EventRow<'_>| row.wall(self.clock).is_some_and(|at| age(at) <= HOUR);
        let mut deaths: BTreeMap<&str, usize> = BTreeMap::new();
        for kill in self.all_rows().filter(recent).filter_map(|row| row.kill) {
            *deaths.entry(&kill.comm).or_default() += 1;
        }
        let (name, times) = deaths
            .into_iter()
            .max_by_key(|(_, times)| *times)
            .filter(|(_, times)| *times > 1)?;
        let since = self.records_begin(sample).filter(|at| age(*at) < HOUR);
        Some(Repeated { name, times, since })
    }

    /// From when on every record is there; `None` if none is known to be missing.
    fn records_begin(&self, sample: &Snapshot) -> Option<Wall> {
        let rows = || self.all_rows();
        let gap = rows().find(|row| matches!(row.entry, Entry::Gap { .. }));
        let gap = gap.and_then(|row| row.wall(self.clock));
        // A counter that is ahead of the log for a moment says nothing.
        let tally = self.tally();
        let told = tally.lines.saturating_add(tally.unlogged);
        let told = told.saturating_add(self.counter.pending(sample));
        let is_short = self.forgotten.total() > 0 || sample.kills.host > Some(told);
        // The newest rows come first.
        let oldest = rows().filter_map(|row| row.wall(self.clock)).last();
        gap.or(oldest.filter(|_| is_short))
    }
}
