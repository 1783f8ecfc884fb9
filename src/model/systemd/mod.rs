//! systemd as one who writes: [`UnitName`] says which unit a group is, [`drop_in`] what oomtop leaves for a later start,
//! [`oomd`] what systemd-oomd does with it.

mod command_user;
pub mod drop_in;
pub mod oomd;
mod place;
pub mod scope;
mod unit;

pub use command_user::CommandUser;
pub use place::{Place, Store};
pub use unit::UnitName;

use crate::model::cgroup::limits::LimitValue;
use crate::model::killers::oom_policy::Manager;

/// How long systemd remembers a setting (`UnitFilePreset`, systemctl(1) `--runtime`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lasting {
    /// Until the next boot, or the last logout of a user: below `/run`.
    #[default]
    Runtime,
    /// For good: below `/etc`, or in the home of a user.
    Persistent,
}

impl Lasting {
    /// How long a setting of this unit is remembered, as the end of a sentence. What a user's manager keeps for a while
    /// goes with `/run/user/UID`, and a scope has no second start.
    #[must_use]
    pub fn until(self, unit: &UnitName) -> &'static str {
        match (self, unit.manager) {
            _ if unit.is_scope() => "while it runs",
            (Self::Persistent, _) => "for good",
            (Self::Runtime, Manager::System) => "until the next boot",
            (Self::Runtime, Manager::User(_)) => "until the last logout",
        }
    }

    /// A word for logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Persistent => "persistent",
        }
    }
}

/// What there was of the file in which systemd keeps one property: `UNIT.d/50-PROPERTY.conf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Neither the file nor its directory.
    Nothing,
    /// The directory without the file.
    Directory,
    /// The file.
    File,
}

/// A limit of a unit: as systemd has it, and as the kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitLimitReading {
    /// The property.
    pub property: LimitValue,
    /// What the limit file of the unit's group shows: another value, if somebody has written it past systemd.
    pub shown: LimitValue,
    /// What systemd keeps of it in its files.
    pub kept: Kept,
}

/// What there was of a limit besides the property: what its undo goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// What the limit file showed.
    pub shown: LimitValue,
    /// What systemd kept in its files: what it keeps more is removed.
    pub kept: Kept,
}
