//! [`ScopeHome`]: where a transient scope goes, and who starts it.

use super::UnitName;
use super::unit::kind_of;
use crate::model::cgroup::CgroupPath;
use crate::model::killers::oom_policy::Manager;

/// The place for a scope of a process: the innermost slice that it is in already, as far as the manager has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeHome {
    /// Root asks the manager of the system, everybody else that of the own user.
    pub manager: Manager,
    /// The slice.
    pub slice: String,
    /// Its group.
    pub parent: CgroupPath,
    /// The innermost group around both the old and the new place: what is below it, the process leaves.
    pub common: CgroupPath,
}

impl ScopeHome {
    /// The place for a process in `from`; `uid` is oomtop's user.
    #[must_use]
    pub fn of(from: &CgroupPath, uid: u32) -> Self {
        let manager = match uid {
            0 => Manager::System,
            uid => Manager::User(uid),
        };
        let parts: Vec<&str> = from
            .as_str()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let own = format!("user@{uid}.service");
        let begin = match manager {
            Manager::System => Some(0),
            Manager::User(_) => parts.iter().position(|part| *part == own).map(|at| at + 1),
        };
        let slices_from = |begin: usize| {
            let rest = parts.iter().skip(begin);
            begin + rest.take_while(|part| kind_of(part) == "slice").count()
        };
        let group = |end: usize| {
            CgroupPath::new(&format!(
                "/{}",
                parts.get(..end).unwrap_or_default().join("/")
            ))
        };
        let end = slices_from(begin.unwrap_or(0));
        if let Some(begin) = begin
            && end > begin
        {
            return Self {
                manager,
                slice: parts.get(end - 1).copied().unwrap_or_default().to_owned(),
                parent: group(end),
                common: group(end),
            };
        }
        // The manager's own choice (systemd.special(7)).
        let (slice, parent) = match manager {
            Manager::System => ("system.slice", "/system.slice".to_owned()),
            Manager::User(_) => {
                let user = format!("/user.slice/user-{uid}.slice/{own}/app.slice");
                ("app.slice", user)
            }
        };
        Self {
            manager,
            slice: slice.to_owned(),
            parent: CgroupPath::new(&parent),
            common: group(begin.unwrap_or(end)),
        }
    }

    /// The scope of this name there.
    ///
    /// # Errors
    /// A sentence, if systemd takes no such name.
    pub fn scope(&self, name: &str) -> Result<(UnitName, CgroupPath), String> {
        let name = format!("{}.scope", name.trim_end_matches(".scope"));
        let group = self.parent.join(&name);
        let unit = UnitName {
            name,
            manager: self.manager,
        };
        let is_kept = UnitName::around(&group).is_some_and(|found| found.name == unit.name);
        if is_kept && unit.name.len() > ".scope".len() {
            Ok((unit, group))
        } else {
            Err("a scope is named by letters, digits and :-_.@".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ScopeHome;
    use crate::model::cgroup::CgroupPath;

    #[test]
    fn a_scope_goes_into_the_slice_that_the_process_is_in() {
        let user = "/user.slice/user-7.slice";
        let session = format!("{user}/session-3.scope");
        let own = format!("{user}/user@7.service/app.slice/a.scope");
        for (from, uid, slice, parent, common) in [
            (
                "/system.slice/web.service/x",
                0,
                "system.slice",
                "/system.slice",
                "/system.slice",
            ),
            (&session, 0, "user-7.slice", user, user),
            (&own, 0, "user-7.slice", user, user),
            ("/init.scope", 0, "system.slice", "/system.slice", "/"),
            (
                &own,
                7,
                "app.slice",
                &format!("{user}/user@7.service/app.slice"),
                &format!("{user}/user@7.service/app.slice"),
            ),
            (
                &session,
                7,
                "app.slice",
                &format!("{user}/user@7.service/app.slice"),
                user,
            ),
        ] {
            let home = ScopeHome::of(&CgroupPath::new(from), uid);
            let found = (
                home.slice.as_str(),
                home.parent.as_str(),
                home.common.as_str(),
            );
            assert_eq!(found, (slice, parent, common), "{from} {uid}");
        }
    }

    #[test]
    fn names_are_those_that_systemd_takes() {
        let home = ScopeHome::of(&CgroupPath::new("/system.slice/a.service"), 0);
        let (unit, group) = home.scope("oomtop-x-1").expect("a name");
        assert_eq!(
            (unit.name.as_str(), group.as_str()),
            ("oomtop-x-1.scope", "/system.slice/oomtop-x-1.scope")
        );
        assert_eq!(
            home.scope("a.scope").map(|(unit, _)| unit.name),
            Ok("a.scope".to_owned())
        );
        for bad in ["", "a b", "a;b", "\u{e9}"] {
            assert!(home.scope(bad).is_err(), "{bad}");
        }
    }
}
