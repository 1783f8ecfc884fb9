//! Kills that were first only counted and then logged: the row of the log replaces the counted row, and a selection
//! on it goes along.

use super::EventLog;
use super::entry::{Entry, EventId, Kept};
use crate::model::time::Monotonic;

impl EventLog {
    /// Subtracts this many kills from the counted rows, the newest first, because the log tells of them now.
    pub(super) fn take_back(&mut self, mut overtaken: u64) {
        if overtaken == 0 {
            return;
        }
        for kept in self.entries.iter_mut().rev() {
            if let Entry::Unlogged { kills, .. } = &mut kept.entry {
                let less = overtaken.min(*kills);
                *kills -= less;
                overtaken -= less;
            }
        }
        if let Some((counted, logged)) = self.selected_successor() {
            self.list.hand_over(counted, logged);
        }
        let is_told = |kept: &Kept| !matches!(kept.entry, Entry::Unlogged { kills: 0, .. });
        self.entries.retain(is_told);
        self.relist();
    }

    /// The selected row and the row of the log that replaces it; `None` if the selected row stays.
    fn selected_successor(&self) -> Option<(EventId, EventId)> {
        let counted = self.list.selected()?;
        let index = self
            .entries
            .iter()
            .position(|kept| kept.number == counted.entry)?;
        match self.entries.get(index)?.entry {
            Entry::Unlogged { at, kills: 0, .. } => {
                let logged = self
                    .last_logged_before(at)
                    .or_else(|| self.first_logged_after(index));
                Some((counted, logged?))
            }
            _ => None,
        }
    }

    /// The last kill of this boot at or before the moment the counter was read.
    fn last_logged_before(&self, seen: Monotonic) -> Option<EventId> {
        let rows = self.places().filter_map(|place| {
            let row = self.row(&place)?;
            let Entry::Report {
                report, boot: 0, ..
            } = row.entry
            else {
                return None;
            };
            let at = row.kill?.at.or(report.at)?;
            Some((at, place.id))
        });
        rows.filter(|(at, _)| *at <= seen)
            .max_by_key(|(at, id)| (*at, id.entry, id.kill))
            .map(|(_, id)| id)
    }

    /// For a log without time stamps: the first report that came in after the counted row.
    fn first_logged_after(&self, index: usize) -> Option<EventId> {
        let kept = self.entries.iter().skip(index + 1).find(|kept| {
            matches!(kept.entry, Entry::Report { boot: 0, .. }) && !kept.entry.kills().is_empty()
        })?;
        Some(EventId {
            entry: kept.number,
            kill: 0,
        })
    }
}
