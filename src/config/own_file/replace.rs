//! Replaces a file as a whole: whoever reads it sees the old text or the new one. Links, mode and owner stay.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::app::settings::draft::Draft;
use crate::config::file;

/// The mode of a new file, before umask(2).
const MODE: u32 = 0o644;

/// Writes the draft, if the file still is what the draft was made from.
///
/// # Errors
/// A sentence.
pub(super) fn replace(draft: &Draft) -> Result<(), String> {
    let say = |why: &str| format!("{}: {why}", draft.path.display());
    if file::read(&draft.path)? != draft.before {
        return Err(say("has changed meanwhile; look at the change again"));
    }
    let target =
        target(&draft.path).map_err(|error| say(&format!("cannot be followed: {error}")))?;
    put(&target, &draft.after).map_err(|error| say(&format!("cannot be written: {error}")))
}

/// The file that the path names, through links.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(_) => fs::canonicalize(path),
        Err(_) => Ok(path.to_owned()),
    }
}

fn put(target: &Path, text: &str) -> io::Result<()> {
    let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = dir.join(format!(".{name}.{}", std::process::id()));
    let open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&beside);
    let written = open.and_then(|file| {
        fill(&file, target, dir, text)?;
        fs::rename(&beside, target)
    });
    if let Err(error) = written {
        // Nothing is left behind; what is there is not ours if it could not be created.
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(&beside);
        }
        return Err(error);
    }
    // The new name survives a power cut too, where the file system can.
    File::open(dir).and_then(|dir| dir.sync_all()).or(Ok(()))
}

fn fill(mut file: &File, target: &Path, dir: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(target).ok();
    // A new file belongs to whom the directory belongs to, though root writes it.
    let owner = old.clone().map_or_else(|| fs::metadata(dir), Ok)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (owner.uid(), owner.gid()) && own.uid() == 0 {
        fchown(file, Some(owner.uid()), Some(owner.gid()))?;
    }
    if let Some(old) = old {
        file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
