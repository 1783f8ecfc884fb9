//! [`Pace`]: how fast the memory of a process has changed lately, and how far that may carry it.

use std::time::Duration;

/// After this time what was seen once counts a third.
const FADES: f32 = 8.0;

/// Time constant of the rate that far forecasts use.
const STEADY: f32 = 30.0;

/// A burst is not extrapolated further than this, in seconds.
const BURST: f32 = 2.0;

/// What the smoothed growth of the last seconds is good for, in seconds; after that the rate of the last half minute
/// counts.
const NEAR: f32 = 10.0;

/// A shorter life counts as this many seconds: in its first moments a program maps what every program maps.
const FIRST_MOMENTS: f32 = 0.2;

/// A process that is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    /// What it holds, in bytes.
    pub bytes: u64,
    /// What its parent held when it was last seen, in bytes: a fork begins with all of that.
    pub inherited: u64,
    /// Time since it started.
    pub lived: Duration,
    /// Time since the sample before; `None` if there was none: then it need not be new.
    pub unseen: Option<Duration>,
}

/// Rates in bytes per second, of rss + swap.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// Smoothed over some seconds.
    pub growth: f32,
    /// Smoothed over half a minute; starts at 0, so a short burst is no long trend.
    pub steady: f32,
    /// The fastest rise between two samples lately; at least `growth`.
    pub high: f32,
    /// The slowest rise, or fastest fall, between two samples lately; at most `growth`.
    pub low: f32,
    /// Between the last two samples; of a newcomer as if it had held nothing at the first of them.
    pub last: f32,
}

impl Pace {
    /// The pace of a process that is seen for the first time. It may have slept at first, and a fork holds what its
    /// parent held from the start.
    #[must_use]
    pub fn newcomer(birth: &Birth) -> Self {
        let rate = |bytes: u64, seconds: f32| {
            if seconds > 0.0 {
                bytes as f32 / seconds
            } else {
                0.0
            }
        };
        // In the first sample all are seen for the first time, oomtop too, and most have taken what they need.
        let Some(unseen) = birth.unseen else {
            return Self::default();
        };
        let lived = birth.lived.as_secs_f32().max(FIRST_MOMENTS);
        let unseen = unseen.as_secs_f32();
        let own = birth.bytes.saturating_sub(birth.inherited);
        Self {
            high: (rate(birth.bytes, unseen) * 2.0).max(rate(own, lived.min(unseen))),
            last: rate(birth.bytes, unseen),
            ..Self::default()
        }
    }

    /// A rise seen between two samples that are too close to learn from.
    pub fn glimpse(&mut self, rate: f32) {
        self.high = self.high.max(rate);
    }

    /// Takes in the rate between the last two samples, `seconds` apart, after which the smoothed growth is `growth`.
    pub fn learn(&mut self, rate: f32, growth: f32, seconds: f32) {
        let kept = (-seconds / FADES).exp();
        self.high = rate.max(growth + (self.high - self.growth).max(0.0) * kept);
        self.low = rate.min(growth + (self.low - self.growth).min(0.0) * kept);
        self.steady += (1.0 - (-seconds / STEADY).exp()) * (rate - self.steady);
        self.growth = growth;
        self.last = rate;
        if self.is_still() {
            *self = Self::default();
        }
    }

    fn is_still(&self) -> bool {
        let all = [self.growth, self.steady, self.high, self.low, self.last];
        all.iter().all(|rate| rate.abs() < 1024.0)
    }

    /// Bytes by which it may have grown after `time`, at most.
    #[must_use]
    pub fn most(&self, time: Duration) -> f64 {
        self.expected(time) + f64::from(self.high - self.growth) * burst(time)
    }

    /// Bytes by which it will have grown after `time`, at least; negative if it may shrink.
    #[must_use]
    pub fn least(&self, time: Duration) -> f64 {
        self.expected(time) - f64::from(self.growth - self.low) * burst(time)
    }

    /// The same if it also gets nothing for a moment: where memory is short, whoever asks for it waits for reclaim or
    /// for a processor, and the others grow meanwhile.
    #[must_use]
    pub fn least_if_held_up(&self, time: Duration) -> f64 {
        let held_up = self.expected(time) - f64::from(self.growth.max(0.0)) * burst(time);
        self.least(time).min(held_up)
    }

    fn expected(&self, time: Duration) -> f64 {
        let seconds = time.as_secs_f64();
        let near = seconds.min(f64::from(NEAR));
        f64::from(self.growth) * near + f64::from(self.steady) * (seconds - near)
    }
}

fn burst(time: Duration) -> f64 {
    time.as_secs_f64().min(f64::from(BURST))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Birth, Pace};

    /// A process of so many MiB, of which its parent had a part, after so many milliseconds; samples are a second apart.
    fn born(mib: u64, inherited: u64, millis: u64) -> Pace {
        Pace::newcomer(&Birth {
            bytes: mib << 20,
            inherited: inherited << 20,
            lived: Duration::from_millis(millis),
            unseen: Some(Duration::from_secs(1)),
        })
    }

    const MIB: f32 = 1_048_576.0;

    #[test]
    fn a_constant_leak_is_foreseen_to_the_byte() {
        let mut pace = Pace::default();
        for _ in 0..200 {
            pace.learn(MIB, MIB, 1.0);
        }
        for seconds in [1, 5, 100] {
            let time = Duration::from_secs(seconds);
            let right = f64::from(MIB) * seconds as f64;
            assert!((pace.most(time) / right - 1.0).abs() < 0.01, "{pace:?}");
            assert!((pace.least(time) / right - 1.0).abs() < 0.01, "{pace:?}");
        }
    }

    #[test]
    fn a_leak_may_be_held_up_for_a_moment_and_what_rests_has_nothing_to_lose() {
        let leak = Pace {
            growth: 20.0 * MIB,
            steady: 20.0 * MIB,
            low: 20.0 * MIB,
            high: 20.0 * MIB,
            last: 20.0 * MIB,
        };
        let least = |pace: Pace, seconds| pace.least_if_held_up(Duration::from_secs(seconds));
        assert!((least(leak, 1)).abs() < 1.0);
        assert!((least(leak, 5) - f64::from(60.0 * MIB)).abs() < 1.0);
        let shrinks = Pace {
            growth: -5.0 * MIB,
            low: -9.0 * MIB,
            ..Pace::default()
        };
        assert!((least(shrinks, 1) + f64::from(9.0 * MIB)).abs() < 1.0);
        assert!(least(Pace::default(), 9).abs() < 1.0);
    }

    #[test]
    fn a_saw_may_go_either_way_for_a_moment_and_nowhere_in_the_long_run() {
        let mut pace = Pace::default();
        let mut growth = 0.0_f32;
        for second in 0..120 {
            let rate = if second % 4 == 0 { -90.0 } else { 30.0 } * MIB;
            growth += 0.22 * (rate - growth);
            pace.learn(rate, growth, 1.0);
        }
        let soon = Duration::from_secs(1);
        assert!(pace.most(soon) >= f64::from(29.0 * MIB), "{pace:?}");
        assert!(pace.least(soon) <= f64::from(-35.0 * MIB), "{pace:?}");
        let late = Duration::from_mins(10);
        assert!(pace.most(late) < f64::from(30.0 * MIB) * 100.0, "{pace:?}");
    }

    #[test]
    fn what_rests_again_is_still_after_a_while() {
        let mut pace = born(64, 0, 1000);
        assert!(pace.most(Duration::from_secs(1)) >= f64::from(64.0 * MIB));
        for _ in 0..200 {
            pace.learn(0.0, 0.0, 1.0);
        }
        assert_eq!(pace, Pace::default());
    }

    #[test]
    fn what_a_newcomer_took_in_a_moment_it_may_take_again_in_the_next() {
        let rate = |mib, inherited, millis| born(mib, inherited, millis).high / MIB;
        let near = |rate: f32, wanted: f32| assert!((rate - wanted).abs() < 0.1, "{rate}");
        near(rate(40, 0, 900), 80.0);
        near(rate(40, 0, 250), 160.0);
        near(rate(40, 0, 1), 200.0);
        // A fork of something big: the usual rate alone.
        near(rate(40, 40, 1), 80.0);
        near(rate(40, 0, 60_000), 80.0);
    }
}
