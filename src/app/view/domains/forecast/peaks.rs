//! [`Peaks`]: from where usage has turned back before.

use std::time::Duration;

use crate::model::time::Monotonic;

/// A peak counts for this long.
const LASTS: Duration = Duration::from_mins(5);
/// A rise of less than this part of the limit has no peak, and a fall of less than this part of the rise makes none.
const LEAST_RISE: f64 = 0.03;
const LEAST_FALL: f64 = 0.25;
/// What falls from above this part of the limit may have been killed, and by others than the kernel: systemd-oomd and
/// earlyoom act at 90 % by default. That is an end, not a turn.
const END: f64 = 0.88;

/// From where usage has turned back: a build, a collector. Below the second highest of these points a rise tells nothing of the
/// limit. One alone says nothing: a service that leaks and starts again leaves a peak behind, too.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Peaks {
    bottom: u64,
    top: u64,
    turned: [Option<(Monotonic, u64)>; 4],
    next: usize,
    is_below: bool,
}

impl Peaks {
    /// Takes the bytes consumed at a moment, below a limit.
    pub(super) fn note(&mut self, at: Monotonic, consumed: u64, limit: u64) {
        if self.top == 0 {
            (self.bottom, self.top) = (consumed, consumed);
        }
        self.top = self.top.max(consumed);
        let rise = (self.top - self.bottom) as f64;
        if consumed < self.bottom {
            (self.bottom, self.top) = (consumed, consumed);
        } else if rise >= LEAST_RISE * limit as f64
            && (self.top - consumed) as f64 >= LEAST_FALL * rise
        {
            if (self.top as f64) < END * limit as f64 {
                self.turned[self.next % self.turned.len()] = Some((at, self.top));
                self.next += 1;
            }
            (self.bottom, self.top) = (consumed, consumed);
        }
        let known = self.turned.iter().flatten();
        let above = known.filter(|(then, top)| at.since(*then) <= LASTS && *top >= consumed);
        self.is_below = above.count() >= 2;
    }

    /// True while usage is below where it has turned back twice.
    pub(super) fn is_below(&self) -> bool {
        self.is_below
    }
}

#[cfg(test)]
mod tests {
    use super::Peaks;
    use crate::model::time::Monotonic;

    fn second(at: u64) -> Monotonic {
        Monotonic(at * 1_000_000)
    }

    #[test]
    fn below_two_peaks_nothing_is_foreseen() {
        let mut peaks = Peaks::default();
        let mut below = Vec::new();
        for t in 0..60_u64 {
            let consumed = 100 + t % 20 * 10;
            peaks.note(second(t), consumed, 1000);
            below.push(peaks.is_below());
        }
        assert_eq!(below.iter().position(|is_below| *is_below), Some(40));
        peaks.note(second(60), 400, 1000);
        assert!(!peaks.is_below(), "it has never been there");
        peaks.note(second(500), 100, 1000);
        assert!(!peaks.is_below(), "that was long ago");
    }
}
