//! [`Directory`]: the drop-ins of one unit, oomtop's own or those in which systemd keeps what was set on it.
//!
//! Every name on the way is opened without following a link: root works in directories that others may change, and must
//! not be led elsewhere.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::linux::as_root::as_root;
use crate::linux::kernel_file::open_dir;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::systemd::drop_in::Found;
use crate::model::systemd::{Kept, Place, Store, UnitName};

/// Most bytes of a drop-in that oomtop changes: it has written a few lines itself.
const LARGEST: u64 = 64 << 10;

/// End of the name of a file that is not whole yet: systemd reads only names that end in `.conf`.
const DRAFT: &str = ".new";

/// A directory `UNIT.d`.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Where the way begins: the root, or the home of the own user.
    anchor: PathBuf,
    /// The names from there to the directory.
    way: Vec<String>,
}

impl Directory {
    /// The drop-ins of a unit below `base`.
    ///
    /// # Errors
    /// A sentence, for the unit of another user: oomtop writes nowhere where that user could lead it.
    pub(crate) fn of(base: &Path, unit: &UnitName, store: Store) -> Result<Self, Failure> {
        let place = Place::of(unit.manager, store);
        let anchor = match unit.manager {
            Manager::User(uid) if uid != rustix::process::geteuid().as_raw() => {
                return Err(Failure {
                    kind: FailureKind::Denied,
                    sentence: format!(
                        "{unit} belongs to user {uid}, and oomtop writes into no home but its own: start oomtop as that \
                         user."
                    ),
                });
            }
            Manager::User(uid) if place.in_home => {
                let home = ConfigRoot::open(base).and_then(|root| root.home(uid));
                let home = home.ok_or_else(|| Failure {
                    kind: FailureKind::Other,
                    sentence: format!("The home of user {uid} is not in /etc/passwd."),
                })?;
                base.join(home.trim_start_matches('/'))
            }
            _ => base.to_owned(),
        };
        let way = place.below.split('/').map(str::to_owned);
        let way = way.chain([format!("{}.d", unit.name)]).collect();
        Ok(Self { anchor, way })
    }

    /// A file in it, for people.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.part(self.way.len()).join(file)
    }

    /// What there is of a file that oomtop keeps there.
    ///
    /// # Errors
    /// A sentence, if something else is in its place or it cannot be read.
    pub(crate) fn look(&self, file: &str) -> Result<Found, Failure> {
        let Some(dir) = self.open()? else {
            return Ok(Found::default());
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = rustix::fs::openat(&dir, file, flags | OFlags::CLOEXEC, Mode::empty());
        let text = match opened {
            Ok(opened) => Some(self.contents(file, &File::from(opened))?),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(unusable(&self.path(file), errno)),
        };
        Ok(Found {
            text,
            directory: true,
        })
    }

    fn contents(&self, file: &str, opened: &File) -> Result<String, Failure> {
        let is_file = opened.metadata().is_ok_and(|found| found.is_file());
        let mut text = String::new();
        let read = opened.take(LARGEST + 1).read_to_string(&mut text);
        if is_file && read.is_ok() && text.len() as u64 <= LARGEST {
            return Ok(text);
        }
        Err(refused(
            &self.path(file),
            "it is no file that oomtop has written",
        ))
    }

    /// Puts `text` in the place of the file, whole or not at all.
    ///
    /// # Errors
    /// A sentence. [`FailureKind::NotKept`]: the file is there, but may be gone after a power failure.
    pub(crate) fn put(&self, file: &str, text: &str) -> Result<(), Failure> {
        let was_there = self.open()?.is_some();
        let path = self.path(file);
        let dir = self.walk(self.way.len(), true)?;
        let dir = dir.ok_or_else(|| unusable(&path, Errno::NOENT))?;
        let draft = format!("{file}{DRAFT}");
        let written = write_new(&dir, &draft, text)
            .and_then(|()| rustix::fs::renameat(&dir, &draft, &dir, file));
        if let Err(errno) = written {
            let _ = rustix::fs::unlinkat(&dir, &draft, AtFlags::empty());
            if !was_there {
                self.remove_if_empty();
            }
            return Err(unusable(&path, errno));
        }
        sync(&dir).map_err(|errno| Failure {
            kind: FailureKind::NotKept,
            sentence: format!(
                "{} is written, but the disk has not taken it: {errno}.",
                path.display()
            ),
        })
    }

    /// Removes the file, and the directory if it is asked for and empty. Nothing there is no error.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn remove(&self, file: &str, and_directory: bool) -> Result<(), Failure> {
        let Some(dir) = self.open()? else {
            return Ok(());
        };
        // What a run that was killed while it wrote has left.
        let _ = rustix::fs::unlinkat(&dir, format!("{file}{DRAFT}"), AtFlags::empty());
        match rustix::fs::unlinkat(&dir, file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(unusable(&self.path(file), errno)),
        }
        let synced = sync(&dir);
        if and_directory {
            self.remove_if_empty();
        }
        synced.map_err(|errno| Failure {
            kind: FailureKind::NotKept,
            sentence: format!(
                "{} is removed, but the disk has not taken that: {errno}; it may be back after a power failure.",
                self.path(file).display()
            ),
        })
    }

    /// What there is of a file that systemd keeps there. One that cannot be reached is not oomtop's to remove.
    pub(crate) fn kept(&self, file: &str) -> Kept {
        match self.open() {
            Err(_) => Kept::File,
            Ok(None) => Kept::Nothing,
            Ok(Some(dir)) => match rustix::fs::statat(&dir, file, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => Kept::Directory,
                _ => Kept::File,
            },
        }
    }

    /// Removes such a file as far as it was not there `before`.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn forget(&self, file: &str, before: Kept) -> Result<(), Failure> {
        if before == Kept::File {
            return Ok(());
        }
        self.remove(file, before == Kept::Nothing)
    }

    /// What somebody else has put there stays.
    fn remove_if_empty(&self) {
        let above = self.way.len().saturating_sub(1);
        if let (Ok(Some(above)), Some(name)) = (self.walk(above, false), self.way.last()) {
            let _ = rustix::fs::unlinkat(&above, name.as_str(), AtFlags::REMOVEDIR);
        }
    }

    fn open(&self) -> Result<Option<OwnedFd>, Failure> {
        self.walk(self.way.len(), false)
    }

    /// Goes so many names along the way, and makes what is missing if asked to; `None` if it is not there.
    fn walk(&self, names: usize, make: bool) -> Result<Option<OwnedFd>, Failure> {
        let mut at = match open_dir(&self.anchor) {
            Ok(anchor) => anchor,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(unusable(&self.anchor, errno)),
        };
        for (depth, name) in self.way.iter().take(names).enumerate() {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let open = |at: &OwnedFd| rustix::fs::openat(at, name.as_str(), flags, Mode::empty());
            let mut opened = open(&at);
            if make && opened.as_ref().err() == Some(&Errno::NOENT) {
                let mode = Mode::from_raw_mode(0o755);
                opened = match rustix::fs::mkdirat(&at, name.as_str(), mode) {
                    Ok(()) | Err(Errno::EXIST) => open(&at),
                    Err(errno) => Err(errno),
                };
            }
            at = match opened {
                Ok(opened) => opened,
                Err(Errno::NOENT) => return Ok(None),
                Err(errno) => return Err(unusable(&self.part(depth + 1), errno)),
            };
        }
        Ok(Some(at))
    }

    /// The path up to so many names.
    fn part(&self, names: usize) -> PathBuf {
        let mut path = self.anchor.clone();
        path.extend(self.way.iter().take(names));
        path
    }
}

fn write_new(dir: impl AsFd, draft: &str, text: &str) -> Result<(), Errno> {
    let dir = dir.as_fd();
    // What a run that was killed while it wrote has left.
    let _ = rustix::fs::unlinkat(dir, draft, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, draft, flags, Mode::from_raw_mode(0o644))?;
    let mut file = File::from(opened);
    let written = file.write_all(text.as_bytes());
    let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    written.map_err(errno)?;
    file.sync_all().map_err(errno)
}

/// A directory that was only named cannot be synced.
fn sync(dir: impl AsFd) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, ".", flags, Mode::empty())?;
    rustix::fs::fsync(opened)
}

fn unusable(path: &Path, errno: Errno) -> Failure {
    let shown = path.display();
    if matches!(errno, Errno::LOOP | Errno::NOTDIR) {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        return refused(
            path,
            if is_link {
                "it is a link, and oomtop follows none there"
            } else {
                "it is no directory"
            },
        );
    }
    let (kind, sentence) = match std::io::Error::from(errno).kind() {
        ErrorKind::PermissionDenied => (
            FailureKind::Denied,
            format!(
                "{shown}: no permission; {}.",
                as_root("run oomtop as root: sudo oomtop")
            ),
        ),
        ErrorKind::ReadOnlyFilesystem => (
            FailureKind::Denied,
            format!(
                "{shown} is on a file system that is read-only: take what lasts until the next boot, below /run."
            ),
        ),
        _ => (FailureKind::Other, format!("{shown}: {errno}.")),
    };
    Failure { kind, sentence }
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure {
        kind: FailureKind::Other,
        sentence: format!("{} was left alone: {why}.", path.display()),
    }
}

#[cfg(test)]
mod tests;
