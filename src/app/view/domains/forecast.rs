//! [`Forecast`]: the growth rate of one domain, smoothed so that the number on the screen does not jump.
//!
//! The trend judges the last minute. The screen follows when it says the same three times in a row, and a shown
//! rate approaches the new one in steps. A rise of the last seconds is shown at once: a fast leak leaves no time.
//!
//! A time is sure once the times of the last seconds have come true (`Proof`). Before that it is shown with a `?`, and only
//! where the rise has lasted for a part of it; where usage rises and falls, only when the end is near (`Peaks`).

mod peaks;
mod proof;

use std::time::Duration;

use self::peaks::Peaks;
use self::proof::Proof;
use crate::app::view::gauge::trend::{Rate, Trend, brief_time, choose};
use crate::model::time::Monotonic;

/// A new kind of judgement must come this many times in a row before the screen shows it.
const AGREE: u8 = 3;

/// At each reading, the shown rate moves by this part of its distance to the new rate.
const STEP: f64 = 0.25;

/// An end so near is told whatever came before.
const AT_ONCE: Duration = Duration::from_secs(15);

/// The last minute of a domain and the rate shown for it.
#[derive(Debug, Clone)]
pub struct Forecast {
    trend: Trend,
    /// The rise of the last seconds, and how long it has lasted.
    lately: Option<(f64, Duration)>,
    proof: Proof,
    peaks: Peaks,
    shown: Rate,
    others: u8,
    /// Nobody in it runs.
    is_frozen: bool,
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            trend: Trend::coarse(),
            lately: None,
            proof: Proof::default(),
            peaks: Peaks::default(),
            shown: Rate::Unknown,
            others: 0,
            is_frozen: false,
        }
    }
}

impl Forecast {
    /// A forecast with every sample as a point, for the host: there is only one.
    pub(super) fn fine() -> Self {
        Self {
            trend: Trend::default(),
            ..Self::default()
        }
    }

    /// What comes from `at` on has nothing to do with what was before: somebody was killed.
    pub(super) fn restart(&mut self, at: Monotonic) {
        let trend = std::mem::take(&mut self.trend);
        *self = Self {
            trend,
            ..Self::fine()
        };
        self.trend.restart(at);
    }

    /// Somebody in the domain was frozen or thawed at `at`: what comes has nothing to do with what was before. With
    /// `is_frozen` nobody in it runs.
    pub(super) fn freeze(&mut self, is_frozen: bool, at: Monotonic) {
        if self.trend.is_coarse() {
            *self = Self::default();
        } else {
            self.restart(at);
        }
        self.is_frozen = is_frozen;
    }

    /// Says whether somebody in the domain runs, without another start.
    pub(super) fn keep_still(&mut self, is_frozen: bool) {
        self.is_frozen = is_frozen;
    }

    /// Nobody in the domain runs, so nobody in it can make it grow.
    pub fn is_frozen(&self) -> bool {
        self.is_frozen
    }
}

/// Kind of a judgement about growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    Unsteady,
    Rests,
    Grows,
    Shrinks,
}

impl Says {
    fn from_rate(rate: Rate) -> Self {
        match rate {
            Rate::Unknown | Rate::Frozen => Self::Nothing,
            Rate::Unsteady => Self::Unsteady,
            Rate::Lately(..) => Self::Grows,
            // The screen shows a rate below 1 KiB/s as 0.
            Rate::Steady(rate) if rate.abs() < 1024.0 => Self::Rests,
            Rate::Steady(rate) if rate > 0.0 => Self::Grows,
            Rate::Steady(_) => Self::Shrinks,
        }
    }
}

impl Forecast {
    /// Takes the bytes consumed at a moment, and how many are left.
    pub fn accept(&mut self, at: Monotonic, consumed: u64, left: u64) {
        let is_new = self.trend.push(at, consumed);
        // A rise that is nowhere near the end can wait until the minute has proved it.
        self.lately = self
            .trend
            .lately()
            .filter(|(rate, over)| brief_time(*rate, *over, left).is_some());
        if is_new {
            self.follow();
        }
        self.peaks.note(at, consumed, consumed.saturating_add(left));
        self.proof.note(at, left, self.raw_time(left));
    }

    /// Lets the shown rate follow the last minute.
    fn follow(&mut self) {
        let fresh = self.trend.minute();
        if let (Rate::Steady(shown), Rate::Steady(new)) = (self.shown, fresh)
            && Says::from_rate(self.shown) == Says::from_rate(fresh)
        {
            self.others = 0;
            self.shown = Rate::Steady(shown + (new - shown) * STEP);
        } else if Says::from_rate(self.shown) == Says::from_rate(fresh) {
            self.others = 0;
        } else {
            self.others += 1;
            if self.others >= AGREE {
                self.shown = fresh;
                self.others = 0;
            }
        }
    }

    /// The rate to show.
    pub fn rate(&self) -> Rate {
        if self.is_frozen {
            return Rate::Frozen;
        }
        choose(self.shown, self.lately)
    }

    /// Time until `left` bytes are gone at that rate; `None` unless it grows, where the end is further than what was seen can
    /// tell, and where usage has turned back before.
    pub fn time_to(&self, left: u64) -> Option<Duration> {
        let time = self.raw_time(left)?;
        let is_told = time < AT_ONCE
            || !self.peaks.is_below()
                && (self.proof.is_right() || self.is_brief() || self.trend.has_lasted_for(time));
        is_told.then_some(time)
    }

    /// Whatever the last seconds and the past say of it.
    fn raw_time(&self, left: u64) -> Option<Duration> {
        match self.rate() {
            Rate::Steady(rate) if Says::from_rate(self.shown) == Says::Grows => {
                self.trend.steady_time(rate, left)
            }
            Rate::Lately(rate, over) => brief_time(rate, over, left),
            Rate::Steady(_) | Rate::Unknown | Rate::Unsteady | Rate::Frozen => None,
        }
    }

    /// True if it is known to grow.
    pub(super) fn grows(&self) -> bool {
        Says::from_rate(self.rate()) == Says::Grows
    }

    /// True if the rate is only that of the last seconds.
    fn is_brief(&self) -> bool {
        matches!(self.rate(), Rate::Lately(..))
    }

    /// True if the times of the last seconds have not come true so far, or usage has turned back before.
    pub fn is_unsure(&self) -> bool {
        !self.proof.is_right() || self.peaks.is_below()
    }
}

#[cfg(test)]
mod oracle;

#[cfg(test)]
mod tests {
    use super::Forecast;
    use crate::app::view::gauge::trend::Rate;
    use crate::model::time::Monotonic;

    const MIB: u64 = 1 << 20;

    /// What is shown after each of so many seconds.
    fn shown(used: impl Fn(u64) -> u64, seconds: u64) -> Vec<Rate> {
        let mut forecast = Forecast::default();
        (0..seconds)
            .map(|t| {
                forecast.accept(Monotonic(t * 1_000_000), used(t), 1 << 50);
                forecast.rate()
            })
            .collect()
    }

    fn changes(rates: &[Rate]) -> usize {
        let kind = |rate: &Rate| super::Says::from_rate(*rate);
        rates
            .windows(2)
            .filter(|pair| kind(&pair[0]) != kind(&pair[1]))
            .count()
    }

    #[test]
    fn a_leak_is_told_once_and_its_number_does_not_jump() {
        let rates = shown(|t| 100 * MIB + t * 3 * MIB + t % 5 * MIB, 200);
        assert_eq!(changes(&rates), 1);
        let numbers: Vec<f64> = rates
            .iter()
            .filter_map(|rate| match rate {
                Rate::Steady(rate) => Some(*rate),
                _ => None,
            })
            .collect();
        assert!(numbers.len() > 150);
        assert!(
            numbers.windows(2).all(|n| (n[1] / n[0] - 1.0).abs() < 0.15),
            "{numbers:?}"
        );
    }

    #[test]
    fn noise_has_no_trend_and_a_change_of_heart_takes_a_while_but_comes() {
        let rates = shown(|t| 100 * MIB + t * 7919 % 13 * 8 * MIB, 300);
        assert!(changes(&rates) <= 3, "{rates:?}");
        assert_eq!(rates.last(), Some(&Rate::Unsteady));
        let rates = shown(|t| 100 * MIB + t.min(100) * MIB, 300);
        assert!(matches!(rates[90], Rate::Steady(rate) if rate > 0.0));
        assert!(matches!(rates[299], Rate::Steady(rate) if rate.abs() < 1.0));
        assert!(changes(&rates) <= 3, "{rates:?}");
    }

    #[test]
    fn a_leak_that_is_nearly_there_is_told_by_its_last_seconds() {
        let mut forecast = Forecast::default();
        let limit = 300 * MIB;
        let used = |t: u64| 40 * MIB + t.saturating_sub(30) * 20 * MIB;
        let mut told = None;
        for t in 0..43 {
            let left = limit - used(t).min(limit);
            forecast.accept(Monotonic(t * 1_000_000), used(t), left);
            if forecast.time_to(left).is_some() {
                told = told.or(Some(t));
            } else {
                assert_eq!(told, None, "told once, it stays");
            }
        }
        assert!(told.is_some_and(|t| (31..=33).contains(&t)), "{told:?}");
        assert!(matches!(forecast.rate(), Rate::Lately(..)));
    }
}
