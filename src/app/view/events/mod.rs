//! [`EventLog`]: the rows of the OOM pane, newest first, each kill with what was known of the victim.

mod counter;
mod filter;
pub mod row;
mod tally;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::app::msg::{EventSource, OlderBoot};
use crate::model::cgroup::CgroupPath;
use crate::model::process::Pid;
use crate::model::recall::{Remembered, recall};
use crate::model::snapshot::Snapshot;
use crate::model::time::{Monotonic, Now, Wall};
use crate::oomlog::{Kill, OomEvent, OomReport, UserspaceKill};

use counter::{Counter, groups_that_rose};
pub use filter::EventFilter;
pub use tally::Tally;

/// Most entries kept; the oldest go first.
const KEPT: usize = 2000;
/// Microseconds of the time a name's deaths are counted over.
const HOUR: i64 = 3_600_000_000;
/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A report and what was remembered of its dead, by pid.
    Report {
        /// As the log has it so far.
        report: Arc<OomReport>,
        /// Known victims.
        remembered: Vec<(Pid, Remembered)>,
        /// 0 is this boot, -1 the one before: their clocks have nothing to do with ours.
        boot: i32,
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

impl EventRow<'_> {
    /// When it happened on the wall: by this boot's clock, or by the journal's stamp.
    pub fn wall(self, now: Now) -> Option<Wall> {
        let (at, stamp) = match self.entry {
            Entry::Report {
                report, boot: 0, ..
            } => (
                self.kill.and_then(|kill| kill.at).or(report.at),
                report.stamp.as_deref(),
            ),
            Entry::Report { report, .. } => (None, report.stamp.as_deref()),
            Entry::Userspace(kill) => (kill.at, kill.stamp.as_deref()),
            Entry::Unlogged { at, .. } => (Some(*at), None),
            Entry::Gap { at, .. } => (*at, None),
        };
        let by_stamp = || {
            let unix_micros = stamp?.parse().ok()?;
            Some(Wall {
                unix_micros,
                ..now.wall
            })
        };
        at.map(|at| now.wall_of(at)).or_else(by_stamp)
    }
}

/// The OOM events of this boot, as far as the source has them, and of older ones if asked for.
#[derive(Debug, Clone, Default)]
pub struct EventLog {
    entries: VecDeque<Entry>,
    /// Where events come from.
    pub source: EventSource,
    /// Selected row, 0 = newest.
    pub selected: usize,
    /// First row on the screen.
    pub offset: usize,
    /// The filter as typed.
    pub filter_text: String,
    /// The filter in force.
    pub filter: EventFilter,
    /// The time of the last tick.
    pub clock: Now,
    /// How many older boots have been read; `None` before they were asked for.
    pub older_boots: Option<usize>,
    /// Rows that came since the pane was last looked at.
    pub unread: usize,
    /// Kills of entries that are kept no more: they still count.
    forgotten: Tally,
    /// Groups whose own counter rose while the host's is ahead of the log.
    rose: Vec<CgroupPath>,
    counter: Counter,
}

impl EventLog {
    /// The rows that pass the filter, newest first.
    pub fn rows(&self) -> impl Iterator<Item = EventRow<'_>> {
        self.all_rows()
            .filter(|row| self.filter.matches(*row, self.clock))
    }

    fn all_rows(&self) -> impl Iterator<Item = EventRow<'_>> {
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

    /// Number of rows that pass the filter.
    pub fn len(&self) -> usize {
        if self.filter.is_empty() {
            self.entries.iter().map(rows_of).sum()
        } else {
            self.rows().count()
        }
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Processes killed in this boot, logged or not, also those of entries that are kept no more.
    pub fn kills(&self) -> u64 {
        self.tally().total()
    }

    /// The same, told apart by whether the log has them.
    pub fn tally(&self) -> Tally {
        let tallies = self.entries.iter().map(Tally::of);
        tallies.fold(self.forgotten, Tally::plus)
    }

    /// The newest kill and when it was.
    pub fn last_kill(&self) -> Option<&Kill> {
        self.all_rows().find_map(|row| row.kill)
    }

    /// The name that died most often in the last hour, and how often; `None` below two.
    pub fn repeated(&self) -> Option<(&str, usize)> {
        let recent = |row: &EventRow<'_>| {
            let age = |at: Wall| self.clock.wall.unix_micros.saturating_sub(at.unix_micros);
            row.wall(self.clock).is_some_and(|at| age(at) <= HOUR)
        };
        let mut deaths: BTreeMap<&str, usize> = BTreeMap::new();
        for kill in self.all_rows().filter(recent).filter_map(|row| row.kill) {
            *deaths.entry(&kill.comm).or_default() += 1;
        }
        deaths
            .into_iter()
            .max_by_key(|(_, times)| *times)
            .filter(|(_, times)| *times > 1)
    }

    /// Takes in the reports of older boots, the newest boot first; only once.
    pub fn accept_older(&mut self, boots: Vec<OlderBoot>) {
        if self.older_boots.is_some() {
            return;
        }
        self.older_boots = Some(boots.len());
        for OlderBoot { boot, reports } in boots {
            for report in reports.into_iter().rev() {
                if self.entries.len() < KEPT {
                    self.entries.push_front(Entry::Report {
                        report,
                        remembered: Vec::new(),
                        boot,
                    });
                }
            }
        }
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
        let is_it = |entry: &Entry| matches!(entry, Entry::Report { report, boot: 0, .. } if report.key == new.key);
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
        if let Some(Entry::Report {
            report, remembered, ..
        }) = known.and_then(|at| self.entries.get_mut(at))
        {
            remembered.extend(more);
            *report = new;
        } else {
            let remembered = more.collect();
            self.push(Entry::Report {
                report: new,
                remembered,
                boot: 0,
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
            let oldest = self.entries.pop_front();
            let tally = oldest.as_ref().map(Tally::of).unwrap_or_default();
            self.forgotten = self.forgotten.plus(tally);
        }
        self.entries.push_back(entry);
    }

    /// Compares the kernel's own counter with the log: a kill that nobody logged gets a row too.
    /// Returns how many such kills were found now.
    pub fn reconcile(&mut self, newest: &Snapshot, previous: &Snapshot) -> u64 {
        let overtaken = self.counter.overtaken(newest);
        self.take_back(overtaken);
        let kills = self.counter.unlogged(newest, self.source.has_log());
        // The row comes some samples after the rise: the groups are those of all of these samples.
        for group in groups_that_rose(newest, previous) {
            if !self.rose.contains(&group) {
                self.rose.push(group);
            }
        }
        if kills > 0 {
            let groups = std::mem::take(&mut self.rose);
            self.push(Entry::Unlogged {
                at: newest.taken.monotonic,
                kills,
                groups,
            });
            self.unread += 1;
        } else if !self.counter.is_ahead() {
            self.rose.clear();
        }
        kills
    }

    /// Puts a filter in force.
    pub fn set_filter(&mut self, text: &str, filter: EventFilter) {
        text.clone_into(&mut self.filter_text);
        self.filter = filter;
        self.selected = 0;
        self.offset = 0;
    }

    /// The log tells now of so many kills that were told as unlogged, newest first.
    fn take_back(&mut self, mut overtaken: u64) {
        for entry in self.entries.iter_mut().rev() {
            if let Entry::Unlogged { kills, .. } = entry {
                let less = overtaken.min(*kills);
                *kills -= less;
                overtaken -= less;
            }
        }
        self.entries
            .retain(|entry| !matches!(entry, Entry::Unlogged { kills: 0, .. }));
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

/// Rows an entry takes.
fn rows_of(entry: &Entry) -> usize {
    match entry {
        Entry::Report { report, .. } => report.kills.len().max(1),
        _ => 1,
    }
}
