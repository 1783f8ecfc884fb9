//! Writes a file whole or not at all, whatever ends oomtop meanwhile: that of rules, and the user's settings.
//!
//! The new text goes into a file beside it that no reader looks at, is synced, and takes the name of the old one in one
//! step. A lock on the directory keeps two oomtops apart; a file that somebody else has changed since it was shown is left
//! alone. Root writes only where nobody else can put another file or link in the way: a user who could would choose which
//! file root replaces.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::linux::as_root::as_root;
use crate::linux::trust;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::shell::quoted;

/// Largest file, in bytes: as much as is read of one.
pub(super) const LARGEST: usize = 64 * 1024;

/// End of the name of a file that is not whole yet.
pub(super) const HIDDEN: &str = "oomtop-new";

/// Puts `text` in the place of the file, if the file still has the text `seen`; `None`: if there is no such file.
///
/// # Errors
/// A sentence: the file has changed, cannot be written, or is where another user could misuse what root writes.
pub(crate) fn replace(path: &Path, seen: Option<&str>, text: &str) -> Result<(), Failure> {
    let path = std::path::absolute(path).map_err(|error| unusable(path, &error))?;
    let made = make_directory(&path)?;
    let done = put_for(&path, seen, text);
    if done.is_err() {
        remove_directories(&path, made);
    }
    done
}

fn put_for(path: &Path, seen: Option<&str>, text: &str) -> Result<(), Failure> {
    let place = Place::find(path)?;
    place.is_safe()?;
    let lock = place.lock()?;
    let (old, metadata) = place.read()?.unzip();
    place.is_safe_file(metadata.as_ref())?;
    if old.as_deref() != seen {
        return Err(other(format!(
            "{} has changed since it was shown: nothing was written. Look at it again.",
            path.display()
        )));
    }
    place.put(text, metadata.as_ref())?;
    place.sync(&lock)
}

fn euid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Makes the directory of a file; returns how many directories right above the file it has made. Root makes none in
/// another user's: what root made there the user could not change.
pub(super) fn make_directory(path: &Path) -> Result<u8, Failure> {
    let Some(directory) = path.parent() else {
        return Ok(0);
    };
    let nearest = directory.ancestors().find(|at| at.exists());
    if let Some(nearest) = nearest {
        trust::directory_for_file(nearest, euid()).map_err(other)?;
    }
    let missing = directory.ancestors().take_while(|at| !at.exists());
    let mut missing: Vec<_> = missing.collect();
    let mut made = 0_u8;
    while let Some(next) = missing.pop() {
        match std::fs::DirBuilder::new().mode(0o755).create(next) {
            Ok(()) => made = made.saturating_add(1),
            // Somebody else was faster: it is theirs, and so is what is around it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => made = 0,
            Err(error) => {
                remove_directories(next, made);
                return Err(unusable(directory, &error));
            }
        }
    }
    Ok(made)
}

/// Removes so many directories right above a path again, as far as they are empty. What lies in one keeps it.
pub(super) fn remove_directories(path: &Path, made: u8) {
    let above = path.ancestors().skip(1).take(usize::from(made));
    for directory in above {
        if std::fs::remove_dir(directory).is_err() {
            return;
        }
    }
}

/// The file that is written. Where links lead to it they stay.
pub(super) struct Place {
    directory: PathBuf,
    file: PathBuf,
}

impl Place {
    pub(super) fn find(path: &Path) -> Result<Self, Failure> {
        let file = match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => path
                .canonicalize()
                .map_err(|error| unusable(path, &error))?,
            _ => path.to_owned(),
        };
        let directory = file.parent().filter(|_| file.is_absolute());
        let directory =
            directory.ok_or_else(|| other(format!("{} is no path of a file.", path.display())))?;
        Ok(Self {
            directory: directory.to_owned(),
            file: file.clone(),
        })
    }

    /// # Errors
    /// A sentence, for root and a directory that another user can change.
    pub(super) fn is_safe(&self) -> Result<(), Failure> {
        trust::directory_for_file(&self.directory, euid()).map_err(other)
    }

    /// # Errors
    /// A sentence, for root and a file that another user can change.
    pub(super) fn is_safe_file(&self, found: Option<&Metadata>) -> Result<(), Failure> {
        let say = |why: String| other(format!("{}: {why}", self.file.display()));
        found.map_or(Ok(()), |found| trust::file(found, euid()).map_err(say))
    }

    /// The text and what else is known of the file; `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<(String, Metadata)>, Failure> {
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
                "{} was left alone: it is no file of text up to 64 KiB.",
                self.file.display()
            )));
        }
        Ok(Some((text, metadata)))
    }

    /// The directory, locked against other oomtops as long as it is open.
    pub(super) fn lock(&self) -> Result<File, Failure> {
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

    /// Removes the file.
    pub(super) fn remove(&self, old: Option<&Metadata>) -> Result<(), Failure> {
        self.is_untouched(old)?;
        std::fs::remove_file(&self.file).map_err(|error| unusable(&self.file, &error))
    }

    /// The directory of the lock, as it is now, survives a power failure.
    pub(super) fn sync(&self, lock: &File) -> Result<(), Failure> {
        lock.sync_all().map_err(|error| Failure {
            kind: FailureKind::NotKept,
            sentence: format!(
                "{} is written, but may be gone after a power failure: {error}.",
                self.file.display()
            ),
        })
    }

    /// Puts the text in the place of the file.
    pub(super) fn put(&self, text: &str, old: Option<&Metadata>) -> Result<(), Failure> {
        let fail = |error: io::Error| unusable(&self.file, &error);
        let name = self.file.file_name().map(|name| name.to_string_lossy());
        // Readers skip names with a dot in front. Under the lock one name is enough: what a killed run has left
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

/// What gives the user the right to the file. As root oomtop writes other files.
fn remedy(path: &Path, uid: u32) -> String {
    let is_own = |at: &Path| at.ends_with("oomtop") && !at.starts_with("/etc");
    let directory = path.ancestors().take(2).find(|at| is_own(at));
    match directory.filter(|_| uid != 0).zip(path.to_str()) {
        Some((directory, file)) if directory != path && is_closed(path) => {
            format!("let root make it yours: sudo chown {uid} {}", quoted(file))
        }
        // All directories on the way are made, and the last one is the user's then.
        Some((directory, _)) => {
            let directory = quoted(&directory.to_string_lossy());
            format!("let root make its directory yours: sudo install -d -o {uid} {directory}")
        }
        None => as_root("run oomtop as root: sudo oomtop").to_owned(),
    }
}

/// It is there, and this user may not read it.
fn is_closed(path: &Path) -> bool {
    path.is_file() && File::open(path).is_err()
}

fn unusable(full: &Path, error: &io::Error) -> Failure {
    let path = full.display();
    match error.kind() {
        ErrorKind::PermissionDenied => Failure {
            kind: FailureKind::Denied,
            sentence: format!("{path}: no permission; {}.", remedy(full, euid())),
        },
        ErrorKind::ReadOnlyFilesystem => Failure {
            kind: FailureKind::Denied,
            sentence: format!("{path} is on a file system that is read-only: nothing was written."),
        },
        _ => other(format!("{path} was not written: {error}.")),
    }
}

pub(super) fn other(sentence: String) -> Failure {
    Failure {
        kind: FailureKind::Other,
        sentence,
    }
}
