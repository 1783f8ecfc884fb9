//! [`Mode`]: which part of the dialog is open.

use super::CgroupDialog;
use crate::app::dialog::by::By;
use crate::app::dialog::{DialogContext, by};
use crate::model::systemd::UnitName;

/// Which part of the dialog is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Choose an existing group.
    Move,
    /// Make a group with limits.
    Create,
    /// Change the limits of a group.
    Limits,
    /// Change what systemd-oomd does with the unit of the group.
    Oomd,
}

impl Mode {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// It moves processes.
    pub(super) fn moves(self) -> bool {
        match self {
            Self::Move | Self::Create => true,
            Self::Limits | Self::Oomd => false,
        }
    }
}

impl CgroupDialog {
    /// The part that Tab opens.
    pub(super) fn next_mode(&self, context: &DialogContext<'_>) -> Mode {
        match self.mode {
            Mode::Limits if self.unit_of_group(context).is_some() => Mode::Oomd,
            _ if self.target.is_none() => Mode::Limits,
            Mode::Create => Mode::Move,
            Mode::Move if self.group.is_some() => Mode::Limits,
            Mode::Move | Mode::Limits | Mode::Oomd => Mode::Create,
        }
    }

    /// Who writes after the present choice. Only systemd knows systemd-oomd.
    pub(super) fn next_by(&self, context: &DialogContext<'_>) -> By {
        let unit = self.unit(context);
        let next = self.by.next(unit.as_ref());
        if next == By::File && self.mode == Mode::Oomd {
            return next.next(unit.as_ref());
        }
        next
    }

    /// The unit whose own group the limits are of, if its systemd can be asked.
    pub(super) fn unit_of_group(&self, context: &DialogContext<'_>) -> Option<UnitName> {
        by::unit_of(self.group.as_ref(), context)
    }
}
