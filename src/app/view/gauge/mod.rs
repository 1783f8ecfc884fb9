//! [`Gauge`]: the watched limit, how full it is, its band and its trend.

pub mod trend;

use std::time::Duration;

use crate::app::view::gauge::trend::{Rate, Trend};
use crate::model::memory::band::{Band, Thresholds};
use crate::model::memory::percent;
use crate::model::oom_domain::victim::Scope;
use crate::model::snapshot::Snapshot;

/// The memory gauge.
#[derive(Debug, Clone, Default)]
pub struct Gauge {
    /// The watched limit: the host's RAM, or the cgroup oomtop runs in.
    pub scope: Option<Scope>,
    /// Bytes used.
    pub used: u64,
    /// The limit in bytes.
    pub limit: u64,
    /// Bytes still available, swap included.
    pub left: u64,
    /// The band, with hysteresis.
    pub band: Band,
    /// The last minutes of used memory, swap included.
    pub trend: Trend,
}

impl Gauge {
    /// Takes in a sample; true if the band rose.
    pub fn accept(&mut self, snapshot: &Snapshot, thresholds: &Thresholds) -> bool {
        let Some(domain) = snapshot.main_domain() else {
            return false;
        };
        let memory = &snapshot.memory;
        if self.scope != Some(domain.scope) {
            // The limit changed: the past of the old limit means nothing here.
            *self = Self {
                scope: Some(domain.scope),
                ..Self::default()
            };
        }
        self.limit = domain.limit;
        self.used = domain.usage.unwrap_or(0);
        self.left = self.limit.saturating_sub(self.used);
        let mut consumed = self.used;
        if domain.scope == Scope::Host {
            // A global OOM comes when RAM and swap are both gone.
            self.left += memory.swap_free;
            consumed += memory.swap_used();
        }
        self.trend.push(snapshot.taken.monotonic, consumed);
        let before = self.band;
        self.band = thresholds.next(before, self.percent());
        self.band > before
    }

    /// Used share of the limit in percent.
    pub fn percent(&self) -> f64 {
        percent(self.used, self.limit)
    }

    /// The rate of the last minute.
    pub fn rate(&self) -> Rate {
        self.trend.rate()
    }

    /// Time until nothing is left; `None` when there is no steady growth.
    pub fn time_to_exhaustion(&self) -> Option<Duration> {
        self.trend.time_to(self.left)
    }
}
