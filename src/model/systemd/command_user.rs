//! [`CommandUser`]: for whom a command on the screen or in a report is, and the words before it.

use crate::model::killers::oom_policy::Manager;
use crate::model::shell::quoted;

/// Who is to run a command that oomtop names, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommandUser {
    /// Whoever has the text later, on another terminal or machine.
    #[default]
    Anybody,
    /// The user of oomtop, in the shell that oomtop was started from.
    User {
        /// Effective uid.
        uid: u32,
        /// Nothing there leads to the manager of this user: no login of this user has set `XDG_RUNTIME_DIR` (su, sudo, cron).
        without_session: bool,
    },
}

impl CommandUser {
    /// It is root.
    #[must_use]
    pub fn is_root(self) -> bool {
        matches!(self, Self::User { uid: 0, .. })
    }

    /// The manager that starts what this one wants to have in a group.
    #[must_use]
    pub fn manager(self) -> Manager {
        match self {
            Self::Anybody | Self::User { uid: 0, .. } => Manager::System,
            Self::User { uid, .. } => Manager::User(uid),
        }
    }

    /// How `program` (`systemctl`, `systemd-run`) reaches this manager.
    #[must_use]
    pub fn reach(self, program: &str, manager: Manager) -> String {
        self.reach_by_name(program, manager, None)
    }

    /// As [`Self::reach`]; `name` is that of the manager's user, if it is known.
    #[must_use]
    pub fn reach_by_name(self, program: &str, manager: Manager, name: Option<&str>) -> String {
        let Manager::User(owner) = manager else {
            return program.to_owned();
        };
        match self {
            Self::User { uid, .. } if uid != owner => {
                // systemctl(1) `--machine`: of this host's user, since 248; for root.
                let name = name.map_or_else(|| owner.to_string(), quoted);
                format!("{program} --user -M {name}@")
            }
            Self::User {
                without_session: false,
                ..
            } => format!("{program} --user"),
            // What pam_systemd(8) sets at a login: right in every shell of that user.
            Self::Anybody | Self::User { .. } => {
                format!("env XDG_RUNTIME_DIR=/run/user/{owner} {program} --user")
            }
        }
    }

    /// A command that needs the rights of root.
    #[must_use]
    pub fn as_root(self, command: &str) -> String {
        if self.is_root() {
            command.to_owned()
        } else {
            format!("sudo {command}")
        }
    }

    /// As [`Self::reach`], with the right to change what is there: as root where it is not this user's own.
    #[must_use]
    pub fn reach_with_right(self, program: &str, manager: Manager) -> String {
        let command = self.reach(program, manager);
        let is_own = match (self, manager) {
            (_, Manager::System) => false,
            (Self::Anybody, Manager::User(_)) => true,
            (Self::User { uid, .. }, Manager::User(owner)) => uid == owner,
        };
        if is_own {
            command
        } else {
            self.as_root(&command)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CommandUser;
    use crate::model::killers::oom_policy::Manager;

    #[test]
    fn a_command_reaches_the_manager_from_where_its_reader_is() {
        let user = |uid, without_session| CommandUser::User {
            uid,
            without_session,
        };
        let own = Manager::User(1000);
        for (user, manager, reach, with_right) in [
            (
                CommandUser::Anybody,
                Manager::System,
                "systemctl",
                "sudo systemctl",
            ),
            (
                CommandUser::Anybody,
                own,
                "env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user",
                "env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user",
            ),
            (
                user(1000, false),
                Manager::System,
                "systemctl",
                "sudo systemctl",
            ),
            (
                user(1000, false),
                own,
                "systemctl --user",
                "systemctl --user",
            ),
            (
                user(1000, true),
                own,
                "env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user",
                "env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user",
            ),
            (user(0, true), Manager::System, "systemctl", "systemctl"),
            (
                user(0, true),
                own,
                "systemctl --user -M 1000@",
                "systemctl --user -M 1000@",
            ),
        ] {
            assert_eq!(user.reach("systemctl", manager), reach);
            assert_eq!(user.reach_with_right("systemctl", manager), with_right);
        }
        let named = user(0, false).reach_by_name("systemctl", own, Some("anna b"));
        assert_eq!(named, "systemctl --user -M 'anna b'@");
    }
}
