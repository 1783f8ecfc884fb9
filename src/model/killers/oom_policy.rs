//! [`OomPolicy`]: what systemd does with the rest of a unit once the kernel has killed one of its processes.

use std::fmt;

use super::systemd::syntax::assignments;
use super::units::{UnitFile, applied};
use crate::model::cgroup::{CgroupKey, CgroupPath};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::oomlog::witness::{HostUnit, host_units, is_kind};

/// `OOMPolicy=` of a service (systemd.service(5), since 243) or a scope (systemd.scope(5) of 252; seen to work in 252.39).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OomPolicy {
    /// The other processes live on.
    Continue,
    /// systemd stops the unit: all its processes end.
    #[default]
    Stop,
    /// As [`Self::Stop`], and systemd sets `memory.oom.group`, so that the kernel kills them all itself.
    Kill,
}

impl OomPolicy {
    /// The value as systemd writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Stop => "stop",
            Self::Kill => "kill",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Continue, Self::Stop, Self::Kill];
        all.into_iter().find(|policy| policy.name() == text)
    }
}

/// What the files of a unit say of a kill in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitRule {
    /// What follows a kill by the kernel.
    pub policy: OomPolicy,
    /// Once the main process has ended, systemd ends the others too, whoever killed it: a service without
    /// `KillMode=process`, `RemainAfterExit=` or `ExitType=cgroup` (systemd.service(5), systemd.kill(5)).
    pub ends_with_main: bool,
    /// `OOMScoreAdjust=` of a service; `None` if no file sets it.
    pub adj: Option<OomScoreAdj>,
    /// It has `MemoryLimit=` and no `MemoryMax=`, which took its place in systemd 231.
    pub has_old_limit: bool,
}

/// A unit around a process that may be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// The group of the unit.
    pub group: CgroupKey,
    /// What systemd does after a kill by the kernel.
    pub policy: OomPolicy,
    /// The process whose end is the end of the unit; `None` if there is none, or if it is not known.
    pub main: Option<ProcessId>,
    /// The adj that its processes start with; `None` if its files set none.
    pub adj: Option<OomScoreAdj>,
    /// Its files have `MemoryLimit=` and no `MemoryMax=`.
    pub has_old_limit: bool,
}

/// The instance of systemd that runs a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manager {
    /// pid 1.
    System,
    /// The instance of the user with this uid.
    User(u32),
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::User(uid) => write!(f, "user {uid}"),
        }
    }
}

/// The first release whose scopes have a policy; before it they live on.
const SCOPES_SINCE: u32 = 252;

/// The services and scopes around a group, outermost first, with the manager that runs each. Groups that a unit
/// makes inside itself are part of it, whatever they are called.
#[must_use]
pub fn units_around(path: &CgroupPath) -> Vec<(CgroupPath, Manager)> {
    let units = host_units(path.as_str()).filter(HostUnit::has_result);
    let own = |unit: HostUnit<'_>| {
        let group = path.as_str().get(..unit.end)?;
        let group = CgroupPath::from_bytes(&CgroupPath::bytes_of(group));
        Some((group, unit.user.map_or(Manager::System, Manager::User)))
    };
    units.filter_map(own).collect()
}

/// The unit whose own group this is, with its manager; the root is `-.slice`. `None` for a group that is no unit's, or
/// that a unit made inside itself.
#[must_use]
pub fn unit_with_group(path: &CgroupPath) -> Option<(&str, Manager)> {
    if path.is_root() {
        return Some(("-.slice", Manager::System));
    }
    let unit = host_units(path.as_str()).last()?;
    let manager = unit.user.map_or(Manager::System, Manager::User);
    (unit.end == path.as_str().len()).then_some((unit.name, manager))
}

/// `DefaultOOMPolicy=` from system.conf or user.conf and their drop-ins, in the order in which they apply.
#[must_use]
pub fn default_policy<'t>(files: impl IntoIterator<Item = &'t str>) -> OomPolicy {
    let values = files.into_iter().flat_map(assignments);
    values
        .filter(|(section, key, _)| *section == "Manager" && *key == "DefaultOOMPolicy")
        .filter_map(|(.., value)| OomPolicy::parse(value))
        .last()
        .unwrap_or_default()
}

/// The rule of a unit, from all files that apply to it. `release` is that of systemd, `None` if unknown: then it
/// is taken for a present one.
#[must_use]
pub fn unit_rule(
    unit: &str,
    files: &[UnitFile],
    default: OomPolicy,
    release: Option<u32>,
) -> UnitRule {
    let is_scope = is_kind(unit, "scope");
    if is_scope && release.is_some_and(|release| release < SCOPES_SINCE) {
        return UnitRule {
            policy: OomPolicy::Continue,
            ..UnitRule::default()
        };
    }
    let (mut policy, mut delegates, mut leaves_rest) = (None, false, false);
    let (mut stays_active, mut waits_for_all) = (false, false);
    let (mut adj, mut old_limit, mut limit) = (None, false, false);
    for file in applied(unit, files) {
        for (section, key, value) in assignments(&file.text) {
            if !matches!(section, "Service" | "Scope") {
                continue;
            }
            match key {
                "OOMPolicy" => policy = OomPolicy::parse(value).or(policy),
                // Empty means: without controllers, but delegated.
                "Delegate" => {
                    delegates = !matches!(value, "no" | "n" | "false" | "f" | "off" | "0");
                }
                "KillMode" => leaves_rest = matches!(value, "process" | "none"),
                "RemainAfterExit" => {
                    stays_active = matches!(value, "yes" | "y" | "true" | "t" | "on" | "1");
                }
                // An empty value is that of the manager again; systemd passes over one that is none.
                "OOMScoreAdjust" if value.is_empty() => adj = None,
                "OOMScoreAdjust" => adj = value.parse().ok().or(adj),
                "MemoryLimit" => old_limit = !value.is_empty(),
                "MemoryMax" => limit = !value.is_empty(),
                "ExitType" => waits_for_all = value == "cgroup",
                _ => {}
            }
        }
    }
    // src/core/service.c `service_add_extras`, scope.c `scope_add_extras`.
    let default = if delegates {
        OomPolicy::Continue
    } else {
        default
    };
    let policy = match policy.unwrap_or(default) {
        // Stopping the unit ends its main process alone, or none.
        OomPolicy::Stop if leaves_rest => OomPolicy::Continue,
        policy => policy,
    };
    UnitRule {
        policy,
        ends_with_main: !is_scope && !leaves_rest && !stays_active && !waits_for_all,
        adj: adj.filter(|_| !is_scope),
        has_old_limit: old_limit && !limit,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Manager, OomPolicy, UnitRule, default_policy, unit_rule, unit_with_group, units_around,
    };
    use crate::model::cgroup::CgroupPath;
    use crate::model::killers::units::UnitFile;
    use crate::model::process::score::OomScoreAdj;

    fn units(path: &str) -> Vec<(String, Manager)> {
        let around = units_around(&CgroupPath::new(path)).into_iter();
        around
            .map(|(path, manager)| (path.to_string(), manager))
            .collect()
    }

    #[test]
    fn the_units_around_a_group_and_who_runs_them() {
        let web = "/system.slice/web.service";
        let of_system = |path: &str| (path.to_owned(), Manager::System);
        assert_eq!(units(&format!("{web}/child.scope/x")), [of_system(web)]);
        let user = "/user.slice/user-7.slice/user@7.service";
        assert_eq!(
            units(&format!("{user}/app.slice/a.scope")),
            [
                of_system(user),
                (format!("{user}/app.slice/a.scope"), Manager::User(7))
            ]
        );
        assert!(units("/docker/abc/system.slice/web.service").is_empty());
        assert!(units("/system.slice").is_empty());
    }

    #[test]
    fn a_group_is_a_units_own_or_made_inside_one() {
        let of = |path: &str| {
            let path = CgroupPath::new(path);
            unit_with_group(&path).map(|(unit, manager)| (unit.to_owned(), manager))
        };
        let found = |unit: &str, manager| Some((unit.to_owned(), manager));
        assert_eq!(of("/"), found("-.slice", Manager::System));
        assert_eq!(
            of("/system.slice/a.service"),
            found("a.service", Manager::System)
        );
        let user = "/user.slice/user-7.slice/user@7.service";
        assert_eq!(of(user), found("user@7.service", Manager::System));
        assert_eq!(
            of(&format!("{user}/app.slice")),
            found("app.slice", Manager::User(7))
        );
        // A container's own units are none of the host, whoever's manager it pretends to have.
        assert_eq!(of("/system.slice/docker-4f5e.scope/user@7.service"), None);
        assert_eq!(of("/system.slice/a.service/web.slice"), None);
        assert_eq!(of("/docker/4f5e"), None);
    }

    fn rule(unit: &str, text: &str, release: u32) -> UnitRule {
        let file = |unit: &str, drop_in: Option<&str>, text: &str| UnitFile {
            unit: unit.to_owned(),
            drop_in: drop_in.map(str::to_owned),
            text: text.to_owned(),
        };
        let files = [
            file(unit, None, text),
            file("odd.service", Some("9.conf"), "[Service]\nOOMPolicy=kill\n"),
        ];
        unit_rule(unit, &files, OomPolicy::Stop, Some(release))
    }

    #[test]
    fn which_units_end_with_their_main_process() {
        let ends = |unit: &str, text: &str| rule(unit, text, 257).ends_with_main;
        let service = |text: &str| ends("a.service", &format!("[Service]\n{text}\n"));
        assert!(service("OOMPolicy=continue"));
        assert!(service("KillMode=mixed"));
        assert!(!service("KillMode=process"));
        assert!(!service("RemainAfterExit=yes"));
        assert!(!service("ExitType=cgroup"));
        assert!(service("ExitType=main"));
        assert!(!ends("a.scope", "[Scope]\n"));
    }

    #[test]
    fn the_adj_of_a_service_and_a_limit_of_the_old_name() {
        let adj = |text: &str| rule("a.service", &format!("[Service]\n{text}\n"), 257).adj;
        assert_eq!(adj("OOMScoreAdjust=-500"), OomScoreAdj::new(-500));
        assert_eq!(adj("OOMScoreAdjust=-500\nOOMScoreAdjust="), None);
        assert_eq!(adj("OOMScoreAdjust=lots"), None);
        assert_eq!(
            adj("OOMScoreAdjust=-500\nOOMScoreAdjust=lots\nOOMScoreAdjust=1001"),
            OomScoreAdj::new(-500)
        );
        assert_eq!(adj("Nice=3"), None);
        let old =
            |text: &str| rule("a.service", &format!("[Service]\n{text}\n"), 252).has_old_limit;
        assert!(old("MemoryLimit=1G"));
        assert!(!old("MemoryLimit=1G\nMemoryMax=1G"));
        assert!(!old("MemoryMax=1G"));
    }

    #[test]
    fn the_policy_of_a_unit() {
        use OomPolicy::{Continue, Kill, Stop};
        for (unit, text, release, wanted) in [
            ("a.service", "[Service]\nExecStart=x\n", 252, Stop),
            (
                "a.service",
                "[Service]\nOOMPolicy=continue\n",
                252,
                Continue,
            ),
            ("a.service", "[Service]\nOOMPolicy=sideways\n", 252, Stop),
            ("a.service", "[Unit]\nOOMPolicy=continue\n", 252, Stop),
            ("a.service", "[Service]\nDelegate=yes\n", 252, Continue),
            (
                "a.service",
                "[Service]\nDelegate=memory\nOOMPolicy=stop\n",
                252,
                Stop,
            ),
            ("a.service", "[Service]\nDelegate=no\n", 252, Stop),
            ("a.service", "[Service]\nKillMode=process\n", 252, Continue),
            ("odd.service", "[Service]\nOOMPolicy=continue\n", 252, Kill),
            ("a.scope", "[Scope]\n", 251, Continue),
            ("a.scope", "[Scope]\n", 252, Stop),
            (
                "session-3.scope",
                "[Scope]\nOOMPolicy=continue\n",
                257,
                Continue,
            ),
        ] {
            assert_eq!(rule(unit, text, release).policy, wanted, "{unit} {text}");
        }
        let conf = ["[Manager]\nDefaultOOMPolicy=continue\n", "[Manager]\n#x\n"];
        assert_eq!(default_policy(conf), Continue);
        assert_eq!(default_policy([]), Stop);
    }

    proptest::proptest! {
        #[test]
        fn no_path_or_text_panics(path in "(/|\\.slice|\\.service|user@|[0-9]{1,30}|\\PC)*", text in "(\\PC|\n|=|OOMPolicy)*") {
            let _ = (units_around(&CgroupPath::new(&path)), unit_with_group(&CgroupPath::new(&path)));
            let _ = rule(&path, &text, 1);
        }
    }
}
