//! The ledger page: reads its numbers while it is open, and never otherwise.

use std::time::Duration;

use crate::app::State;
use crate::app::msg::Effect;
use crate::model::ledger::{Account, Place};
use crate::model::time::Monotonic;

/// Time between two readings while the page is open: it lists files and slab caches, which costs.
const EVERY: Duration = Duration::from_secs(3);

/// A request that is on its way, or the last one.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Whose ledger.
    place: Option<Place>,
    at: Monotonic,
}

impl Asked {
    /// True if this ledger is due.
    fn is_due(&self, place: &Place, now: Monotonic) -> bool {
        let same = self.place.as_ref().map(Place::group) == Some(place.group());
        !same || now.since(self.at) >= EVERY
    }
}

/// Hands an answer to the page that it is for.
pub(super) fn arrived(state: &mut State, answer: &Result<Account, String>) {
    for dialog in &mut state.dialogs {
        dialog.on_ledger(answer);
    }
}

impl State {
    /// Requests the ledger of the page that is open, if it is due.
    pub(in crate::app) fn ledger_wanted(&mut self) -> Vec<Effect> {
        let mut dialogs = self.dialogs.iter().rev();
        let page_size = self.host.rules.page_size;
        let place = dialogs.find_map(|dialog| dialog.wants_ledger(&self.snapshot, page_size));
        let Some(place) = place else {
            self.ledger = Asked::default();
            return Vec::new();
        };
        let now = self.now.monotonic;
        if !self.ledger.is_due(&place, now) {
            return Vec::new();
        }
        self.ledger = Asked {
            place: Some(place.clone()),
            at: now,
        };
        vec![Effect::ReadLedger(place)]
    }
}
