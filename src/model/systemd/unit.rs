//! [`UnitName`]: a unit and the instance of systemd that runs it, from the path of a group.

use std::fmt;

use crate::model::cgroup::CgroupPath;
use crate::model::killers::oom_policy::Manager;

/// Longest name of a unit (systemd src/basic/unit-name.h `UNIT_NAME_MAX`).
const LONGEST: usize = 255;

/// A unit that has a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnitName {
    /// `web.service`.
    pub name: String,
    /// Who runs it.
    pub manager: Manager,
}

impl UnitName {
    /// The unit whose own group this is: limits of the unit are limits of the group.
    #[must_use]
    pub fn of_group(path: &CgroupPath) -> Option<Self> {
        let (unit, is_whole) = innermost(path)?;
        is_whole.then_some(unit)
    }

    /// The innermost unit around a group. What a unit makes inside itself is its own business: a container has its own
    /// `/system.slice`.
    #[must_use]
    pub fn around(path: &CgroupPath) -> Option<Self> {
        innermost(path).map(|(unit, _)| unit)
    }

    /// The group of [`Self::around`].
    #[must_use]
    pub fn group_around(path: &CgroupPath) -> Option<CgroupPath> {
        let unit = Self::around(path)?;
        let mut up = std::iter::successors(Some(path.clone()), CgroupPath::parent);
        up.find(|group| Self::of_group(group).as_ref() == Some(&unit))
    }

    /// `OOMScoreAdjust=` and `OOMPolicy=` in a file apply to it at its next start: it has unit files of its own.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.kind() == "service"
    }

    /// It exists only as long as its processes, which systemd has not started: nothing about it lasts.
    #[must_use]
    pub fn is_scope(&self) -> bool {
        self.kind() == "scope"
    }

    /// Its type: what stands behind the last dot of its name.
    #[must_use]
    pub fn kind(&self) -> &str {
        kind_of(&self.name)
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The innermost unit, and whether the whole path is its group.
fn innermost(path: &CgroupPath) -> Option<(UnitName, bool)> {
    let parts: Vec<&str> = path.as_str().split('/').filter(|p| !p.is_empty()).collect();
    let mut manager = Manager::System;
    let mut found = None;
    for (at, part) in parts.iter().enumerate() {
        // systemd writes `_` before a name that the kernel could take for a file of its own (`cg_escape`).
        let name = part.strip_prefix('_').unwrap_or(part);
        if !is_unit(name) {
            break;
        }
        let unit = UnitName {
            name: name.to_owned(),
            manager,
        };
        found = Some((unit, at + 1 == parts.len()));
        if kind_of(name) == "slice" {
            continue;
        }
        let user = name.strip_prefix("user@");
        let user = user.and_then(|rest| rest.strip_suffix(".service"));
        match (manager, user.and_then(|uid| uid.parse().ok())) {
            // The manager of a user has units of its own below.
            (Manager::System, Some(uid)) => manager = Manager::User(uid),
            _ => break,
        }
    }
    found
}

pub(super) fn kind_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// True for a name that systemd takes (`unit_name_is_valid`) of a unit that has a group.
fn is_unit(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let has_group = matches!(kind_of(name), "slice" | "service" | "scope");
    has_group && name.len() <= LONGEST && !name.starts_with('.') && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::UnitName;
    use crate::model::cgroup::CgroupPath;
    use crate::model::killers::oom_policy::Manager::{self, System, User};

    fn around(path: &str) -> Option<(String, Manager, bool)> {
        let path = CgroupPath::new(path);
        let unit = UnitName::around(&path)?;
        let is_own = UnitName::of_group(&path).as_ref() == Some(&unit);
        Some((unit.name, unit.manager, is_own))
    }

    #[test]
    fn the_unit_around_a_group_and_who_runs_it() {
        let user = "/user.slice/user-7.slice/user@7.service";
        for (path, wanted) in [
            (
                "/system.slice/web.service",
                Some(("web.service", System, true)),
            ),
            (
                "/system.slice/web.service/inner",
                Some(("web.service", System, false)),
            ),
            ("/system.slice", Some(("system.slice", System, true))),
            (
                "/system.slice/_memory.service",
                Some(("memory.service", System, true)),
            ),
            (user, Some(("user@7.service", System, true))),
            (
                &format!("{user}/app.slice/a.scope"),
                Some(("a.scope", User(7), true)),
            ),
            (
                "/machine.slice/machine-x.scope/payload/user@7.service/a.service",
                Some(("machine-x.scope", System, false)),
            ),
            (
                "/system.slice/docker-4f.scope/system.slice/web.service",
                Some(("docker-4f.scope", System, false)),
            ),
            ("/", None),
            ("/docker/4f5e", None),
            ("/../web.service", None),
            ("/.service", None),
            ("/a b.service", None),
        ] {
            let wanted = wanted.map(|(name, manager, own)| (name.to_owned(), manager, own));
            assert_eq!(around(path), wanted, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_unit_is_part_of_the_path_and_fit_for_a_file_name(path in "(/[-@_.a-z\\\\]{0,9}(\\.slice|\\.service|\\.scope)?){0,5}") {
            let path = CgroupPath::new(&path);
            if let Some(unit) = UnitName::around(&path) {
                proptest::prop_assert!(path.as_str().contains(&unit.name));
                proptest::prop_assert!(!unit.name.contains('/') && unit.name != ".." && unit.name.is_ascii());
            }
        }
    }
}
