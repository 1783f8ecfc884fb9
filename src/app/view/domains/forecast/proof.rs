//! [`Proof`]: whether the forecasts of the last seconds have come true so far. A forecast has to earn that it is believed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::time::Monotonic;

/// A forecast is judged after this part of the time that it gives, but no sooner and no later than this.
const PART: u32 = 10;
const SOONEST: Duration = Duration::from_secs(3);
const LATEST: Duration = Duration::from_secs(10);
/// Most forecasts that are remembered, and how far apart they are.
const KEPT: usize = 24;
const APART: Duration = Duration::from_millis(900);
/// What was used may differ from what was foreseen by this factor.
const EXACT: std::ops::RangeInclusive<f64> = 1.0 / 1.3..=1.3;
/// And the end may move by this part of the time that has passed: a leak that speeds up or slows down has another end.
const MOVES: f64 = 0.5;

/// One forecast of the past.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Said {
    at: Monotonic,
    left: u64,
    time: Duration,
}

/// The forecasts of the last seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Proof {
    said: VecDeque<Said>,
    is_right: bool,
}

impl Proof {
    /// Judges what was said before, and notes the forecast of now: the time until `left` bytes are gone.
    pub(super) fn note(&mut self, at: Monotonic, left: u64, time: Option<Duration>) {
        let Some(time) = time else {
            *self = Self::default();
            return;
        };
        let age = (time / PART).clamp(SOONEST, LATEST);
        let judged = self.said.iter().filter(|said| {
            let since = at.since(said.at);
            since >= age && since <= age * 2
        });
        let (mut right, mut all) = (0, 0);
        for said in judged {
            all += 1;
            right += u32::from(said.has_come_true(at, left, time));
        }
        // What is believed stays so until most of it was wrong: a mark that comes and goes tells nothing.
        self.is_right = match (self.is_right, all) {
            // Samples too far apart leave nothing to judge.
            (was_right, 0) => was_right,
            (true, _) => right * 2 > all,
            (false, _) => right == all,
        };
        let newest = self.said.back().map(|said| said.at);
        if newest.is_none_or(|newest| at.since(newest) >= APART) {
            self.said.push_back(Said { at, left, time });
        }
        if self.said.len() > KEPT {
            self.said.pop_front();
        }
    }

    /// True if the forecasts of the last seconds were right.
    pub(super) fn is_right(&self) -> bool {
        self.is_right
    }
}

impl Said {
    fn has_come_true(self, at: Monotonic, left: u64, time: Duration) -> bool {
        let passed = at.since(self.at).as_secs_f64();
        let foreseen = self.left as f64 * passed / self.time.as_secs_f64().max(1e-3);
        let used = self.left as f64 - left as f64;
        let end_moved = passed + time.as_secs_f64() - self.time.as_secs_f64();
        EXACT.contains(&(used / foreseen)) && end_moved.abs() <= MOVES * passed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Proof;
    use crate::model::time::Monotonic;

    fn second(at: u64) -> Monotonic {
        Monotonic(at * 1_000_000)
    }

    #[test]
    fn a_forecast_is_believed_once_it_has_come_true_for_some_seconds() {
        // 1000 bytes are left, and 10 a second go; then more and more.
        let mut proof = Proof::default();
        let believed: Vec<bool> = (0..40_u64)
            .map(|t| {
                let gone = if t < 20 { t * 10 } else { 200 + (t - 20) * 30 };
                let time = Duration::from_secs((1000 - t * 10) / 10);
                proof.note(second(t), 1000_u64.saturating_sub(gone), Some(time));
                proof.is_right()
            })
            .collect();
        assert_eq!(believed.iter().position(|is_right| *is_right), Some(10));
        assert!(believed[10..20].iter().all(|is_right| *is_right));
        assert!(!believed[39], "it goes faster than it says");
        proof.note(second(40), 100, None);
        assert!(!proof.is_right());
    }

    #[test]
    fn a_gap_between_samples_refutes_nothing() {
        // 1000 bytes are left, and 10 a second go, all the time.
        let mut proof = Proof::default();
        let mut note = |t: u64| {
            let left = 1000 - t * 10;
            proof.note(second(t), left, Some(Duration::from_secs(left / 10)));
            proof.is_right()
        };
        assert!((0..80).map(&mut note).last().unwrap_or_default());
        // The end is 12 s away, so what was said 3 to 6 s ago counts: nothing was.
        assert!(note(88));
        // Nor at a period of 8 s.
        assert!(note(96));
    }
}
