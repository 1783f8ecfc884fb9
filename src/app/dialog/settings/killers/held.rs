//! Why a program does not act although a rule of it may hold: it stands still.

use crate::model::freezer::{Freezable, FreezerState};
use crate::model::killers::RunningKiller;
use crate::model::snapshot::Snapshot;
use crate::text::tone::{Line, Tone};

pub(super) fn lines(killer: &RunningKiller, snapshot: &Snapshot) -> Option<Line> {
    let process = snapshot.process(killer.id)?;
    let group = process.cgroup.and_then(|key| snapshot.cgroup(key));
    let is_frozen = snapshot.frozen.iter().any(|(what, state)| {
        let holds_it = match what {
            Freezable::Process(id) => *id == killer.id,
            Freezable::Group(path) => group.is_some_and(|group| group.path.is_within(path)),
        };
        holds_it && state.is_some_and(FreezerState::is_stopped)
    });
    let why = match process.state.0 {
        'T' => "it is stopped (SIGSTOP): it kills nobody until it is continued (SIGCONT)",
        't' => "a debugger holds it: it kills nobody until it goes on",
        _ if is_frozen => "it is frozen: it kills nobody until it is thawed",
        _ => return None,
    };
    Some(Line::of(Tone::Danger, format!("    {why}")))
}
