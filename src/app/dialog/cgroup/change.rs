//! The group whose limits the dialog changes: what its files say.

use crate::model::cgroup::limits::{LimitFile, LimitValue, Unit};
use crate::model::cgroup::{Cgroup, CgroupPath};
use crate::model::snapshot::Snapshot;
use crate::text::format::long_size;

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

#[cfg(test)]
mod tests;
