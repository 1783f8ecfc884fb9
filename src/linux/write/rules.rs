//! Changes the file of rules of oomtop, with [`super::whole`].

use std::path::Path;

use crate::linux::SysRoot;
use crate::linux::write::pins::Pins;
use crate::linux::write::signal::send_signal;
use crate::linux::write::whole::{LARGEST, Place, make_directory, other, remove_directories};
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::process::signal::SIGNALS;
use crate::model::rules::own::{RuleEdit, RuleFound, holds, print_of, with, without};

/// Whether the rule is in its file.
pub(super) fn look(edit: &RuleEdit) -> Result<Reading, Failure> {
    let text = Place::find(Path::new(&edit.path))?
        .read()?
        .map(|(text, _)| text);
    Ok(found(edit, text.as_deref(), (0, 0)))
}

/// Adds the rule or takes it away, and lets running `oomtop protect` read the file.
pub(super) fn run(
    root: &SysRoot,
    pins: &Pins,
    edit: &RuleEdit,
    before: &mut Reading,
) -> Result<Reading, Failure> {
    if !edit.add {
        return change(root, pins, edit, before, 0);
    }
    let path = Path::new(&edit.path);
    let made = make_directory(path)?;
    let done = change(root, pins, edit, before, made);
    if done.is_err() {
        remove_directories(path, made);
    }
    done
}

/// `made`: directories that were made for the file just now.
fn change(
    root: &SysRoot,
    pins: &Pins,
    edit: &RuleEdit,
    before: &mut Reading,
    made: u8,
) -> Result<Reading, Failure> {
    let place = Place::find(Path::new(&edit.path))?;
    place.is_safe()?;
    let lock = place.lock()?;
    let (text, metadata) = place.read()?.unzip();
    place.is_safe_file(metadata.as_ref())?;
    *before = found(edit, text.as_deref(), (0, 0));
    let new = new_text(edit, text.as_deref())?;
    if new.is_empty() {
        place.remove(metadata.as_ref())?;
    } else {
        place.put(&new, metadata.as_ref())?;
    }
    place.sync(&lock)?;
    drop(lock);
    let told = edit.tell.iter().filter(|id| {
        let hang_up = SIGNALS.iter().find(|signal| signal.name == "HUP");
        hang_up.is_some_and(|hang_up| send_signal(root, pins, **id, *hang_up).is_ok())
    });
    let told = told.count();
    let text = place.read()?.map(|(text, _)| text);
    if !edit.add && text.is_none() {
        remove_directories(Path::new(&edit.path), edit.made);
    }
    let now = found(edit, text.as_deref(), (told, made));
    match now {
        Reading::Rule(found) if found.is_there == edit.add => Ok(now),
        _ => Err(Failure {
            kind: FailureKind::NotKept,
            sentence: format!(
                "{} was changed by somebody else at the same time.",
                edit.path
            ),
        }),
    }
}

fn found(edit: &RuleEdit, text: Option<&str>, (told, made): (usize, u8)) -> Reading {
    let is_there = text.is_some_and(|text| holds(text, &edit.block));
    Reading::Rule(RuleFound {
        is_there,
        told,
        made,
    })
}

/// The text that shall be in the file; empty if the file goes.
fn new_text(edit: &RuleEdit, text: Option<&str>) -> Result<String, Failure> {
    let path = &edit.path;
    if !edit.add {
        return text
            .and_then(|text| without(text, &edit.block))
            .ok_or_else(|| Failure {
                kind: FailureKind::NoRule,
                sentence: format!(
                    "The rule is not in {path} any more as oomtop wrote it: nothing was removed."
                ),
            });
    }
    if print_of(text) != edit.seen {
        return Err(other(format!(
            "{path} has changed since it was shown: nothing was written. Look at it again."
        )));
    }
    if text.is_some_and(|text| holds(text, &edit.block)) {
        return Err(other(format!(
            "{path} holds this rule already: nothing was written."
        )));
    }
    let new = with(text, &edit.block);
    if new.len() > LARGEST {
        return Err(other(format!(
            "{path} would be larger than 64 KiB, and oomtop reads no such file: nothing was written."
        )));
    }
    Ok(new)
}

#[cfg(test)]
mod tests;
