//! [`EventLog`]: the rows of the OOM pane, newest first, each kill with what was known about the victim.
//!
//! It is bounded: 2000 entries, 4 MiB for their rows, and 4 MiB for what reports hold besides (tables of tasks, lines).
//! Of older reports only who died and why stays.

mod counter;
mod entry;
mod filter;
mod keep;
mod overtaken;
mod reconcile;
mod repeated;
pub mod row;
mod tally;
mod traced;
mod unread;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::app::msg::OlderBoot;
use crate::app::view::list::{Hold, List};
use crate::model::cgroup::CgroupPath;
use crate::model::event_source::EventSource;
use crate::model::recall::recall;
use crate::model::snapshot::Snapshot;
use crate::model::time::{Monotonic, Now};
use crate::oomlog::{Kill, OomEvent, OomReport, UserspaceKill};
use crate::text::event::scope_word;

use counter::Counter;
use entry::Kept;
pub use entry::{Entry, EventId, EventRow, Place, is_pending};
pub use filter::EventFilter;
use keep::{Bounds, KEPT};
pub use reconcile::Found;
pub use tally::Tally;
pub use unread::Unread;

/// What became of the kills of older boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// Nobody asked for them, or they could not be read.
    Unread,
    /// The journal is being read.
    InFlight,
    /// They are among the entries.
    Read,
}

/// The OOM events of this boot, as far as the source has them, and of older boots if asked for.
#[derive(Debug, Clone)]
pub struct EventLog {
    /// The oldest first.
    entries: VecDeque<Kept>,
    /// Number of the next entry.
    next: u64,
    /// The rows that pass the filter, the newest first.
    list: List<Place>,
    /// Where events come from.
    pub source: EventSource,
    /// The filter as typed.
    pub filter_text: String,
    /// The filter in force.
    pub filter: EventFilter,
    /// The time of the last tick.
    clock: Now,
    /// What became of the older boots.
    pub older: Older,
    /// What came since the pane was last looked at.
    pub unread: Unread,
    /// Kills of entries that were dropped: they still count.
    forgotten: Tally,
    /// What the entries told that were dropped since the start.
    dropped: Unread,
    /// Groups whose own counter rose while the host's is ahead of the log.
    rose: Vec<CgroupPath>,
    counter: Counter,
    /// The same without what tracepoints told: how many kills no report explains.
    unexplained: Counter,
    /// Since when a tracepoint has told of every kill.
    traced_since: Option<Monotonic>,
    /// Since when they have told of every SIGKILL as well, and none was lost.
    whole_since: Option<Monotonic>,
    /// Samples for which the counters are asked nevertheless, because a tracepoint had no room for some kills.
    owed: u32,
    room: Bounds,
}

impl Default for EventLog {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            next: 0,
            list: List::newest_first(),
            source: EventSource::default(),
            filter_text: String::new(),
            filter: EventFilter::default(),
            clock: Now::default(),
            older: Older::Unread,
            unread: Unread::default(),
            forgotten: Tally::default(),
            dropped: Unread::default(),
            rose: Vec::new(),
            counter: Counter::default(),
            unexplained: Counter::default(),
            traced_since: None,
            whole_since: None,
            owed: 0,
            room: Bounds::default(),
        }
    }
}

impl EventLog {
    /// The rows that pass the filter, the selection and what is on the screen.
    pub fn list(&self) -> &List<Place> {
        &self.list
    }

    /// The row of a place in the list.
    pub fn row(&self, place: &Place) -> Option<EventRow<'_>> {
        let kept = self.entries.get(place.index)?;
        Some(kept.entry.row(place.id.kill))
    }

    /// The rows that pass the filter, newest first.
    pub fn rows(&self) -> impl Iterator<Item = EventRow<'_>> {
        self.list.rows().iter().filter_map(|place| self.row(place))
    }

    /// The selected row.
    pub fn selected_row(&self) -> Option<EventRow<'_>> {
        self.row(self.list.selected_row()?)
    }

    /// Places of all rows, newest first.
    fn places(&self) -> impl Iterator<Item = Place> {
        let entries = self.entries.iter().enumerate().rev();
        entries.flat_map(|(index, kept)| {
            let place = move |kill| Place {
                id: EventId {
                    entry: kept.number,
                    kill,
                },
                index,
            };
            (0..kept.entry.row_count()).rev().map(place)
        })
    }

    fn all_rows(&self) -> impl Iterator<Item = EventRow<'_>> {
        let entries = self.entries.iter().rev().map(|kept| &kept.entry);
        entries.flat_map(|entry| (0..entry.row_count()).rev().map(|kill| entry.row(kill)))
    }

    /// Builds the list from the entries and the filter.
    fn relist(&mut self) {
        let passes = |place: &Place| {
            let row = self.row(place);
            row.is_some_and(|row| self.filter.matches(row, self.clock))
        };
        let rows = if self.filter.is_empty() {
            self.places().collect()
        } else {
            self.places().filter(passes).collect()
        };
        self.list.set_rows(rows, |_| Hold::Firm);
    }

    /// Takes the time of a tick. With a filter by age, other rows pass now.
    pub fn set_clock(&mut self, now: Now) {
        self.clock = now;
        if !self.filter.is_empty() {
            self.relist();
        }
    }

    /// Sets how many rows the screen has room for.
    pub fn set_height(&mut self, rows: usize) {
        self.list.set_height(rows);
    }

    /// Moves the selection by so many rows.
    pub fn move_by(&mut self, rows: isize) {
        self.list.move_by(rows);
    }

    /// Selects what is in this line of the screen, if there is a row.
    pub fn click(&mut self, line: usize) -> bool {
        self.list.click(line)
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|kept| &kept.entry)
    }

    /// When somebody was killed since then, in no order.
    pub fn killed_since(&self, since: Monotonic) -> Vec<Monotonic> {
        let times = self.entries().flat_map(Entry::killed_at);
        times.filter(|at| *at >= since).collect()
    }

    /// Number of rows that pass the filter.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Processes killed in this boot, logged or not, those of dropped entries included.
    pub fn kills(&self) -> u64 {
        self.tally().total()
    }

    /// [`Self::kills`], split into logged and unlogged.
    pub fn tally(&self) -> Tally {
        let tallies = self.entries().map(Tally::from_entry);
        tallies.fold(self.forgotten, Tally::plus)
    }

    /// How many kills the kernel counted beyond these, in words; empty if none. A counter that is ahead for a moment
    /// says nothing yet.
    pub fn since_boot(&self, sample: &Snapshot) -> String {
        if self.counter.is_ahead() {
            return String::new();
        }
        self.tally().of_counter(sample.kills.host)
    }

    /// The newest kill and when it was.
    pub fn last_kill(&self) -> Option<&Kill> {
        self.all_rows().find_map(|row| row.kill)
    }

    /// Takes the reports of older boots, the newest boot first; only once.
    pub fn accept_older(&mut self, boots: Vec<OlderBoot>) {
        if self.older == Older::Read {
            return;
        }
        self.older = Older::Read;
        for OlderBoot {
            boot,
            reports,
            kills,
        } in boots
        {
            for kill in kills.into_iter().rev() {
                if self.entries.len() < KEPT {
                    let kept = self.numbered(Entry::Userspace(kill));
                    self.entries.push_front(kept);
                }
            }
            for report in reports.into_iter().rev() {
                if self.entries.len() < KEPT {
                    let kept = self.numbered(Entry::Report {
                        scope: scope_word(&report),
                        report,
                        remembered: Vec::new(),
                        traced: Vec::new(),
                        boot,
                    });
                    self.entries.push_front(kept);
                }
            }
        }
        self.shed();
        self.relist();
    }

    /// Takes an event. Returns the kills that are new, for a notice.
    pub fn accept(&mut self, event: OomEvent, samples: &[&Snapshot]) -> Vec<Kill> {
        let new = self.counting(|log| match event {
            OomEvent::Gap { at, lost } => {
                log.push(Entry::Gap { at, lost });
                Vec::new()
            }
            OomEvent::Report(report) => log.upsert(report, samples),
            OomEvent::Userspace(kill) => {
                log.upsert_userspace(kill);
                Vec::new()
            }
        });
        self.shed();
        self.relist();
        new
    }

    fn upsert(&mut self, new: Arc<OomReport>, samples: &[&Snapshot]) -> Vec<Kill> {
        // The report being written is nearly always among the last few.
        let is_it = |kept: &Kept| matches!(&kept.entry, Entry::Report { report, boot: 0, .. } if report.key == new.key);
        let known = self.entries.iter().rposition(is_it);
        let known = known.and_then(|at| self.entries.get_mut(at));
        let before = match known.as_ref().map(|kept| &kept.entry) {
            Some(Entry::Report { report, .. }) => Some(Arc::clone(report)),
            _ => None,
        };
        self.counter.log(before.as_deref(), &new);
        self.unexplained.log(before.as_deref(), &new);
        let had = before.as_ref().map_or(&[][..], |report| &report.kills);
        let is_fresh = |kill: &&Kill| had.iter().all(|old| old.pid != kill.pid);
        let fresh: Vec<Kill> = new.kills.iter().filter(is_fresh).cloned().collect();
        let more = fresh
            .iter()
            .filter_map(|kill| Some((kill.pid, recall(kill, samples)?)));
        let judged = scope_word(&new);
        let number = if let Some(Kept {
            number,
            entry:
                Entry::Report {
                    report,
                    scope,
                    remembered,
                    ..
                },
        }) = known
        {
            remembered.extend(more);
            *report = new;
            *scope = judged;
            *number
        } else {
            let remembered = more.collect();
            self.push(Entry::Report {
                report: new,
                scope: judged,
                remembered,
                traced: Vec::new(),
                boot: 0,
            })
        };
        self.take_over_traced(number, fresh)
    }

    /// True if this kill by a program has a row.
    pub fn knows(&self, kill: &UserspaceKill) -> bool {
        let is_it = |entry: &Entry| matches!(entry, Entry::Userspace(known) if known.key == kill.key && known.killer == kill.killer && known.at == kill.at);
        self.entries().any(is_it)
    }

    fn upsert_userspace(&mut self, new: Arc<UserspaceKill>) {
        // A kill of an older boot has no time of this boot, and a key of its own log.
        let is_it = |entry: &&mut Entry| matches!(entry, Entry::Userspace(kill) if kill.key == new.key && kill.at == new.at);
        let mut entries = self.entries.iter_mut().rev().map(|kept| &mut kept.entry);
        match entries.find(is_it) {
            Some(entry) => *entry = Entry::Userspace(new),
            None => {
                self.push(Entry::Userspace(new));
            }
        }
    }

    /// Puts a filter in force.
    pub fn set_filter(&mut self, text: &str, filter: EventFilter) {
        if text.is_empty() && !self.filter_text.is_empty() {
            self.list.widen();
        }
        text.clone_into(&mut self.filter_text);
        self.filter = filter;
        self.relist();
    }
}
