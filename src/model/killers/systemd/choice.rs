//! The group that systemd-oomd would kill.

use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};

/// Below one twentieth of all swap a group is left alone (`THRESHOLD_SWAP_USED_PERCENT`,
/// src/oom/oomd-manager.h).
const LEAST_SWAP: u64 = 20;

/// The group systemd-oomd would kill for swap: of the leaves below `watched` (or groups with
/// `memory.oom.group`) the one with the most swap, if that is more than a twentieth of all. Preferences
/// (`ManagedOOMPreference`) are not known here.
#[must_use]
pub fn swap_choice<'c>(
    watched: &[CgroupPath],
    cgroups: &'c [Cgroup],
    swap_total: u64,
) -> Option<&'c Cgroup> {
    let mut has_child = vec![false; cgroups.len()];
    for parent in cgroups
        .iter()
        .filter(|g| g.present)
        .filter_map(|g| g.parent)
    {
        if let Some(slot) = has_child.get_mut(CgroupKey::index(parent)) {
            *slot = true;
        }
    }
    let candidates = cgroups.iter().zip(has_child).filter(|(group, has_child)| {
        let unit = group.limits.oom_group || !has_child;
        group.present && unit && watched.iter().any(|top| group.path.is_within(top))
    });
    candidates
        .filter_map(|(group, _)| Some((group, group.swap_usage?)))
        .filter(|(_, swap)| *swap > swap_total / LEAST_SWAP)
        .max_by_key(|(_, swap)| *swap)
        .map(|(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::swap_choice;
    use crate::model::cgroup::CgroupPath;
    use crate::model::on_paper::group;

    #[test]
    fn the_leaf_with_the_most_swap() {
        let group = |path, parent, swap| {
            let mut group = group(path, parent, None, 0);
            group.swap_usage = Some(swap);
            group
        };
        let groups = [
            group("/", None, 900),
            group("/a.slice", Some(0), 500),
            group("/a.slice/x", Some(1), 200),
            group("/a.slice/y", Some(1), 300),
            group("/b.slice", Some(0), 400),
        ];
        let choice = |top: &str, total| {
            swap_choice(&[CgroupPath::new(top)], &groups, total).map(|g| g.path.as_str())
        };
        assert_eq!(choice("/", 1000), Some("/b.slice"));
        assert_eq!(choice("/a.slice", 1000), Some("/a.slice/y"));
        assert_eq!(choice("/", 8000), None);
    }
}
