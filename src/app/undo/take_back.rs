//! Asks, then undoes a write: the newest one by the key `u`, any one from the history. Asks again if something has
//! changed since.

use super::changes::{Changes, LimitChange};
use super::{Undoing, Written};
use crate::app::State;
use crate::app::dialog::undo::UndoDialog;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, Undo, WriteId};
use crate::model::cgroup::limits::LimitFile;
use crate::model::plan::inverse;
use crate::text::format::long_size;
use crate::text::tone::Tone;
use crate::text::wording;

/// Opens the dialog that asks before the newest write is taken back.
pub(in crate::app) fn ask(state: &mut State) -> Vec<Effect> {
    let Some(newest) = state.undo.last().map(|written| written.id) else {
        let text = if state.undo.has_written() {
            "nothing to undo: every change of this session has been taken back, or cannot be"
        } else {
            "nothing to undo: oomtop has written nothing in this session"
        };
        state.say(Tone::Normal, text);
        return Vec::new();
    };
    ask_about(state, newest)
}

/// Opens the dialog that asks before this write is taken back. It is not there if the write cannot be.
pub(in crate::app) fn ask_about(state: &mut State, of: WriteId) -> Vec<Effect> {
    if state.undo.undoing.is_some() {
        state.say(Tone::Normal, "the last undo is still running");
        return Vec::new();
    }
    let Some(written) = state.undo.find(of) else {
        state.say(Tone::Normal, "this write has been taken back, or cannot be");
        return Vec::new();
    };
    let plans = inverse::of_write(&written.plans);
    let dialog = UndoDialog::new(
        written.id,
        written.undo_label(),
        &plans,
        warning(state, written),
    );
    state.open(dialog)
}

/// Takes back the write that the dialog asked about, if the warning still holds: the undo.
///
/// # Errors
/// What follows if it does not hold: it is asked anew.
pub(in crate::app) fn take_back(
    state: &mut State,
    of: WriteId,
    warned: Option<&str>,
) -> Result<(WriteId, Effect), Vec<Effect>> {
    let written = state.undo.find(of);
    let as_asked = written.filter(|written| warning(state, written).as_deref() == warned);
    let Some(written) = as_asked.filter(|_| state.undo.undoing.is_none()) else {
        return Err(ask_about(state, of));
    };
    // Whoever insists has read what changed.
    let expected = if state.undo.changed_since(of).is_some() {
        Vec::new()
    } else {
        inverse::expectations(&written.plans)
    };
    let plans = inverse::of_write(&written.plans);
    let (by, effect) = state.write(plans, Some(Undo { of, expected }));
    state.undo.undoing = Some(Undoing { by, of });
    Ok((by, effect))
}

/// What the user must know before the write is undone: what has changed, and what the undo kills. `None` if nothing.
fn warning(state: &State, written: &Written) -> Option<String> {
    let changed = state.undo.changed_since(written.id).map(str::to_owned);
    let warnings: Vec<String> = changed
        .into_iter()
        .chain(does_harm(state, written))
        .collect();
    (!warnings.is_empty()).then(|| warnings.join(". Besides, "))
}

/// A sentence if the old limit of a group kills at once. The values themselves are compared when the undo is
/// carried out: a sample may be older than the last change.
fn does_harm(state: &State, written: &Written) -> Option<String> {
    let changes = Changes::new(&written.plans);
    let limits = changes.older_limits();
    limits.iter().find_map(|change| kills(state, change))
}

fn kills(state: &State, change: &LimitChange<'_>) -> Option<String> {
    let LimitChange {
        group: path,
        file,
        lowest: before,
        ..
    } = *change;
    // v1 refuses a limit below the usage.
    if file != LimitFile::Max {
        return None;
    }
    let mut groups = state.snapshot.cgroups.iter();
    let group = groups.find(|group| group.present && group.path == *path)?;
    if group.read_seq <= state.written_at_seq {
        return None;
    }
    let usage = group.usage?;
    let is_below = before.amount().is_some_and(|before| usage > before);
    is_below.then(|| {
        format!(
            "back to {} can kill at once, {} are in use; {} does it all the same: limit of {path}",
            wording::limit(file, before),
            long_size(usage),
            confirm(state)
        )
    })
}

/// The key that takes back, for a sentence.
pub(super) fn confirm(state: &State) -> String {
    state.keymap.name_in(KeyScope::Undo, ActionId::Commit)
}
