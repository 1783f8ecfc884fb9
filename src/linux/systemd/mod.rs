//! systemd over D-Bus, and the drop-ins it reads. Nothing here runs another program.
//!
//! [`manager`] calls the system's manager or that of a user, `dbus` is the client it does that with, [`drop_in`] the files.
//! No call takes longer than [`manager::WITHIN`].

mod dbus;
pub(crate) mod drop_in;
pub(crate) mod manager;

use std::path::Path;

use crate::model::plan::receipt::Failure;
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::{Lasting, UnitName};

/// What there is of oomtop's drop-in for a unit.
///
/// # Errors
/// A sentence.
pub(crate) fn own_drop_in(
    base: &Path,
    unit: &UnitName,
    lasting: Lasting,
) -> Result<Found, Failure> {
    drop_in::look(&drop_in::directory(base, unit, lasting)?)
}

/// True if systemd is pid 1 there (sd_booted(3)).
pub(crate) fn runs_below(base: &Path) -> bool {
    base.join("run/systemd/system").is_dir()
}
