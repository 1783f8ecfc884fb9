//! What systemd-oomd does with a running unit, set by the unit's systemd, or set back.

use std::time::Instant;

use super::limit::{LATE, LOOK};
use super::{UnitWriter, is_its_group, not_kept};
use crate::linux::systemd::directory::Directory;
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::{Standing, masked};
use crate::linux::write::cgroup::beside::Beside;
use crate::linux::write::errors::failure;
use crate::model::killers::Preference;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::systemd::oomd::{OomdSetting, OomdValue, UnitOomd, UnitOomdReading};
use crate::model::systemd::{Kept, Store};

/// What there is of a setting before it is set.
struct Found {
    reading: UnitOomdReading,
    /// The unit runs.
    has_group: bool,
    is_transient: bool,
    /// Where systemd keeps it; `None` if that place cannot be named.
    directory: Option<Directory>,
    file: String,
}

impl UnitWriter<'_> {
    pub(super) fn look_at_oomd(&self, oomd: &UnitOomd) -> Result<Reading, Failure> {
        let mut manager = self.connect_by(oomd.unit.manager, Connected::open_for_settings)?;
        let found = self.found_oomd(oomd, &mut manager)?;
        Ok(Reading::UnitOomd(found.reading))
    }

    pub(super) fn oomd(&self, oomd: &UnitOomd, before: &mut Reading) -> Result<Reading, Failure> {
        let mut manager = self.connect_by(oomd.unit.manager, Connected::open_for_settings)?;
        let found = self.found_oomd(oomd, &mut manager)?;
        *before = Reading::UnitOomd(found.reading);
        if found.has_group {
            self.refuse_kill(&oomd.unit, &oomd.group, &mut manager)?;
        }
        if oomd.leave.is_none() && !found.is_transient {
            self.refuse_masked(&oomd.unit, oomd.setting.name(), oomd.lasting)?;
        }
        let beside = if found.has_group {
            self.cgroups.beside(&oomd.group, None)?
        } else {
            Vec::new()
        };
        let set = manager.set_oomd(&oomd.unit, oomd.lasting, oomd.setting, oomd.value);
        let open = match set {
            Ok(()) => None,
            Err(refusal) if refusal.standing == Standing::Open => {
                self.was_silent();
                Some(refusal.failure)
            }
            Err(refusal) => return Err(refusal.failure),
        };
        // systemd knows of it now: whatever fails from here on, an undo must take it back.
        let restored = self.put_back(oomd, &beside, open.is_some());
        let restored = restored.map_err(|failure| not_kept(failure.sentence));
        if let Some(open) = open {
            // It cannot be asked whether it has done it: no file of the kernel shows it.
            let both = restored.map_or_else(
                |lost| format!("{} {}", open.sentence, lost.sentence),
                |()| open.sentence.clone(),
            );
            return Err(not_kept(both));
        }
        restored?;
        let after = self.after_oomd(oomd, &found, &mut manager);
        after.map_err(|failure| not_kept(failure.sentence))
    }

    /// What systemd has written anew goes back to what it was; a systemd that is late writes later.
    fn put_back(&self, oomd: &UnitOomd, beside: &[Beside], is_late: bool) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let restored = if beside.is_empty() {
                Ok(())
            } else {
                self.cgroups.restore(&oomd.group, beside)
            };
            if beside.is_empty() || !is_late || begun.elapsed() >= LATE {
                return restored;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn after_oomd(
        &self,
        oomd: &UnitOomd,
        found: &Found,
        manager: &mut Connected,
    ) -> Result<Reading, Failure> {
        let UnitOomd {
            unit,
            setting,
            value,
            ..
        } = oomd;
        let now = manager.oomd(unit, *setting);
        let now = now.map_err(|refusal| refusal.failure)?;
        if now != Some(*value) {
            let now = now.map_or_else(|| "nothing".to_owned(), |now| now.to_string());
            return Err(not_kept(format!(
                "systemd was told {setting}={value} of {unit}, but has {now} now."
            )));
        }
        let directory = found.directory.as_ref();
        if let (Some(directory), Some(kept)) = (directory, oomd.leave) {
            directory.forget(&found.file, kept)?;
        }
        let kept = directory.map_or(found.reading.kept, |directory| directory.kept(&found.file));
        // systemd says nothing where it could not write it, e.g. because /etc is read-only.
        if let Some(directory) = directory
            && oomd.leave.is_none()
            && kept != Kept::File
        {
            return Err(not_kept(format!(
                "systemd has set {setting}={value} of the running {unit}, but has not kept it in {}: the next start is \
                 without.",
                directory.path(&found.file).display()
            )));
        }
        Ok(Reading::UnitOomd(UnitOomdReading {
            value: *value,
            kept,
            is_pending: found.has_group && self.is_pending(oomd, *value),
        }))
    }

    /// The preference is not what the attributes of the group say, where systemd-oomd reads it.
    fn is_pending(&self, oomd: &UnitOomd, value: OomdValue) -> bool {
        let wanted = match value {
            OomdValue::Word("avoid") => Some(Preference::Avoid),
            OomdValue::Word("omit") => Some(Preference::Omit),
            OomdValue::Word(_) | OomdValue::Scaled(_) => None,
        };
        oomd.setting == OomdSetting::Preference && self.cgroups.preference(&oomd.group) != wanted
    }

    fn found_oomd(&self, oomd: &UnitOomd, manager: &mut Connected) -> Result<Found, Failure> {
        let unit = &oomd.unit;
        let has_group = is_its_group(unit, &oomd.group, oomd.leave.is_some(), manager)?;
        let value = manager.oomd(unit, oomd.setting);
        let value = value.map_err(|refusal| refusal.failure)?.ok_or_else(|| {
            failure(
                FailureKind::NoFile,
                format!(
                    "Nothing was written: this systemd has no {}= for {unit} (it came with systemd 247 and 248).",
                    oomd.setting
                ),
            )
        })?;
        let is_transient = manager.is_transient(unit);
        let is_transient = is_transient.map_err(|refusal| refusal.failure)?;
        let store = if is_transient {
            Store::Transient
        } else {
            Store::Control(oomd.lasting)
        };
        let directory = Directory::of(&self.root.base, unit, store).ok();
        let file = masked::own_name(oomd.setting.name());
        let reading = UnitOomdReading {
            value,
            // A file that cannot be named is not removed.
            kept: directory
                .as_ref()
                .map_or(Kept::File, |directory| directory.kept(&file)),
            is_pending: has_group && self.is_pending(oomd, value),
        };
        Ok(Found {
            reading,
            has_group,
            is_transient,
            directory,
            file,
        })
    }
}
