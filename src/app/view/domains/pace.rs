//! [`Pace`]: how fast a group's counters rise, measured over the last 60 to 90 seconds; before that, by how much.

use crate::model::cgroup::Cgroup;
use crate::model::time::Monotonic;

/// A counter with a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Throttled at `memory.high`.
    High,
    /// At the limit, before reclaim.
    Max,
    /// OOM conditions.
    Oom,
    /// Kills.
    OomKill,
    /// Pages read again soon after they were dropped.
    Refaults,
}

/// What happened between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rose {
    /// It was out of memory (`oom`), whether or not anybody was killed.
    pub oom: bool,
    /// Somebody in it was killed (`oom_kill`).
    pub kill: bool,
}

type Counts = [Option<u64>; 5];

/// Seconds between two marks.
const TURN: f64 = 30.0;

/// Marks kept: together they reach back for two to three turns.
const MARKS: usize = 3;

/// By how much a counter has risen of late.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recent {
    /// The rise.
    pub by: u64,
    /// In so many seconds, up to 90.
    pub seconds: f64,
}

impl Recent {
    /// The rise in a minute; `None` where less than a minute has been seen: a burst of seconds is no rate.
    pub fn per_minute(self) -> Option<f64> {
        (self.seconds >= 2.0 * TURN).then(|| self.by as f64 * 60.0 / self.seconds)
    }
}

/// Marks of the counters, the newest first, and their newest values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    marks: [Option<(Monotonic, Counts)>; MARKS],
    now: Option<(Monotonic, Counts)>,
    own_oom: Option<u64>,
}

/// What a group's counters did between two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rise {
    /// Its own limit ran out (v2).
    pub own_oom: bool,
    /// It was at its limit.
    pub at_limit: bool,
    /// Processes killed in it and below, whatever ran out.
    pub kills: u64,
}

fn counts(group: &Cgroup) -> Counts {
    let events = &group.events;
    [
        events.high,
        events.max,
        events.oom,
        events.oom_kill,
        group.stat.and_then(|stat| stat.refaults),
    ]
}

fn seconds(from: Monotonic, to: Monotonic) -> f64 {
    to.since(from).as_secs_f64()
}

impl Pace {
    /// Takes a sample; returns what rose since the one before.
    pub fn accept(&mut self, at: Monotonic, group: &Cgroup) -> Rise {
        let fresh = counts(group);
        let by = |old: Option<u64>, new: Option<u64>| {
            let both = old.zip(new);
            both.map_or(0, |(old, new)| new.saturating_sub(old))
        };
        let rise = |count: Count| {
            let of = |counts: &Counts| counts.get(count as usize).copied().flatten();
            by(self.now.and_then(|(_, before)| of(&before)), of(&fresh))
        };
        let own = group.events.own_oom;
        let risen = Rise {
            own_oom: by(self.own_oom, own) > 0,
            at_limit: rise(Count::Max) > 0,
            kills: rise(Count::OomKill),
        };
        self.own_oom = own;
        self.now = Some((at, fresh));
        match self.marks.first().copied().flatten() {
            Some((mark, _)) if seconds(mark, at) < TURN => {}
            _ => {
                self.marks.rotate_right(1);
                self.marks[0] = Some((at, fresh));
            }
        }
        risen
    }

    /// The rise since the oldest mark; `None` without the counter, and where it has begun anew.
    pub fn recent(&self, count: Count) -> Option<Recent> {
        self.since(self.marks.into_iter().rev(), count)
    }

    /// True if the counter has risen since a mark of the last minute.
    pub fn rises(&self, count: Count) -> bool {
        let marks = self.marks.into_iter().take(2).rev();
        self.since(marks, count).is_some_and(|recent| recent.by > 0)
    }

    fn since(
        &self,
        mut marks: impl Iterator<Item = Option<(Monotonic, Counts)>>,
        count: Count,
    ) -> Option<Recent> {
        let (at, now) = self.now?;
        let of = |counts: &Counts| counts.get(count as usize).copied().flatten();
        // Not every counter is read in every sample.
        let (mark, then) = marks.find_map(|mark| {
            let (mark, counts) = mark?;
            Some((mark, of(&counts)?))
        })?;
        Some(Recent {
            by: of(&now)?.checked_sub(then)?,
            seconds: seconds(mark, at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Pace, Recent};
    use crate::model::cgroup::{Cgroup, CgroupPath};
    use crate::model::time::Monotonic;

    #[test]
    fn rates_need_a_minute_and_before_it_there_is_only_what_was_seen() {
        let mut pace = Pace::default();
        let rate = |pace: &Pace, count| pace.recent(count).and_then(Recent::per_minute);
        let mut group = Cgroup::unread(CgroupPath::root(), None);
        let mut told = Vec::new();
        for second in 0..200_u64 {
            // Twice a second, except in the last two minutes.
            group.events.max = Some(second.min(80) * 2);
            group.events.oom = Some(u64::from(second >= 40));
            group.events.oom_kill = Some(u64::from(second >= 50));
            let rose = pace.accept(Monotonic(second * 1_000_000), &group);
            assert_eq!(rose.kills, u64::from(second == 50));
            assert_eq!(
                (rose.at_limit, rose.own_oom),
                ((1..=80).contains(&second), false)
            );
            told.push((pace.recent(Count::Max), rate(&pace, Count::Max)));
        }
        // Nine rises in four and a half seconds are not a hundred in a minute.
        let seen = |second: usize| told[second].0.map(|recent| recent.by);
        assert_eq!((seen(4), told[4].1), (Some(8), None));
        assert_eq!((seen(59), told[59].1), (Some(118), None));
        assert!((told[60].1.expect("a rate") - 120.0).abs() < 0.01);
        assert!(told[60..].iter().all(|(_, rate)| rate.is_some()));
        assert_eq!(told[199].1, Some(0.0));
        assert!(!pace.rises(Count::Max));
        assert_eq!(pace.recent(Count::High), None);
        // A group that was removed and created again counts from 0.
        group.events.max = Some(1);
        pace.accept(Monotonic(200_000_000), &group);
        assert_eq!(pace.recent(Count::Max), None);
    }
}
