//! The sentences about what was stopped, reclaimed or killed.

use super::changes::{Deed, FreezeChange};
use crate::app::State;
use crate::model::freezer::{Freezable, FreezerState};
use crate::text::deeds::{reaped, reclaimed};
use crate::text::format::number_of;
use crate::text::wording::{process, short_group};

/// What undo would take back of what was stopped or continued; `None` if the write did neither.
pub(super) fn undo_label(changes: &[FreezeChange]) -> Option<String> {
    let first = changes.first()?;
    let deed = if first.after.is_stopped() {
        "freeze"
    } else {
        "thaw"
    };
    Some(match changes {
        [
            FreezeChange {
                what: Freezable::Group(group),
                ..
            },
        ] => format!("{deed} of {}", short_group(group.as_str())),
        [
            FreezeChange {
                what: Freezable::Process(id),
                ..
            },
        ] => format!("{deed} of {}", id.pid),
        many => format!("{deed} of {} processes", many.len()),
    })
}

/// What such a write has done; `None` if it is of another kind.
pub(super) fn done(frozen: &[FreezeChange], deeds: &[Deed<'_>], state: &State) -> Option<String> {
    match (frozen, deeds) {
        ([], []) => None,
        (_, [deed, ..]) => Some(deed_done(deed, state)),
        ([one], []) => Some(one_frozen(one, state)),
        (many, []) => {
            let stopped = many.iter().filter(|one| one.after.is_stopped()).count();
            let runs = many.len() - stopped;
            Some(match (stopped, runs) {
                (0, runs) => format!(
                    "{} run again",
                    number_of(runs as u64, "process", "processes")
                ),
                (stopped, _) => {
                    format!(
                        "{} stopped",
                        number_of(stopped as u64, "process", "processes")
                    )
                }
            })
        }
    }
}

fn one_frozen(change: &FreezeChange, state: &State) -> String {
    let name = match &change.what {
        Freezable::Group(group) => group.to_string(),
        Freezable::Process(id) => process(*id, &state.snapshot),
    };
    match change.after {
        FreezerState::Frozen => format!("{name} is frozen; its memory stays"),
        FreezerState::Freezing => {
            format!(
                "{name} is freezing: a task of it still waits in the kernel and stops when it comes out"
            )
        }
        FreezerState::Thawed => format!("{name} runs again"),
    }
}

fn deed_done(deed: &Deed<'_>, state: &State) -> String {
    match deed {
        Deed::Killed(group, before, 0) => {
            format!("{group}: {} killed, the group is empty", processes(*before))
        }
        Deed::Killed(group, before, left) => format!(
            "{group}: {} killed, {left} not gone yet: what waits in the kernel ends when it comes out",
            processes(*before)
        ),
        Deed::Reaped(id, how) => format!("{} {}", process(*id, &state.snapshot), reaped(*how)),
        Deed::Reclaimed(group, asked, back) => format!("{} of {group}", reclaimed(*asked, *back)),
    }
}

fn processes(count: usize) -> String {
    number_of(count as u64, "process", "processes")
}
