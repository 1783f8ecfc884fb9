//! [`EventLog`]: the rows of the OOM pane, newest first, each kill with what was known of the victim.

mod counter;
mod recall;

use std::collections::VecDeque;
use std::sync::Arc;

use super::msg::EventSource;
use crate::domain::cgroup::CgroupPath;
use crate::domain::oom::{Kill, OomEvent, OomReport, Outcome, UserspaceKill};
use crate::domain::process::Pid;
use crate::domain::snapshot::Snapshot;
use crate::domain::time::Monotonic;

use counter::{Counter, groups_that_rose};
pub use recall::Remembered;
use recall::recall;

/// Most entries kept; the oldest go first.
const KEPT: usize = 2000;
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
    /// A program killed before the kernel had to.
    Userspace(Arc<UserspaceKill>),
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
                // Not the kernel's: told in its row, not in the kernel's count.
                Entry::Gap { .. } | Entry::Userspace(_) => 0,
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
            OomEvent::Userspace(kill) => {
                self.upsert_userspace(kill);
                Vec::new()
            }
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
        let is_it =
            |entry: &Entry| matches!(entry, Entry::Report { report, .. } if report.key == new.key);
        let known = self.entries.iter().rposition(is_it);
        let before = known.and_then(|at| match self.entries.get(at) {
            Some(Entry::Report { report, .. }) => Some(Arc::clone(report)),
            _ => None,
        });
        self.counter.log(before.as_deref(), &new);
        let had = before.as_ref().map_or(&[][..], |report| &report.kills);
        let is_fresh = |kill: &&Kill| had.iter().all(|old| old.pid != kill.pid);
        let fresh: Vec<Kill> = new.kills.iter().filter(is_fresh).cloned().collect();
        let more = fresh
            .iter()
            .filter_map(|kill| Some((kill.pid, recall(kill, samples)?)));
        if let Some(Entry::Report { report, remembered }) =
            known.and_then(|at| self.entries.get_mut(at))
        {
            remembered.extend(more);
            *report = new;
        } else {
            let remembered = more.collect();
            self.push(Entry::Report {
                report: new,
                remembered,
            });
        }
        fresh
    }

    fn upsert_userspace(&mut self, new: Arc<UserspaceKill>) {
        let is_it =
            |entry: &&mut Entry| matches!(entry, Entry::Userspace(kill) if kill.key == new.key);
        match self.entries.iter_mut().rev().find(is_it) {
            Some(entry) => *entry = Entry::Userspace(new),
            None => self.push(Entry::Userspace(new)),
        }
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
        let kills = self
            .counter
            .unlogged(newest, self.source.missing.is_empty());
        if kills > 0 {
            let groups = groups_that_rose(newest, previous);
            self.push(Entry::Unlogged {
                at: newest.taken.monotonic,
                kills,
                groups,
            });
            self.unread += 1;
        }
        kills
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

/// True if the report is still being written.
pub fn is_pending(report: &OomReport) -> bool {
    report.outcome == Outcome::Pending
}
