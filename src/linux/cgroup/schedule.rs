//! [`GroupSchedule`]: when a group with a limit is read again. One near its limit, or whose usage moves, is
//! read in every sample; one at rest less and less often, and never all of them in the same sample.
//!
//! What it costs is bounded by [`MOST_FILES`] and does not grow with the number of groups: 2 000 groups at
//! rest are about 250 reads of one file in a sample, some 4 µs each.

use crate::linux::cgroup::files::Depth;

/// Files read of groups with a limit in one sample, at most; whoever finds no room is first in the next.
pub(crate) const MOST_FILES: u32 = 1500;

/// Files read in one sample besides, after a kill: in which group it was.
pub(crate) const MOST_KILL_FILES: usize = 2500;

/// Files of a [`Depth::Hot`] reading, about.
const HOT_FILES: u32 = 5;

/// What `memory.stat` costs, in reads of another file: measured at two to four.
const STAT_FILES: u32 = 4;

/// Samples between two visits to a group at rest, by the number of visits without movement.
const REST: [u64; 4] = [1, 2, 4, 8];

/// Samples between two visits while the host's memory stalls: a group may be why.
const PRESSED: u64 = 2;

/// Samples between two readings of the counters of a group at rest meanwhile, at least.
const COUNTERS_EVERY: u64 = 4;

/// Samples a group stays watched after one of its counters has risen.
const AFTER_EVENT: u64 = 30;

/// Per mille of the limit below which `memory.stat` is not read: what could be dropped changes nothing.
const STAT_FROM: u64 = 250;

/// Samples between two readings of `memory.stat`; a group that is nearly full is read each time.
const STAT_EVERY: u64 = 4;

/// What is remembered of one group.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GroupSchedule {
    visited: u64,
    rests: usize,
    usage: u64,
    events: u64,
    risen: u64,
    /// The sample in which the counters were last read in turn.
    counted: u64,
    /// The sample in which `memory.stat` was last read; `None` before the first time.
    stat_read: Option<u64>,
}

/// What a visit found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    /// Bytes used.
    pub(crate) usage: u64,
    /// The limit, above 0.
    pub(crate) limit: u64,
    /// Sum of the counters of events, as last read.
    pub(crate) events: u64,
    /// Tasks wait for memory.
    pub(crate) stalls: bool,
}

impl Found {
    /// Used share of the limit in per mille.
    fn share(self) -> u64 {
        self.usage.saturating_mul(1000) / self.limit.max(1)
    }
}

impl GroupSchedule {
    /// True if it must be read in the sample `seq`.
    pub(crate) fn is_due(&self, seq: u64, pressed: bool) -> bool {
        let rest = REST.get(self.rests).copied().unwrap_or(8);
        let rest = if pressed { rest.min(PRESSED) } else { rest };
        seq >= self.visited + rest
    }

    /// What to read first. At rest the usage is enough: what it finds decides whether more is read.
    pub(crate) fn depth(&self) -> Depth {
        if self.rests == 0 {
            Depth::Hot
        } else {
            Depth::Usage
        }
    }

    /// True if the counters and stalls of a group at rest are to be looked at, while the host's memory
    /// stalls: they tell which group is why.
    pub(crate) fn wants_counters(&self, seq: u64) -> bool {
        seq >= self.counted + COUNTERS_EVERY
    }

    /// Notes that they were read.
    pub(crate) fn note_counters(&mut self, seq: u64) {
        self.counted = seq;
    }

    /// The usage alone was read: true if the rest of the files is worth reading now.
    pub(crate) fn wakes(&self, found: Found) -> bool {
        self.moves(found) || found.share() >= 500
    }

    fn moves(&self, found: Found) -> bool {
        found.usage.abs_diff(self.usage) > found.limit / 64
    }

    /// True if `memory.stat` is to be read too: below a quarter of the limit it changes nothing.
    pub(crate) fn wants_stat(&self, seq: u64, found: Found) -> bool {
        let share = found.share();
        let due = self.stat_read.is_none_or(|read| seq >= read + STAT_EVERY);
        share >= 800 || (share >= STAT_FROM && due)
    }

    /// True if what `memory.stat` said last is still near enough to the truth to be shown.
    pub(crate) fn may_keep_stat(found: Found) -> bool {
        found.share() >= STAT_FROM
    }

    /// Notes a visit.
    pub(crate) fn note(&mut self, seq: u64, found: Found, stat: bool) {
        if found.events != self.events && self.visited > 0 {
            self.risen = seq;
        }
        let lately = self.risen > 0 && seq < self.risen + AFTER_EVENT;
        let awake = found.stalls || lately || found.share() >= 800 || self.moves(found);
        self.rests = if awake {
            0
        } else {
            // From half of the limit on every second sample at least.
            let most = if found.share() >= 500 {
                1
            } else {
                REST.len() - 1
            };
            (self.rests + 1).min(most)
        };
        self.visited = seq;
        self.usage = found.usage;
        self.events = found.events;
        if stat {
            self.stat_read = Some(seq);
        }
    }
}

/// Room for readings in one sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget(u32);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(MOST_FILES)
    }

    /// Takes room for a reading that may wait: half of the room is for others.
    pub(crate) fn take_spare(&mut self, depth: Depth) -> bool {
        self.0 > MOST_FILES / 2 && self.take(depth)
    }

    /// Takes room for a reading; false if there is none left.
    pub(crate) fn take(&mut self, depth: Depth) -> bool {
        self.take_files(match depth {
            Depth::Usage | Depth::Kills => 1,
            Depth::Hot => HOT_FILES,
            Depth::All => 2 * HOT_FILES,
        })
    }

    /// Takes room for `memory.stat`.
    pub(crate) fn take_stat(&mut self) -> bool {
        self.take_files(STAT_FILES)
    }

    fn take_files(&mut self, files: u32) -> bool {
        let left = self.0.checked_sub(files);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Depth, Found, GroupSchedule};

    fn found(usage: u64) -> Found {
        Found {
            usage,
            limit: 1000,
            ..Found::default()
        }
    }

    /// In which of 40 samples a group with this usage is read.
    fn visits(usage: impl Fn(u64) -> u64, pressed: bool) -> usize {
        let mut schedule = GroupSchedule::default();
        (1..=40)
            .filter(|seq| {
                let due = schedule.is_due(*seq, pressed);
                if due {
                    schedule.note(*seq, found(usage(*seq)), false);
                }
                due
            })
            .count()
    }

    #[test]
    fn what_rests_is_left_alone_and_what_is_near_or_moves_is_not() {
        assert!(visits(|_| 100, false) <= 8);
        assert!(visits(|_| 600, false) >= 20);
        assert_eq!(visits(|_| 900, false), 40);
        assert_eq!(visits(|seq| 100 + seq * 20 % 300, false), 40);
        assert!(
            visits(|_| 100, true) >= 20,
            "under pressure all are looked at"
        );
    }

    #[test]
    fn a_counter_that_rose_keeps_a_group_awake_for_a_while() {
        let mut schedule = GroupSchedule::default();
        for seq in 1..100 {
            schedule.note(seq, found(10), false);
        }
        assert!(!schedule.is_due(101, false));
        let hit = Found {
            events: 1,
            ..found(10)
        };
        schedule.note(107, hit, false);
        assert!(schedule.is_due(108, false) && schedule.depth() == Depth::Hot);
        for seq in 108..140 {
            schedule.note(seq, hit, false);
        }
        assert!(!schedule.is_due(140, false));
    }

    #[test]
    fn the_budget_ends() {
        let mut budget = Budget::new();
        let hot = std::iter::repeat_with(|| budget.take(Depth::Hot))
            .take_while(|had| *had)
            .count();
        assert_eq!(hot, 300);
        assert!(!budget.take_stat());
    }
}
