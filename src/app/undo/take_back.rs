//! The key `u`: undoes the newest write, but asks first if something has changed since.

use super::changes::{AdjChange, Changes, LimitChange};
use super::{Undoing, Written};
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::msg::Effect;
use crate::model::cgroup::limits::LimitFile;
use crate::model::plan::inverse;
use crate::text::format::long_size;
use crate::text::tone::Tone;
use crate::text::wording;

/// Undoes the newest write. If somebody changed the value since, says so and wants a second `u`.
pub(in crate::app) fn take_back(state: &mut State) -> Vec<Effect> {
    if state.undo.undoing.is_some() {
        state.say(Tone::Normal, "the last undo is still running");
        return Vec::new();
    }
    let Some(written) = state.undo.last() else {
        state.say(
            Tone::Normal,
            "nothing to undo: oomtop has written nothing in this session",
        );
        return Vec::new();
    };
    if let Some(warning) = changed_since(state, written)
        && !state.undo.insist
    {
        state.undo.insist = true;
        state.say(Tone::Watch, warning);
        return Vec::new();
    }
    let of = written.id;
    let (by, effect) = state.write(inverse::of_write(&written.plans));
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
            "{} has adj {now} now, not the {after} written by oomtop; press {} again to set {before}",
            written.name(*target),
            state.key(ActionId::Undo)
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
            "it is {now} now, not the {} written by oomtop; press {} again to set {back}: limit of {path}",
            wording::limit(file, change.after),
            state.key(ActionId::Undo)
        ));
    }
    let usage = group.usage?;
    let is_below = change.before.amount().is_some_and(|before| usage > before);
    // v1 refuses a limit below the usage.
    (is_below && file == LimitFile::Max).then(|| {
        format!(
            "back to {back} can kill at once, {} are in use; press {} again to do it: limit of {path}",
            long_size(usage),
            state.key(ActionId::Undo)
        )
    })
}
