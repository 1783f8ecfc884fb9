//! What the log of events keeps, and what goes when it is too much.

use std::sync::Arc;

use super::entry::{Entry, Kept};
use super::unread::Unread;
use super::{EventLog, Tally};

/// Most entries kept; the oldest are dropped first.
pub(super) const KEPT: usize = 2000;
/// Most bytes of memory for the tables, memory states and lines of all reports together. The newest report keeps its
/// own, whatever they take: the parser bounds each to a few megabytes.
const DETAILS: usize = 4 << 20;
/// Most bytes of memory for the rows: who died and why. A group kill has thousands of dead, and names and paths are
/// long where somebody wants them to be. The newest entry stays, whatever it takes.
const ROWS: usize = 4 << 20;

/// Least bytes of each: some dozens of kills, and the tables of a report or two.
const LEAST: usize = 128 << 10;

/// How many bytes the history may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    rows: usize,
    details: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            rows: ROWS,
            details: DETAILS,
        }
    }
}

impl EventLog {
    /// Keeps less where oomtop's own memory is limited: half of these bytes, because as many again are in use while a
    /// report is parsed.
    pub fn bound(&mut self, bytes: u64) {
        let each = usize::try_from(bytes / 4).unwrap_or(usize::MAX).max(LEAST);
        self.room = Bounds {
            rows: each.min(ROWS),
            details: each.min(DETAILS),
        };
    }

    /// Puts an entry into its place; its number.
    pub(super) fn push(&mut self, entry: Entry) -> u64 {
        // One flood is one gap: its rows would push the kills out of sight.
        if let (Entry::Gap { lost, .. }, Some(last)) = (&entry, self.entries.back_mut())
            && let Entry::Gap { lost: before, .. } = &mut last.entry
        {
            // 0 is a number that is not known.
            *before = match (*before, *lost) {
                (0, _) | (_, 0) => 0,
                (before, lost) => before.saturating_add(lost),
            };
            return last.number;
        }
        if self.entries.len() == KEPT {
            // What killed nobody goes first.
            let idle = self
                .entries
                .iter()
                .position(|kept| !kept.entry.has_killed());
            self.forget(idle.unwrap_or(0));
        }
        let kept = self.numbered(entry);
        let number = kept.number;
        // Several logs are read at once: each has its own order, and a place in time tells theirs.
        let is_later = |other: &Kept| match (other.entry.at(), kept.entry.at()) {
            (Some(other), Some(new)) => other > new,
            (None, _) | (_, None) => false,
        };
        let after = self
            .entries
            .iter()
            .rev()
            .take_while(|other| is_later(other));
        let place = self.entries.len() - after.count();
        self.entries.insert(place, kept);
        number
    }

    /// Drops an entry; its kills still count.
    fn forget(&mut self, index: usize) {
        let dropped = self.entries.remove(index);
        let told = Unread::count(dropped.iter().map(|kept| &kept.entry));
        self.dropped = self.dropped.plus(told);
        let tally = dropped.map(|kept| Tally::from_entry(&kept.entry));
        self.forgotten = self.forgotten.plus(tally.unwrap_or_default());
    }

    /// Drops the details of the oldest reports beyond [`DETAILS`], and the oldest entries beyond [`ROWS`].
    pub(super) fn shed(&mut self) {
        let mut rows: usize = self.entries().map(Entry::remainder).sum();
        while rows > self.room.rows && self.entries.len() > 1 {
            let oldest = self.entries.front();
            rows -= oldest.map_or(0, |kept| kept.entry.remainder());
            self.forget(0);
        }
        let mut room = self.room.details;
        for kept in self.entries.iter_mut().rev() {
            let Entry::Report { report, .. } = &mut kept.entry else {
                continue;
            };
            let weight = report.weight();
            if let Some(left) = room.checked_sub(weight) {
                room = left;
                continue;
            }
            // Whatever is older goes too.
            room = 0;
            Arc::make_mut(report).shed();
        }
    }

    pub(super) fn numbered(&mut self, entry: Entry) -> Kept {
        let number = self.next;
        self.next += 1;
        Kept { number, entry }
    }
}
