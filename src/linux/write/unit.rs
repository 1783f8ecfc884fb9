//! Steps that systemd carries out: `limit`s of its units, and the drop-ins of oomtop (`later`).

mod later;
mod limit;
mod oomd;
mod scope;

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use crate::linux::SysRoot;
use crate::linux::patience::{Patience, WITHIN};
use crate::linux::systemd::directory::Directory;
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::masked;
use crate::linux::systemd::{Refusal, Standing};
use crate::linux::write::cgroup::CgroupWriter;
use crate::linux::write::errors::failure;
use crate::linux::write::pins::Pins;
use crate::model::cgroup::limits::LimitFile;
use crate::model::cgroup::{CgroupPath, CgroupVersion};
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::plan::step::UnitStep;
use crate::model::systemd::drop_in::FILE;
use crate::model::systemd::{Lasting, Store, UnitName};

/// When systemd last left a call without an answer. Who asks again at once, to take a plan back, would only wait again,
/// and other writes behind it.
#[derive(Debug, Default)]
pub(super) struct Silence(Cell<Option<Instant>>);

/// What a step needs: the root, the groups whose files show what systemd did.
pub(super) struct UnitWriter<'a> {
    pub(super) root: &'a SysRoot,
    pub(super) cgroups: &'a CgroupWriter,
    pub(super) pins: &'a Pins,
    pub(super) silence: &'a Silence,
    pub(super) patience: &'a Patience,
}

impl UnitWriter<'_> {
    /// What the step would find.
    pub(super) fn look(&self, step: &UnitStep) -> Result<Reading, Failure> {
        match step {
            UnitStep::Limit(limit) => {
                let mut manager = self.connect(limit.unit.manager)?;
                let found = self.found(limit, &mut manager)?;
                Ok(Reading::UnitLimit(found.reading))
            }
            UnitStep::Oomd(oomd) => self.look_at_oomd(oomd),
            UnitStep::Scope(scope) => self.look_at_scope(scope),
            UnitStep::DropIn(write) => {
                let store = Store::Own(write.lasting);
                let directory = Directory::of(&self.root.base, &write.unit, store)?;
                directory.look(FILE).map(Reading::DropIn)
            }
        }
    }

    /// Does the step and reads it back; `before` takes what was there.
    pub(super) fn run(&self, step: &UnitStep, before: &mut Reading) -> Result<Reading, Failure> {
        match step {
            UnitStep::Limit(limit) => self.limit(limit, before),
            UnitStep::Oomd(oomd) => self.oomd(oomd, before),
            UnitStep::DropIn(write) => self.drop_in(write, before),
            UnitStep::Scope(scope) => self.scope(scope, before),
        }
    }

    fn connect(&self, manager: Manager) -> Result<Connected, Failure> {
        self.connect_by(manager, Connected::open)
    }

    fn connect_by(
        &self,
        manager: Manager,
        open: fn(&Path, Manager, &Patience) -> Result<Connected, Refusal>,
    ) -> Result<Connected, Failure> {
        let silent = self.silence.0.get();
        if silent.is_some_and(|since| since.elapsed() < WITHIN) {
            return Err(failure(
                FailureKind::Other,
                "systemd has not answered a moment ago, so it was not asked again; try it in a few seconds."
                    .to_owned(),
            ));
        }
        let manager = open(&self.root.base, manager, self.patience);
        manager.map_err(|refusal| self.failure_of(refusal))
    }

    /// Remembers that systemd did not answer: the other steps of a plan, and those of its undo, do not wait as long again.
    fn failure_of(&self, refusal: Refusal) -> Failure {
        if refusal.standing == Standing::Silent {
            self.was_silent();
        }
        refusal.failure
    }

    /// Refuses where systemd would write a hard limit that somebody has raised past it, below what is in use.
    fn refuse_kill(
        &self,
        unit: &UnitName,
        group: &CgroupPath,
        manager: &mut Connected,
    ) -> Result<(), Failure> {
        let hard = LimitFile::hard_limit(CgroupVersion::V2);
        let Some(property) = hard.row().systemd else {
            return Ok(());
        };
        let set = manager.limit(unit, property);
        let set = set.map_err(|refusal| self.failure_of(refusal))?;
        match self.cgroups.usage_of(group) {
            Some(usage) if usage > set => Err(failure(
                FailureKind::Other,
                format!(
                    "Nothing was written: systemd has {property}={set} of {unit}, which was raised past it, and would write \
                     that again. {usage} bytes are in use: that kills. Set {} first.",
                    hard.name()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses what would last only until the files are loaded the next time.
    fn refuse_masked(
        &self,
        unit: &UnitName,
        property: &str,
        lasting: Lasting,
    ) -> Result<(), Failure> {
        let Some(winner) = masked::winner(&self.root.base, unit, property, lasting) else {
            return Ok(());
        };
        Err(failure(
            FailureKind::Other,
            format!(
                "Nothing was written: {winner} sets {property}= of {unit}, and counts again at the next daemon-reload or \
                 restart, whatever systemd is told now. Change that file, or choose another way to keep it."
            ),
        ))
    }

    fn was_silent(&self) {
        self.silence.0.set(Some(Instant::now()));
    }
}

/// The unit was told from the path of the group: anybody who may make groups could have made one of that name. False
/// if the unit is stopped, where that `may_be`.
fn is_its_group(
    unit: &UnitName,
    own: &CgroupPath,
    may_be_stopped: bool,
    manager: &mut Connected,
) -> Result<bool, Failure> {
    let group = manager.group(unit).map_err(|refusal| refusal.failure)?;
    if group == own.as_str() {
        return Ok(true);
    }
    if !group.is_empty() {
        return Err(failure(
            FailureKind::Other,
            format!(
                "Nothing was written: the processes of {unit} are in {group}, as systemd says, and {own} only has its \
                 name."
            ),
        ));
    }
    if may_be_stopped {
        return Ok(false);
    }
    Err(failure(
        FailureKind::NoGroup,
        format!("{unit} runs no process (any more), as systemd says; nothing was written."),
    ))
}

/// A failure of which an undo must know: something was changed before it.
fn not_kept(sentence: String) -> Failure {
    failure(FailureKind::NotKept, sentence)
}
