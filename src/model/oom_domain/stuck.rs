//! [`Detector`]: domains in which nothing goes on and nobody is killed.
//!
//! No single number tells. A group full of page cache at its `memory.high` also counts `high` events all the time: it
//! is not stuck, because reclaim gets it below the limit again. So usage, events, stalls and reclaim are judged
//! together, over a few seconds.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::cgroup::Cgroup;
use crate::model::oom_domain::headroom::Room;
use crate::model::oom_domain::victim::DomainState;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;

/// How a domain is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stuck {
    /// Over `memory.high` with nothing left to reclaim: each task sleeps up to two seconds for every few pages, without
    /// end (mm/memcontrol.c `mem_cgroup_handle_over_high`), and nobody is killed.
    Throttled,
    /// v1: `under_oom` with `oom_kill_disable`: its tasks wait in `mem_cgroup_oom_synchronize`.
    KillerOff,
    /// At its limit, and every process in it is immune.
    Immune,
    /// What is taken out of memory is needed again at once: swap and page cache go round, nobody is killed.
    Thrashing,
}

/// One reading of what can be stuck. Counters since boot or since the group was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Usage in bytes.
    pub usage: u64,
    /// Usage without what can be dropped, in bytes.
    pub kept: u64,
    /// `memory.high` in bytes.
    pub high: Option<u64>,
    /// The hard limit in bytes; RAM for the host.
    pub limit: Option<u64>,
    /// `memory.events` `high`.
    pub high_events: Option<u64>,
    /// OOMs of its own, or times at the limit where those are not counted.
    pub ooms: Option<u64>,
    /// Kills in it; the host's where the group does not tell.
    pub kills: Option<u64>,
    /// Microseconds in which all tasks waited for memory; `None` without PSI.
    pub stalled: Option<u64>,
    /// Pages that reclaim looked at.
    pub scanned: Option<u64>,
    /// Pages that reclaim got.
    pub stolen: Option<u64>,
    /// Pages that had to be read again: refaults, and swapped in pages of the host.
    pub reread: Option<u64>,
    /// v1 `under_oom` with the killer off.
    pub killer_off: bool,
    /// It has processes, and the kernel may kill none of them.
    pub nobody: bool,
    /// It is the host.
    pub host: bool,
}

impl Reading {
    /// What the newest sample says about a domain.
    #[must_use]
    pub fn new(domain: &DomainState, group: Option<&Cgroup>, snapshot: &Snapshot) -> Self {
        let room = Room::from_domain(domain, snapshot).unwrap_or_default();
        let nobody = domain.members > 0 && domain.verdict.is_none() && !domain.throttles_only;
        let common = Self {
            usage: room.usage,
            kept: room.kept(),
            nobody,
            kills: snapshot.kills.host,
            ..Self::default()
        };
        let Some(group) = group else {
            let reclaim = &snapshot.reclaim;
            let reread = [reclaim.swapped_in, reclaim.refaults].into_iter().flatten();
            return Self {
                host: true,
                limit: Some(room.limit),
                stalled: snapshot.pressure.map(|pressure| pressure.full.total),
                reread: reread.reduce(u64::saturating_add),
                ..common
            };
        };
        let (events, stat) = (&group.events, group.stat.unwrap_or_default());
        Self {
            high: group.limits.high,
            limit: group.limits.max,
            high_events: events.high,
            ooms: events.own_oom.or(events.max),
            kills: events.oom_kill.or(common.kills),
            stalled: group.pressure.map(|pressure| pressure.full_total),
            scanned: stat.scanned,
            stolen: stat.stolen,
            reread: stat.refaults,
            killer_off: group.under_oom && group.limits.kill_disabled && domain.members > 0,
            ..common
        }
    }

    /// Worth remembering: where none of this holds, nothing can be stuck.
    fn is_suspect(&self) -> bool {
        let full = |limit: Option<u64>| limit.is_some_and(|limit| nearly(self.usage, limit));
        self.host || self.killer_off || full(self.high) || full(self.limit)
    }
}

/// At a limit, but for the charges that each CPU holds in advance.
fn nearly(usage: u64, limit: u64) -> bool {
    u128::from(usage) * 100 >= u128::from(limit) * 97
}

/// Shortest span that is judged.
const LEAST: Duration = Duration::from_secs(3);
/// Readings are remembered for this long; a single older one stays.
const MOST: Duration = Duration::from_secs(5);
/// Least distance of two readings that are remembered.
const APART: Duration = Duration::from_millis(450);
/// What was stuck counts as stuck until it has looked free for this long.
const CLEARED: Duration = Duration::from_secs(4);

/// Shares of the time in which all tasks waited, in percent: enough where usage stays above a limit, and where
/// rereading alone is the sign.
const STALLED: u64 = 20;
const STALLED_HARD: u64 = 25;
/// Share of a limit that cannot be dropped, in percent, from which on memory goes round for lack of it.
const CROWDED: u128 = 80;
/// Pages a second read again from which on memory goes round.
const REREAD: u64 = 100;

/// Remembers the last seconds of one domain, and says if it is stuck.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    past: VecDeque<(Monotonic, Reading)>,
    stuck: Option<(Stuck, Monotonic)>,
    /// When it last looked stuck.
    seen: Monotonic,
}

impl Detector {
    /// Takes a fresh reading.
    pub fn accept(&mut self, at: Monotonic, reading: Reading) {
        if !reading.is_suspect() {
            self.past.clear();
            self.conclude(at, None);
            return;
        }
        // A group that was made anew counts from 0.
        let restarted = self.past.back().is_some_and(|(_, last)| {
            let falls = |old: Option<u64>, new: Option<u64>| matches!((old, new), (Some(old), Some(new)) if new < old);
            falls(last.stalled, reading.stalled) || falls(last.high_events, reading.high_events)
        });
        if restarted {
            self.past.clear();
        }
        // The newest reading is judged, but a fast refresh must not push the older ones out.
        let mut all = self.past.clone();
        all.push_back((at, reading));
        let found = judge(&all);
        let due = |(last, _): &(Monotonic, Reading)| at.since(*last) >= APART;
        if self.past.back().is_none_or(due) {
            self.past.push_back((at, reading));
            while self.past.len() > 2
                && self
                    .past
                    .get(1)
                    .is_some_and(|(old, _)| at.since(*old) > MOST)
            {
                self.past.pop_front();
            }
        }
        let since = all.front().map_or(at, |(first, _)| *first);
        self.conclude(at, found.map(|kind| (kind, since)));
    }

    fn conclude(&mut self, at: Monotonic, found: Option<(Stuck, Monotonic)>) {
        match (found, self.stuck) {
            (Some((kind, _)), Some((known, _))) if kind == known => self.seen = at,
            (Some(new), _) => (self.stuck, self.seen) = (Some(new), at),
            (None, Some(_)) if at.since(self.seen) >= CLEARED => self.stuck = None,
            (None, _) => {}
        }
    }

    /// How it is stuck and since when; `None` if it is not.
    #[must_use]
    pub fn stuck(&self) -> Option<(Stuck, Monotonic)> {
        self.stuck
    }
}

/// The difference of a counter; `None` where it is not counted.
fn rise(of: fn(&Reading) -> Option<u64>, old: &Reading, new: &Reading) -> Option<u64> {
    Some(of(new)?.saturating_sub(of(old)?))
}

fn judge(past: &VecDeque<(Monotonic, Reading)>) -> Option<Stuck> {
    let ((from, old), (to, new)) = (past.front()?, past.back()?);
    if new.killer_off {
        return Some(Stuck::KillerOff);
    }
    let span = to.since(*from);
    let rises = |of| rise(of, old, new);
    // A kill is progress.
    if span < LEAST || rises(|r| r.kills) > Some(0) {
        return None;
    }
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
    let stalled = rises(|r| r.stalled).map(|waited| waited.saturating_mul(100) / micros);
    let always = |is: &dyn Fn(&Reading) -> bool| past.iter().all(|(_, reading)| is(reading));
    let rereads = rises(|r| r.reread).unwrap_or(0).saturating_mul(1_000_000) / micros;
    let hard = stalled.is_some_and(|share| share >= STALLED_HARD);
    if !new.host {
        let above = always(&|r| r.high.is_some_and(|high| r.usage > high));
        // Without PSI the other signs decide.
        let waits = stalled.is_none_or(|share| share >= STALLED);
        let throttles = rises(|r| r.high_events).is_some_and(|rise| rise > 0);
        if above && waits && throttles && !reclaims(old, new) {
            return Some(Stuck::Throttled);
        }
        let full = always(&|r| r.limit.is_some_and(|limit| nearly(r.kept, limit)));
        let asks = rises(|r| r.ooms).is_some_and(|rise| rise > 0);
        if full && asks && always(&|r| r.nobody) {
            return Some(Stuck::Immune);
        }
    }
    // A load of page cache reads again too, but what it fills is cache that can be dropped.
    let crowded = always(&|r| {
        let limit = r.limit.into_iter().chain(r.high).min();
        limit.is_some_and(|limit| u128::from(r.kept) * 100 >= u128::from(limit) * CROWDED)
    });
    (hard && crowded && rereads >= REREAD).then_some(Stuck::Thrashing)
}

/// Reclaim gets something back that is not needed again at once.
fn reclaims(old: &Reading, new: &Reading) -> bool {
    let rises = |of| rise(of, old, new);
    let Some(stolen) = rises(|r| r.stolen) else {
        // v2 always counts: then memory.stat could not be read.
        return false;
    };
    let scanned = rises(|r| r.scanned).unwrap_or(0);
    let reread = rises(|r| r.reread).unwrap_or(0);
    // One page in five that it looks at, and more than half of them for good.
    stolen > 0 && stolen.saturating_mul(5) >= scanned && stolen > reread.saturating_mul(2)
}

#[cfg(test)]
mod tests;
