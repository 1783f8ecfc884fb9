//! [`Counter`]: compares the kernel's own kill counter with the lines of the log, so that a kill that
//! nobody logged is still seen.

use crate::model::cgroup::CgroupPath;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::oomlog::OomReport;

/// Samples the counter must stay ahead of the log before a kill counts as unlogged: the sample may be read
/// before the line of the log.
pub(super) const GRACE: u32 = 3;

/// What was counted and what was logged since the first sample.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counter {
    /// The kernel's counter at the first sample.
    base: Option<u64>,
    /// When the first sample was taken.
    since: Monotonic,
    /// "Killed process" lines stamped after it, and kills that only a tracepoint told.
    logged: u64,
    /// Unlogged kills that already have a row.
    told: u64,
    /// Number of samples in which the counter has been ahead.
    ahead: u32,
}

impl Counter {
    /// A report grew from `before` to `after`.
    pub(super) fn log(&mut self, before: Option<&OomReport>, after: &OomReport) {
        let had = before.map_or(0, |report| self.lines(report));
        self.logged += self.lines(after).saturating_sub(had);
    }

    /// A tracepoint told of a kill that the kernel counted so many times, at `at`.
    pub(super) fn trace(&mut self, at: Monotonic, counted: u64) {
        if at >= self.since {
            self.logged += counted;
        }
    }

    /// The log tells of a kill that [`Self::trace`] took in: its lines count instead.
    pub(super) fn untrace(&mut self, at: Monotonic, counted: u64) {
        if at >= self.since {
            self.logged = self.logged.saturating_sub(counted);
        }
    }

    /// Between the sample before and this one a tracepoint has told of every kill: nothing can be unlogged, and the
    /// count begins anew. Rows of unlogged kills that the log may still take over keep it from that.
    pub(super) fn cover(&mut self, sample: &Snapshot, log_works: bool) -> bool {
        let (Some(kills), Some(_)) = (sample.kills.host, self.base) else {
            return false;
        };
        if self.told > 0 && log_works {
            return false;
        }
        *self = Self {
            base: Some(kills),
            since: sample.taken.monotonic,
            ..Self::default()
        };
        true
    }

    /// "Killed process" lines of the report since the first sample. With `memory.oom.group` the kernel prints
    /// its victim twice and counts it twice.
    fn lines(&self, report: &OomReport) -> u64 {
        let is_new = |at: Option<Monotonic>| at.is_none_or(|at| at >= self.since);
        let kills = report
            .kills
            .iter()
            .filter(|kill| is_new(kill.at.or(report.at)));
        kills.map(|kill| u64::from(kill.lines.max(1))).sum()
    }

    /// Number of kills shown as unlogged whose lines came late (the journal lags). They are subtracted, so that
    /// they count once and do not hide a later kill.
    pub(super) fn overtaken(&mut self, sample: &Snapshot) -> u64 {
        let (Some(kills), Some(base)) = (sample.kills.host, self.base) else {
            return 0;
        };
        let unlogged = kills.saturating_sub(base).saturating_sub(self.logged);
        let overtaken = self.told.saturating_sub(unlogged);
        self.told -= overtaken;
        overtaken
    }

    /// The counter is ahead of the log, and the line may still come.
    pub(super) fn is_ahead(&self) -> bool {
        self.ahead > 0
    }

    /// Kills that the sample counts beyond what was told of them since the first: their lines may still come.
    pub(super) fn pending(&self, sample: &Snapshot) -> u64 {
        let counted = sample.kills.host.zip(self.base);
        let counted = counted.map_or(0, |(kills, base)| kills.saturating_sub(base));
        counted
            .saturating_sub(self.logged)
            .saturating_sub(self.told)
    }

    /// Number of kills that the sample counts without a line in the log; each is returned once. If there is a
    /// log, its line has [`GRACE`] samples to come.
    pub(super) fn unlogged(&mut self, sample: &Snapshot, log_works: bool) -> u64 {
        let Some(kills) = sample.kills.host else {
            return 0;
        };
        let Some(base) = self.base else {
            // The counter includes everything that was logged until now.
            *self = Self {
                base: Some(kills),
                since: sample.taken.monotonic,
                ..Self::default()
            };
            return 0;
        };
        let counted = kills.saturating_sub(base);
        let unlogged = counted
            .saturating_sub(self.logged)
            .saturating_sub(self.told);
        if unlogged == 0 {
            self.ahead = 0;
            return 0;
        }
        self.ahead += 1;
        if log_works && self.ahead < GRACE {
            return 0;
        }
        self.ahead = 0;
        self.told += unlogged;
        unlogged
    }
}

/// The innermost groups whose `oom_kill` rose between two samples.
pub(super) fn groups_that_rose(newest: &Snapshot, previous: &Snapshot) -> Vec<CgroupPath> {
    let rose: Vec<&CgroupPath> = newest
        .cgroups
        .iter()
        .zip(previous.cgroups.iter())
        .filter(|(new, old)| {
            // The key may belong to another group now.
            let is_same = new.path == old.path && old.events.oom_kill.is_some();
            is_same && new.events.oom_kill > old.events.oom_kill
        })
        .map(|(new, _)| &new.path)
        .collect();
    let is_innermost = |path: &CgroupPath| {
        !rose
            .iter()
            .any(|other| *other != path && other.is_within(path))
    };
    rose.iter()
        .copied()
        .filter(|path| is_innermost(path))
        .cloned()
        .collect()
}
