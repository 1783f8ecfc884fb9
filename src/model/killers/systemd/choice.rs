//! The group that systemd-oomd would kill.

use crate::model::cgroup::{Cgroup, CgroupKey, CgroupPath};
use crate::model::killers::Preference;

/// Below one twentieth of all swap a group is left alone (`THRESHOLD_SWAP_USED_PERCENT`,
/// src/oom/oomd-manager.h).
const LEAST_SWAP: u64 = 20;

/// The group systemd-oomd would kill for swap: of the leaves below `watched` (or groups with
/// `memory.oom.group`) the one with the most swap, if that is more than a twentieth of all. Of those in `spared` none that
/// is omitted, and one that is avoided only where there is no other (src/oom/oomd-util.h `compare_swap_usage`).
#[must_use]
pub fn swap_choice<'c>(
    watched: &[CgroupPath],
    spared: &[(CgroupPath, Preference)],
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
    let preference = |group: &Cgroup| {
        let found = spared.iter().find(|(path, _)| *path == group.path);
        found.map(|(_, preference)| *preference)
    };
    candidates
        .filter_map(|(group, _)| Some((group, group.swap_usage?)))
        .filter(|(group, swap)| {
            *swap > swap_total / LEAST_SWAP && preference(group) != Some(Preference::Omit)
        })
        .max_by_key(|(group, swap)| (preference(group).is_none(), *swap))
        .map(|(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::swap_choice;
    use crate::model::cgroup::CgroupPath;
    use crate::model::killers::Preference;
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
            swap_choice(&[CgroupPath::new(top)], &[], &groups, total).map(|g| g.path.as_str())
        };
        assert_eq!(choice("/", 1000), Some("/b.slice"));
        assert_eq!(choice("/a.slice", 1000), Some("/a.slice/y"));
        assert_eq!(choice("/", 8000), None);
        let but = |spared: &[(&str, Preference)]| {
            let spared: Vec<_> = spared
                .iter()
                .map(|(path, preference)| (CgroupPath::new(path), *preference))
                .collect();
            let top = [CgroupPath::root()];
            swap_choice(&top, &spared, &groups, 1000).map(|g| g.path.as_str())
        };
        let (b, x, y) = ("/b.slice", "/a.slice/x", "/a.slice/y");
        assert_eq!(but(&[(b, Preference::Avoid)]), Some(y));
        assert_eq!(
            but(&[(b, Preference::Omit), (y, Preference::Avoid)]),
            Some(x)
        );
        let avoided = [
            (b, Preference::Avoid),
            (x, Preference::Avoid),
            (y, Preference::Avoid),
        ];
        assert_eq!(but(&avoided), Some(b));
        assert_eq!(
            but(&avoided.map(|(path, _)| (path, Preference::Omit))),
            None
        );
    }
}
