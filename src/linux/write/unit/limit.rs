//! A limit of a running unit, set by its systemd (`SetUnitProperties`), or set back.
//!
//! systemd then writes the files of all controllers of the unit anew, whichever property was set, from what it knows of
//! them (systemd src/core/cgroup.c `cgroup_context_apply`). What somebody has written past systemd would be lost, so it is
//! put back; where the loss itself would do harm, systemd is not asked.

use std::time::{Duration, Instant};

use super::{UnitWriter, is_its_group, not_kept};
use crate::linux::systemd::directory::Directory;
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::{Standing, masked};
use crate::linux::write::cgroup::beside::Beside;
use crate::linux::write::errors::failure;
use crate::model::cgroup::CgroupVersion;
use crate::model::cgroup::limits::{LimitFile, LimitValue};
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::{CgroupStep, LimitWrite, UnitLimit};
use crate::model::systemd::{Kept, Store, UnitLimitReading};

/// How long a systemd that has not answered is waited for: then what it writes late is no longer put back.
pub(super) const LATE: Duration = Duration::from_secs(1);
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// What there is of a limit before it is set.
pub(super) struct Found {
    pub(super) reading: UnitLimitReading,
    /// The group is there. A service that was stopped has none, but its undo has something to take back.
    has_group: bool,
    is_transient: bool,
    /// Where systemd keeps the property; `None` if that place cannot be named.
    directory: Option<Directory>,
    file: String,
}

impl UnitWriter<'_> {
    pub(super) fn limit(
        &self,
        limit: &UnitLimit,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let mut manager = self.connect(limit.unit.manager)?;
        let found = self.found(limit, &mut manager)?;
        *before = Reading::UnitLimit(found.reading);
        if found.has_group {
            self.refuse_loss(limit, &mut manager)?;
        }
        if limit.leave.is_none() && !found.is_transient {
            self.refuse_masked(&limit.unit, property(limit)?, limit.lasting)?;
        }
        let beside = if found.has_group {
            self.cgroups.beside(&limit.group, Some(limit.write.file))?
        } else {
            Vec::new()
        };
        let property = property(limit)?;
        let value = bytes(limit.write.value);
        let open = match manager.set_limit(&limit.unit, limit.lasting, property, value) {
            Ok(()) => None,
            Err(refusal) if refusal.standing == Standing::Open => {
                self.was_silent();
                Some(refusal.failure)
            }
            Err(refusal) => return Err(refusal.failure),
        };
        // systemd knows of it now: whatever fails from here on, an undo must take it back.
        let after = self.after(limit, &found, &beside, open.as_ref(), &mut manager);
        after.map_err(|failure| not_kept(failure.sentence))
    }

    /// What came of it. `open`: systemd has not answered.
    fn after(
        &self,
        limit: &UnitLimit,
        found: &Found,
        beside: &[Beside],
        open: Option<&Failure>,
        manager: &mut Connected,
    ) -> Result<Reading, Failure> {
        let wanted = limit.write.value;
        let file = limit.write.file;
        let mut shown = found.reading.shown;
        if found.has_group {
            let mut restored = self.cgroups.restore(&limit.group, beside);
            shown = self.shown(limit)?;
            // systemd is late: when it comes to write the files, it writes those beside this one, too.
            let begun = Instant::now();
            while open.is_some()
                && !file.is_kept(wanted, shown, page_size())
                && begun.elapsed() < LATE
            {
                std::thread::sleep(LOOK);
                restored = self.cgroups.restore(&limit.group, beside);
                shown = self.shown(limit)?;
            }
            // In an undo: what was written past systemd before.
            if let Some(left) = limit.leave
                && !file.is_kept(left.shown, shown, page_size())
            {
                shown = self.write_past(limit, left.shown)?;
            }
            restored?;
        }
        let is_kept = limit.leave.is_some() || file.is_kept(wanted, shown, page_size());
        // Without an answer only a file that changed tells that systemd has done it.
        let was_so = file.is_kept(wanted, found.reading.shown, page_size());
        if let Some(open) = open
            && (!is_kept || was_so || limit.leave.is_some())
        {
            return Err(open.clone());
        }
        if !is_kept {
            return Err(not_kept(format!(
                "systemd has set {}={} of {}, but {} of {} reads '{}' now.",
                property(limit)?,
                limit.write.text(),
                limit.unit,
                file.name(),
                limit.group,
                file.text(shown)
            )));
        }
        if let Some(left) = limit.leave {
            let now = manager.limit(&limit.unit, property(limit)?);
            let now = now.map_err(|refusal| refusal.failure)?;
            if now != bytes(wanted) {
                return Err(not_kept(format!(
                    "systemd was told {}={} of {}, but has {now} now.",
                    property(limit)?,
                    limit.write.text(),
                    limit.unit
                )));
            }
            // The property has its old value again, so its file is needed no longer. systemd notes that a file is gone when
            // it loads its files the next time; until then it has the value.
            if let Some(directory) = &found.directory {
                directory.forget(&found.file, left.kept)?;
            }
        }
        let directory = found.directory.as_ref();
        let kept = directory.map_or(found.reading.kept, |directory| directory.kept(&found.file));
        // systemd says nothing where it could not write it, e.g. because /etc is read-only.
        if let Some(directory) = directory
            && limit.leave.is_none()
            && open.is_none()
            && kept != Kept::File
        {
            return Err(not_kept(format!(
                "systemd has set {}={} of the running {}, but has not kept it in {}: the next start is without.",
                property(limit)?,
                limit.write.text(),
                limit.unit,
                directory.path(&found.file).display()
            )));
        }
        Ok(Reading::UnitLimit(UnitLimitReading {
            property: wanted,
            shown,
            kept,
        }))
    }

    /// The limit as systemd has it and as the kernel has it, and the file in which systemd keeps it.
    pub(super) fn found(
        &self,
        limit: &UnitLimit,
        manager: &mut Connected,
    ) -> Result<Found, Failure> {
        let unit = &limit.unit;
        let runs = is_its_group(unit, &limit.group, limit.leave.is_some(), manager)?;
        // What cannot be read could not be taken back: then it is not written either.
        let shown = match self.shown(limit) {
            Err(failure) if !runs && failure.kind == FailureKind::NoGroup => None,
            shown => Some(shown?),
        };
        let property = property(limit)?;
        let now = manager.limit(unit, property);
        let now = value(now.map_err(|refusal| refusal.failure)?);
        let is_transient = manager.is_transient(unit);
        let is_transient = is_transient.map_err(|refusal| refusal.failure)?;
        let store = if is_transient {
            Store::Transient
        } else {
            Store::Control(limit.lasting)
        };
        let directory = Directory::of(&self.root.base, unit, store).ok();
        let file = masked::own_name(property);
        let reading = UnitLimitReading {
            property: now,
            shown: shown.unwrap_or(now),
            // A file that cannot be named is not removed.
            kept: directory
                .as_ref()
                .map_or(Kept::File, |directory| directory.kept(&file)),
        };
        Ok(Found {
            reading,
            has_group: shown.is_some(),
            is_transient,
            directory,
            file,
        })
    }

    /// Refuses where the files that systemd writes beside this one would do harm before they could be put back.
    fn refuse_loss(&self, limit: &UnitLimit, manager: &mut Connected) -> Result<(), Failure> {
        let hard = LimitFile::hard_limit(CgroupVersion::V2);
        if limit.write.file == hard {
            return Ok(());
        }
        let unit = &limit.unit;
        self.refuse_kill(unit, &limit.group, manager)?;
        if limit.leave.is_some() {
            return Ok(());
        }
        let old = manager.old_limit(unit);
        if let Some(old) = old.map_err(|refusal| refusal.failure)? {
            return Err(failure(
                FailureKind::Other,
                format!(
                    "Nothing was written: {unit} has MemoryLimit={old}, a setting of before systemd 231 that no longer counts \
                     beside a newer one, so {} would be lifted. Set {} to {old} first.",
                    hard.name(),
                    hard.name()
                ),
            ));
        }
        Ok(())
    }

    fn shown(&self, limit: &UnitLimit) -> Result<LimitValue, Failure> {
        let step = CgroupStep::Limit(limit.group.clone(), limit.write);
        limit_in(&self.cgroups.look(self.pins, &step)?, limit)
    }

    /// Writes the file itself.
    fn write_past(&self, limit: &UnitLimit, value: LimitValue) -> Result<LimitValue, Failure> {
        let write = LimitWrite {
            value,
            ..limit.write
        };
        let step = CgroupStep::Limit(limit.group.clone(), write);
        let written = self
            .cgroups
            .run(self.pins, &step, &mut Reading::default())?;
        limit_in(&written, limit)
    }
}

fn limit_in(reading: &Reading, limit: &UnitLimit) -> Result<LimitValue, Failure> {
    reading.limit().ok_or_else(|| {
        failure(
            FailureKind::Other,
            format!("{} has no limits.", limit.group),
        )
    })
}

fn property(limit: &UnitLimit) -> Result<&'static str, Failure> {
    limit.write.file.row().systemd.ok_or_else(|| {
        failure(
            FailureKind::Other,
            format!("systemd has no setting for {}.", limit.write.file.name()),
        )
    })
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

/// As the bus has it: `u64::MAX` is no limit.
fn bytes(value: LimitValue) -> u64 {
    value.amount().unwrap_or(u64::MAX)
}

fn value(property: u64) -> LimitValue {
    if property == u64::MAX {
        LimitValue::Unlimited
    } else {
        LimitValue::Amount(property)
    }
}
