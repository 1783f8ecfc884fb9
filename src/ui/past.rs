//! [`Past`]: what graphs of memory show.

use std::time::Duration;

use crate::app::State;
use crate::app::view::gauge::Reading;

/// The newest readings, and in which of them somebody was killed.
pub(super) struct Past<'a> {
    readings: Vec<&'a Reading>,
    killed: Vec<bool>,
    /// Kills since the first of the readings.
    pub(super) kills: usize,
}

impl<'a> Past<'a> {
    pub(super) fn new(state: &'a State, cells: usize) -> Self {
        let readings: Vec<_> = state.gauge.past(cells).collect();
        let mut killed = vec![false; readings.len()];
        let first = readings.first().map(|reading| reading.at);
        let kills = first.map_or_else(Vec::new, |first| state.events.killed_since(first));
        for at in &kills {
            let place = readings.partition_point(|reading| reading.at < *at);
            let place = place.min(readings.len() - 1);
            if let Some(mark) = killed.get_mut(place) {
                *mark = true;
            }
        }
        Self {
            readings,
            killed,
            kills: kills.len(),
        }
    }

    /// How many readings there are.
    pub(super) fn len(&self) -> usize {
        self.readings.len()
    }

    /// How far the readings reach back; `None` without one.
    pub(super) fn span(&self) -> Option<Duration> {
        let (first, last) = (self.readings.first()?, self.readings.last()?);
        Some(last.at.since(first.at))
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = (&Reading, bool)> {
        let killed = self.killed.iter().copied();
        self.readings.iter().copied().zip(killed)
    }
}
