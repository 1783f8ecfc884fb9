//! systemd as one who writes: [`UnitName`] says which unit a group is, [`drop_in`] what oomtop leaves for a later start.

pub mod drop_in;
mod unit;

pub use unit::UnitName;

use crate::model::cgroup::limits::LimitValue;

/// How long systemd remembers a setting (`UnitFilePreset`, systemctl(1) `--runtime`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lasting {
    /// Until the next boot: below `/run`.
    #[default]
    Runtime,
    /// For good: below `/etc`, or in the home of a user.
    Persistent,
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
    /// What the limit file of the unit's group shows.
    pub shown: LimitValue,
    /// The file shows something else than the property in whole pages: somebody has written it past systemd.
    pub is_past: bool,
    /// What systemd keeps of it in its files.
    pub kept: Kept,
}
