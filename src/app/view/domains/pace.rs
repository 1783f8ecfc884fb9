//! [`Pace`]: how fast a group's counters rise, measured over the last 30 to 60 seconds.

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

/// Age in seconds at which the older of two marks is dropped. A rate spans between one and two of these.
const TURN: f64 = 30.0;

/// Shortest span that gives a rate.
const LEAST: f64 = 5.0;

/// Two marks of the counters and their newest values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    older: Option<(Monotonic, Counts)>,
    newer: Option<(Monotonic, Counts)>,
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
        match self.newer {
            Some((mark, _)) if seconds(mark, at) < TURN => {}
            _ => self.older = self.newer.replace((at, fresh)),
        }
        risen
    }

    /// Rises per second; `None` before the span is long enough, and without the counter.
    pub fn per_second(&self, count: Count) -> Option<f64> {
        let (at, now) = self.now?;
        let of = |counts: &Counts| counts.get(count as usize).copied().flatten();
        // Not every counter is read in every sample.
        let (mark, then) = [self.older, self.newer]
            .into_iter()
            .flatten()
            .find_map(|(mark, counts)| Some((mark, of(&counts)?)))?;
        let span = seconds(mark, at);
        let rise = of(&now)?.checked_sub(then)?;
        // A burst of a few seconds must not be extrapolated to a minute.
        (span >= LEAST).then(|| rise as f64 / span.max(TURN))
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Pace};
    use crate::model::cgroup::{Cgroup, CgroupPath};
    use crate::model::time::Monotonic;

    #[test]
    fn rates_are_over_the_last_half_to_whole_minute() {
        let mut pace = Pace::default();
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
            told.push(pace.per_second(Count::Max));
        }
        assert_eq!(told[4], None);
        assert!((told[60].expect("a rate") - 2.0).abs() < 0.01);
        assert_eq!(told[199], Some(0.0));
        assert_eq!(pace.per_second(Count::High), None);
        // A group that was removed and created again counts from 0.
        group.events.max = Some(1);
        pace.accept(Monotonic(200_000_000), &group);
        assert_eq!(pace.per_second(Count::Max), None);
    }
}
