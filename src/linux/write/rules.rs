//! Writes the file of rules of oomtop: whole or not at all, whatever ends oomtop meanwhile.
//!
//! The new text goes into a file beside it that no reader of rules looks at, is synced, and takes the name of the old one
//! in one step. A lock on the directory keeps two oomtops apart; a file that somebody else has changed since it was shown
//! is left alone.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::linux::SysRoot;
use crate::linux::as_root::as_root;
use crate::linux::trust;
use crate::linux::write::pins::Pins;
use crate::linux::write::signal::send_signal;
use crate::model::plan::receipt::{Failure, FailureKind, Reading};
use crate::model::process::signal::SIGNALS;
use crate::model::rules::own::{RuleEdit, RuleFound, holds, print_of, with, without};

/// Largest file of rules, in bytes: as much as is read of one.
const LARGEST: usize = 64 * 1024;

/// End of the name of a file that is not whole yet.
const HIDDEN: &str = "oomtop-new";

/// Whether the rule is in its file.
pub(super) fn look(edit: &RuleEdit) -> Result<Reading, Failure> {
    let text = Place::find(edit)?.read()?.map(|(text, _)| text);
    Ok(found(edit, text.as_deref(), 0))
}

/// Adds the rule or takes it away, and lets running `oomtop protect` read the file.
pub(super) fn run(
    root: &SysRoot,
    pins: &Pins,
    edit: &RuleEdit,
    before: &mut Reading,
) -> Result<Reading, Failure> {
    if edit.add {
        make_directory(edit)?;
    }
    let place = Place::find(edit)?;
    let euid = rustix::process::geteuid().as_raw();
    trust::directory_for_file(&place.directory, euid).map_err(other)?;
    let lock = place.lock()?;
    let (text, metadata) = place.read()?.unzip();
    if let Some(metadata) = &metadata {
        trust::file(metadata, euid).map_err(|why| other(format!("{}: {why}", edit.path)))?;
    }
    *before = found(edit, text.as_deref(), 0);
    let new = new_text(edit, text.as_deref())?;
    place.put(&new, metadata.as_ref())?;
    lock.sync_all().map_err(|error| Failure {
        kind: FailureKind::NotKept,
        sentence: format!(
            "{} is written, but may be gone after a power failure: {error}.",
            edit.path
        ),
    })?;
    drop(lock);
    let told = edit.tell.iter().filter(|id| {
        let hang_up = SIGNALS.iter().find(|signal| signal.name == "HUP");
        hang_up.is_some_and(|hang_up| send_signal(root, pins, **id, *hang_up).is_ok())
    });
    let told = told.count();
    let text = place.read()?.map(|(text, _)| text);
    let now = found(edit, text.as_deref(), told);
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

fn found(edit: &RuleEdit, text: Option<&str>, told: usize) -> Reading {
    let is_there = text.is_some_and(|text| holds(text, &edit.block));
    Reading::Rule(RuleFound { is_there, told })
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

fn make_directory(edit: &RuleEdit) -> Result<(), Failure> {
    let Some(directory) = Path::new(&edit.path).parent() else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o755).create(directory);
    made.map_err(|error| unusable(directory, &error))
}

/// The file that is written. Where links lead to it they stay.
struct Place {
    directory: PathBuf,
    file: PathBuf,
}

impl Place {
    fn find(edit: &RuleEdit) -> Result<Self, Failure> {
        let path = Path::new(&edit.path);
        let file = match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => path
                .canonicalize()
                .map_err(|error| unusable(path, &error))?,
            _ => path.to_owned(),
        };
        let directory = file.parent().filter(|_| file.is_absolute());
        let directory =
            directory.ok_or_else(|| other(format!("{} is no path of a file.", edit.path)))?;
        Ok(Self {
            directory: directory.to_owned(),
            file: file.clone(),
        })
    }

    /// The text and what else is known of the file; `None` if there is none.
    fn read(&self) -> Result<Option<(String, Metadata)>, Failure> {
        let mut options = OpenOptions::new();
        options.read(true);
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = match options.open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&self.file, &error)),
        };
        let metadata = file
            .metadata()
            .map_err(|error| unusable(&self.file, &error))?;
        let mut text = String::new();
        let read = file.take(LARGEST as u64 + 1).read_to_string(&mut text);
        if !metadata.is_file() || read.is_err() || text.len() > LARGEST {
            return Err(other(format!(
                "{} was left alone: it is no file of rules.",
                self.file.display()
            )));
        }
        Ok(Some((text, metadata)))
    }

    /// The directory, locked against other oomtops as long as it is open.
    fn lock(&self) -> Result<File, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&self.directory, flags, Mode::empty());
        let directory =
            opened.map_err(|errno| unusable(&self.directory, &io::Error::from(errno)))?;
        // Some file systems know no locks: the last look before the rename is all there.
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(other(format!(
                "Another oomtop writes in {} just now: nothing was written. Try again.",
                self.directory.display()
            ))),
            _ => Ok(directory.into()),
        }
    }

    /// Puts the text in the place of the file, or removes the file if there is none.
    fn put(&self, text: &str, old: Option<&Metadata>) -> Result<(), Failure> {
        let fail = |error: io::Error| unusable(&self.file, &error);
        if text.is_empty() {
            self.is_untouched(old)?;
            return std::fs::remove_file(&self.file).map_err(fail);
        }
        let name = self.file.file_name().map(|name| name.to_string_lossy());
        // Readers of rules skip names with a dot in front. Under the lock one name is enough: what a killed run has left
        // goes with the next write.
        let new = self
            .directory
            .join(format!(".{}.{HIDDEN}", name.unwrap_or_default()));
        let placed = write_new(&new, text, old).map_err(fail).and_then(|()| {
            self.is_untouched(old)?;
            std::fs::rename(&new, &self.file).map_err(fail)
        });
        if placed.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        placed
    }

    /// Editors replace files, and others write into them: neither must be lost.
    fn is_untouched(&self, old: Option<&Metadata>) -> Result<(), Failure> {
        let now = std::fs::symlink_metadata(&self.file).ok();
        let key = |found: &Metadata| {
            (
                found.dev(),
                found.ino(),
                found.len(),
                found.mtime(),
                found.mtime_nsec(),
            )
        };
        if now.as_ref().map(key) == old.map(key) {
            return Ok(());
        }
        Err(other(format!(
            "{} was changed just now: nothing was written. Look at it again.",
            self.file.display()
        )))
    }
}

/// A new file with the rights of the old one.
fn write_new(path: &Path, text: &str, old: Option<&Metadata>) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(old) = old {
        // Another's group cannot always be kept; the rights below then give it nothing.
        let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
    }
    let mode = old.map_or(0o644, |old| old.mode() & 0o777);
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    // Only what is on disk may take the place of the old one.
    file.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    match error.kind() {
        ErrorKind::PermissionDenied => Failure {
            kind: FailureKind::Denied,
            sentence: format!("{path}: no permission; {}.", as_root("run oomtop as root")),
        },
        ErrorKind::ReadOnlyFilesystem => Failure {
            kind: FailureKind::Denied,
            sentence: format!("{path} is on a file system that is read-only: nothing was written."),
        },
        _ => other(format!("{path} was not written: {error}.")),
    }
}

fn other(sentence: String) -> Failure {
    Failure {
        kind: FailureKind::Other,
        sentence,
    }
}

#[cfg(test)]
mod tests;
