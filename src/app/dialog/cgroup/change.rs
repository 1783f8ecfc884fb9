//! The group whose limits the dialog changes: what its files say, and who else writes them.

use crate::model::cgroup::container;
use crate::model::cgroup::limits::{LimitFile, LimitValue, Unit};
use crate::model::cgroup::{Cgroup, CgroupPath, CgroupVersion};
use crate::model::snapshot::Snapshot;
use crate::text::format::long_size;
use crate::text::tone::{Line, Tone};
use crate::text::wording::set_property;

/// The group of this path in the sample.
pub(super) fn group_at<'a>(path: &CgroupPath, snapshot: &'a Snapshot) -> Option<&'a Cgroup> {
    let mut groups = snapshot.cgroups.iter();
    groups.find(|group| group.present && group.path == *path)
}

/// The present value of a limit file; `None` if the file was not read.
pub(super) fn present(file: LimitFile, group: Option<&Cgroup>) -> Option<String> {
    // If the usage of a group is unreadable, so are its limits.
    let group = group.filter(|group| group.usage.is_some())?;
    // Without swap accounting, this file does not exist.
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
             To keep it{}: {} {unit} {}=…",
            as_user(path),
            set_property(path.as_str()),
            systemd_limit(version)
        ),
    ))
}

/// Who must give the command: `systemctl --user` speaks to the manager of whoever calls it.
pub(super) fn as_user(path: &CgroupPath) -> String {
    let user = container::user_manager_of(path.as_str());
    user.map_or_else(String::new, |uid| format!(" (as user {uid})"))
}

/// The unit property that sets the hard limit. On v1 `MemoryLimit`: every systemd that drives v1 knows it,
/// while `MemoryMax` came with 231. A unit that has `MemoryMax` ignores `MemoryLimit`
/// (systemd.resource-control(5)).
pub(super) fn systemd_limit(version: CgroupVersion) -> &'static str {
    let row = LimitFile::hard_limit(version).row();
    row.systemd.unwrap_or(row.name)
}

#[cfg(test)]
mod tests;
