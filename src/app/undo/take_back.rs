//! The key `u`: asks, then undoes the newest write.

use super::changes::{AdjChange, Changes, LimitChange};
use super::{Undoing, Written};
use crate::app::State;
use crate::app::dialog::cgroup::steps::step_text;
use crate::app::dialog::undo::UndoDialog;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::app::msg::{Effect, WriteId};
use crate::model::cgroup::limits::LimitFile;
use crate::model::plan::inverse;
use crate::text::format::long_size;
use crate::text::tone::Tone;
use crate::text::wording;

/// Opens the dialog that asks before the newest write is taken back.
pub(in crate::app) fn ask(state: &mut State) -> Vec<Effect> {
    if state.undo.undoing.is_some() {
        state.say(Tone::Normal, "the last undo is still running");
        return Vec::new();
    }
    let Some(written) = state.undo.last() else {
        let text = if state.undo.has_written() {
            "nothing to undo: every change of this session has been taken back, or cannot be"
        } else {
            "nothing to undo: oomtop has written nothing in this session"
        };
        state.say(Tone::Normal, text);
        return Vec::new();
    };
    let plans = inverse::of_write(&written.plans);
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    let dialog = UndoDialog::new(
        written.id,
        written.undo_label(),
        steps.map(step_text).collect(),
        changed_since(state, written),
    );
    state.open(dialog)
}

/// Takes back the newest write, if that is still the one the dialog asked about and nothing has changed since. If
/// something has, it asks anew.
pub(in crate::app) fn take_back(
    state: &mut State,
    of: WriteId,
    warned: Option<&str>,
) -> Vec<Effect> {
    let written = state.undo.last().filter(|written| written.id == of);
    let as_asked = written.filter(|written| changed_since(state, written).as_deref() == warned);
    let Some(plans) = as_asked.map(|written| inverse::of_write(&written.plans)) else {
        return ask(state);
    };
    if state.undo.undoing.is_some() {
        return ask(state);
    }
    let (by, effect) = state.write(plans);
    state.undo.undoing = Some(Undoing { by, of });
    vec![effect]
}

/// A sentence if something has changed since the write, or if the undo does harm.
fn changed_since(state: &State, written: &Written) -> Option<String> {
    let changes = Changes::new(&written.plans);
    let adj = changes.adj.iter();
    adj.filter_map(|change| adj_since(state, written, change))
        .chain(
            changes
                .older_limits()
                .iter()
                .filter_map(|change| limit_since(state, change)),
        )
        .next()
}

fn adj_since(state: &State, written: &Written, change: &AdjChange) -> Option<String> {
    let AdjChange {
        target,
        before,
        after,
    } = change;
    let now = state.snapshot.process(*target)?.adj?;
    (now != *after && state.snapshot.seq > state.written_at_seq).then(|| {
        format!(
            "{} has adj {now} now, not the {after} written by oomtop; {} sets {before}",
            written.name(*target),
            confirm(state)
        )
    })
}

/// The same for a limit file. Only the limit that kills matters.
fn limit_since(state: &State, change: &LimitChange<'_>) -> Option<String> {
    let LimitChange {
        group: path, file, ..
    } = *change;
    if !file.is_hard_limit() {
        return None;
    }
    let mut groups = state.snapshot.cgroups.iter();
    let group = groups.find(|group| group.present && group.path == *path)?;
    if group.read_seq <= state.written_at_seq {
        return None;
    }
    let now = file.get(&group.limits)?;
    let back = wording::limit(file, change.before);
    // If the old value is back, somebody set it or the sample is older than the write: undo does no harm.
    if now != change.after && now != change.before {
        let now = now
            .amount()
            .map_or_else(|| "no limit".to_owned(), long_size);
        return Some(format!(
            "it is {now} now, not the {} written by oomtop; {} sets {back}: limit of {path}",
            wording::limit(file, change.after),
            confirm(state)
        ));
    }
    let usage = group.usage?;
    let is_below = change.before.amount().is_some_and(|before| usage > before);
    // v1 refuses a limit below the usage.
    (is_below && file == LimitFile::Max).then(|| {
        format!(
            "back to {back} can kill at once, {} are in use; {} does it all the same: limit of {path}",
            long_size(usage),
            confirm(state)
        )
    })
}

/// The key that takes back, for a sentence.
fn confirm(state: &State) -> String {
    state.keymap.name_in(KeyScope::Undo, ActionId::Commit)
}
