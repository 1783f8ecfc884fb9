//! The plans of a remedy, or what is still missing.

use super::IncidentDialog;
use super::offer::{exposed, freezer_of, group_at, living, members};
use super::remedy::Remedy;
use crate::app::dialog::{DialogContext, by};
use crate::app::frozen;
use crate::model::cgroup::limits::Limits;
use crate::model::cgroup::{Cgroup, CgroupPath};
use crate::model::incident::plans;
use crate::model::plan::Plan;
use crate::text::format;

/// What Enter would carry out.
pub(super) fn plans(
    dialog: &IncidentDialog,
    remedy: Remedy,
    context: &DialogContext<'_>,
) -> Result<Vec<Plan>, String> {
    let snapshot = context.cells.snapshot;
    let group = || dialog.group.as_ref().ok_or("its group is not known");
    let process = || living(dialog, context).ok_or("the process has ended");
    match remedy {
        Remedy::Freeze | Remedy::Thaw => {
            let freeze = remedy == Remedy::Freeze;
            let path = group()?;
            if freezer_of(dialog).is_some() {
                return Ok(plans::freeze(path, freeze));
            }
            let stopped = members(path, snapshot).filter(|p| (p.state.0 == 'T') != freeze);
            let targets: Vec<_> = stopped.map(|process| process.id).collect();
            if targets.len() > frozen::MOST {
                return Err(format!(
                    "it has {}, too many to stop one by one",
                    format::number_of(targets.len() as u64, "process", "processes")
                ));
            }
            Ok(plans::stop(targets, freeze))
        }
        Remedy::Raise => {
            let path = group()?;
            let now = limits(path, context);
            let limit = raised_to(dialog, context)?;
            let plans = plans::raise(path, now, limit, dialog.version)
                .map_err(|_| "the kernel would not take these limits".to_owned())?;
            let unit = by::unit_of(Some(path), context);
            let by_whom = |plan| dialog.by.plan(plan, unit.as_ref());
            Ok(plans.into_iter().map(by_whom).collect())
        }
        Remedy::Reclaim => {
            let path = group()?;
            let usage = group_at(path, snapshot).and_then(|group| group.usage);
            let usage = usage.ok_or("its usage is not known")?;
            let bytes = plans::parse_reclaim(&dialog.amount.text(), usage);
            Ok(plans::reclaim(
                path,
                bytes.map_err(|error| error.to_string())?,
            ))
        }
        Remedy::Expose => {
            let (id, value, _) = exposed(dialog, context).ok_or("nobody is to be exposed")?;
            Ok(plans::expose(id, value))
        }
        Remedy::Stop => Ok(plans::stop([process()?.id], true)),
        Remedy::Continue => Ok(plans::stop([process()?.id], false)),
        Remedy::Reap => Ok(plans::reap(process()?.id)),
        Remedy::KillGroup => Ok(plans::kill(group()?)),
    }
}

/// The limits of the group.
pub(super) fn limits(path: &CgroupPath, context: &DialogContext<'_>) -> Option<Limits> {
    let group: Option<&Cgroup> = group_at(path, context.cells.snapshot);
    group.map(|group| group.limits)
}

/// The limit that a raise would set.
pub(super) fn raised_to(
    dialog: &IncidentDialog,
    context: &DialogContext<'_>,
) -> Result<u64, String> {
    let path = dialog.group.as_ref().ok_or("its group is not known")?;
    let now = limits(path, context).and_then(|limits| limits.nearest());
    let now = now.ok_or("it has no limit")?;
    plans::parse_raise(&dialog.amount.text(), now).map_err(|error| error.to_string())
}
