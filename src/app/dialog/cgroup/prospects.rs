//! The limits that would hold after the plan, and what each would do.

use super::change::group_at;
use super::{CgroupDialog, Mode, typed};
use crate::app::dialog::DialogContext;
use crate::model::cgroup::Limits;
use crate::model::oom_domain::whatif::{Plan, Present, Prospect, prospects};

/// Every limit that would hold after the plan; `None` while there is no plan.
pub(super) fn prospects_of(
    dialog: &CgroupDialog,
    context: &DialogContext<'_>,
) -> Option<Vec<Prospect>> {
    let snapshot = context.cells.snapshot;
    let found = || found(dialog, context);
    dialog
        .memo
        .prospects
        .value(snapshot, dialog.revision, found)
}

fn found(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Option<Vec<Prospect>> {
    let snapshot = context.cells.snapshot;
    let to = dialog.subject(snapshot)?;
    let chosen = dialog.matching().get(dialog.chosen).copied();
    let (limits, known) = match dialog.mode {
        Mode::Create => {
            let limits = typed::patch(&dialog.limits).ok()?;
            (Some(limits.applied_to(Limits::default())), (None, Some(0)))
        }
        Mode::Move => (None, chosen.map_or((None, None), |g| (g.limit, g.usage))),
        Mode::Oomd => (None, (None, None)),
        Mode::Limits => {
            let now = group_at(&to, snapshot)?.limits;
            // Without a plan nothing is written, so the present limits stay.
            let planned = dialog.plan(snapshot).is_ok();
            let patch = typed::patch(&dialog.changes).ok().filter(|_| planned);
            let limits = patch.map(|patch| patch.applied_to(now));
            (limits, (None, None))
        }
    };
    let moving = dialog.moving(snapshot);
    let planned = Plan {
        targets: &moving,
        to: &to,
        limits,
        known,
        version: dialog.version,
    };
    let present = Present {
        processes: &snapshot.processes,
        cgroups: &snapshot.cgroups,
        memory: &snapshot.memory,
        rules: context.cells.rules,
    };
    Some(prospects(&planned, &present))
}
