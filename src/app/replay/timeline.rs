//! [`Timeline`]: the samples and kills of a recording by their time, and the line that shows them.

use std::time::Duration;

use crate::model::memory::band::{Band, Thresholds};

/// Samples that are so many times further apart than usual have a gap between them.
const GAP: u64 = 4;

/// One sample of the time line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Its time, microseconds since 1970.
    pub unix_micros: i64,
    /// The same since boot, in microseconds: it orders the samples, for nobody sets this clock back.
    pub monotonic: u64,
    /// What the gauge shows, percent.
    pub percent: f64,
}

/// A recording at a glance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// The samples that can be shown.
    pub samples: Vec<Moment>,
    /// The first sample after each kill, by its place among the samples, ascending.
    pub kills: Vec<usize>,
    /// What is missing from the recording, a sentence each.
    pub holes: Vec<String>,
    /// Usual time between two samples, in microseconds.
    usual: u64,
}

/// One cell of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The worst band of its samples; `None` where there is no sample.
    pub band: Option<Band>,
    /// Somebody was killed.
    pub kill: bool,
    /// The sample on the screen is here.
    pub here: bool,
}

impl Timeline {
    /// The samples and kills; their usual distance comes from them.
    pub fn new(samples: Vec<Moment>, kills: Vec<usize>, holes: Vec<String>) -> Self {
        let pairs = samples.windows(2);
        let mut steps: Vec<u64> = pairs
            .map(|pair| pair[1].monotonic.saturating_sub(pair[0].monotonic))
            .collect();
        // A gap must not make the others look usual.
        steps.sort_unstable();
        Self {
            usual: steps.get(steps.len() / 2).copied().unwrap_or(0),
            samples,
            kills,
            holes,
        }
    }

    /// Usual time between two samples.
    pub fn usual(&self) -> Duration {
        Duration::from_micros(self.usual)
    }

    /// The last sample at or before a clock time, the latest one if the clock was set back; the first one if all are later.
    pub fn before(&self, unix_micros: i64) -> usize {
        let mut samples = self.samples.iter();
        samples
            .rposition(|s| s.unix_micros <= unix_micros)
            .unwrap_or(0)
    }

    /// The last sample at or before a time since boot, in microseconds.
    pub fn before_monotonic(&self, monotonic: u64) -> usize {
        let after = self.samples.partition_point(|s| s.monotonic <= monotonic);
        after.saturating_sub(1)
    }

    /// The samples around a clock time at which none was taken for a long time.
    pub fn gap_at(&self, unix_micros: i64) -> Option<(Moment, Moment)> {
        let at = self.before(unix_micros);
        let (from, to) = (*self.samples.get(at)?, *self.samples.get(at + 1)?);
        let past = unix_micros.saturating_sub(from.unix_micros);
        let is_past = u64::try_from(past).is_ok_and(|past| past > self.usual.saturating_mul(GAP));
        let is_gap = self.is_gap(from.monotonic, to.monotonic);
        (is_gap && is_past && unix_micros < to.unix_micros).then_some((from, to))
    }

    fn is_gap(&self, from: u64, to: u64) -> bool {
        to.saturating_sub(from) > self.usual.saturating_mul(GAP)
    }

    /// The earliest and the latest clock time, in microseconds since 1970.
    pub fn span(&self) -> Option<(i64, i64)> {
        let times = || self.samples.iter().map(|sample| sample.unix_micros);
        Some((times().min()?, times().max()?))
    }

    /// The line, so many cells wide, with the sample `at` marked.
    pub fn cells(&self, width: usize, at: usize, thresholds: &Thresholds) -> Vec<Cell> {
        let nothing = Cell {
            band: None,
            kill: false,
            here: false,
        };
        let mut cells = vec![nothing; width];
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else {
            return cells;
        };
        let first = first.monotonic;
        let length = last.monotonic.saturating_sub(first).max(1);
        let place = |time: u64| {
            let cells = (width as u128).saturating_sub(1);
            let part = u128::from(time.saturating_sub(first)) * cells / u128::from(length);
            usize::try_from(part)
                .unwrap_or(0)
                .min(width.saturating_sub(1))
        };
        // A sample stands until the next one, if that comes about in time.
        let mut before = first;
        for (number, sample) in self.samples.iter().enumerate() {
            let time = sample.monotonic;
            let to = place(time);
            let is_gap = self.is_gap(before, time);
            let from = if is_gap { to } else { place(before) + 1 };
            let band = Some(thresholds.band(sample.percent));
            for cell in cells.get_mut(from.min(to)..=to).into_iter().flatten() {
                cell.band = cell.band.max(band);
            }
            if let Some(cell) = cells.get_mut(to) {
                cell.here |= number == at;
            }
            before = time;
        }
        for kill in &self.kills {
            let time = self
                .samples
                .get(*kill)
                .map(|sample| place(sample.monotonic));
            if let Some(cell) = time.and_then(|place| cells.get_mut(place)) {
                cell.kill = true;
            }
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Moment, Timeline};
    use crate::model::memory::band::Thresholds;

    fn moment((unix, monotonic): (i64, u64)) -> Moment {
        Moment {
            unix_micros: unix.saturating_mul(1_000_000),
            monotonic: monotonic.saturating_mul(1_000_000),
            percent: 10.0,
        }
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_the_order_alone() {
        let back = (0..20).map(|second| (if second < 10 { 5000 } else { 1000 } + second, second));
        let back = back.map(|(unix, second)| moment((unix, u64::try_from(second).unwrap_or(0))));
        let line = Timeline::new(back.collect(), vec![5, 15], Vec::new());
        let cells = line.cells(20, 10, &Thresholds::default());
        assert!(cells.iter().all(|cell| cell.band.is_some()));
        let places = |of: fn(&super::Cell) -> bool| -> Vec<usize> {
            let cells = cells.iter().enumerate();
            cells
                .filter(|(_, cell)| of(cell))
                .map(|(at, _)| at)
                .collect()
        };
        assert_eq!(places(|cell| cell.here), [10]);
        assert_eq!(places(|cell| cell.kill), [5, 15]);
        assert_eq!(line.before(1_012_000_000), 12);
        assert_eq!(line.span(), Some((1_010_000_000, 5_009_000_000)));
    }

    #[test]
    fn a_time_without_a_sample_is_a_gap() {
        let seconds = (0..10).chain(100..110);
        let samples = seconds.map(|second| moment((second, u64::try_from(second).unwrap_or(0))));
        let line = Timeline::new(samples.collect(), Vec::new(), Vec::new());
        assert_eq!(line.usual().as_secs(), 1);
        for (second, is_gap) in [
            (5, false),
            (9, false),
            (12, false),
            (50, true),
            (100, false),
        ] {
            assert_eq!(
                line.gap_at(second * 1_000_000).is_some(),
                is_gap,
                "{second}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_times_panic(
            times in prop::collection::vec((any::<i64>(), any::<u64>(), any::<bool>()), 0..6),
            width in 0..40_usize, at in 0..6_usize, asked: i64,
        ) {
            let extreme = |(unix_micros, monotonic, end): (i64, u64, bool)| Moment {
                unix_micros: if end { i64::MIN } else { unix_micros },
                monotonic: if end { u64::MAX } else { monotonic },
                percent: f64::NAN,
            };
            let line = Timeline::new(times.into_iter().map(extreme).collect(), vec![at], Vec::new());
            prop_assert_eq!(line.cells(width, at, &Thresholds::default()).len(), width);
            let _ = (line.gap_at(asked), line.gap_at(i64::MAX), line.before_monotonic(asked.unsigned_abs()));
            let mut replay = crate::app::replay::Replay::new(String::new(), std::sync::Arc::new(line));
            (replay.at, replay.playing) = (at, true);
            let _ = replay.stays();
            for way in [crate::app::replay::Travel::Seconds(60), crate::app::replay::Travel::To(asked)] {
                let _ = replay.target(way);
            }
        }
    }
}
