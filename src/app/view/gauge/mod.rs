//! [`Gauge`]: the watched limit, how full it is, its band and its trend.

mod fit;
pub mod trend;

use std::collections::VecDeque;
use std::time::Duration;

use crate::app::view::gauge::trend::{Rate, Trend};
use crate::model::memory::band::{Band, Thresholds};
use crate::model::memory::percent;
use crate::model::oom_domain::enclosing::tightest;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::Snapshot;

/// Most cells of the sparkline.
pub const PAST: usize = 60;

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
    /// The enclosing domain that is used up before the watched one, if one is: [`Self::left`] is its room.
    pub binding: Option<Scope>,
    /// Bytes still available, swap included.
    pub left: u64,
    /// The band, with hysteresis.
    pub band: Band,
    /// The last minutes of used memory, swap included.
    pub trend: Trend,
    past: VecDeque<f64>,
    /// The host's counter of kills.
    kills: Option<u64>,
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
        let Some((binding, tightest)) = tightest(domain.scope, snapshot) else {
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
        self.binding = Some(binding).filter(|binding| *binding != domain.scope);
        let consumed = room.consumed();
        let kills = snapshot.kills.host;
        if self.kills.is_some_and(|before| kills > Some(before)) {
            self.trend.restart(snapshot.taken.monotonic);
        }
        self.kills = kills;
        self.trend.push(snapshot.taken.monotonic, consumed);
        if self.past.len() >= PAST {
            self.past.pop_front();
        }
        self.past.push_back(self.percent());
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

    /// The newest values of [`Self::percent`], oldest first.
    pub fn past(&self) -> impl ExactSizeIterator<Item = f64> {
        self.past.iter().copied()
    }

    /// The rate of the last minute, or of the last seconds.
    pub fn rate(&self) -> Rate {
        self.trend.rate()
    }

    /// Time until nothing is left; `None` when there is no steady growth.
    pub fn time_to_exhaustion(&self) -> Option<Duration> {
        self.trend.time_to(self.left)
    }
}
