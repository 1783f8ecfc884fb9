//! The sentences about a write: its result, and what undo would do.

use super::Written;
use super::changes::{Changes, LimitChange};
use crate::app::State;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::text::wording;

impl Written {
    /// What undo would do, in a few words: the footer shows this before `u` is pressed.
    pub fn undo_label(&self) -> String {
        let changes = Changes::new(&self.plans);
        let older = changes.older_limits();
        // All fields, by name: a new one asks what taking it back would do.
        let Changes {
            adj,
            signals: _,
            moves,
            limits: _,
            made,
            removed,
            enabled: _,
            failed: _,
        } = &changes;
        let back = moves
            .iter()
            .filter_map(|change| Some((change.target, change.from?)));
        match back.collect::<Vec<_>>().as_slice() {
            [] => {}
            [(target, from)] => return format!("{} → {from}", self.name(*target)),
            many => return format!("{} moves", many.len()),
        }
        match adj.as_slice() {
            [] => {}
            [one] => return format!("{} {} → {}", self.name(one.target), one.after, one.before),
            many => return format!("adj of {} processes", many.len()),
        }
        // The path is too long for the footer; undo always means the newest write.
        match older.as_slice() {
            [] => {}
            [one] => {
                let back = wording::limit(one.file, one.before);
                return format!("{} → {back}", one.file.name());
            }
            many => return format!("{} limits", many.len()),
        }
        match (made.last(), removed.last()) {
            (Some(innermost), _) => format!("remove {innermost}"),
            (None, Some(group)) => format!("make {group} again"),
            // Nothing that `u` would take back.
            (None, None) => String::new(),
        }
    }

    /// The short name of a process in this write.
    pub(super) fn name(&self, id: ProcessId) -> &str {
        let found = self.names.iter().find(|(known, _)| *known == id);
        found.map_or("", |(_, name)| name)
    }
}

/// Why a step of the write failed.
pub(super) fn failure(changes: &Changes<'_>, state: &State) -> Option<String> {
    let receipt = changes.failed?;
    let sentence = &receipt.failure()?.sentence;
    Some(match (&receipt.step, changes.adj.len()) {
        (Step::Adj { target, .. }, 0) => format!("{}: {sentence}", name(state, *target)),
        (Step::Adj { target, .. }, rest) => format!(
            "{}: {sentence} ({rest} others were written)",
            name(state, *target)
        ),
        (Step::Signal { .. } | Step::Cgroup(_), _) => sentence.clone(),
    })
}

/// What a write without a failure has done.
pub(super) fn done(changes: &Changes<'_>, undo: bool, state: &State) -> String {
    // All fields, by name: a new one asks for its sentence.
    let Changes {
        adj,
        signals,
        moves,
        limits: bounds,
        made,
        removed,
        enabled,
        failed: _,
    } = changes;
    match signals.as_slice() {
        [] => {}
        [(target, signal)] => {
            return format!("SIG{} sent to {}", signal.name, name(state, *target));
        }
        [(_, signal), ..] => {
            let sent = signals.len();
            return format!("SIG{} sent to {sent} processes", signal.name);
        }
    }
    match moves.as_slice() {
        [] => {}
        [one] => {
            let verb = if undo { "is back in" } else { "moved to" };
            return format!("{} {verb} {}", name(state, one.target), one.to);
        }
        many => {
            let verb = if undo { "moved back" } else { "moved" };
            return format!("{} processes {verb}", many.len());
        }
    }
    let verb = if undo { "restored" } else { "written" };
    match adj.as_slice() {
        [] => {}
        [one] => {
            return format!(
                "{} adj {} → {} {verb} and read back",
                name(state, one.target),
                one.before,
                one.after
            );
        }
        many => return format!("adj of {} processes {}", many.len(), kept(undo)),
    }
    match (made.last(), removed.last(), enabled.last()) {
        (Some(innermost), _, _) => format!("{innermost} made"),
        (None, Some(group), _) => format!("{group} removed"),
        (None, None, Some(group)) if bounds.is_empty() => {
            format!("memory control enabled in {group}")
        }
        (None, None, _) => limits(bounds, undo),
    }
}

fn limits(changes: &[LimitChange<'_>], undo: bool) -> String {
    match changes {
        [] => "done".to_owned(),
        [one] => format!(
            "{} {} → {} {}: {}",
            one.file.name(),
            wording::limit(one.file, one.before),
            wording::limit(one.file, one.after),
            kept(undo),
            one.group
        ),
        [first, ..] => {
            let mut groups: Vec<&CgroupPath> = changes.iter().map(|change| change.group).collect();
            groups.sort();
            groups.dedup();
            let whose = match groups.len() {
                1 => first.group.to_string(),
                many => format!("of {many} groups"),
            };
            format!("{} limits {}: {whose}", changes.len(), kept(undo))
        }
    }
}

fn kept(undo: bool) -> &'static str {
    if undo {
        "restored"
    } else {
        "written and read back"
    }
}

/// `2456 mysqld`, also for a process that has ended since.
fn name(state: &State, id: ProcessId) -> String {
    let process = state.snapshot.process(id);
    let process = process.or_else(|| state.previous.process(id));
    process.map_or_else(|| id.pid.to_string(), |p| format!("{} {}", id.pid, p.comm))
}

/// `mysqld`, also for a process that has ended since.
pub(super) fn comm(state: &State, id: ProcessId) -> String {
    let process = state.snapshot.process(id);
    let process = process.or_else(|| state.previous.process(id));
    process.map_or_else(|| id.pid.to_string(), |p| p.comm.text().into_owned())
}
