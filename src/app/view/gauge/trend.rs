//! [`Trend`]: the last minutes of memory in use, its rate, and whether that rate means anything.
//!
//! There are two answers. A rate is *steady* if the last minute agrees with it. That takes time, and a fast leak has
//! filled a group before: so a rise in the last seconds alone is an answer too ([`Rate::Lately`]), good for a
//! short while. A forecast never reaches much further than what it was learnt from.

use std::collections::VecDeque;
use std::time::Duration;

use super::fit::{Fit, brief, fit};
use crate::model::time::Monotonic;

/// Points kept: five minutes at one a second.
const KEPT: usize = 300;
/// The time span of a rate.
const WINDOW: Duration = Duration::from_mins(1);
/// Points the slope is computed from: pairs grow with the square.
const MAX_FIT: usize = 60;
/// A time to exhaustion longer than this is not shown.
const FAR: Duration = Duration::from_hours(24);

/// A forecast from the last minute reaches so many times as far as the time it was learnt from.
const REACH: u32 = 25;
/// A further one needs a trend that has lasted for this long.
const LONG: Duration = Duration::from_mins(2);
/// A forecast from the last seconds may always reach this far, and so many times as far as they last.
const BRIEF_REACH: Duration = Duration::from_secs(15);
const BRIEF_TIMES: u32 = 10;

/// Points kept of a coarse trend; the newest half is about two seconds apart, the rest about ten.
const COARSE_KEPT: usize = 30;
const COARSE_APART: Duration = Duration::from_millis(1900);
const OLD_APART: Duration = Duration::from_secs(10);

/// The newest points, at most so many, for so long, and so far apart: a sample that an event has brought lies close to
/// another, and what is between the two says nothing about a rate.
const RECENT_KEPT: usize = 16;
const RECENT: Duration = Duration::from_secs(16);
const RECENT_APART: Duration = Duration::from_millis(500);

/// Memory in use over time.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    points: VecDeque<(Monotonic, u64)>,
    recent: VecDeque<(Monotonic, u64)>,
    /// What came before is no evidence: memory was freed by a kill.
    since: Monotonic,
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
    /// It has risen by so many bytes per second in the last seconds, as long as given; before, it did not.
    Lately(f64, Duration),
    /// Nobody runs there, so nobody there makes it grow: the whole domain is frozen.
    Frozen,
}

impl Trend {
    /// A trend that keeps no more than its window needs, a point every two seconds: a kilobyte, for what there are
    /// thousands of.
    pub fn coarse() -> Self {
        Self {
            coarse: true,
            ..Self::default()
        }
    }

    /// It keeps a point every two seconds.
    pub fn is_coarse(&self) -> bool {
        self.coarse
    }

    /// Adds a sample; false if it tells only about the last seconds, because a coarse trend has another near it.
    pub fn push(&mut self, at: Monotonic, used: u64) -> bool {
        let last = self.recent.back().map(|(last, _)| *last);
        if last.is_none_or(|last| at.since(last) >= RECENT_APART) {
            self.recent.push_back((at, used));
        }
        while self.recent.len() > RECENT_KEPT
            || self
                .recent
                .front()
                .is_some_and(|(first, _)| at.since(*first) > RECENT)
        {
            self.recent.pop_front();
        }
        let newest = self.points.back().map(|(newest, _)| *newest);
        if self.coarse && newest.is_some_and(|newest| at.since(newest) < COARSE_APART) {
            return false;
        }
        if self.coarse && self.points.len() >= COARSE_KEPT {
            self.thin_out();
        } else if self.points.len() >= KEPT {
            self.points.pop_front();
        }
        self.points.push_back((at, used));
        true
    }

    /// Drops one of the older points that lie near each other, else the oldest.
    fn thin_out(&mut self) {
        let old = self.points.len().saturating_sub(COARSE_KEPT / 2);
        let time = |at: usize| self.points.get(at).map(|(time, _)| *time);
        let near = (1..old).find(|at| {
            let around = time(at - 1).zip(time(at + 1));
            around.is_some_and(|(before, after)| after.since(before) <= OLD_APART)
        });
        self.points.remove(near.unwrap_or(0));
    }

    /// What comes from `at` on has nothing to do with what was before: somebody was killed.
    pub fn restart(&mut self, at: Monotonic) {
        self.since = at;
    }

    /// The values kept, oldest first.
    pub fn values(&self) -> impl ExactSizeIterator<Item = u64> {
        self.points.iter().map(|(_, used)| *used)
    }

    /// The rate: of the last minute if that is steady, else of the last seconds if it rises.
    pub fn rate(&self) -> Rate {
        choose(self.minute(), self.lately())
    }

    /// The rate over the last minute: the median of the slopes of all pairs of points (Theil and
    /// Sen), which a few odd samples cannot bend. Steady means that both halves of the window agree
    /// with it and that the points lie near the line.
    pub fn minute(&self) -> Rate {
        match fit(&self.window(WINDOW)) {
            Fit::TooFew => Rate::Unknown,
            Fit::Unsteady => Rate::Unsteady,
            Fit::Steady(rate) => Rate::Steady(rate),
        }
    }

    /// The rise of the last seconds: every reading above the one before, by about the same, to where usage has not
    /// been more than once before. A service that starts again leaves a peak behind, and so does a start that needs much
    /// for a moment; a saw has more teeth.
    pub fn lately(&self) -> Option<(f64, Duration)> {
        let recent: Vec<_> = self
            .recent
            .iter()
            .filter(|(at, _)| *at >= self.since)
            .map(|point| seconds(*point))
            .collect();
        let (rate, span) = brief(&recent)?;
        let newest = self.recent.back()?;
        let before = self.points.iter().filter(|(at, _)| {
            let age = newest.0.since(*at);
            *at >= self.since && age > span && age <= WINDOW
        });
        let (mut teeth, mut is_above) = (0, false);
        // The top of a tooth lies between two points.
        let apart = COARSE_APART.min(span / 2).as_secs_f64();
        for (_, used) in before {
            let above = *used as f64 + rate * apart >= newest.1 as f64;
            teeth += u32::from(above && !is_above);
            is_above = above;
        }
        (teeth <= 1).then_some((rate, span))
    }

    /// Time until `left` bytes are gone at the present rate; `None` unless it grows, and where the end is further
    /// than what was seen can tell.
    pub fn time_to(&self, left: u64) -> Option<Duration> {
        match self.rate() {
            Rate::Steady(rate) => self.steady_time(rate, left),
            Rate::Lately(rate, over) => brief_time(rate, over, left),
            Rate::Unknown | Rate::Unsteady | Rate::Frozen => None,
        }
    }

    /// Time until `left` bytes are gone at a rate that was steady in the last minute.
    pub(in crate::app::view) fn steady_time(&self, rate: f64, left: u64) -> Option<Duration> {
        let time = time_at(rate, left)?;
        if time <= self.span(WINDOW) * REACH {
            return Some(time);
        }
        // A burst of a minute (a build, a backup) says nothing about the next hour.
        if self.span(FAR) < LONG {
            return None;
        }
        let Fit::Steady(long) = fit(&self.window(FAR)) else {
            return None;
        };
        let agrees = (0.5..=2.0).contains(&(long / rate));
        agrees.then_some(time)
    }

    /// True if what the rate was learnt from is long enough for a forecast of this time that nothing has proved yet.
    pub(in crate::app::view) fn has_lasted_for(&self, time: Duration) -> bool {
        time <= self.span(WINDOW) * BRIEF_TIMES
    }

    /// How long the points reach back, within the window.
    fn span(&self, window: Duration) -> Duration {
        let Some((newest, _)) = self.points.back() else {
            return Duration::ZERO;
        };
        let first = self.within(window).next();
        first.map_or(Duration::ZERO, |(at, _)| newest.since(*at))
    }

    fn within(&self, window: Duration) -> impl Iterator<Item = &(Monotonic, u64)> {
        let newest = self.points.back().map_or(Monotonic(0), |(at, _)| *at);
        self.points
            .iter()
            .filter(move |(at, _)| *at >= self.since && newest.since(*at) <= window)
    }

    /// The window as (seconds, bytes), thinned evenly.
    fn window(&self, window: Duration) -> Vec<(f64, f64)> {
        let recent: Vec<_> = self.within(window).map(|point| seconds(*point)).collect();
        let step = recent.len().div_ceil(MAX_FIT).max(1);
        recent.into_iter().rev().step_by(step).rev().collect()
    }
}

/// What to say of the two answers: the steady one, unless the last seconds say something new.
pub(in crate::app::view) fn choose(minute: Rate, lately: Option<(f64, Duration)>) -> Rate {
    match (minute, lately) {
        (Rate::Steady(steady), Some((rate, over))) if rate > 3.0 * steady.max(0.0) => {
            Rate::Lately(rate, over)
        }
        (Rate::Unknown | Rate::Unsteady, Some((rate, over))) => Rate::Lately(rate, over),
        (minute, _) => minute,
    }
}

/// Time until `left` bytes are gone at a rate that was seen for the time `over`, if that can tell.
pub(in crate::app::view) fn brief_time(rate: f64, over: Duration, left: u64) -> Option<Duration> {
    time_at(rate, left).filter(|time| *time <= BRIEF_REACH.max(over * BRIEF_TIMES))
}

fn seconds((at, used): (Monotonic, u64)) -> (f64, f64) {
    (at.0 as f64 / 1e6, used as f64)
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

/// Why there is no time left to tell although it grows at a steady `rate`; `None` if it does not grow.
pub fn no_time(rate: f64, left: u64) -> Option<&'static str> {
    match time_at(rate, left) {
        _ if rate < 1024.0 => None,
        Some(_) => Some("too early to say when it is full"),
        None => Some("more than a day left"),
    }
}

#[cfg(test)]
mod tests;
