//! The files of drop-ins: that of oomtop, and those in which systemd keeps what was set on a running unit.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::linux::as_root::as_root;
use crate::linux::killers::unit_files::ConfigRoot;
use crate::model::killers::oom_policy::Manager;
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::systemd::drop_in::{FILE, Found};
use crate::model::systemd::{Kept, Lasting, UnitName};

/// Most bytes of a drop-in that oomtop changes: it has written two lines itself.
const LARGEST: u64 = 64 << 10;

/// The directory of a unit's drop-ins that a manager reads, where oomtop writes.
///
/// # Errors
/// A sentence, for the unit of another user: nobody else writes into a home.
pub(crate) fn directory(
    base: &Path,
    unit: &UnitName,
    lasting: Lasting,
) -> Result<PathBuf, Failure> {
    let units = match (unit.manager, lasting) {
        (Manager::System, Lasting::Persistent) => base.join("etc/systemd/system"),
        (Manager::System, Lasting::Runtime) => base.join("run/systemd/system"),
        (Manager::User(uid), _) if uid != rustix::process::geteuid().as_raw() => {
            return Err(Failure {
                kind: FailureKind::Denied,
                sentence: format!(
                    "{unit} belongs to user {uid}, and oomtop writes into no home but its own: start oomtop as that user."
                ),
            });
        }
        (Manager::User(uid), Lasting::Runtime) => base.join(format!("run/user/{uid}/systemd/user")),
        (Manager::User(uid), Lasting::Persistent) => {
            let home = ConfigRoot::open(base).and_then(|root| root.home(uid));
            let home = home.ok_or_else(|| Failure {
                kind: FailureKind::Other,
                sentence: format!("The home of user {uid} is not in /etc/passwd."),
            })?;
            base.join(home.trim_start_matches('/'))
                .join(".config/systemd/user")
        }
    };
    Ok(units.join(format!("{}.d", unit.name)))
}

/// What there is of oomtop's file in this directory.
///
/// # Errors
/// A sentence, if something else is in its place or it cannot be read.
pub(crate) fn look(directory: &Path) -> Result<Found, Failure> {
    let path = directory.join(FILE);
    let is_there = match fs::symlink_metadata(directory) {
        Ok(found) if found.is_dir() => true,
        Ok(_) => return Err(refused(directory, "it is no directory")),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(unusable(directory, &error)),
    };
    let mut options = fs::OpenOptions::new();
    options.read(true);
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    let text = match options.open(&path) {
        Ok(file) => {
            let is_file = file.metadata().is_ok_and(|found| found.is_file());
            let mut text = String::new();
            let read = file.take(LARGEST + 1).read_to_string(&mut text);
            if !is_file || read.is_err() || text.len() as u64 > LARGEST {
                return Err(refused(&path, "it is no file that oomtop has written"));
            }
            Some(text)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(&path, &error)),
    };
    Ok(Found {
        text,
        directory: is_there,
    })
}

/// Puts `text` in the place of the file, whole or not at all.
///
/// # Errors
/// A sentence.
pub(crate) fn put(directory: &Path, text: &str) -> Result<(), Failure> {
    let path = directory.join(FILE);
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o755).create(directory);
    // systemd reads only names that end in `.conf`.
    let draft = directory.join(format!("{FILE}.{}", std::process::id()));
    let written = made.and_then(|()| write_new(&draft, text));
    let placed = written.and_then(|()| fs::rename(&draft, &path));
    placed.and_then(|()| sync(directory)).map_err(|error| {
        let _ = fs::remove_file(&draft);
        unusable(&path, &error)
    })
}

fn write_new(draft: &Path, text: &str) -> io::Result<()> {
    // What a killed run of the same pid has left.
    let _ = fs::remove_file(draft);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o644);
    let mut file = options.open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Removes the file, and the directory if it is asked for and empty.
///
/// # Errors
/// A sentence.
pub(crate) fn remove(directory: &Path, and_directory: bool) -> Result<(), Failure> {
    let path = directory.join(FILE);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(&path, &error)),
        _ => {}
    }
    if and_directory {
        // What somebody else has put there stays.
        let _ = fs::remove_dir(directory);
    }
    Ok(())
}

fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// The file in which systemd keeps a property that was set on a running unit (systemd src/core/unit.c
/// `unit_drop_in_dir`).
pub(crate) fn kept_file(
    base: &Path,
    unit: &UnitName,
    lasting: Lasting,
    is_transient: bool,
    property: &str,
) -> Option<PathBuf> {
    let units = match (unit.manager, lasting) {
        (Manager::System, _) if is_transient => base.join("run/systemd/transient"),
        (Manager::System, Lasting::Runtime) => base.join("run/systemd/system.control"),
        (Manager::System, Lasting::Persistent) => base.join("etc/systemd/system.control"),
        (Manager::User(uid), _) if is_transient => {
            base.join(format!("run/user/{uid}/systemd/transient"))
        }
        (Manager::User(uid), Lasting::Runtime) => {
            base.join(format!("run/user/{uid}/systemd/user.control"))
        }
        (Manager::User(uid), Lasting::Persistent) => {
            let home = ConfigRoot::open(base)?.home(uid)?;
            let home = base.join(home.trim_start_matches('/'));
            home.join(".config/systemd/user.control")
        }
    };
    let file = format!("{}.d/50-{property}.conf", unit.name);
    Some(units.join(file))
}

/// What there is of such a file.
pub(crate) fn kept(file: &Path) -> Kept {
    if fs::symlink_metadata(file).is_ok() {
        return Kept::File;
    }
    match file.parent() {
        Some(directory) if directory.is_dir() => Kept::Directory,
        _ => Kept::Nothing,
    }
}

/// Removes such a file as far as it was not there `before`. True if there was something to remove.
pub(crate) fn forget(file: &Path, before: Kept) -> bool {
    if before == Kept::File || fs::remove_file(file).is_err() {
        return false;
    }
    if let (Kept::Nothing, Some(directory)) = (before, file.parent()) {
        let _ = fs::remove_dir(directory);
    }
    true
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    let (kind, sentence) = match error.kind() {
        ErrorKind::PermissionDenied => (
            FailureKind::Denied,
            format!("{path}: no permission; {}.", as_root("run oomtop as root")),
        ),
        ErrorKind::ReadOnlyFilesystem => (
            FailureKind::Denied,
            format!(
                "{path} is on a file system that is read-only: take the one until the next boot, below /run."
            ),
        ),
        _ => (FailureKind::Other, format!("{path}: {error}.")),
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
mod tests {
    use std::fs;

    use super::{FILE, forget, kept, look, put, remove};
    use crate::model::systemd::Kept;
    use crate::model::systemd::drop_in::Found;

    #[test]
    fn a_file_is_put_whole_and_taken_away_with_the_directory_that_was_made_for_it() {
        let units = tempfile::tempdir().expect("a directory");
        let directory = units.path().join("web.service.d");
        assert_eq!(look(&directory), Ok(Found::default()));
        put(&directory, "[Service]\n").expect("written");
        put(&directory, "[Service]\nA=b\n").expect("written again");
        let found = look(&directory).expect("read");
        assert_eq!(found.text.as_deref(), Some("[Service]\nA=b\n"));
        assert_eq!(
            fs::read_dir(&directory).expect("listed").count(),
            1,
            "no draft stays"
        );
        fs::write(directory.join("admin.conf"), "").expect("written");
        remove(&directory, true).expect("removed");
        assert!(directory.join("admin.conf").exists());
        fs::remove_file(directory.join("admin.conf")).expect("removed");
        remove(&directory, true).expect("nothing left to remove");
        assert!(!directory.exists());
    }

    #[test]
    fn a_link_or_a_pipe_in_its_place_is_left_alone() {
        let units = tempfile::tempdir().expect("a directory");
        let directory = units.path().join("web.service.d");
        fs::create_dir(&directory).expect("made");
        std::os::unix::fs::symlink("/etc/passwd", directory.join(FILE)).expect("linked");
        assert!(look(&directory).is_err());
        let link = units.path().join("link.service.d");
        std::os::unix::fs::symlink(&directory, &link).expect("linked");
        assert!(look(&link).is_err());
    }

    #[test]
    fn what_systemd_kept_before_stays() {
        let units = tempfile::tempdir().expect("a directory");
        let file = units.path().join("web.service.d/50-MemoryMax.conf");
        assert_eq!(kept(&file), Kept::Nothing);
        let make = || {
            fs::create_dir_all(file.parent().expect("a parent")).expect("made");
            fs::write(&file, "").expect("written");
        };
        make();
        assert!(!forget(&file, Kept::File) && file.exists());
        assert!(forget(&file, Kept::Directory));
        assert_eq!(kept(&file), Kept::Directory);
        make();
        assert!(forget(&file, Kept::Nothing));
        assert_eq!(kept(&file), Kept::Nothing);
    }
}
