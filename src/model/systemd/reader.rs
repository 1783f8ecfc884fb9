//! [`Reader`]: the words before a command to a systemd, for the one who is to run it.

use crate::model::killers::oom_policy::Manager;
use crate::model::shell::quoted;

/// Who reads a command that oomtop names, and where that one would run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reader {
    /// Whoever has the text later, on another terminal or machine.
    #[default]
    Anybody,
    /// The user of oomtop, in the shell that oomtop was started from.
    User {
        /// Effective uid.
        uid: u32,
        /// Nothing there leads to the manager of this user: no login has set `XDG_RUNTIME_DIR` (su, sudo, cron).
        without_session: bool,
    },
}

impl Reader {
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

    /// As [`Self::reach`], with the right to change what is there: `sudo` before what is not the reader's own.
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
            format!("sudo {command}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use crate::model::killers::oom_policy::Manager;

    #[test]
    fn a_command_reaches_the_manager_from_where_its_reader_is() {
        let user = |uid, without_session| Reader::User {
            uid,
            without_session,
        };
        let own = Manager::User(1000);
        for (reader, manager, reach, with_right) in [
            (
                Reader::Anybody,
                Manager::System,
                "systemctl",
                "sudo systemctl",
            ),
            (
                Reader::Anybody,
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
            (
                user(0, true),
                own,
                "systemctl --user -M 1000@",
                "sudo systemctl --user -M 1000@",
            ),
        ] {
            assert_eq!(reader.reach("systemctl", manager), reach);
            assert_eq!(reader.reach_with_right("systemctl", manager), with_right);
        }
        let named = user(0, false).reach_by_name("systemctl", own, Some("anna b"));
        assert_eq!(named, "systemctl --user -M 'anna b'@");
    }
}
