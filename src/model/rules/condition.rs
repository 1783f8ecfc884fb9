//! [`Condition`]: one key of a rule.

use super::glob::{Glob, GlobError, Kind};
use super::subject::Subject;
use crate::model::cgroup::container;
use crate::oomlog::witness::host_units;

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The name.
    Name,
    /// The command line.
    Command,
    /// The executable.
    Exe,
    /// The user.
    User,
    /// The systemd unit, or one around it.
    Unit,
    /// The memory cgroup, or one around it.
    Cgroup,
    /// The container, its runtime or its pod.
    Container,
}

impl Fact {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Name,
        Self::Command,
        Self::Exe,
        Self::User,
        Self::Unit,
        Self::Cgroup,
        Self::Container,
    ];

    /// The key in a file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Command => "command",
            Self::Exe => "exe",
            Self::User => "user",
            Self::Unit => "unit",
            Self::Cgroup => "cgroup",
            Self::Container => "container",
        }
    }

    /// A pattern for this fact.
    ///
    /// # Errors
    /// If the text is no pattern.
    pub fn pattern(self, text: &str) -> Result<Glob, GlobError> {
        let kind = match self {
            Self::Exe | Self::Cgroup => Kind::Path,
            Self::Name | Self::Command | Self::User | Self::Unit | Self::Container => Kind::Text,
        };
        Glob::new(text, kind)
    }

    /// What the process shows there, for people; `None` if it could not be read.
    #[must_use]
    pub fn of(self, subject: &Subject) -> Option<String> {
        let cgroup = || subject.cgroup.as_ref();
        match self {
            Self::Name => Some(subject.name().into_owned()),
            Self::Command => subject.command.clone(),
            Self::Exe => subject.exe.clone(),
            Self::User => match (&subject.user, subject.uid) {
                (Some(name), _) => Some(name.to_string()),
                (None, uid) => uid.map(|uid| uid.to_string()),
            },
            Self::Unit => Some(match host_units(cgroup()?.as_str()).last() {
                None => "none".to_owned(),
                Some(unit) => match unit.user {
                    None => unit.name.to_owned(),
                    Some(uid) => format!("{} of the manager of uid {uid}", unit.name),
                },
            }),
            Self::Cgroup => cgroup().map(ToString::to_string),
            Self::Container => {
                let names = owners(cgroup()?.as_str(), false);
                Some(
                    names
                        .first()
                        .map_or_else(|| "none".to_owned(), Clone::clone),
                )
            }
        }
    }
}

/// One fact must match one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is looked at.
    pub fact: Fact,
    /// At least one.
    pub any: Vec<Glob>,
}

impl Condition {
    /// Any user can make a process that matches, whatever it is.
    #[must_use]
    pub fn is_free_to_choose(&self) -> bool {
        let mut globs = self.any.iter();
        match self.fact {
            Fact::Name | Fact::Command | Fact::Exe => true,
            Fact::User => globs.any(|glob| glob.matches(NO_UID)),
            Fact::Unit => globs.any(|glob| UNITS_OF_USERS.iter().any(|unit| glob.matches(unit))),
            Fact::Cgroup => globs.any(is_open),
            Fact::Container => false,
        }
    }

    /// True if the fact is known and matches. A rule that `protects` does not believe what a user can name: a unit of
    /// the user's own manager, and what looks like a container below that.
    #[must_use]
    pub fn holds(&self, subject: &Subject, protects: bool) -> bool {
        let any = |text: &str| self.any.iter().any(|glob| glob.matches(text));
        let path = subject.cgroup.as_ref().map_or("", |path| path.as_str());
        match self.fact {
            Fact::Name => any(&subject.name()),
            Fact::Command => subject.command.as_deref().is_some_and(any),
            Fact::Exe => subject.exe.as_deref().is_some_and(any),
            Fact::User => {
                subject.user.as_deref().is_some_and(any)
                    || subject.uid.is_some_and(|uid| any(&uid.to_string()))
            }
            Fact::Unit => host_units(path)
                .filter(|unit| !protects || unit.user.is_none())
                .any(|unit| any(unit.name)),
            // The root is a group of no process alone: it would match all.
            Fact::Cgroup => around(path).any(any),
            Fact::Container => owners(path, protects).iter().any(|name| any(name)),
        }
    }
}

/// The uid that is no user's (-1).
const NO_UID: &str = "4294967295";

/// Units around the processes of any user: a pattern that matches one of these names no user.
const UNITS_OF_USERS: [&str; 4] = [
    "user.slice",
    "user-4294967295.slice",
    "user@4294967295.service",
    "session-4294967295.scope",
];

/// A pattern for groups that any user can make.
fn is_open(glob: &Glob) -> bool {
    let text = glob.to_string();
    let within = text.strip_prefix("/user.slice").unwrap_or(&text);
    let within = within.trim_start_matches('/');
    let within = within.strip_prefix("user-").unwrap_or(within);
    within.is_empty() || within.starts_with(['*', '?', '['])
}

/// The path and those of the groups around it, without the root.
fn around(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        path.rsplit_once('/').map(|(above, _)| above)
    })
    .take_while(|path| !matches!(*path, "" | "/"))
}

/// What a container may be called: its id or name, the id as tools shorten it, the runtime, the pod's uid. With
/// `of_system` those alone that no user's manager runs.
fn owners(path: &str, of_system: bool) -> Vec<String> {
    if of_system && host_units(path).any(|unit| unit.user.is_some()) {
        return Vec::new();
    }
    // A container may have units of its own inside.
    let is_container =
        |owner: &container::Owner<'_>| matches!(owner.kind.noun(), "container" | "pod" | "machine");
    let mut owners = around(path).filter_map(container::nearest_owner);
    let Some(owner) = owners.find(is_container) else {
        return Vec::new();
    };
    let mut names = vec![container::unescaped(owner.id).into_owned()];
    let short = container::short_id(owner.id);
    if short != owner.id {
        names.push(short.to_owned());
    }
    names.push(owner.kind.word().to_owned());
    names.extend(owner.pod.map(|pod| pod.replace('_', "-")));
    names
}

#[cfg(test)]
mod tests {
    use super::{Condition, Fact};
    use crate::model::cgroup::CgroupPath;
    use crate::model::rules::subject::Subject;

    fn holds(fact: Fact, pattern: &str, subject: &Subject) -> bool {
        let any = vec![fact.pattern(pattern).expect("a pattern")];
        Condition { fact, any }.holds(subject, false)
    }

    fn protects(fact: Fact, pattern: &str, path: &str) -> bool {
        let any = vec![fact.pattern(pattern).expect("a pattern")];
        Condition { fact, any }.holds(&within(path), true)
    }

    #[test]
    fn no_user_can_name_a_unit_or_a_container_that_is_protected() {
        let id = "4f5e6d7c8b9a".to_owned() + &"0".repeat(52);
        let scope = format!("docker-{id}.scope");
        let manager = "/user.slice/user-7.slice/user@7.service";
        let (unit, own) = ("sshd.service", format!("{manager}/app.slice/sshd.service"));
        assert!(protects(Fact::Unit, unit, "/system.slice/sshd.service/x"));
        assert!(protects(Fact::Unit, "user@7.service", &own));
        assert!(!protects(Fact::Unit, unit, &own));
        assert!(holds(Fact::Unit, unit, &within(&own)), "may be sacrificed");
        assert_eq!(
            Fact::Unit.of(&within(&own)).as_deref(),
            Some("sshd.service of the manager of uid 7")
        );
        let inside = format!("/system.slice/{scope}/system.slice/sshd.service");
        assert!(!protects(Fact::Unit, unit, &inside));
        assert!(!holds(Fact::Unit, unit, &within(&inside)));
        assert!(protects(Fact::Container, "docker", &inside));
        let rootless = format!("{manager}/app.slice/{scope}");
        assert!(!protects(Fact::Container, "docker", &rootless));
        assert!(holds(Fact::Container, "docker", &within(&rootless)));
    }

    #[test]
    fn a_pattern_for_groups_that_any_user_can_make_is_free_to_choose() {
        for (pattern, is_free) in [
            ("**/shop", true),
            ("/*/shop", true),
            ("/user.slice", true),
            ("/user.slice/**/shop", true),
            ("/user.slice/user-*.slice", true),
            ("/user.slice/user-7.slice/**", false),
            ("/shop/**", false),
            ("/system.slice/shop-*", false),
        ] {
            let any = vec![Fact::Cgroup.pattern(pattern).expect("a pattern")];
            let condition = Condition {
                fact: Fact::Cgroup,
                any,
            };
            assert_eq!(condition.is_free_to_choose(), is_free, "{pattern}");
        }
    }

    #[test]
    fn a_unit_or_a_user_that_means_everybody_is_free_to_choose() {
        for (fact, pattern, is_free) in [
            (Fact::Unit, "*", true),
            (Fact::Unit, "user.slice", true),
            (Fact::Unit, "*.service", true),
            (Fact::Unit, "user-*.slice", true),
            (Fact::Unit, "user@*.service", true),
            (Fact::Unit, "session-*", true),
            (Fact::Unit, "user-7.slice", false),
            (Fact::Unit, "postgresql*", false),
            (Fact::Unit, "system.slice", false),
            (Fact::User, "*", true),
            (Fact::User, "ci-*", false),
            (Fact::User, "1001", false),
            (Fact::Container, "*", false),
        ] {
            let any = vec![fact.pattern(pattern).expect("a pattern")];
            let condition = Condition { fact, any };
            assert_eq!(condition.is_free_to_choose(), is_free, "{pattern}");
        }
    }

    fn within(path: &str) -> Subject {
        Subject {
            cgroup: Some(CgroupPath::new(path)),
            ..Subject::default()
        }
    }

    #[test]
    fn units_and_groups_match_from_inside() {
        let inside = within("/ci.slice/runner@2.service/build/7");
        assert!(holds(Fact::Unit, "runner@*.service", &inside));
        assert!(holds(Fact::Unit, "ci.slice", &inside));
        assert!(!holds(Fact::Unit, "build", &inside));
        assert!(holds(Fact::Cgroup, "/ci.slice", &inside));
        assert!(holds(Fact::Cgroup, "/ci.slice/*/build", &inside));
        assert!(!holds(Fact::Cgroup, "/build", &inside));
        assert!(!holds(Fact::Cgroup, "/ci.slic", &inside));
        // Nobody means every process by a pattern for groups.
        assert!(!holds(Fact::Cgroup, "/", &within("/")));
        assert!(!holds(Fact::Cgroup, "**", &Subject::default()));
    }

    #[test]
    fn containers_match_by_id_runtime_and_pod() {
        let id = "4f5e6d7c8b9a".to_owned() + &"0".repeat(52);
        let docker = within(&format!("/system.slice/docker-{id}.scope/inner"));
        for pattern in [id.as_str(), "4f5e6d7c8b9a", "4f5e*", "docker", "*"] {
            assert!(holds(Fact::Container, pattern, &docker), "{pattern}");
        }
        assert!(!holds(Fact::Container, "podman", &docker));
        let service = within("/system.slice/sshd.service");
        assert!(!holds(Fact::Container, "*", &service), "no container");
    }

    #[test]
    fn users_match_by_name_and_number_and_what_is_unknown_matches_nothing() {
        let ci = Subject {
            uid: Some(1001),
            user: Some("ci".into()),
            ..Subject::default()
        };
        assert!(holds(Fact::User, "ci", &ci) && holds(Fact::User, "1001", &ci));
        assert!(!holds(Fact::User, "100", &ci));
        for fact in [Fact::Command, Fact::Exe, Fact::Unit, Fact::Container] {
            assert!(!holds(fact, "*", &ci), "{fact:?}");
        }
    }
}
