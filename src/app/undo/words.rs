//! The sentences about a write: its result, and what undo would do.

use super::Written;
use super::changes::{Changes, LimitChange};
use super::deeds;
use super::later::{self, with};
use super::remains::remains;
use super::rules;
use crate::app::State;
use crate::app::msg::WriteId;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{FailureKind, PlanReceipt, Reading};
use crate::model::plan::step::{CgroupStep, Step, UnitLimit, UnitStep};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::text::wording;

impl Written {
    /// What undo would do, in a few words: the footer shows this before `u` is pressed.
    pub fn undo_label(&self) -> String {
        let changes = Changes::new(&self.plans);
        let older = changes.older_limits();
        // All fields, by name: a new one asks what taking it back would do.
        let Changes {
            adj,
            rules: files,
            signals: _,
            moves,
            frozen,
            deeds: _,
            limits: _,
            drop_ins,
            oomd,
            made,
            removed,
            enabled: _,
            failed: _,
            taken_back: _,
            left: _,
            stayed: _,
        } = &changes;
        if let Some(change) = files.first() {
            return rules::back(change);
        }
        let back = moves
            .iter()
            .filter_map(|change| Some((change.target, change.from?)));
        match back.collect::<Vec<_>>().as_slice() {
            [] => {}
            [(target, from)] => return format!("{} → {from}", self.name(*target)),
            many => return format!("{} moves", many.len()),
        }
        let later = drop_ins.first().and_then(later::back);
        match adj.as_slice() {
            [] => {}
            [one] => {
                let back = format!("{} {} → {}", self.name(one.target), one.after, one.before);
                return with(back, later);
            }
            many => return with(format!("adj of {} processes", many.len()), later),
        }
        if let Some(later) = later {
            return later;
        }
        if let Some(label) = deeds::undo_label(frozen).or_else(|| later::oomd_back(oomd)) {
            return label;
        }
        // The path is too long for the footer; the dialog has it.
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

/// Why a step of the write failed, and what became of the others.
pub(super) fn failure(changes: &Changes<'_>, state: &State) -> Option<String> {
    let Some(receipt) = changes.failed.first() else {
        return stayed(changes, state);
    };
    let sentence = &receipt.failure()?.sentence;
    let (whose, others) = match &receipt.step {
        Step::Adj { target, .. } => (Some(target), count(changes.adj.len(), "written")),
        Step::Signal { target, .. } => (Some(target), count(changes.signals.len(), "sent")),
        Step::Stop { target, stop } => {
            let done = if *stop { "stopped" } else { "thawed" };
            (Some(target), count(changes.frozen.len(), done))
        }
        Step::Reap { target } => (Some(target), None),
        Step::Cgroup(CgroupStep::Move(target, _))
            if changes.moves.len() + changes.failed.len() > 1 =>
        {
            (Some(target), count(changes.moves.len(), "moved"))
        }
        Step::Rule(_) | Step::Cgroup(_) | Step::Unit(_) => (None, None),
    };
    let mut said = match whose {
        Some(target) => format!("{}: {sentence}", name(state, *target)),
        None => sentence.clone(),
    };
    let failed = changes.failed.len() - 1;
    let failed = (whose.is_some() && failed > 0).then(|| format!("{failed} more failed"));
    let rest: Vec<_> = failed.into_iter().chain(others).collect();
    if !rest.is_empty() {
        said = format!("{said} ({})", rest.join(", "));
    }
    match (changes.taken_back, changes.left.as_slice()) {
        (0, _) => {}
        (_, []) => said.push_str(" What was done before was taken back."),
        (_, left) => {
            let left: Vec<_> = left.iter().map(|receipt| remains(receipt)).collect();
            said = format!("{said} Not taken back: {}.", left.join(", "));
        }
    }
    Some(said)
}

/// Why a process did not come along with the others.
fn stayed(changes: &Changes<'_>, state: &State) -> Option<String> {
    let (target, why) = changes.stayed.first()?;
    let more = changes.stayed.len() - 1;
    let more = (more > 0).then(|| format!("{more} more failed"));
    let moved = count(changes.moves.len(), "moved");
    let rest: Vec<_> = more.into_iter().chain(moved).collect();
    let rest = rest.join(", ");
    Some(format!(
        "{}: {} ({rest})",
        name(state, *target),
        why.sentence
    ))
}

fn count(others: usize, what: &str) -> Option<String> {
    match others {
        0 => None,
        1 => Some(format!("1 other was {what}")),
        many => Some(format!("{many} others were {what}")),
    }
}

/// What somebody else has changed since this write, and what its undo does all the same. `again` names the key:
/// `press u again to`.
pub(super) fn changed(
    state: &State,
    of: WriteId,
    plans: &[PlanReceipt],
    again: &str,
) -> Option<String> {
    let written = state.undo.find(of)?;
    let mut steps = plans.iter().flat_map(|plan| &plan.steps);
    let receipt = steps.find(|receipt| {
        let failure = receipt.failure();
        failure.is_some_and(|failure| failure.kind == FailureKind::Changed)
    })?;
    let now = &receipt.before;
    let changes = Changes::new(&written.plans);
    Some(match &receipt.step {
        Step::Adj { target, value } => {
            let (now, before) = (now.adj()?, change_of(&changes, *target)?);
            format!(
                "{} has adj {now} now, not the {value} written by oomtop; {again} set {before}",
                written.name(*target)
            )
        }
        // Its own step says what has become of it.
        Step::Rule(edit) => format!("{} has changed since; {again} take out the rule", edit.path),
        Step::Cgroup(CgroupStep::Limit(group, write))
        | Step::Unit(UnitStep::Limit(UnitLimit { group, write, .. })) => {
            let now = wording::limit(write.file, now.limit()?);
            let mut limits = changes.limits.iter();
            let own = limits.find(|change| change.group == group && change.file == write.file);
            let is_made = changes.made.contains(&group);
            match own {
                Some(own) if is_made => format!(
                    "{} is {now} now, not the {} written by oomtop; {again} remove {group}",
                    write.file.name(),
                    wording::limit(write.file, own.after),
                ),
                Some(own) => format!(
                    "it is {now} now, not the {} written by oomtop; {again} set {}: {} of {group}",
                    wording::limit(write.file, own.after),
                    wording::limit(write.file, own.before),
                    write.file.name(),
                ),
                None => format!(
                    "{group} is not as it was: {} is {now} now, not {}; {again} move back there",
                    write.file.name(),
                    wording::limit(write.file, write.value),
                ),
            }
        }
        Step::Cgroup(CgroupStep::Move(..)) | Step::Unit(UnitStep::Scope(_)) => format!(
            "{} is in {} now, not in {}; {again} undo the move",
            written.name(*receipt.step.processes().first()?),
            now.group()?,
            moved_to(&receipt.step)?
        ),
        Step::Unit(UnitStep::Oomd(oomd)) => {
            let Reading::UnitOomd(now) = now else {
                return None;
            };
            format!(
                "{}={} of {} now, not the {} set by oomtop; {again} set it back",
                oomd.setting, now.value, oomd.unit, oomd.value
            )
        }
        Step::Unit(UnitStep::DropIn(write)) => format!(
            "{} is not as oomtop left it; {again} overwrite it",
            write.path()
        ),
        Step::Stop { target, .. } => format!(
            "{} is {} now; {again} turn it all the same",
            wording::process(*target, &state.snapshot),
            now.freezer()?.name()
        ),
        Step::Cgroup(CgroupStep::Freeze(group, _)) => format!(
            "{group} is {} now; {again} turn it all the same",
            now.freezer()?.name()
        ),
        Step::Signal { .. }
        | Step::Reap { .. }
        | Step::Cgroup(
            CgroupStep::EnableMemory(_)
            | CgroupStep::DisableMemory(_)
            | CgroupStep::Create(_)
            | CgroupStep::Reclaim(..)
            | CgroupStep::Kill(_)
            | CgroupStep::Remove(_),
        ) => format!("something has changed since the write; {again} undo it"),
    })
}

fn moved_to(step: &Step) -> Option<&CgroupPath> {
    match step {
        Step::Cgroup(CgroupStep::Move(_, group)) => Some(group),
        Step::Unit(UnitStep::Scope(scope)) => Some(&scope.group),
        _ => None,
    }
}

/// The adj of a process before the write.
fn change_of(changes: &Changes<'_>, target: ProcessId) -> Option<OomScoreAdj> {
    let mut adj = changes.adj.iter();
    let change = adj.find(|change| change.target == target)?;
    Some(change.before)
}

/// What a write without a failure has done.
pub(super) fn done(changes: &Changes<'_>, undo: bool, state: &State) -> String {
    // All fields, by name: a new one asks for its sentence.
    let Changes {
        adj,
        rules: files,
        signals,
        moves,
        frozen,
        deeds,
        limits: bounds,
        drop_ins,
        oomd,
        made,
        removed,
        enabled,
        failed: _,
        taken_back: _,
        left: _,
        stayed: _,
    } = changes;
    if let Some(said) = deeds::done(frozen, deeds, state) {
        return said;
    }
    if let Some(change) = files.first() {
        return rules::done(change);
    }
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
    if let Some(said) = later::oomd_done(oomd, undo) {
        return said;
    }
    let later = drop_ins.first().map(later::done);
    if let (Some(later), []) = (&later, adj.as_slice()) {
        return later.clone();
    }
    let verb = if undo { "restored" } else { "written" };
    match adj.as_slice() {
        [] => {}
        [one] => {
            let said = format!(
                "{} adj {} → {} {verb} and read back",
                name(state, one.target),
                one.before,
                one.after
            );
            return with(said, later);
        }
        many => {
            return with(
                format!("adj of {} processes {}", many.len(), kept(undo)),
                later,
            );
        }
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
pub(super) fn name(state: &State, id: ProcessId) -> String {
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
