//! [`Timeline`]: the samples and kills of a recording by their time, and the line that shows them.

use crate::model::memory::band::{Band, Thresholds};

/// Samples that are so many times further apart than usual have a gap between them.
const GAP: i64 = 4;

/// One sample of the time line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Its time, microseconds since 1970.
    pub unix_micros: i64,
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
    /// The last sample at or before a time; the first one if all are later.
    pub fn before(&self, unix_micros: i64) -> usize {
        let after = self
            .samples
            .partition_point(|s| s.unix_micros <= unix_micros);
        after.saturating_sub(1)
    }

    /// First and last time, in microseconds since 1970.
    pub fn span(&self) -> Option<(i64, i64)> {
        Some((
            self.samples.first()?.unix_micros,
            self.samples.last()?.unix_micros,
        ))
    }

    /// The line, so many cells wide, with the sample `at` marked.
    pub fn cells(&self, width: usize, at: usize, thresholds: &Thresholds) -> Vec<Cell> {
        let nothing = Cell {
            band: None,
            kill: false,
            here: false,
        };
        let mut cells = vec![nothing; width];
        let Some((first, last)) = self.span() else {
            return cells;
        };
        let length = (last - first).max(1);
        let place = |time: i64| {
            let part = i128::from(time - first) * (width as i128 - 1) / i128::from(length);
            usize::try_from(part)
                .unwrap_or(0)
                .min(width.saturating_sub(1))
        };
        // A sample stands until the next one, if that comes about in time.
        let steps = i64::try_from(self.samples.len()).unwrap_or(i64::MAX) - 1;
        let usual = length / steps.max(1);
        let mut before = first;
        for (number, sample) in self.samples.iter().enumerate() {
            let time = sample.unix_micros;
            let to = place(time);
            let is_gap = time - before > usual.saturating_mul(GAP);
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
                .map(|sample| place(sample.unix_micros));
            if let Some(cell) = time.and_then(|place| cells.get_mut(place)) {
                cell.kill = true;
            }
        }
        cells
    }
}
