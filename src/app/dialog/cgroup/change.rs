//! The limits half: other limits for a group that is there. Nothing is moved.

use super::{CgroupDialog, Mode, outlook};
use crate::app::dialog::DialogContext;
use crate::app::input::id::ActionId;
use crate::app::input::scope::KeyScope;
use crate::model::cgroup::container;
use crate::model::cgroup::limits::{LimitFile, LimitValue, Unit};
use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion};
use crate::model::oom_domain::whatif::{MOST_DEATHS, Onset, Prospect, nearest};
use crate::model::snapshot::Snapshot;
use crate::text::format::long_size;
use crate::text::tone::{Line, Tone};
use crate::text::wording;

/// The group of this path in the sample.
pub(super) fn group_at<'a>(path: &CgroupPath, snapshot: &'a Snapshot) -> Option<&'a Cgroup> {
    let mut groups = snapshot.cgroups.iter();
    groups.find(|group| group.present && group.path == *path)
}

/// What a limit file says now; `None` where it was not read.
pub(super) fn present(file: LimitFile, group: Option<&Cgroup>) -> Option<String> {
    // A group whose usage cannot be read has no limits that can.
    let group = group.filter(|group| group.usage.is_some())?;
    // Without swap accounting the file is not there.
    if file == LimitFile::V1Memsw {
        group.swap_usage?;
    }
    let value = file.get(&group.limits)?;
    Some(match (file.row().unit, value) {
        (_, LimitValue::Unlimited) => "no limit".to_owned(),
        (Unit::Size(_) | Unit::Protection(_), LimitValue::Amount(bytes)) => long_size(bytes),
        (Unit::Swappiness(_) | Unit::Switch(_), _) | (_, LimitValue::Switch(_)) => file.text(value),
    })
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
            "Safer first: {} {} slows the group down and kills nobody.",
            LimitFile::High.name(),
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
pub(super) fn owner_line(path: &CgroupPath, version: CgroupVersion) -> Option<Line> {
    let unit = unit_of(path)?;
    Some(Line::of(
        Tone::Watch,
        format!(
            "systemd owns this group and may write its own value again (a daemon-reload, a change of the unit). \
             To keep it: systemctl set-property {unit} {}=…",
            systemd_limit(version)
        ),
    ))
}

/// The property of a unit that sets the hard limit. On v1 `MemoryLimit`: every systemd that drives v1 knows it,
/// `MemoryMax` came with 231. Where a unit has `MemoryMax`, that one counts (systemd.resource-control(5)).
pub(super) fn systemd_limit(version: CgroupVersion) -> &'static str {
    let row = LimitFile::hard_limit(version).row();
    row.systemd.unwrap_or(row.name)
}

#[cfg(test)]
mod tests;
