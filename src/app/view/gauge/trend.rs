//! [`Trend`]: the last minutes of memory in use, the rate, and whether the rate means anything.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::time::Monotonic;

/// Points kept: five minutes at one a second.
const KEPT: usize = 300;
/// The time span of a rate.
const WINDOW: Duration = Duration::from_mins(1);
/// Least time and points for a rate.
const LEAST_TIME: Duration = Duration::from_secs(8);
const LEAST_POINTS: usize = 6;
/// Most points for the slope: the number of pairs grows with the square.
const MAX_FIT: usize = 60;
/// A time to exhaustion longer than this is not shown.
const FAR: Duration = Duration::from_hours(24);

/// Points of a coarse trend, and the time between two of them: they also span a minute.
const COARSE_KEPT: usize = 30;
const COARSE_APART: Duration = Duration::from_millis(1900);

/// Memory in use over time.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    points: VecDeque<(Monotonic, u64)>,
    coarse: bool,
}

/// What can be said about the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Too few samples yet.
    Unknown,
    /// Up and down: any number would mislead.
    Unsteady,
    /// Steady, in bytes per second (may be negative or nearly 0).
    Steady(f64),
}

impl Trend {
    /// A trend that keeps only its window, one point every two seconds: half a kilobyte, because there are
    /// thousands of coarse trends.
    pub fn coarse() -> Self {
        Self {
            coarse: true,
            ..Self::default()
        }
    }

    /// Adds a sample; false if a coarse trend skips it.
    pub fn push(&mut self, at: Monotonic, used: u64) -> bool {
        let newest = self.points.back().map(|(newest, _)| *newest);
        if self.coarse && newest.is_some_and(|newest| at.since(newest) < COARSE_APART) {
            return false;
        }
        let most = if self.coarse { COARSE_KEPT } else { KEPT };
        if self.points.len() >= most {
            self.points.pop_front();
        }
        self.points.push_back((at, used));
        true
    }

    /// The values kept, oldest first.
    pub fn values(&self) -> impl ExactSizeIterator<Item = u64> {
        self.points.iter().map(|(_, used)| *used)
    }

    /// The rate over the last minute: the median of the slopes of all pairs of points (Theil and
    /// Sen), which a few odd samples cannot bend. Steady means that both halves of the window agree
    /// with it and that the points lie near the line.
    pub fn rate(&self) -> Rate {
        let points = self.window();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Rate::Unknown;
        };
        if points.len() < LEAST_POINTS || last.0 - first.0 < LEAST_TIME.as_secs_f64() {
            return Rate::Unknown;
        }
        let level = last.1.abs().max(1.0);
        let (low, high) = points
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), (_, v)| {
                (low.min(*v), high.max(*v))
            });
        // A range under a thousandth of the usage is rest, not growth. Most memory rests, so this skips most
        // fits.
        if high - low < level / 1000.0 {
            return Rate::Steady(0.0);
        }
        let slope = median_slope(&points);
        let span = last.0 - first.0;
        let middle = median(points.iter().map(|(t, v)| v - slope * t).collect());
        let spread = median(
            points
                .iter()
                .map(|(t, v)| (v - slope * t - middle).abs())
                .collect(),
        );
        if (slope * span).abs() < level / 1000.0 && spread < level / 1000.0 {
            return Rate::Steady(0.0);
        }
        // The newest two points have left the line together: a kill, or a burst. The past forecasts nothing
        // then.
        let allowed = (spread * 8.0).max((slope * span).abs() / 4.0);
        let off = |(t, v): &(f64, f64)| v - slope * t - middle;
        let newest = points.iter().rev().take(2).map(off);
        let has_left =
            newest.clone().all(|by| by > allowed) || newest.clone().all(|by| by < -allowed);
        if has_left {
            return Rate::Unsteady;
        }
        let (old, new) = points.split_at(points.len() / 2);
        let agrees = |half: &[(f64, f64)]| {
            let own = median_slope(half);
            own.signum() == slope.signum() && (0.33..=3.0).contains(&(own / slope))
        };
        if agrees(old) && agrees(new) && spread * 4.0 < (slope * span).abs() {
            Rate::Steady(slope)
        } else {
            Rate::Unsteady
        }
    }

    /// Time until `left` bytes are gone at the present rate; `None` unless it grows steadily and the
    /// end is within a day.
    pub fn time_to(&self, left: u64) -> Option<Duration> {
        let Rate::Steady(rate) = self.rate() else {
            return None;
        };
        time_at(rate, left)
    }

    /// The window as (seconds, bytes), thinned evenly.
    fn window(&self) -> Vec<(f64, f64)> {
        let Some((newest, _)) = self.points.back() else {
            return Vec::new();
        };
        let recent: Vec<_> = self
            .points
            .iter()
            .filter(|(at, _)| newest.since(*at) <= WINDOW)
            .map(|(at, used)| (at.0 as f64 / 1e6, *used as f64))
            .collect();
        let step = recent.len().div_ceil(MAX_FIT).max(1);
        recent.into_iter().rev().step_by(step).rev().collect()
    }
}

/// Time in which `left` bytes are gone at `rate` bytes a second; `None` unless it grows and the end is within
/// a day.
pub fn time_at(rate: f64, left: u64) -> Option<Duration> {
    if rate <= 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(left as f64 / rate)
        .ok()
        .filter(|time| *time <= FAR)
}

fn median_slope(points: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (at, a) in points.iter().enumerate() {
        for b in &points[at + 1..] {
            if b.0 > a.0 {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    median(slopes)
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rate, Trend};
    use crate::model::time::Monotonic;

    const MIB: u64 = 1 << 20;

    fn trend(used: impl Fn(u64) -> u64, seconds: u64) -> Trend {
        let mut trend = Trend::default();
        for t in 0..seconds {
            trend.push(Monotonic(t * 1_000_000), used(t));
        }
        trend
    }

    #[test]
    fn a_steady_leak_has_a_time() {
        let leak = trend(|t| 1000 * MIB + t * 10 * MIB + (t % 3) * MIB, 40);
        let Rate::Steady(rate) = leak.rate() else {
            panic!("{:?}", leak.rate())
        };
        assert!((rate / MIB as f64 - 10.0).abs() < 0.5);
        let time = leak.time_to(600 * MIB).expect("a time");
        assert!((55..=65).contains(&time.as_secs()));
    }

    #[test]
    fn a_saw_a_step_and_a_spike_have_none() {
        assert_eq!(
            trend(|t| 1000 * MIB + (t % 10) * 50 * MIB, 60).rate(),
            Rate::Unsteady
        );
        let step = trend(|t| if t < 30 { 1000 * MIB } else { 1500 * MIB }, 60);
        assert_eq!(step.time_to(MIB), None);
        let spike = trend(|t| if t == 30 { 3000 * MIB } else { 1000 * MIB }, 60);
        assert_eq!(spike.rate(), Rate::Steady(0.0));
        assert_eq!(trend(|_| 1000 * MIB, 3).rate(), Rate::Unknown);
        assert_eq!(trend(|t| 1000 * MIB - t * MIB, 60).time_to(MIB), None);
    }

    #[test]
    fn a_leak_that_was_killed_has_none() {
        let kill = |t| if t < 50 { 1000 + t * 10 } else { 300 };
        // One odd sample is a spike; a second one confirms the change.
        assert!(matches!(
            trend(|t| kill(t) * MIB, 51).rate(),
            Rate::Steady(_)
        ));
        for seconds in 52..60 {
            let killed = trend(|t| kill(t) * MIB, seconds);
            assert_eq!(killed.rate(), Rate::Unsteady, "after {seconds} s");
        }
    }

    #[test]
    fn a_coarse_one_says_the_same_of_a_leak_and_keeps_little() {
        let mut trend = Trend::coarse();
        for t in 0..600 {
            trend.push(Monotonic(t * 200_000), 100 * MIB + t * MIB / 5);
        }
        assert_eq!(trend.values().len(), 30);
        let Rate::Steady(rate) = trend.rate() else {
            panic!("{:?}", trend.rate())
        };
        assert!((rate / MIB as f64 - 1.0).abs() < 0.05);
    }

    #[test]
    fn keeps_five_minutes() {
        assert_eq!(trend(|t| t, 1000).values().len(), 300);
        assert_eq!(Trend::default().time_to(1), None);
        assert_eq!(
            trend(|t| 1 + t * 1_000_000_000, 40).time_to(0),
            Some(Duration::ZERO)
        );
    }
}
