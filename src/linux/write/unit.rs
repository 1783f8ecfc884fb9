//! Steps that systemd carries out: limits of its units, and the drop-ins of oomtop.

use std::path::PathBuf;

use crate::linux::SysRoot;
use crate::linux::systemd::drop_in;
use crate::linux::systemd::manager::Connected;
use crate::linux::write::cgroup::CgroupWriter;
use crate::linux::write::errors::failure;
use crate::linux::write::pins::Pins;
use crate::model::cgroup::limits::LimitValue;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::{CgroupStep, UnitLimit, UnitStep};
use crate::model::shell::quoted;
use crate::model::systemd::drop_in::DropInWrite;
use crate::model::systemd::{Kept, UnitLimitReading};

/// What a step needs: the root, the groups whose files show what systemd did.
pub(super) struct UnitWriter<'a> {
    pub(super) root: &'a SysRoot,
    pub(super) cgroups: &'a CgroupWriter,
    pub(super) pins: &'a Pins,
}

impl UnitWriter<'_> {
    /// What the step would find.
    pub(super) fn look(&self, step: &UnitStep) -> Result<Reading, Failure> {
        match step {
            UnitStep::Limit(limit) => {
                let mut manager = self.connect(limit)?;
                let (reading, _) = self.found(limit, &mut manager)?;
                Ok(Reading::UnitLimit(reading))
            }
            UnitStep::DropIn(write) => {
                let directory = drop_in::directory(&self.root.base, &write.unit, write.lasting)?;
                drop_in::look(&directory).map(Reading::DropIn)
            }
        }
    }

    /// Does the step and reads it back; `before` takes what was there.
    pub(super) fn run(&self, step: &UnitStep, before: &mut Reading) -> Result<Reading, Failure> {
        match step {
            UnitStep::Limit(limit) => self.limit(limit, before),
            UnitStep::DropIn(write) => self.drop_in(write, before),
        }
    }

    fn connect(&self, limit: &UnitLimit) -> Result<Connected, Failure> {
        let manager = Connected::open(&self.root.base, limit.unit.manager);
        manager.map_err(|refusal| refusal.failure)
    }

    fn limit(&self, limit: &UnitLimit, before: &mut Reading) -> Result<Reading, Failure> {
        let mut manager = self.connect(limit)?;
        let (was, file) = self.found(limit, &mut manager)?;
        *before = Reading::UnitLimit(was);
        let property = property(limit)?;
        let value = bytes(limit.write.value);
        let done = manager.set_limit(&limit.unit, limit.lasting, property, value);
        let late = match done {
            Err(refusal) if !refusal.is_late => return Err(refusal.failure),
            late => late.err(),
        };
        let shown = self.shown(limit)?;
        let wanted = limit.write.value;
        let is_kept = limit.write.file.is_kept(wanted, shown, page_size());
        if let Some(late) = late.filter(|_| !is_kept) {
            // What was asked for may still come: then the undo must know of it.
            return Err(failure(FailureKind::NotKept, late.failure.sentence));
        }
        if !is_kept {
            return Err(failure(
                FailureKind::NotKept,
                format!(
                    "systemd has set {property}={} of {}, but {} of {} reads '{}' now.",
                    limit.write.text(),
                    limit.unit,
                    limit.write.file.name(),
                    limit.group,
                    limit.write.file.text(shown)
                ),
            ));
        }
        // The property has its old value again, so its file is needed no longer. systemd would miss it until it loads its
        // files again.
        if let (Some(left), Some(file)) = (limit.leave, &file)
            && drop_in::forget(file, left)
        {
            let reloaded = manager.reload();
            if let Err(refusal) = reloaded
                && !refusal.is_late
            {
                return Err(refusal.failure);
            }
        }
        Ok(Reading::UnitLimit(UnitLimitReading {
            property: wanted,
            shown,
            is_past: false,
            kept: file.as_deref().map_or(was.kept, drop_in::kept),
        }))
    }

    /// The limit as systemd has it and as the kernel has it, and the file in which systemd keeps it.
    fn found(
        &self,
        limit: &UnitLimit,
        manager: &mut Connected,
    ) -> Result<(UnitLimitReading, Option<PathBuf>), Failure> {
        // What cannot be read could not be taken back: then it is not written either.
        let shown = self.shown(limit)?;
        let property = property(limit)?;
        let now = manager.limit(&limit.unit, property);
        let now = now.map_err(|refusal| refusal.failure)?;
        let is_transient = manager.is_transient(&limit.unit);
        let is_transient = is_transient.map_err(|refusal| refusal.failure)?;
        let base = &self.root.base;
        let file = drop_in::kept_file(base, &limit.unit, limit.lasting, is_transient, property);
        let property = if now == u64::MAX {
            LimitValue::Unlimited
        } else {
            LimitValue::Amount(now)
        };
        let reading = UnitLimitReading {
            property,
            shown,
            is_past: !limit.write.file.is_kept(property, shown, page_size()),
            // A file that cannot be named is not removed.
            kept: file.as_deref().map_or(Kept::File, drop_in::kept),
        };
        Ok((reading, file))
    }

    fn shown(&self, limit: &UnitLimit) -> Result<LimitValue, Failure> {
        let step = CgroupStep::Limit(limit.group.clone(), limit.write);
        match self.cgroups.look(self.pins, &step)? {
            Reading::Limit(value) => Ok(value),
            _ => Err(failure(
                FailureKind::Other,
                format!("{} has no limits.", limit.group),
            )),
        }
    }

    fn drop_in(&self, write: &DropInWrite, before: &mut Reading) -> Result<Reading, Failure> {
        let base = &self.root.base;
        let directory = drop_in::directory(base, &write.unit, write.lasting)?;
        let found = drop_in::look(&directory)?;
        *before = Reading::DropIn(found.clone());
        if found.text == write.text {
            // Somebody was faster, or it says so already.
            return Ok(Reading::DropIn(found));
        }
        if found.text != write.was {
            return Err(failure(
                FailureKind::Other,
                format!(
                    "{} has changed since it was shown; nothing was written.",
                    write.path()
                ),
            ));
        }
        // Who does not answer would not load the file: then it is not written either.
        let mut manager =
            Connected::open(base, write.unit.manager).map_err(|refusal| refusal.failure)?;
        match &write.text {
            Some(text) => drop_in::put(&directory, text)?,
            None => drop_in::remove(&directory, write.and_directory)?,
        }
        let not_kept = |sentence| failure(FailureKind::NotKept, sentence);
        match manager.reload() {
            Ok(()) => {}
            // systemd loads hundreds of files; a later start of the service reads ours anyhow.
            Err(refusal) if refusal.is_late => {
                return drop_in::look(&directory).map(Reading::DropIn);
            }
            Err(refusal) => {
                let sentence = format!(
                    "{} is written, but {}",
                    write.path(),
                    refusal.failure.sentence
                );
                return Err(not_kept(sentence));
            }
        }
        if write.sets() {
            let (key, wanted) = (write.setting.key(), write.setting.value());
            let loaded = manager.loaded(&write.unit, key);
            if let Ok(loaded) = loaded
                && loaded != wanted
            {
                return Err(not_kept(format!(
                    "{} is written, but systemd has {key}={loaded} for {}: another drop-in comes after it. See systemctl \
                     cat {}.",
                    write.path(),
                    write.unit,
                    quoted(&write.unit.name)
                )));
            }
        }
        drop_in::look(&directory).map(Reading::DropIn)
    }
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
