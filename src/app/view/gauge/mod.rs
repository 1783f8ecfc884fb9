//! [`Gauge`]: the watched limit, how full it is, and its band. Its trend is that of its row among the domains.

mod fit;
pub mod trend;

use std::collections::VecDeque;

use crate::model::memory::band::{Band, Thresholds};
use crate::model::memory::{Pressure, percent};
use crate::model::oom_domain::enclosing::tightest;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;

/// Readings kept for sparklines and graphs.
pub const PAST: usize = 240;

/// One sample as the graphs show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub at: Monotonic,
    /// Used share of the limit in percent.
    pub percent: f64,
    /// The host's memory pressure; `None` without PSI.
    pub pressure: Option<Pressure>,
}

/// The memory gauge.
#[derive(Debug, Clone, Default)]
pub struct Gauge {
    /// The watched limit: the host's RAM, or the cgroup oomtop runs in.
    pub scope: Option<Scope>,
    /// Bytes used, without what the kernel drops before it kills.
    pub used: u64,
    /// The limit in bytes.
    pub limit: u64,
    /// The room of the watched limit; `None` before the first sample.
    pub room: Option<Room>,
    /// Bytes still available, swap included: of the enclosing domain that has least, if one has less.
    pub left: u64,
    /// The band, with hysteresis.
    pub band: Band,
    past: VecDeque<Reading>,
}

impl Gauge {
    /// Takes in a sample; true if the band rose.
    pub fn accept(&mut self, snapshot: &Snapshot, thresholds: &Thresholds) -> bool {
        self.follow(snapshot.main_domain(), snapshot, thresholds)
    }

    /// Takes in a sample of the whole machine, whatever limit oomtop itself has; true if the band rose.
    pub fn accept_machine(&mut self, snapshot: &Snapshot, thresholds: &Thresholds) -> bool {
        self.follow(snapshot.machine_domain(), snapshot, thresholds)
    }

    fn follow(
        &mut self,
        domain: Option<&DomainState>,
        snapshot: &Snapshot,
        thresholds: &Thresholds,
    ) -> bool {
        let Some(domain) = domain else {
            return false;
        };
        let Some((_, tightest)) = tightest(domain.scope, snapshot) else {
            return false;
        };
        let Some(room) = Room::from_domain(domain, snapshot) else {
            return false;
        };
        if self.scope != Some(domain.scope) {
            // The limit changed: the past of the old limit means nothing here.
            *self = Self {
                scope: Some(domain.scope),
                ..Self::default()
            };
        }
        // The same measure as in the domains view: without what the kernel drops before it kills, with swap.
        self.limit = room.limit;
        self.used = room.kept();
        self.room = Some(room);
        self.left = tightest.left();
        if self.past.len() >= PAST {
            self.past.pop_front();
        }
        self.past.push_back(Reading {
            at: snapshot.taken.monotonic,
            percent: self.percent(),
            pressure: snapshot.pressure,
        });
        let before = self.band;
        self.band = thresholds.next(before, self.percent());
        self.band > before
    }

    /// The band by other marks: that of the present number, without the past.
    pub fn measure_by(&mut self, thresholds: &Thresholds) {
        self.band = thresholds.band(self.percent());
    }

    /// Used share of the limit in percent.
    pub fn percent(&self) -> f64 {
        percent(self.used, self.limit)
    }

    /// The newest so many readings, oldest first.
    pub fn past(&self, most: usize) -> impl ExactSizeIterator<Item = &Reading> {
        let skip = self.past.len().saturating_sub(most);
        self.past.iter().skip(skip)
    }
}
