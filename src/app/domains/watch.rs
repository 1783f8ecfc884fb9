//! [`Watch`]: what is remembered of one OOM domain from sample to sample, so that what is said of it stands
//! still: its band, its forecast, the pace of its counters, its urgency.

use std::time::Duration;

use super::forecast::Forecast;
use super::pace::Pace;
use crate::domain::band::{Band, Thresholds};
use crate::domain::cgroup::{Cgroup, CgroupPath};
use crate::domain::headroom::Room;
use crate::domain::snapshot::Snapshot;
use crate::domain::time::Monotonic;
use crate::domain::urgency::{Acute, Place, Signs, Urgency, urgency};
use crate::domain::victim::DomainState;

/// How long a lower urgency must last before it is believed.
const HOLD: Duration = Duration::from_secs(10);

/// One domain's past.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The group; another path under the same key is another group. `None` is the host.
    pub path: Option<CgroupPath>,
    /// Its room in the newest sample; `None` where its usage could not be read.
    pub room: Option<Room>,
    /// Somebody in it would be killed, or it would hang.
    pub peopled: bool,
    /// Band of the kept share, with hysteresis.
    pub band: Band,
    /// How urgent it is; rises at once, falls late.
    pub urgency: Urgency,
    /// What the urgency was made of.
    pub signs: Signs,
    /// Growth of what it consumes.
    pub forecast: Forecast,
    /// How fast its counters rise.
    pub pace: Pace,
    /// The last sample it was in.
    pub(super) seen: u64,
    lower_since: Option<Monotonic>,
    /// Kept share in steps of five points, with a hysteresis of two.
    step: u8,
    killed: Option<Monotonic>,
    oom: Option<Monotonic>,
    /// What it was that made it the most urgent, as long as it is held to be.
    acute: Option<Acute>,
    /// The last reading had the page cache told apart: otherwise it measures something else.
    told_apart: bool,
}

impl Watch {
    /// Takes the domain's state in the newest sample in.
    pub(super) fn accept(
        &mut self,
        domain: &DomainState,
        group: Option<&Cgroup>,
        snapshot: &Snapshot,
        thresholds: &Thresholds,
    ) {
        let at = snapshot.taken.monotonic;
        if self.path.as_ref() != group.map(|group| &group.path) {
            *self = Self {
                path: group.map(|group| group.path.clone()),
                ..Self::default()
            };
        }
        self.seen = snapshot.seq;
        self.room = Room::of(domain, snapshot);
        let hangs = group.is_some_and(|group| group.limits.kill_disabled);
        self.peopled = domain.verdict.is_some() || (hangs && domain.members > 0);
        // A group at rest is not read in every sample: an old reading is no new point.
        let fresh = group.is_none_or(|group| group.read_seq == snapshot.seq);
        if fresh && let Some(room) = self.room {
            let told_apart = group.is_some_and(|group| group.stat.is_some());
            if told_apart != self.told_apart {
                self.forecast = Forecast::default();
                self.told_apart = told_apart;
            }
            self.forecast.accept(at, room.consumed());
        }
        if fresh && let Some(group) = group {
            let rose = self.pace.accept(at, group);
            if rose.oom {
                self.oom = Some(at);
            }
            if rose.kill {
                self.killed = Some(at);
                // What was freed by force is no trend.
                self.forecast = Forecast::default();
            }
        }
        self.judge(group, snapshot, thresholds);
    }

    fn judge(&mut self, group: Option<&Cgroup>, snapshot: &Snapshot, thresholds: &Thresholds) {
        let at = snapshot.taken.monotonic;
        let percent = self.room.map_or(0.0, |room| room.percent());
        self.band = thresholds.next(self.band, percent);
        self.step = next_step(self.step, percent);
        let stalled = match group {
            Some(group) => group.pressure.map_or(0, |pressure| pressure.full),
            None => snapshot.pressure.map_or(0, |p| hundredths(p.full.avg10)),
        };
        self.signs = Signs {
            band: self.band,
            time_left: self
                .room
                .and_then(|room| self.forecast.time_to(room.left())),
            stalled,
            since_kill: self.killed.map(|killed| at.since(killed)),
            since_oom: self.oom.map(|oom| at.since(oom)),
            hangs: group.is_some_and(|group| group.under_oom && group.limits.kill_disabled),
        };
        let now = urgency(&self.signs);
        if now >= self.urgency {
            self.urgency = now;
            self.lower_since = None;
        } else {
            let since = *self.lower_since.get_or_insert(at);
            if at.since(since) >= HOLD {
                self.urgency = now;
                self.lower_since = None;
            }
        }
        self.acute = match (self.urgency, self.signs.acute(), self.acute) {
            (Urgency::Killing, Some(acute), _) => Some(acute),
            // What hung until a moment ago hangs no more, but it was out of memory.
            (Urgency::Killing, None, Some(Acute::Hangs)) => Some(Acute::Oom),
            (Urgency::Killing, None, before) => before,
            _ => None,
        };
    }

    /// What is happening in it, as long as it counts as the most urgent.
    pub fn acute(&self) -> Option<Acute> {
        self.acute
    }

    /// Its place among the others.
    pub fn place(&self) -> Place<'_> {
        let path = self.path.as_ref().map_or("", |path| path.as_str());
        Place::of(self.urgency, &self.signs, self.step, path)
    }
}

/// The step of five points after `before`: up at once, down two points late.
fn next_step(before: u8, percent: f64) -> u8 {
    let step = |percent: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=40"
        )]
        let step = (percent / 5.0).clamp(0.0, 40.0) as u8;
        step
    };
    let now = step(percent);
    if now >= before {
        now
    } else {
        step(percent + 2.0).min(before)
    }
}

fn hundredths(percent: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=10000"
    )]
    let value = (percent * 100.0).clamp(0.0, 10_000.0) as u32;
    value
}

#[cfg(test)]
mod tests {
    use super::next_step;

    #[test]
    fn steps_do_not_dance() {
        assert_eq!(next_step(0, 50.0), 10);
        assert_eq!(next_step(10, 49.0), 10);
        assert_eq!(next_step(10, 47.9), 9);
        assert_eq!(next_step(10, 1e9), 40);
        assert_eq!(next_step(3, f64::NAN), 0);
    }
}
