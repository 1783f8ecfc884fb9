//! [`Watch`]: what is remembered about one OOM domain from sample to sample: its band, forecast, counter rates and
//! urgency, smoothed so that the screen does not flicker.

use std::collections::VecDeque;
use std::time::Duration;

use super::forecast::Forecast;
use super::kills::Kills;
use super::pace::{Count, Pace};
use super::rise::Filling;
use super::stopped::{Stillness, Stopped};
use crate::model::cgroup::{Cgroup, CgroupPath};
use crate::model::memory::band::{Band, Thresholds};
use crate::model::oom_domain::enclosing::tightest;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::stuck::{Detector, Reading, Stuck};
use crate::model::oom_domain::urgency::{Acute, Life, Place, Signs, Urgency, urgency};
use crate::model::oom_domain::victim::{DomainState, Scope};
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;

/// How long a lower urgency must last before it is shown.
const HOLD: Duration = Duration::from_secs(10);

/// A group counts as full from this kept share on, in percent: an OOM in a full group was its own.
const FULL: f64 = 90.0;

/// The kernel counts the OOM before it looks for a victim: only a later reading may have the kill.
const COUNTED_LATER: Duration = Duration::from_secs(5);

fn is_full(room: Room) -> bool {
    room.percent() >= FULL
}

/// What happens at the limit of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Somebody in it is killed.
    #[default]
    Kills,
    /// The same, of a set of memory nodes, which has no path.
    Nodes,
    /// Its tasks are slowed down, nobody is killed: its only limit is `memory.high`.
    Throttles,
}

/// What a domain is judged with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) thresholds: &'a Thresholds,
    pub(super) kills: &'a Kills,
    pub(super) stopped: &'a Stopped<'a>,
    /// The host's kill counter rose lately. Otherwise a rise of a group's counter is an old kill, read late.
    pub(super) kills_now: bool,
    /// The host ran out itself and killed since the sample before.
    pub(super) killed_now: bool,
    /// An OOM of the host is near or going on.
    pub(super) host_is_near: bool,
}

/// One domain's past.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The group; another path under the same key is another group. `None` is the host.
    pub path: Option<CgroupPath>,
    /// Which of the groups that had this path: see [`Cgroup::instance`].
    instance: Option<u64>,
    /// Its room in the newest sample; `None` where its usage could not be read.
    pub room: Option<Room>,
    /// An OOM in it would kill somebody, or hang the tasks in it.
    pub has_victims: bool,
    /// Band of the kept share, with hysteresis, or of the enclosing domain that runs out before, whichever is worse.
    pub band: Band,
    /// Band of the domain's own kept share, with hysteresis.
    pub own_band: Band,
    /// How urgent it is; rises at once, falls late.
    pub urgency: Urgency,
    /// The least room up the path and whose it is; [`Self::room`] is the domain's own.
    pub tightest: Option<(Scope, Room)>,
    /// Time until the first domain up the path is full and which that is; `None` if none grows steadily.
    pub first_full: Option<(Scope, Duration)>,
    /// That time has not come true for some seconds, or the usage of that domain has turned back before.
    pub first_is_unsure: bool,
    /// What the urgency was computed from.
    pub signs: Signs,
    /// Growth of what it consumes.
    pub forecast: Forecast,
    /// How fast its counters rise.
    pub pace: Pace,
    /// The last sample that contained the domain.
    pub(super) seen: u64,
    lower_since: Option<Monotonic>,
    /// Kept share in steps of five points, with a hysteresis of two.
    step: u8,
    killed: Option<Monotonic>,
    /// When its own OOM counter last rose.
    oom: Option<Monotonic>,
    /// When its tasks last hung.
    hung: Option<Monotonic>,
    /// As `killed`, but a guess from counters that a report in the log overrides.
    supposed: Option<Monotonic>,
    /// Kills of the newest sample that its own OOM accounts for.
    pub(super) accounted: u64,
    kind: Kind,
    detector: Detector,
    /// When it was last about to be full, while that is worth a line.
    pub(super) filled: Option<Filling>,
    /// Used share in percent of the last samples, the newest last.
    pub(super) past: VecDeque<u8>,
    /// The last reading had the page cache as a number of its own. Without it, usage includes the cache.
    told_apart: bool,
    /// What stands still in it.
    still: Stillness,
}

impl Watch {
    /// Takes the domain's state in the newest sample.
    pub(super) fn accept(
        &mut self,
        domain: &DomainState,
        group: Option<&Cgroup>,
        around: &Around<'_>,
    ) {
        let snapshot = around.snapshot;
        let at = snapshot.taken.monotonic;
        let is_same = self.path.as_ref() == group.map(|group| &group.path)
            && group.is_none_or(|group| group.is_still(self.instance));
        if !is_same {
            *self = Self {
                path: group.map(|group| group.path.clone()),
                ..Self::default()
            };
        }
        if domain.scope == Scope::Host {
            if self.seen == 0 {
                self.forecast = Forecast::fine();
            }
            if around.killed_now {
                self.forecast.restart(at);
            }
        }
        self.instance = group.and_then(|group| group.instance).or(self.instance);
        self.seen = snapshot.seq;
        self.kind = match domain.scope {
            Scope::Nodes(_) => Kind::Nodes,
            Scope::Memcg(_) if domain.throttles_only => Kind::Throttles,
            Scope::Memcg(_) | Scope::Host => Kind::Kills,
        };
        let was_full = self.room.is_some_and(is_full);
        self.room = Room::from_domain(domain, snapshot);
        self.tightest = tightest(domain.scope, snapshot);
        self.accounted = 0;
        let hangs = group.is_some_and(|group| group.limits.kill_disabled);
        self.has_victims = domain.verdict.is_some() || (hangs && domain.members > 0);
        let still = around.stopped.of(domain, snapshot);
        if still != self.still {
            self.still = still;
            self.forecast.freeze(still.is_whole, at);
        }
        // A group at rest is not read in every sample. An old reading must not become a point of the trend.
        let fresh = group.is_none_or(|group| group.read_seq == snapshot.seq);
        if fresh && let Some(room) = self.room {
            let told_apart = group.is_some_and(|group| group.stat.is_some());
            if told_apart != self.told_apart {
                self.forecast = Forecast::default();
                self.told_apart = told_apart;
            }
            self.forecast.accept(at, room.consumed(), room.left());
        }
        let mut killed = false;
        if fresh && let Some(group) = group {
            let rise = self.pace.accept(at, group);
            if rise.own_oom {
                self.oom = Some(at);
            }
            let ran_out = self.oom.is_some_and(|oom| at.since(oom) <= COUNTED_LATER);
            if rise.kills > 0 && ran_out {
                self.killed = Some(at);
            } else if group.events.own_oom.is_none() && rise.kills > 0 && around.kills_now {
                // v1 has no OOM counter. A group with an OOM of its own is at its limit. A group full of page
                // cache always is, so this proves nothing while the host is near its own OOM.
                let full = was_full || self.room.is_some_and(is_full);
                if full || (rise.at_limit && !around.host_is_near) {
                    self.supposed = Some(at);
                }
            }
            if self.killed == Some(at) || self.supposed == Some(at) {
                self.accounted = rise.kills;
            }
            killed = rise.own_oom || rise.kills > 0;
            if killed {
                // A kill freed memory: the trend before says nothing about the growth after.
                self.forecast = Forecast::default();
            }
        }
        // Whatever made the forecast begin anew: who stands still goes on to.
        self.forecast.keep_still(self.still.is_whole);
        if fresh && !matches!(domain.scope, Scope::Nodes(_)) {
            let reading = Reading::new(domain, group, snapshot);
            self.detector.accept(at, reading);
        }
        if let Some(room) = self.room {
            self.note_past(room.percent());
        }
        let is_empty = group.is_some() && domain.members == 0;
        self.judge(group, around, killed, is_empty);
    }

    /// The last OOM of this domain. The log overrides a guess from counters.
    fn last_kill(&self, kills: &Kills) -> Option<Monotonic> {
        let supposed = self.supposed.filter(|at| {
            let path = self.path.as_ref();
            path.is_some_and(|path| !kills.explains(path, *at))
        });
        // A set of nodes has no path, as the host, but the host's kills are not its own.
        let told = if self.kind == Kind::Nodes {
            None
        } else {
            kills.last_of(self.path.as_ref())
        };
        self.killed.max(supposed).max(told)
    }

    /// When the log last told of an OOM of this domain in which nobody was killed.
    fn last_report_without_kill(&self, kills: &Kills) -> Option<Monotonic> {
        if self.kind == Kind::Nodes {
            return None;
        }
        kills.last_without_kill(self.path.as_ref())
    }

    fn judge(&mut self, group: Option<&Cgroup>, around: &Around<'_>, killed: bool, is_empty: bool) {
        let (snapshot, thresholds) = (around.snapshot, around.thresholds);
        let at = snapshot.taken.monotonic;
        // Full of memory is where memory.high keeps a group for ever: only stalls make that urgent.
        let percent = match self.room {
            Some(room) if self.kind != Kind::Throttles => room.percent(),
            _ => 0.0,
        };
        self.own_band = thresholds.next(self.own_band, percent);
        let nearest = self
            .tightest
            .filter(|_| self.room.is_some() && self.kind != Kind::Throttles)
            .map_or(percent, |(_, room)| room.percent());
        self.band = thresholds.next(self.band, percent.max(nearest));
        self.step = next_step(self.step, percent);
        let stalled = match group {
            Some(group) => group.pressure.map_or(0, |pressure| pressure.full),
            None => snapshot.pressure.map_or(0, |p| hundredths(p.full.avg10)),
        };
        self.signs = Signs {
            band: self.own_band,
            time_left: self
                .room
                .filter(|_| self.kind != Kind::Throttles)
                .and_then(|room| self.forecast.time_to(room.left())),
            stalled,
            since_kill: self.last_kill(around.kills).map(|killed| at.since(killed)),
            since_oom: self
                .oom
                .max(self.last_report_without_kill(around.kills))
                .map(|oom| at.since(oom)),
            hangs: group.is_some_and(|group| group.under_oom && group.limits.kill_disabled),
            // The host's other signs say how near its OOM is, whether it thrashes or not.
            stuck: group.is_some() && self.detector.stuck().is_some(),
            life: match self.forecast.grows() {
                _ if is_empty => Life::Empty,
                true => Life::Grows,
                false => Life::Rests,
            },
        };
        let was_none = self.note_filling(at, killed || self.still.is_whole) || self.still.is_whole;
        let now = urgency(&self.signs);
        if now >= self.urgency || (was_none && self.urgency <= Urgency::Imminent) {
            self.urgency = now;
            self.lower_since = None;
        } else {
            let since = *self.lower_since.get_or_insert(at);
            if at.since(since) >= HOLD {
                self.urgency = now;
                self.lower_since = None;
            }
        }
        if self.signs.hangs {
            self.hung = Some(at);
        }
        self.hung = self.hung.filter(|hung| at.since(*hung) <= HOLD);
    }

    /// How it is stuck and since when, if it is.
    pub fn stuck(&self) -> Option<(Stuck, Monotonic)> {
        self.detector.stuck()
    }

    /// What is happening in it or has happened within the last minute. Its place among the others may be held longer.
    pub fn acute(&self) -> Option<Acute> {
        let now = self.signs.acute();
        // The hang is over, but the domain was out of memory a moment ago.
        now.or(self.hung.map(|_| Acute::Oom))
    }

    /// True if its only limit is `memory.high` and its tasks are slowed down there now.
    pub fn is_throttled(&self) -> bool {
        let rises = self.pace.rises(Count::High);
        self.kind == Kind::Throttles
            && (rises || self.signs.stalled > 0)
            && self.room.is_some_and(is_full)
    }

    /// Its place in the order by urgency.
    pub fn place(&self) -> Place<'_> {
        let path = self.path.as_ref().map_or("", |path| path.as_str());
        Place::new(self.urgency, &self.signs, self.step, path)
    }
}

/// The next step after `before`: rises at once, falls only two points below the border.
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
