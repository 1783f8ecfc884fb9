//! [`Pending`]: what the open dialogs have asked of the runtime, and what to withdraw when they close.

use crate::app::State;
use crate::app::msg::{Effect, WriteId};
use crate::model::cgroup::CgroupPath;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::text::tone::Tone;

/// Requests that outlive the message that made them.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// Writes of dialogs without a receipt yet, and since when.
    writes: Vec<(WriteId, Monotonic)>,
    /// The processes that the runtime holds.
    held: Vec<ProcessId>,
    /// The groups that it holds, with what the screen showed of them then.
    groups: Vec<(CgroupPath, Option<u64>)>,
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

/// Withdraws the writes whose dialog is gone, and holds the targets and the groups of the dialogs that are open.
pub(super) fn settle(state: &mut State) -> Vec<Effect> {
    let dialogs = &state.dialogs;
    let mut effects = Vec::new();
    state.pending.writes.retain(|(id, _)| {
        let is_awaited = dialogs.iter().any(|dialog| dialog.waiting() == Some(*id));
        effects.extend((!is_awaited).then_some(Effect::Withdraw(*id)));
        is_awaited
    });
    let is_idle = state.pending.held.is_empty() && state.pending.groups.is_empty();
    if dialogs.is_empty() && is_idle {
        return effects;
    }
    let targets: Vec<_> = dialogs.iter().flat_map(|dialog| dialog.targets()).collect();
    if targets != state.pending.held {
        state.pending.held.clone_from(&targets);
        effects.push(Effect::Hold(targets));
    }
    let about = dialogs.iter().filter_map(|dialog| dialog.group());
    let about = about.map(|group| (group.clone(), true));
    let goes_to = dialogs.iter().filter_map(|dialog| dialog.destination());
    let mut wanted: Vec<_> = about.chain(goes_to.map(|group| (group, false))).collect();
    wanted.dedup_by(|one, other| one.0 == other.0);
    let held = &state.pending.groups;
    let is_same = wanted.len() == held.len()
        && std::iter::zip(&wanted, held).all(|((path, _), (held, _))| path == held);
    let anew = held.iter().find_map(|(path, instance)| {
        let now = shown(path, &state.snapshot)?;
        instance.filter(|then| *then != now).map(|_| path.clone())
    });
    if let Some(path) = &anew {
        // The dialog shows the new group from here on, and nothing of it may have been confirmed before that was seen.
        effects.push(Effect::HoldGroups(Vec::new()));
        state.confirmation.taken();
        let text = format!("{path} was made anew: the dialog is about the new group from here on");
        state.say(Tone::Watch, text);
    }
    if !is_same || anew.is_some() {
        let groups: Vec<_> = wanted
            .into_iter()
            .map(|(path, is_shown)| {
                let instance = is_shown.then(|| shown(&path, &state.snapshot)).flatten();
                (path, instance)
            })
            .collect();
        state.pending.groups.clone_from(&groups);
        effects.push(Effect::HoldGroups(groups));
    }
    effects
}

/// Which group of this path the sample has read.
fn shown(path: &CgroupPath, snapshot: &Snapshot) -> Option<u64> {
    let mut groups = snapshot.cgroups.iter();
    groups.find(|group| group.path == *path)?.instance
}
