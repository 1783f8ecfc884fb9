//! The units of systemd around a group, by its path alone. This is the one place that knows how they nest.

/// A unit of the host around a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostUnit<'p> {
    /// Its name.
    pub name: &'p str,
    /// The end of the name in the path, in bytes: the path up to there is that of the unit's own group.
    pub end: usize,
    /// The user whose manager (`user@UID.service`) runs it; `None` for the system's manager. Both may have a unit of one
    /// name.
    pub user: Option<u32>,
}

impl HostUnit<'_> {
    /// True for a service or a scope: a unit that systemd keeps the result of.
    #[must_use]
    pub fn has_result(&self) -> bool {
        is_kind(self.name, "service") || is_kind(self.name, "scope")
    }
}

/// Kinds of units that hold processes, besides slices, which hold units.
const KINDS: [&str; 5] = ["service", "scope", "socket", "mount", "swap"];

/// The units of the host around a group, outermost first, slices too. What a unit makes inside itself is no unit of the
/// host, whatever it is called: a container has its own `/system.slice`. The manager of a user is a unit that has units of
/// its own below.
pub fn host_units(cgroup: &str) -> impl Iterator<Item = HostUnit<'_>> {
    let mut at = 0;
    let parts = cgroup.split('/').map(move |part| {
        let end = at + part.len();
        at = end + 1;
        (end, part)
    });
    // `..` leads out of a cgroup namespace.
    let parts = parts.filter(|(_, part)| !matches!(*part, "" | ".."));
    let (mut user, mut is_inside) = (None, false);
    parts.map_while(move |(end, name)| {
        let is_slice = is_kind(name, "slice");
        if is_inside || !is_slice && !KINDS.iter().any(|kind| is_kind(name, kind)) {
            return None;
        }
        let unit = HostUnit { name, end, user };
        if !is_slice {
            match (user, manager_of(name)) {
                (None, Some(uid)) => user = Some(uid),
                _ => is_inside = true,
            }
        }
        Some(unit)
    })
}

/// The uid in `user@UID.service`.
fn manager_of(name: &str) -> Option<u32> {
    let uid = name.strip_prefix("user@")?.strip_suffix(".service")?;
    uid.parse().ok()
}

/// The service or scope of the host that a group is part of, the one that systemd keeps the result for: the outermost, or
/// below `user@UID.service` that of the user's manager.
#[must_use]
pub fn unit_of(cgroup: &str) -> Option<&str> {
    service_of(cgroup).map(|unit| unit.name)
}

/// The same with its manager.
#[must_use]
pub fn service_of(cgroup: &str) -> Option<HostUnit<'_>> {
    host_units(cgroup).filter(HostUnit::has_result).last()
}

/// True if the group is this unit of the host, or lies below it; slices too.
#[must_use]
pub fn is_within_unit(cgroup: &str, unit: &str) -> bool {
    let end = service_of(cgroup).map_or(cgroup.len(), |unit| unit.end);
    let of_host = cgroup.get(..end).unwrap_or(cgroup);
    of_host.split('/').any(|part| part == unit)
}

/// True if the unit's name has this suffix.
#[must_use]
pub fn is_kind(unit: &str, kind: &str) -> bool {
    unit.rsplit_once('.')
        .is_some_and(|(_, suffix)| suffix == kind)
}

#[cfg(test)]
mod tests {
    use super::{host_units, is_within_unit, service_of, unit_of};

    #[test]
    fn the_unit_of_the_host_keeps_the_result() {
        for (path, unit) in [
            ("/system.slice/shop.service", Some("shop.service")),
            ("/system.slice/shop.service/worker/3", Some("shop.service")),
            (
                "/user.slice/user-1.slice/user@1.service/app.slice/a.scope",
                Some("a.scope"),
            ),
            (
                "/system.slice/docker-4f5e.scope/system.slice/nginx.service",
                Some("docker-4f5e.scope"),
            ),
            ("/docker/4f5e/system.slice/nginx.service", None),
            ("/system.slice/srv.mount", None),
            ("/shop/web", None),
            ("/", None),
        ] {
            assert_eq!(unit_of(path), unit, "{path}");
        }
        let inner = "/system.slice/docker-4f5e.scope/system.slice/nginx.service";
        assert!(
            is_within_unit(inner, "system.slice") && is_within_unit(inner, "docker-4f5e.scope")
        );
        assert!(!is_within_unit(inner, "nginx.service"));
    }

    #[test]
    fn each_unit_has_its_manager_and_its_own_group() {
        let manager = "/user.slice/user-7.slice/user@7.service";
        let path = format!("/../..{manager}/app.slice/a.scope/user@8.service/x.scope");
        let units: Vec<_> = host_units(&path).collect();
        let names: Vec<_> = units.iter().map(|unit| (unit.name, unit.user)).collect();
        assert_eq!(
            names,
            [
                ("user.slice", None),
                ("user-7.slice", None),
                ("user@7.service", None),
                ("app.slice", Some(7)),
                ("a.scope", Some(7)),
            ]
        );
        assert!(
            units
                .iter()
                .all(|unit| path[..unit.end].ends_with(unit.name))
        );
        // A name that is no user's is that of any other service.
        let odd = "/system.slice/user@x.service/b.scope";
        assert_eq!(
            service_of(odd).map(|unit| (unit.name, unit.user)),
            Some(("user@x.service", None))
        );
    }

    proptest::proptest! {
        #[test]
        fn no_path_panics(path in "(/|\\.\\.|\\.slice|\\.service|\\.scope|user@|[0-9]{0,30}|\\PC)*") {
            for unit in host_units(&path) {
                proptest::prop_assert!(path.get(..unit.end).is_some_and(|own| own.ends_with(unit.name)));
            }
            let _ = is_within_unit(&path, "a.service");
        }
    }
}
