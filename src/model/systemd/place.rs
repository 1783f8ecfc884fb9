//! [`Place`]: the directories in which a manager keeps drop-ins, as far as oomtop writes or removes files there
//! (systemd.unit(5), "Unit File Load Path").

use super::{Lasting, UnitName};
use crate::model::killers::oom_policy::Manager;

/// Whose drop-ins a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Those of administrators and of oomtop.
    Own(Lasting),
    /// Those in which systemd itself keeps properties that were set on a running unit.
    Control(Lasting),
    /// The same for units that exist only as long as they run.
    Transient,
}

/// A directory of unit files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// It is below the home of the manager's user, else below the root.
    pub in_home: bool,
    /// The way from there, without a slash at either end.
    pub below: String,
}

impl Place {
    /// Where this manager has them.
    #[must_use]
    pub fn of(manager: Manager, store: Store) -> Self {
        let (in_home, below) = match (manager, store) {
            (Manager::System, Store::Own(Lasting::Persistent)) => (false, "etc/systemd/system"),
            (Manager::System, Store::Own(Lasting::Runtime)) => (false, "run/systemd/system"),
            (Manager::System, Store::Control(Lasting::Persistent)) => {
                (false, "etc/systemd/system.control")
            }
            (Manager::System, Store::Control(Lasting::Runtime)) => {
                (false, "run/systemd/system.control")
            }
            (Manager::System, Store::Transient) => (false, "run/systemd/transient"),
            (Manager::User(_), Store::Own(Lasting::Persistent)) => (true, ".config/systemd/user"),
            (Manager::User(_), Store::Own(Lasting::Runtime)) => (false, "systemd/user"),
            (Manager::User(_), Store::Control(Lasting::Persistent)) => {
                (true, ".config/systemd/user.control")
            }
            (Manager::User(_), Store::Control(Lasting::Runtime)) => (false, "systemd/user.control"),
            (Manager::User(_), Store::Transient) => (false, "systemd/transient"),
        };
        let below = match manager {
            Manager::User(uid) if !in_home => format!("run/user/{uid}/{below}"),
            _ => below.to_owned(),
        };
        Self { in_home, below }
    }

    /// A drop-in of a unit there, for people.
    #[must_use]
    pub fn file(&self, unit: &UnitName, file: &str) -> String {
        let root = if self.in_home { "~/" } else { "/" };
        format!("{root}{}/{}.d/{file}", self.below, unit.name)
    }
}
