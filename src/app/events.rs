//! [`EventLog`]: the rows of the OOM pane, newest first, each kill with what was known of the victim.

use std::collections::VecDeque;
use std::sync::Arc;

use super::msg::EventSource;
use crate::domain::badness::badness;
use crate::domain::cgroup::CgroupPath;
use crate::domain::oom::{Kill, OomEvent, OomReport, Outcome};
use crate::domain::process::{Pid, ProcessId};
use crate::domain::snapshot::Snapshot;
use crate::domain::time::Monotonic;

/// Most entries kept; the oldest go first.
const KEPT: usize = 2000;
/// Samples a counter must stay ahead of the log before a kill counts as unlogged: the log's line and
/// the sample race each other.
const GRACE: u32 = 3;

/// What the last samples knew of a victim before it died. The kernel's log has only 15 letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Identity.
    pub id: ProcessId,
    /// Full command line, where it had been read.
    pub command: Option<Arc<str>>,
    /// Its memory cgroup.
    pub cgroup: Option<CgroupPath>,
    /// Its user.
    pub user: Option<String>,
    /// Its place in the host's ranking, 1 = next victim.
    pub rank: Option<u32>,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A report and what was remembered of its dead, by pid.
    Report {
        /// As the log has it so far.
        report: Arc<OomReport>,
        /// Known victims.
        remembered: Vec<(Pid, Remembered)>,
    },
    /// A counter rose and no line came.
    Unlogged {
        /// When the counter was seen.
        at: Monotonic,
        /// How many kills.
        kills: u64,
        /// The groups whose own counters rose.
        groups: Vec<CgroupPath>,
    },
    /// Records were lost.
    Gap {
        /// First stamp after the gap.
        at: Option<Monotonic>,
        /// How many; 0 if not known.
        lost: u64,
    },
}

/// One row of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRow<'a> {
    /// Its entry.
    pub entry: &'a Entry,
    /// Which of the report's kills; `None` for a report without one (yet).
    pub kill: Option<&'a Kill>,
}

/// The OOM events of this boot, as far as the source has them.
#[derive(Debug, Clone, Default)]
pub struct EventLog {
    entries: VecDeque<Entry>,
    /// Where events come from.
    pub source: EventSource,
    /// Selected row, 0 = newest.
    pub selected: usize,
    /// First row on the screen.
    pub offset: usize,
    /// Rows that came since the pane was last looked at.
    pub unread: usize,
    counter: Counter,
}

/// Compares the kernel's kill counter with the lines of the log.
#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    /// The kernel's counter at the first sample.
    base: Option<u64>,
    /// When the first sample was taken.
    since: Monotonic,
    /// "Killed process" lines stamped after it.
    logged: u64,
    /// Unlogged kills told so far.
    told: u64,
    /// Samples the counter has been ahead.
    ahead: u32,
}

impl EventLog {
    /// The rows, newest first.
    pub fn rows(&self) -> impl Iterator<Item = EventRow<'_>> {
        self.entries.iter().rev().flat_map(|entry| {
            let kills: Vec<Option<&Kill>> = match entry {
                Entry::Report { report, .. } if !report.kills.is_empty() => {
                    report.kills.iter().rev().map(Some).collect()
                }
                _ => vec![None],
            };
            kills.into_iter().map(move |kill| EventRow { entry, kill })
        })
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.entries
            .iter()
            .map(|entry| match entry {
                Entry::Report { report, .. } => report.kills.len().max(1),
                _ => 1,
            })
            .sum()
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Processes killed, logged or not.
    pub fn kills(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| match entry {
                Entry::Report { report, .. } => report.kills.len() as u64,
                Entry::Unlogged { kills, .. } => *kills,
                Entry::Gap { .. } => 0,
            })
            .sum()
    }

    /// The newest kill and when it was.
    pub fn last_kill(&self) -> Option<&Kill> {
        self.rows().find_map(|row| row.kill)
    }

    /// Takes an event in. Returns the kills that are new, for a notice.
    pub fn accept(&mut self, event: OomEvent, samples: &[&Snapshot]) -> Vec<Kill> {
        let before = self.len();
        let new = match event {
            OomEvent::Gap { at, lost } => {
                self.push(Entry::Gap { at, lost });
                Vec::new()
            }
            OomEvent::Report(report) => self.upsert(report, samples),
        };
        self.unread += self.len().saturating_sub(before);
        // The selection stays on its row while newer ones come in above it.
        if self.selected > 0 {
            self.selected += self.len().saturating_sub(before);
        }
        new
    }

    fn upsert(&mut self, new: Arc<OomReport>, samples: &[&Snapshot]) -> Vec<Kill> {
        // The report being written is nearly always among the last few.
        let known = self
            .entries
            .iter()
            .rposition(|e| matches!(e, Entry::Report { report, .. } if report.key == new.key));
        let Some(at) = known else {
            let (fresh, remembered) = recall(&new, &[], samples);
            self.count(0, &new);
            self.push(Entry::Report {
                report: new,
                remembered,
            });
            return fresh;
        };
        let Some(Entry::Report { report, remembered }) = self.entries.get_mut(at) else {
            return Vec::new();
        };
        let lines_before = logged_lines(report, self.counter.since);
        let (fresh, more) = recall(&new, &report.kills, samples);
        remembered.extend(more);
        *report = Arc::clone(&new);
        self.count(lines_before, &new);
        fresh
    }

    fn count(&mut self, before: u64, report: &OomReport) {
        let now = logged_lines(report, self.counter.since);
        self.counter.logged += now.saturating_sub(before);
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Compares the kernel's own counter with the log: a kill that nobody logged gets a row too.
    /// Returns how many such kills were found now.
    pub fn reconcile(&mut self, newest: &Snapshot, previous: &Snapshot) -> u64 {
        let Some(kills) = newest.kills.host else {
            return 0;
        };
        let counter = &mut self.counter;
        let Some(base) = counter.base else {
            // What was logged until now is history that this base already counts.
            *counter = Counter {
                base: Some(kills),
                since: newest.taken.monotonic,
                ..Counter::default()
            };
            return 0;
        };
        let unlogged = kills
            .saturating_sub(base)
            .saturating_sub(counter.logged)
            .saturating_sub(counter.told);
        if unlogged == 0 {
            counter.ahead = 0;
            return 0;
        }
        counter.ahead += 1;
        // Without a log there is nothing to wait for.
        if counter.ahead < GRACE && self.source.missing.is_empty() {
            return 0;
        }
        counter.ahead = 0;
        counter.told += unlogged;
        let groups = groups_that_rose(newest, previous);
        self.push(Entry::Unlogged {
            at: newest.taken.monotonic,
            kills: unlogged,
            groups,
        });
        self.unread += 1;
        unlogged
    }

    /// Moves the selection, keeping it on the screen.
    pub fn move_by(&mut self, rows: isize, height: usize) {
        self.selected = self
            .selected
            .saturating_add_signed(rows)
            .min(self.len().saturating_sub(1));
        if self.selected < self.offset {
            self.offset = self.selected;
        } else if self.selected >= self.offset + height {
            self.offset = self.selected + 1 - height.max(1);
        }
    }
}

/// "Killed process" lines of the report that are stamped after `since`.
fn logged_lines(report: &OomReport, since: Monotonic) -> u64 {
    report
        .kills
        .iter()
        .filter(|k| k.at.or(report.at).is_none_or(|at| at >= since))
        .map(|k| u64::from(k.lines.max(1)))
        .sum()
}

/// The kills not in `known`, with what the samples knew of each.
fn recall(
    report: &OomReport,
    known: &[Kill],
    samples: &[&Snapshot],
) -> (Vec<Kill>, Vec<(Pid, Remembered)>) {
    let fresh: Vec<Kill> = report
        .kills
        .iter()
        .filter(|k| known.iter().all(|old| old.pid != k.pid))
        .cloned()
        .collect();
    let remembered = fresh
        .iter()
        .filter_map(|kill| Some((kill.pid, remember(kill, samples)?)))
        .collect();
    (fresh, remembered)
}

/// Looks a victim up in the samples, newest first. The pid alone proves nothing: the name must fit and
/// the kill must not be older than the sample's view of the process.
fn remember(kill: &Kill, samples: &[&Snapshot]) -> Option<Remembered> {
    let died = kill.at?;
    samples.iter().find_map(|snapshot| {
        let process = snapshot.processes.iter().find(|p| p.id.pid == kill.pid)?;
        let same_name = process.comm.text() == kill.comm;
        // USER_HZ is 100 on every Linux: a tick is 10 ms.
        let started = Monotonic(process.id.start_ticks.saturating_mul(10_000));
        if !same_name || snapshot.seq == 0 || started > died {
            return None;
        }
        let total = snapshot.domains.first().map_or(0, |d| d.total_pages);
        let points = badness(process, total).points();
        let rank = points.map(|own| {
            let better = snapshot
                .processes
                .iter()
                .filter(|p| badness(p, total).points() > Some(own))
                .count();
            u32::try_from(better + 1).unwrap_or(u32::MAX)
        });
        Some(Remembered {
            id: process.id,
            command: process.command.clone(),
            cgroup: process
                .cgroup
                .and_then(|key| snapshot.cgroup(key))
                .map(|group| group.path.clone()),
            user: snapshot.user(process.uid).map(str::to_owned),
            rank,
        })
    })
}

/// The innermost groups whose `oom_kill` rose between two samples.
fn groups_that_rose(newest: &Snapshot, previous: &Snapshot) -> Vec<CgroupPath> {
    let rose: Vec<&CgroupPath> = newest
        .cgroups
        .iter()
        .zip(previous.cgroups.iter())
        .filter(|(new, old)| {
            new.events.oom_kill > old.events.oom_kill && old.events.oom_kill.is_some()
        })
        .map(|(new, _)| &new.path)
        .collect();
    rose.iter()
        .filter(|path| {
            !rose
                .iter()
                .any(|other| other != *path && other.is_within(path))
        })
        .map(|path| (*path).clone())
        .collect()
}

/// True if the report is still being written.
pub fn is_pending(report: &OomReport) -> bool {
    report.outcome == Outcome::Pending
}
