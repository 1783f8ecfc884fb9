//! [`Forecast`]: the growth rate of one domain, smoothed so that the number on the screen does not jump.
//!
//! The trend judges the last minute. The screen follows a new kind of judgement after three in a row, and the
//! shown rate approaches a new rate in steps.

use crate::app::view::gauge::trend::{Rate, Trend};
use crate::model::time::Monotonic;

/// A new kind of judgement must come this many times in a row before the screen shows it.
const AGREE: u8 = 3;

/// At each reading, the shown rate moves by this part of its distance to the new rate.
const STEP: f64 = 0.25;

/// The last minute of a domain and the rate shown for it.
#[derive(Debug, Clone)]
pub struct Forecast {
    trend: Trend,
    shown: Rate,
    others: u8,
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            trend: Trend::coarse(),
            shown: Rate::Unknown,
            others: 0,
        }
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
            Rate::Unknown => Self::Nothing,
            Rate::Unsteady => Self::Unsteady,
            // The screen shows a rate below 1 KiB/s as 0.
            Rate::Steady(rate) if rate.abs() < 1024.0 => Self::Rests,
            Rate::Steady(rate) if rate > 0.0 => Self::Grows,
            Rate::Steady(_) => Self::Shrinks,
        }
    }
}

impl Forecast {
    /// Takes the bytes consumed at a moment.
    pub fn accept(&mut self, at: Monotonic, consumed: u64) {
        if !self.trend.push(at, consumed) {
            return;
        }
        let fresh = self.trend.rate();
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
        self.shown
    }

    /// Time until `left` bytes are gone at that rate; `None` unless it grows steadily and the end is within
    /// a day.
    pub fn time_to(&self, left: u64) -> Option<std::time::Duration> {
        match (Says::from_rate(self.shown), self.shown) {
            (Says::Grows, Rate::Steady(rate)) => {
                crate::app::view::gauge::trend::time_at(rate, left)
            }
            _ => None,
        }
    }
}

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
                forecast.accept(Monotonic(t * 1_000_000), used(t));
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
}
