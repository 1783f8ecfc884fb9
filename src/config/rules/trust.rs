//! Whether root may obey a file: whoever can write it decides what root writes.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Write permission of the group and of all others.
const OTHERS_WRITE: u32 = 0o022;
/// In such a directory nobody renames or removes what belongs to somebody else.
const STICKY: u32 = 0o1000;

/// # Errors
/// The end of a sentence, for root and a file that somebody else can write.
pub(super) fn file(found: &Metadata, euid: u32) -> Result<(), String> {
    owned(found, euid, "file")?;
    if euid == 0 && found.mode() & OTHERS_WRITE != 0 {
        return Err(format!(
            "others than root can write this file (mode {:03o}), and oomtop runs as root: chmod go-w it",
            found.mode() & 0o777
        ));
    }
    Ok(())
}

/// The directory in which a file was found.
///
/// # Errors
/// A sentence, for root and a directory in which somebody else can put another file in its place.
pub(super) fn directory_of(path: &Path, euid: u32) -> Result<(), String> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let say = |why: String| format!("{}: {why}", directory.display());
    let found = std::fs::metadata(directory).map_err(|error| say(error.to_string()))?;
    owned(&found, euid, "directory").map_err(say)?;
    let mode = found.mode();
    if euid == 0 && mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
        return Err(say(format!(
            "others than root can write this directory (mode {:03o}), and oomtop runs as root: chmod go-w it",
            mode & 0o777
        )));
    }
    Ok(())
}

fn owned(found: &Metadata, euid: u32, what: &str) -> Result<(), String> {
    if euid == 0 && found.uid() != 0 {
        return Err(format!(
            "this {what} belongs to uid {}, and oomtop runs as root: chown root it, or name other files with --rules",
            found.uid()
        ));
    }
    Ok(())
}
