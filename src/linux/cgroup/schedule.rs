//! [`GroupSchedule`]: when a group with a limit is read again. A group near its limit, or whose usage
//! changes, is read in every sample. An idle group is read less and less often, and idle groups are spread
//! over the samples.
//!
//! [`MOST_FILES`] bounds the cost, whatever the number of groups: 2 000 idle groups cost about 250 reads of
//! one file in a sample, some 4 µs each.

use crate::linux::cgroup::files::Depth;

/// Most files of groups with a limit read in one sample. The next sample starts with the first group that
/// found no room.
pub(crate) const MOST_FILES: u32 = 1500;

/// Most additional files read in one sample after a kill, to find the group of the victim.
pub(crate) const MOST_KILL_FILES: usize = 2500;

/// Approximate number of files of a [`Depth::Hot`] reading.
const HOT_FILES: u32 = 5;

/// The cost of reading `memory.stat`, in reads of an ordinary file: measured at two to four.
const STAT_FILES: u32 = 4;

/// Samples between two visits to an idle group, by the number of visits without a change.
const REST: [u64; 4] = [1, 2, 4, 8];

/// Samples between two visits while tasks of the host stall on memory: a group may be the cause.
const PRESSED: u64 = 2;

/// While tasks of the host stall on memory: least samples between two readings of an idle group's counters.
const COUNTERS_EVERY: u64 = 4;

/// Samples in which a group is read every time after one of its counters has risen.
const AFTER_EVENT: u64 = 30;

/// Usage in per mille of the limit below which `memory.stat` is not read: droppable cache does not matter
/// there.
const STAT_FROM: u64 = 250;

/// Samples between two readings of `memory.stat`; a nearly full group is read at each visit.
const STAT_EVERY: u64 = 4;

/// The state of one group's schedule.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GroupSchedule {
    visited: u64,
    rests: usize,
    usage: u64,
    events: u64,
    risen: u64,
    /// The sample in which the counters were last read.
    counted: u64,
    /// The sample in which `memory.stat` was last read; `None` before the first time.
    stat_read: Option<u64>,
}

/// The numbers that a visit found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    /// Bytes used.
    pub(crate) usage: u64,
    /// The limit, above 0.
    pub(crate) limit: u64,
    /// Sum of the event counters, as last read.
    pub(crate) events: u64,
    /// True if tasks of the group wait for memory.
    pub(crate) stalls: bool,
}

impl Found {
    /// Usage in per mille of the limit.
    fn share(self) -> u64 {
        self.usage.saturating_mul(1000) / self.limit.max(1)
    }
}

impl GroupSchedule {
    /// True if the group must be read in the sample `seq`. While the host's memory `grows` no group rests: the one
    /// that fills may have rested until now.
    pub(crate) fn is_due(&self, seq: u64, pressed: bool, grows: bool) -> bool {
        let rest = REST.get(self.rests).copied().unwrap_or(8);
        let rest = match (grows, pressed) {
            (true, _) => 1,
            (false, true) => rest.min(PRESSED),
            (false, false) => rest,
        };
        seq >= self.visited + rest
    }

    /// What to read first. For an idle group that is the usage, which decides whether more is read.
    pub(crate) fn depth(&self) -> Depth {
        if self.rests == 0 {
            Depth::Hot
        } else {
            Depth::Usage
        }
    }

    /// While tasks of the host stall on memory: true if the counters and the pressure of this idle group are
    /// due. They show which group causes the stalls.
    pub(crate) fn wants_counters(&self, seq: u64) -> bool {
        seq >= self.counted + COUNTERS_EVERY
    }

    /// Notes that the counters were read.
    pub(crate) fn note_counters(&mut self, seq: u64) {
        self.counted = seq;
    }

    /// Call it when only the usage was read: true if the other files should be read in the same sample.
    pub(crate) fn wakes(&self, found: Found) -> bool {
        self.moves(found) || found.share() >= 500
    }

    fn moves(&self, found: Found) -> bool {
        found.usage.abs_diff(self.usage) > found.limit / 64
    }

    /// True if `memory.stat` is due. Below a quarter of the limit it never is: droppable cache does not
    /// matter there.
    pub(crate) fn wants_stat(&self, seq: u64, found: Found) -> bool {
        let share = found.share();
        let due = self.stat_read.is_none_or(|read| seq >= read + STAT_EVERY);
        share >= 800 || (share >= STAT_FROM && due)
    }

    /// True if the last reading of `memory.stat` may still be shown. Below a quarter of the limit the file is
    /// not read again, so an old reading would be wrong.
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
            // From half of the limit on, the group is read at least in every second sample.
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

/// The number of files that may still be read in this sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget(u32);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(MOST_FILES)
    }

    /// Takes room for a reading that can wait: it may use only half of the budget.
    pub(crate) fn take_spare(&mut self, depth: Depth) -> bool {
        self.0 > MOST_FILES / 2 && self.take(depth)
    }

    /// Takes room for a reading; false if not enough is left.
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
                let due = schedule.is_due(*seq, pressed, false);
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
    fn nobody_rests_while_the_memory_of_the_host_grows() {
        let mut schedule = GroupSchedule::default();
        for seq in 1..100 {
            schedule.note(seq, found(10), false);
        }
        assert!(!schedule.is_due(100, true, false));
        assert!(schedule.is_due(100, false, true));
        assert_eq!(schedule.depth(), Depth::Usage, "one small file");
    }

    #[test]
    fn a_counter_that_rose_keeps_a_group_awake_for_a_while() {
        let mut schedule = GroupSchedule::default();
        for seq in 1..100 {
            schedule.note(seq, found(10), false);
        }
        assert!(!schedule.is_due(101, false, false));
        let hit = Found {
            events: 1,
            ..found(10)
        };
        schedule.note(107, hit, false);
        assert!(schedule.is_due(108, false, false) && schedule.depth() == Depth::Hot);
        for seq in 108..140 {
            schedule.note(seq, hit, false);
        }
        assert!(!schedule.is_due(140, false, false));
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
