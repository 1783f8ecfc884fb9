//! The limits half: other limits for a group that is there. Nothing is moved.

use super::plan::{LimitField, limit_value};
use super::{CgroupDialog, Mode, outlook};
use crate::app::dialog::DialogContext;
use crate::app::input::id::ActionId;
use crate::app::input::line::LineInput;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::container;
use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion, Limits};
use crate::model::oom_domain::whatif::{MOST_DEATHS, Onset, Prospect, nearest};
use crate::model::plan::step::{CgroupStep, LimitWrite};
use crate::model::snapshot::Snapshot;
use crate::text::format::long_size;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// The fields of a version, with what was typed.
pub(super) type Fields = [(&'static LimitField, LineInput)];

/// The group of this path in the sample.
pub(super) fn group_at<'a>(path: &CgroupPath, snapshot: &'a Snapshot) -> Option<&'a Cgroup> {
    let mut groups = snapshot.cgroups.iter();
    groups.find(|group| group.present && group.path == *path)
}

/// What a field's file says now; `None` where it was not read.
pub(super) fn present(field: &LimitField, group: Option<&Cgroup>) -> Option<String> {
    // A group whose usage cannot be read has no limits that can.
    let group = group.filter(|group| group.usage.is_some())?;
    let limits = &group.limits;
    let size = |value: Option<u64>| value.map_or_else(|| "no limit".to_owned(), long_size);
    let switch = |on: bool| if on { "1" } else { "0" }.to_owned();
    Some(match field.file {
        "memory.max" | "memory.limit_in_bytes" => size(limits.max),
        "memory.high" | "memory.soft_limit_in_bytes" => size(limits.high),
        "memory.low" => long_size(limits.low.unwrap_or(0)),
        "memory.min" => long_size(limits.min.unwrap_or(0)),
        "memory.swap.max" => size(limits.swap_max),
        // Without swap accounting the file is not there.
        "memory.memsw.limit_in_bytes" => {
            group.swap_usage?;
            size(limits.memsw_max)
        }
        "memory.oom.group" => switch(limits.oom_group),
        "memory.oom_control" => switch(limits.kill_disabled),
        _ => return None,
    })
}

/// The limits as they would be: what was typed over what is there. A field that holds nothing or nonsense
/// changes nothing.
pub(super) fn merged(mut limits: Limits, fields: &Fields) -> Limits {
    for (field, input) in fields {
        let Ok(Some(text)) = limit_value(field, input.text()) else {
            continue;
        };
        // `max` and -1 are no limit.
        let value = text.parse::<u64>().ok();
        match field.file {
            "memory.max" | "memory.limit_in_bytes" => limits.max = value,
            "memory.high" | "memory.soft_limit_in_bytes" => limits.high = value,
            "memory.low" => limits.low = value,
            "memory.min" => limits.min = value,
            "memory.swap.max" => limits.swap_max = value,
            "memory.memsw.limit_in_bytes" => limits.memsw_max = value,
            "memory.oom.group" => limits.oom_group = value == Some(1),
            "memory.oom_control" => limits.kill_disabled = value == Some(1),
            _ => {}
        }
    }
    limits
}

/// One step for each field that was filled in, in an order the kernel takes, or what is missing.
pub(super) fn change_steps(
    path: &CgroupPath,
    group: Option<&Cgroup>,
    fields: &Fields,
    version: CgroupVersion,
) -> Result<Vec<CgroupStep>, String> {
    let group = group.ok_or_else(|| format!("{path} is not there (any more)"))?;
    if path.is_root() && group.limits.max.is_none() {
        return Err("the root group has no limits of its own".to_owned());
    }
    let mut writes = Vec::new();
    for (field, input) in fields {
        if let Some(value) =
            limit_value(field, input.text()).map_err(|e| format!("{}: {e}", field.file))?
        {
            writes.push(LimitWrite {
                file: field.file,
                value,
            });
        }
    }
    if writes.is_empty() {
        return Err("type a new limit; what it is now stands beside the field".to_owned());
    }
    let after = merged(group.limits, fields);
    if version.is_v1() {
        // mm/memcontrol-v1.c `mem_cgroup_resize_max`: EINVAL both ways.
        if let Some(both) = after.memsw_max
            && after.max.is_none_or(|max| max > both)
        {
            return Err(format!(
                "memory.memsw.limit_in_bytes ({}) must be at least the limit: change it too",
                long_size(both)
            ));
        }
        // Memory + swap is raised before the limit and lowered after it: never below it in between.
        let no_limit = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
        if no_limit(after.memsw_max) > no_limit(group.limits.memsw_max) {
            writes.sort_by_key(|write| write.file != "memory.memsw.limit_in_bytes");
        }
    } else {
        // The limit that can kill comes last: what decides whom, and how much may be swapped, is set by
        // then.
        writes.sort_by_key(|write| write.file == "memory.max");
    }
    let step = |write| CgroupStep::Limit(path.clone(), write);
    Ok(writes.into_iter().map(step).collect())
}

/// The limit would kill as soon as it is written, or it may: more is in use than it allows.
fn may_kill(dialog: &CgroupDialog, own: &Prospect, snapshot: &Snapshot) -> bool {
    let Some(path) = dialog.group.as_ref() else {
        return false;
    };
    let before = group_at(path, snapshot).and_then(|group| group.limits.max);
    dialog.version == CgroupVersion::V2
        && own.path == *path
        && before != Some(own.limit)
        && match own.onset {
            Onset::AtOnce | Onset::Unknown => true,
            Onset::After(_) => own.room.is_some_and(|room| room.usage > room.limit),
            Onset::Refused => false,
        }
}

/// Enter must be pressed once more before this is written.
pub(super) fn needs_insisting(dialog: &CgroupDialog, context: &DialogContext<'_>) -> bool {
    let prospects = outlook::prospects_of(dialog, context).unwrap_or_default();
    dialog.mode == Mode::Limits
        && prospects
            .iter()
            .any(|own| may_kill(dialog, own, context.cells.snapshot))
}

/// What there is to say beside when the limit strikes and who dies of it.
pub(super) fn outlook_lines(
    dialog: &CgroupDialog,
    prospects: &[Prospect],
    snapshot: &Snapshot,
) -> Vec<Line> {
    let Some(path) = dialog.group.as_ref() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let own = prospects.iter().find(|prospect| prospect.path == *path);
    if let Some(own) = own
        && may_kill(dialog, own, snapshot)
    {
        lines.extend(danger(own));
    } else if let (Some(own), Some(first)) = (own, nearest(prospects))
        && first.path != *path
        && own.onset != Onset::Refused
    {
        lines.push(Line::of(
            Tone::Watch,
            format!(
                "The limit of {} is nearer than its own {}: it decides until it is raised too.",
                first.path,
                long_size(own.limit)
            ),
        ));
    }
    lines
}

fn danger(own: &Prospect) -> Vec<Line> {
    let mut lines = Vec::new();
    match own.onset {
        Onset::AtOnce if own.toll >= MOST_DEATHS => lines.push(Line::of(
            Tone::Critical,
            format!("One is not enough: {MOST_DEATHS} or more die until what is left fits."),
        )),
        Onset::AtOnce if own.toll > 1 => lines.push(Line::of(
            Tone::Critical,
            format!(
                "In all about {} processes die until what is left fits.",
                own.toll
            ),
        )),
        Onset::AtOnce => {}
        Onset::Unknown => lines.push(Line::of(
            Tone::Danger,
            "Below what is in use it kills as soon as it is written.",
        )),
        _ => lines.push(Line::of(
            Tone::Danger,
            "More than that is in use: page cache and swap must make room at once, and it kills if they \
             cannot.",
        )),
    }
    lines.push(Line::of(
        Tone::Normal,
        format!(
            "Safer first: memory.high {} slows the group down and kills nobody.",
            long_size(own.limit)
        ),
    ));
    lines
}

/// What Enter asks before it writes such a limit; above everything else, where the lowest screen shows it.
pub(super) fn question(dialog: &CgroupDialog, context: &DialogContext<'_>) -> Option<Line> {
    if !dialog.insisted {
        return None;
    }
    let snapshot = context.cells.snapshot;
    let prospects = outlook::prospects_of(dialog, context)?;
    let own = prospects
        .iter()
        .find(|own| may_kill(dialog, own, snapshot))?;
    let victim = own.verdict.as_ref();
    let victim = victim.map(|verdict| wording::victim(verdict, snapshot));
    let what = match (own.onset, victim) {
        (Onset::AtOnce, Some(who)) => {
            format!("This kills {who} at once.")
        }
        (_, Some(who)) => format!("This can kill {who} at once."),
        (_, None) => "This can kill at once.".to_owned(),
    };
    let key = context.keymap.name_in(KeyScope::Cgroup, ActionId::Commit);
    Some(Line::of(
        Tone::Critical,
        format!("{what} {key} once more writes it; any other key thinks again."),
    ))
}

/// The unit that owns a group.
pub(super) fn unit_of(path: &CgroupPath) -> Option<&str> {
    container::unit_of(path.as_str())
}

/// Who else writes this group's limits.
pub(super) fn owner_line(path: &CgroupPath) -> Option<Line> {
    let unit = unit_of(path)?;
    Some(Line::of(
        Tone::Watch,
        format!(
            "systemd owns this group and may write its own value again (a daemon-reload, a change of the unit). \
             To keep it: systemctl set-property {unit} MemoryMax=…"
        ),
    ))
}

#[cfg(test)]
mod tests;
