//! The drop-in that oomtop keeps for a service, and what systemd has loaded after it.

use super::{UnitWriter, not_kept};
use crate::linux::host::own_user;
use crate::linux::systemd::directory::Directory;
use crate::linux::systemd::manager::Connected;
use crate::linux::systemd::{Standing, no_later_start};
use crate::linux::write::errors::failure;
use crate::model::cgroup::CgroupPath;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::shell::quoted;
use crate::model::systemd::drop_in::{DropInWrite, FILE};
use crate::model::systemd::{Lasting, Store, UnitName};

impl UnitWriter<'_> {
    pub(super) fn drop_in(
        &self,
        write: &DropInWrite,
        before: &mut Reading,
    ) -> Result<Reading, Failure> {
        let base = &self.root.base;
        let directory = Directory::of(base, &write.unit, Store::Own(write.lasting))?;
        let found = directory.look(FILE)?;
        *before = Reading::DropIn(found.clone());
        let is_there = found.text == write.text;
        if !is_there && found.text != write.was {
            return Err(failure(
                FailureKind::Other,
                format!(
                    "{} has changed since it was shown; nothing was written.",
                    write.path()
                ),
            ));
        }
        // Who does not answer would not load the file: then it is not written either.
        let mut manager = self.connect(write.unit.manager)?;
        let group = manager.group(&write.unit);
        let group = group.map_err(|refusal| refusal.failure)?;
        let group = (!group.is_empty()).then(|| CgroupPath::new(&group));
        if write.sets() {
            has_later_start(write, group.as_ref(), &mut manager)?;
        }
        // systemd 252 writes all limits again when it loads its files.
        if let Some(group) = &group {
            self.refuse_kill(&write.unit, group, &mut manager)?;
        }
        // What is there already may still wait to be loaded: whoever wrote it may have failed at that.
        if !is_there {
            let changed = match &write.text {
                Some(text) => directory.put(FILE, text),
                None => directory.remove(FILE, write.and_directory),
            };
            changed.map_err(|failure| by_hand(write, failure))?;
        }
        let done = if write.text.is_some() {
            "written"
        } else {
            "removed"
        };
        if let Err(refusal) = manager.reload() {
            if refusal.standing == Standing::Open {
                self.was_silent();
                return directory.look(FILE).map(Reading::DropInUnread);
            }
            let sentence = refusal.failure.sentence;
            return Err(not_kept(format!(
                "{} is {done}, but {sentence}",
                write.path()
            )));
        }
        if write.sets() {
            self.is_loaded(write, &mut manager)?;
        }
        directory.look(FILE).map(Reading::DropIn)
    }

    /// Asks for the value that systemd has loaded.
    fn is_loaded(&self, write: &DropInWrite, manager: &mut Connected) -> Result<(), Failure> {
        let (key, wanted) = (write.setting.key(), write.setting.value());
        let loaded = match manager.loaded(&write.unit, key) {
            Ok(loaded) => loaded,
            Err(refusal) => {
                self.was_silent();
                return Err(not_kept(format!(
                    "{} is written, but whether systemd has taken {key}= from it is not known: {}",
                    write.path(),
                    refusal.failure.sentence
                )));
            }
        };
        if loaded == wanted {
            return Ok(());
        }
        Err(not_kept(format!(
            "{} is written, but systemd has {key}={loaded} for {}: another drop-in comes after it. See systemctl cat {}.",
            write.path(),
            write.unit,
            quoted(&write.unit.name)
        )))
    }
}

/// Names the command that does it with other rights.
fn by_hand(write: &DropInWrite, failure: Failure) -> Failure {
    if failure.kind != FailureKind::Denied || !write.sets() {
        return failure;
    }
    let (key, value) = (write.setting.key(), write.setting.value());
    let runtime = match write.lasting {
        Lasting::Runtime => "--runtime ",
        Lasting::Persistent => "",
    };
    Failure {
        sentence: format!(
            "{} Or: {} edit {runtime}{}, and there [Service] {key}={value}",
            failure.sentence,
            own_user().reach_with_right("systemctl", write.unit.manager),
            quoted(&write.unit.name)
        ),
        ..failure
    }
}

/// The manager knows the unit that was told from the path of a group, from a file, and will start it again.
fn has_later_start(
    write: &DropInWrite,
    group: Option<&CgroupPath>,
    manager: &mut Connected,
) -> Result<(), Failure> {
    let unit = &write.unit;
    let is_loaded = manager.is_loaded(unit);
    if let (Some(group), Some(seen)) = (group, &write.seen_in)
        && group != seen
    {
        return Err(failure(
            FailureKind::Other,
            format!(
                "Nothing was written: the processes of {unit} are in {group}, as systemd says, and {seen} only has its name."
            ),
        ));
    }
    let is_own = group.is_none_or(|group| UnitName::of_group(group).as_ref() == Some(unit));
    if !is_loaded.map_err(|refusal| refusal.failure)? || !is_own {
        return Err(failure(
            FailureKind::NoGroup,
            format!("systemd knows no {unit}: nothing was written."),
        ));
    }
    let is_transient = manager.is_transient(unit);
    if is_transient.map_err(|refusal| refusal.failure)? {
        return Err(no_later_start(unit));
    }
    Ok(())
}
