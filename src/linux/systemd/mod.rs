//! systemd over D-Bus, and the drop-ins it reads. Nothing here runs another program.
//!
//! [`manager`] calls the system's manager or that of the own user, `dbus` is the client it does that with, [`directory`]
//! the files, [`masked`] which other file would win. No call takes longer than the [`Patience`] of who waits for it.

mod dbus;
pub(crate) mod directory;
pub(crate) mod manager;
pub(crate) mod masked;
mod refusal;

use std::path::Path;

use crate::linux::patience::Patience;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::systemd::drop_in::{FILE, Found};
use crate::model::systemd::oomd::OomdSettings;
use crate::model::systemd::{Lasting, Place, Store, UnitName};
use directory::Directory;
use manager::Connected;

pub(crate) use refusal::{Refusal, Standing};

/// What there is of oomtop's drop-in for a unit.
///
/// # Errors
/// A sentence; also for a unit that has no later start.
pub(crate) fn own_drop_in(
    base: &Path,
    unit: &UnitName,
    lasting: Lasting,
) -> Result<Found, Failure> {
    let found = Directory::of(base, unit, Store::Own(lasting))?.look(FILE)?;
    let transient = Place::of(unit.manager, Store::Transient).below;
    if std::fs::symlink_metadata(base.join(transient).join(&unit.name)).is_ok() {
        return Err(no_later_start(unit));
    }
    Ok(found)
}

/// What systemd has told systemd-oomd of a unit.
///
/// # Errors
/// A sentence.
pub(crate) fn oomd_of(base: &Path, unit: &UnitName) -> Result<OomdSettings, Failure> {
    let manager = Connected::open_for_settings(base, unit.manager, &Patience::default());
    let found = manager.and_then(|mut manager| manager.all_oomd(unit));
    found.map_err(|refusal| refusal.failure)
}

/// A drop-in would stay behind, and nobody would read it.
pub(crate) fn no_later_start(unit: &UnitName) -> Failure {
    Failure {
        kind: FailureKind::Other,
        sentence: format!(
            "{unit} is transient: it ends with its processes, and no later start would read a drop-in. What started it can \
             set it: systemd-run -p OOMScoreAdjust=…"
        ),
    }
}

/// True if systemd is pid 1 there (sd_booted(3)).
pub(crate) fn runs_below(base: &Path) -> bool {
    base.join("run/systemd/system").is_dir()
}
