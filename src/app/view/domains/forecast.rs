//! [`Forecast`]: the rate of one domain as it is shown: never a number that jumps.
//!
//! The trend says what the last minute looks like; here it has to say the same thing three times in a row
//! before the screen follows, and a steady rate moves towards the new one instead of leaping.

use crate::app::view::gauge::trend::{Rate, Trend};
use crate::model::time::Monotonic;

/// Judgements of another kind in a row before that kind is shown.
const AGREE: u8 = 3;

/// Part of the way a shown rate goes towards a new one.
const STEP: f64 = 0.25;

/// The last minute of a domain and what is said of it.
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

/// What kind of thing a rate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Nothing,
    Unsteady,
    Rests,
    Grows,
    Shrinks,
}

impl Says {
    fn of(rate: Rate) -> Self {
        match rate {
            Rate::Unknown => Self::Nothing,
            Rate::Unsteady => Self::Unsteady,
            // The screen shows no rate below a KiB a second either.
            Rate::Steady(rate) if rate.abs() < 1024.0 => Self::Rests,
            Rate::Steady(rate) if rate > 0.0 => Self::Grows,
            Rate::Steady(_) => Self::Shrinks,
        }
    }
}

impl Forecast {
    /// Takes in how much is consumed.
    pub fn accept(&mut self, at: Monotonic, consumed: u64) {
        if !self.trend.push(at, consumed) {
            return;
        }
        let fresh = self.trend.rate();
        if let (Rate::Steady(shown), Rate::Steady(new)) = (self.shown, fresh)
            && Says::of(self.shown) == Says::of(fresh)
        {
            self.others = 0;
            self.shown = Rate::Steady(shown + (new - shown) * STEP);
        } else if Says::of(self.shown) == Says::of(fresh) {
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
        match (Says::of(self.shown), self.shown) {
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
        let kind = |rate: &Rate| super::Says::of(*rate);
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
