//! [`Pending`]: what was told since the last sample. A report is told again whenever a line adds to it; only its last form
//! is written.

use crate::model::time::Now;
use crate::oomlog::OomEvent;
use crate::recording::Item;

/// Most items that wait, and most bytes of the reports among them.
const MOST: usize = 64;
const BYTES: usize = 1 << 20;

/// Items that wait for the next sample.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Pending(Vec<(Item, Now)>);

impl Pending {
    /// Adds an item that came at this time; true if all should be written now.
    pub(in crate::runtime) fn push(&mut self, item: Item, now: Now) -> bool {
        if let Item::Oom(OomEvent::Report(report)) = &item {
            let is_it = |other: &&mut (Item, Now)| matches!(&other.0, Item::Oom(OomEvent::Report(older)) if older.key == report.key);
            if let Some((older, _)) = self.0.iter_mut().find(is_it) {
                *older = item;
                return false;
            }
        }
        self.0.push((item, now));
        let weight = |(item, _): &(Item, Now)| match item {
            Item::Oom(OomEvent::Report(report)) => report.weight() + report.remainder(),
            _ => 0,
        };
        self.0.len() >= MOST || self.0.iter().map(weight).sum::<usize>() >= BYTES
    }

    /// Takes all of them.
    pub(in crate::runtime) fn take(&mut self) -> Vec<(Item, Now)> {
        std::mem::take(&mut self.0)
    }
}
