//! The key `u`: undoes the newest write, but asks first if something has changed since or the undo does harm.

use super::changes::{Changes, LimitChange};
use super::{Undoing, Written};
use crate::app::State;
use crate::app::input::id::ActionId;
use crate::app::msg::Effect;
use crate::model::cgroup::limits::LimitFile;
use crate::model::plan::inverse;
use crate::text::format::long_size;
use crate::text::tone::Tone;
use crate::text::wording;

/// Undoes the newest write. If somebody changed a value since, or the undo kills, says so and wants a second `u`.
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
    let insists = state.undo.insist;
    if !insists && let Some(warning) = does_harm(state, written) {
        state.undo.insist = true;
        state.say(Tone::Watch, warning);
        return Vec::new();
    }
    let of = written.id;
    // Whoever insists has read what changed.
    let expected = if insists {
        Vec::new()
    } else {
        inverse::expectations(&written.plans)
    };
    let plans = inverse::of_write(&written.plans);
    let (by, effect) = state.write(plans, Some(expected));
    state.undo.undoing = Some(Undoing { by, of });
    vec![effect]
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
        before,
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
            "back to {} can kill at once, {} are in use; press {} again to do it: limit of {path}",
            wording::limit(file, before),
            long_size(usage),
            state.key(ActionId::Undo)
        )
    })
}
