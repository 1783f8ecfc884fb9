//! [`Growth`]: what samples of one process tell of how fast its memory changes.

use crate::model::process::pace::{Birth, Pace};
use crate::model::time::Monotonic;

/// Time constant of the smoothed growth, in seconds: after this time a step in memory use has decayed to a third.
const SMOOTH: f32 = 4.0;

/// Two samples that are closer than this, in seconds, have no rate: a page more or less would be a leak.
const LEAST_SPAN: f32 = 0.25;

/// Growth below this many bytes per second counts as 0.
const NO_GROWTH: f32 = 16.0;

/// Two rates in a row are the growth, whatever was before, if neither is more than so many times the other.
const ALIKE: f32 = 2.0;

/// Slower growth waits until the smoothed one has it, in bytes per second.
const FAST: f32 = 1_048_576.0;

/// The growth of one process, from sample to sample.
#[derive(Debug, Clone, Copy, Default)]
pub struct Growth {
    last: Option<(u64, Monotonic)>,
    /// What [`Pace`] learns from.
    smooth: Option<f32>,
    /// The same, but at once where the last two rates agree: a fast leak has filled a group before a smoothed number
    /// gets there.
    shown: Option<f32>,
    /// Between the last two samples, in bytes per second.
    rate: f32,
    pace: Pace,
    seen: u32,
}

impl Growth {
    /// Takes a sample: so many bytes of rss + swap at this time, `None` if they are not known. `birth` tells of a process that
    /// is seen for the first time.
    pub fn take(&mut self, bytes: Option<u64>, at: Monotonic, birth: impl FnOnce() -> Birth) {
        self.seen = self.seen.saturating_add(1);
        let Some(bytes) = bytes else { return };
        if let Some((last, then)) = self.last {
            let seconds = at.since(then).as_secs_f32();
            let grown = bytes as f32 - last as f32;
            if seconds < LEAST_SPAN {
                // It may have started to grow only now: the next sample is too late to tell.
                if grown >= FAST {
                    self.pace.glimpse(grown / LEAST_SPAN);
                }
                return;
            }
            self.learn(grown, seconds);
        } else if self.seen == 1 {
            self.pace = Pace::newcomer(&birth());
        }
        self.last = Some((bytes, at));
    }

    fn learn(&mut self, grown: f32, seconds: f32) {
        let rate = grown / seconds;
        let weight = 1.0 - (-seconds / SMOOTH).exp();
        let is_same = grown == 0.0;
        self.smooth = match self.smooth {
            // The usual case: nothing has changed.
            Some(0.0) if is_same => Some(0.0),
            smooth => {
                let next = smooth.map_or(rate, |smooth| smooth + weight * (rate - smooth));
                Some(if next.abs() < NO_GROWTH { 0.0 } else { next })
            }
        };
        self.shown = match (self.shown, self.smooth) {
            (_, Some(0.0)) | (None, _) => self.smooth,
            _ if is_fast_pair(self.rate, rate) => Some(f32::midpoint(self.rate, rate)),
            (Some(shown), smooth) => smooth.map(|smooth| {
                let next = shown + weight * (rate - shown);
                // Both have come together: there is one number.
                if (next - smooth).abs() < NO_GROWTH {
                    smooth
                } else {
                    next
                }
            }),
        };
        self.rate = rate;
        if !is_same || self.pace != Pace::default() {
            self.pace.learn(rate, self.smooth.unwrap_or(0.0), seconds);
        }
    }

    /// Bytes at the last sample that had a rate; `None` if they were never known.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.last.map(|(bytes, _)| bytes)
    }

    /// Growth as it is shown, in bytes per second; `None` before the second sample.
    #[must_use]
    pub fn shown(&self) -> Option<f32> {
        self.shown
    }

    /// How fast it has changed lately.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Samples in which it was seen.
    #[must_use]
    pub fn seen(&self) -> u32 {
        self.seen
    }
}

/// True if both rise fast, and alike.
fn is_fast_pair(before: f32, now: f32) -> bool {
    before >= FAST && now >= FAST && (1.0 / ALIKE..=ALIKE).contains(&(now / before))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Growth;
    use crate::model::process::pace::Birth;
    use crate::model::time::Monotonic;

    const MIB: f32 = 1_048_576.0;

    /// Of a process that is there for a day.
    const OLD: Birth = Birth {
        bytes: 20 << 20,
        inherited: 0,
        lived: Duration::from_hours(24),
        unseen: None,
    };

    /// The growth after each sample, taken at so many milliseconds with so many MiB.
    fn taken(samples: &[(u64, u64)]) -> Vec<Growth> {
        let mut growth = Growth::default();
        let all = samples.iter().map(|(millis, mib)| {
            growth.take(Some(mib << 20), Monotonic(millis * 1000), || OLD);
            growth
        });
        all.collect()
    }

    /// The growth shown after each second, in MiB per second, of a process with so many MiB at each.
    fn shown(mib: &[u64]) -> Vec<f32> {
        let samples = (0..).map(|second| second * 1000).zip(mib.iter().copied());
        let all = taken(&samples.collect::<Vec<_>>());
        let all = all.iter().map(|growth| growth.shown().unwrap_or(0.0) / MIB);
        all.collect()
    }

    #[test]
    fn a_fast_leak_has_its_whole_rate_at_the_second_reading_that_agrees() {
        let growth = shown(&[20, 20, 20, 20, 40, 60, 80, 100]);
        assert!(growth[4] < 10.0, "one step may be anything: {growth:?}");
        assert!(
            growth[5..].iter().all(|rate| (rate - 20.0).abs() < 0.1),
            "{growth:?}"
        );
    }

    #[test]
    fn a_sample_that_comes_early_makes_no_rate_of_its_own() {
        let all = taken(&[
            (0, 20),
            (1000, 40),
            (1040, 44),
            (2000, 60),
            (2030, 60),
            (3000, 80),
        ]);
        for growth in all {
            let shown = growth.shown().unwrap_or(20.0 * MIB) / MIB;
            assert!((shown - 20.0).abs() < 0.1, "{growth:?}");
        }
    }

    #[test]
    fn a_sample_that_comes_early_tells_of_a_growth_that_has_just_begun() {
        let calm = taken(&[(0, 20), (1000, 20), (1050, 20)]);
        assert!(calm[2].pace().high < 1.0);
        let begun = taken(&[(0, 20), (1000, 20), (1050, 40)]);
        let soon = Duration::from_secs(1);
        assert!(
            begun[2].pace().most(soon) >= f64::from(80.0 * MIB),
            "{begun:?}"
        );
        assert_eq!(begun[2].shown(), Some(0.0), "no rate of its own");
    }

    #[test]
    fn a_single_burst_is_smoothed_and_fades() {
        let growth = shown(&[20, 20, 20, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70]);
        assert!(growth[3] < 15.0, "{growth:?}");
        assert!(
            growth[4..].windows(2).all(|pair| pair[1] < pair[0]),
            "{growth:?}"
        );
        assert!(growth[13] < 1.5, "{growth:?}");
    }

    #[test]
    fn only_who_was_not_there_at_the_sample_before_is_new() {
        let birth = Birth {
            bytes: 40 << 20,
            inherited: 0,
            lived: Duration::from_millis(500),
            unseen: Some(Duration::from_secs(1)),
        };
        let at = |second: u64| Monotonic(second * 1_000_000);
        let mut new = Growth::default();
        new.take(Some(birth.bytes), at(5), || birth);
        assert!(new.pace().high >= 80.0 * MIB);
        let mut known = Growth::default();
        known.take(None, at(4), || birth);
        known.take(Some(birth.bytes), at(5), || birth);
        assert!(known.pace().high < 1.0, "its memory could not be read");
        assert_eq!((known.seen(), known.bytes()), (2, Some(40 << 20)));
    }
}
