//! [`Pending`]: what the open dialogs have asked of the runtime, and what to withdraw when they close.

use crate::app::State;
use crate::app::msg::{Effect, WriteId};
use crate::model::process::ProcessId;
use crate::model::time::Monotonic;

/// Requests that outlive the message that made them.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// Writes of dialogs without a receipt yet, and since when.
    writes: Vec<(WriteId, Monotonic)>,
    /// The processes that the runtime holds.
    held: Vec<ProcessId>,
}

impl Pending {
    /// A dialog has requested this write.
    pub(super) fn ask(&mut self, id: WriteId, now: Monotonic) {
        self.writes.push((id, now));
    }

    /// The receipt is there.
    pub(super) fn answered(&mut self, id: WriteId) {
        self.writes.retain(|(write, _)| *write != id);
    }

    /// Since when a dialog waits for this write.
    pub(in crate::app) fn since(&self, id: WriteId) -> Option<Monotonic> {
        let mut writes = self.writes.iter();
        writes.find_map(|(write, since)| (*write == id).then_some(*since))
    }
}

/// Withdraws the writes whose dialog is gone, and holds the targets of the dialogs that are open.
pub(super) fn settle(state: &mut State) -> Vec<Effect> {
    let dialogs = &state.dialogs;
    let mut effects = Vec::new();
    state.pending.writes.retain(|(id, _)| {
        let is_awaited = dialogs.iter().any(|dialog| dialog.waiting() == Some(*id));
        effects.extend((!is_awaited).then_some(Effect::Withdraw(*id)));
        is_awaited
    });
    if dialogs.is_empty() && state.pending.held.is_empty() {
        return effects;
    }
    let targets: Vec<_> = dialogs.iter().flat_map(|dialog| dialog.targets()).collect();
    if targets != state.pending.held {
        state.pending.held.clone_from(&targets);
        effects.push(Effect::Hold(targets));
    }
    effects
}
