//! What processes leave when they move, and what came of each move.

use super::steps::result_lines;
use super::{CgroupDialog, company, risk};
use crate::app::dialog::DialogContext;
use crate::app::dialog::managed::ManagedUnit;
use crate::model::process::Process;
use crate::text::format;
use crate::text::tone::{Line, Tone};

/// Most moves whose results are told one by one, those that failed first.
const RESULTS: usize = 40;

/// What came of each step.
pub(super) fn results(dialog: &CgroupDialog) -> Vec<Line> {
    let (failed, done): (Vec<_>, Vec<_>) = dialog.result.iter().partition(|plan| {
        plan.steps.len() == 1 && plan.failure().is_some() && dialog.result.len() > 1
    });
    let moved = done.iter().filter(|plan| plan.failure().is_none()).count();
    let mut lines: Vec<_> = failed
        .into_iter()
        .chain(done)
        .take(RESULTS)
        .flat_map(result_lines)
        .collect();
    if dialog.result.len() > RESULTS {
        let text = format!("{moved} of {} done in all", dialog.result.len());
        lines.push(Line::of(Tone::Dim, text));
    }
    lines
}

/// The limits that no longer apply to the process after the move.
pub(super) fn limits_left(
    dialog: &CgroupDialog,
    processes: &[&Process],
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let left = risk::limits_left(dialog, processes, context).into_iter();
    let leaves = match processes {
        [_] => "It leaves",
        _ => "Some leave",
    };
    left.map(|(path, limit)| {
        let text = format!(
            "{leaves} {path} and its limit of {}: whoever set that (a container runtime?) no longer contains {}.",
            format::long_size(limit),
            if processes.len() == 1 { "it" } else { "them" }
        );
        Line::of(Tone::Watch, text)
    })
    .collect()
}

/// Most units that are told what leaves them.
const UNITS: usize = 3;

/// The units that the processes leave.
pub(super) fn units_left(
    dialog: &CgroupDialog,
    processes: &[&Process],
    context: &DialogContext<'_>,
) -> Vec<Line> {
    let says = |unit: &ManagedUnit| match dialog.scope_home() {
        Some(_) => unit.scope_line(),
        None => unit.move_line(dialog.version),
    };
    if !dialog.is_for_many() {
        let from = dialog.from.as_ref();
        let unit = from.and_then(|path| ManagedUnit::of(path, context));
        return unit.iter().map(says).collect();
    }
    let homes = company::homes(processes, context.cells.snapshot).into_iter();
    let mut counts: Vec<(ManagedUnit, usize)> = Vec::new();
    for (path, count) in homes {
        let Some(unit) = ManagedUnit::of(path, context) else {
            continue;
        };
        match counts.iter_mut().find(|(known, _)| known.is_same(&unit)) {
            Some((_, all)) => *all += count,
            None => counts.push((unit, count)),
        }
    }
    let mut lines: Vec<_> = counts
        .iter()
        .take(UNITS)
        .map(|(unit, count)| unit.many_leave_line(*count))
        .collect();
    if let Some(more @ 1..) = counts.len().checked_sub(UNITS) {
        let text = format!("Processes leave {more} more units.");
        lines.push(Line::of(Tone::Watch, text));
    }
    // What a scope is and how to limit the whole unit is the same for each.
    lines.extend(counts.first().map(|(unit, _)| says(unit)));
    lines
}
