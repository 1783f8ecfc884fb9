//! Whether root may obey a file of rules, or replace a file: a user who can change what is on the way could make root write
//! for him.

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// Write permission of the group and of all others.
const OTHERS_WRITE: u32 = 0o022;
/// In such a directory nobody renames or removes what belongs to somebody else.
const STICKY: u32 = 0o1000;
/// As many symbolic links as the kernel follows (path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// # Errors
/// The end of a sentence, for root and a file that somebody else can write.
pub(crate) fn file(found: &Metadata, euid: u32) -> Result<(), String> {
    owned(found, euid, "file")?;
    if euid == 0 && found.mode() & OTHERS_WRITE != 0 {
        return Err(format!(
            "others than root can write this file (mode {:03o}), and oomtop runs as root: chmod go-w it",
            found.mode() & 0o777
        ));
    }
    Ok(())
}

/// The directories on the way to a file, also those that symbolic links lead through.
///
/// # Errors
/// A sentence, for root and a directory in which somebody else can put another file in its place.
pub(crate) fn directories_of(path: &Path, euid: u32) -> Result<(), String> {
    if euid != 0 {
        return Ok(());
    }
    way_to(path, euid).map(|_| ())
}

/// A directory that a file shall be put in, and those on the way to it.
///
/// # Errors
/// As [`directories_of`].
pub(crate) fn directory_for_file(path: &Path, euid: u32) -> Result<(), String> {
    if euid != 0 {
        return Ok(());
    }
    let real = way_to(path, euid)?;
    directory(&real, true)
}

/// Where the path leads, after a look at every directory on the way.
fn way_to(path: &Path, euid: u32) -> Result<PathBuf, String> {
    let say = |path: &Path, why: &str| format!("{}: {why}", path.display());
    let whole = std::path::absolute(path).map_err(|error| say(path, &error.to_string()))?;
    let mut left: Vec<OsString> = names(&whole);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = left.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let found = next.symlink_metadata();
        let found = found.map_err(|error| say(&next, &error.to_string()))?;
        directory(&at, found.is_file())?;
        if found.is_symlink() {
            owned(&found, euid, "link").map_err(|why| say(&next, &why))?;
            links += 1;
            if links > MOST_LINKS {
                return Err(say(path, "too many symbolic links lead to it"));
            }
            let target =
                std::fs::read_link(&next).map_err(|error| say(&next, &error.to_string()))?;
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            left.extend(names(&target));
        } else {
            at = next;
        }
    }
    Ok(at)
}

/// The names of a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(_) | Component::ParentDir => Some(part.as_os_str().to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(name).collect()
}

/// One directory, as root. `holds_it`: the file itself is in it.
fn directory(path: &Path, holds_it: bool) -> Result<(), String> {
    let say = |why: String| format!("{}: {why}", path.display());
    let found = std::fs::metadata(path).map_err(|error| say(error.to_string()))?;
    owned(&found, 0, "directory").map_err(say)?;
    let mode = found.mode();
    // What belongs to root stays in place in a sticky directory, but whoever made a file there chose it.
    let is_safe = mode & OTHERS_WRITE == 0 || mode & STICKY != 0 && !holds_it;
    if is_safe {
        return Ok(());
    }
    let mend = if mode & STICKY == 0 {
        "chmod go-w it"
    } else {
        "move the file to a directory of root's own"
    };
    Err(say(format!(
        "others than root can write this directory (mode {:03o}), and oomtop runs as root: {mend}",
        mode & 0o7777
    )))
}

fn owned(found: &Metadata, euid: u32, what: &str) -> Result<(), String> {
    if euid == 0 && found.uid() != 0 {
        return Err(format!(
            "this {what} belongs to uid {}, and oomtop runs as root: chown root it, or name a file of root's",
            found.uid()
        ));
    }
    Ok(())
}
