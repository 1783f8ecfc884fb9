//! Saves a report in the working directory: both files or none, never over an existing file, and readable by
//! nobody else. A report holds what only root may read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// How many names are tried before giving up.
const MOST: u32 = 1000;

/// Writes `STEM.txt` and `STEM.json`, or `STEM-2.…` if one of the two exists. Returns the names.
///
/// # Errors
/// A sentence with the directory and the system's error.
pub(super) fn save(stem: &str, text: &str, json: &str) -> Result<String, String> {
    let dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    save_in(&dir, stem, text, json).map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "Nothing was saved; make room, or start oomtop in another directory."
            }
            _ => "Start oomtop in a directory you may write.",
        };
        format!(
            "The report could not be saved in {}: {error}. {help}",
            dir.display()
        )
    })
}

fn save_in(dir: &Path, stem: &str, text: &str, json: &str) -> io::Result<String> {
    let temporary = |ending: &str| dir.join(format!(".{stem}.{}.{ending}", std::process::id()));
    let as_text = Temporary::write(temporary("txt"), text)?;
    let as_json = Temporary::write(temporary("json"), json)?;
    for number in 1..MOST {
        let name = if number == 1 {
            stem.to_owned()
        } else {
            format!("{stem}-{number}")
        };
        let (to_text, to_json) = (
            dir.join(format!("{name}.txt")),
            dir.join(format!("{name}.json")),
        );
        match rename_new(&as_text.0, &to_text) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => result?,
        }
        match rename_new(&as_json.0, &to_json) {
            Ok(()) => return Ok(format!("{} and .json", to_text.display())),
            Err(error) => {
                // Back to its temporary name: the next number takes it, or it goes.
                fs::rename(&to_text, &as_text.0)?;
                if error.kind() != io::ErrorKind::AlreadyExists {
                    return Err(error);
                }
            }
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "too many reports with this name exist",
    ))
}

/// A file that is written and has not got its name yet; without one it goes.
struct Temporary(PathBuf);

impl Temporary {
    fn write(path: PathBuf, content: &str) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let opened = match options.open(&path) {
            // Left behind by a process of the same number that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&path)?;
                options.open(&path)
            }
            opened => opened,
        };
        let mut file = opened?;
        let own = Self(path);
        file.write_all(content.as_bytes())?;
        // Some file systems tell only now that there is no room.
        file.sync_all()?;
        Ok(own)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is not there if it has got its name.
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives the file its name, unless something has that name: a link that leads nowhere, too.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system that cannot do it in one step (NFS): a second name, then the first one goes.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::Path;

    use super::save_in;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("a directory").flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn never_writes_over_a_file() {
        let dir = tempfile::tempdir().expect("a directory");
        for wanted in ["r.txt", "r-2.txt", "r-3.txt"] {
            let names = save_in(dir.path(), "r", "text", "{}").expect("saved");
            assert!(names.contains(wanted), "{names}");
        }
        assert!(save_in(&dir.path().join("gone"), "r", "", "").is_err());
    }

    #[test]
    fn both_files_or_none_and_for_the_owner_only() {
        let dir = tempfile::tempdir().expect("a directory");
        symlink("/nowhere/at/all", dir.path().join("r.json")).expect("a link");
        symlink("/nowhere/at/all", dir.path().join("r-2.txt")).expect("a link");
        save_in(dir.path(), "r", "text", "{}").expect("saved");
        assert_eq!(
            names(dir.path()),
            ["r-2.txt", "r-3.json", "r-3.txt", "r.json"]
        );
        for name in ["r-3.json", "r-3.txt"] {
            let mode = fs::metadata(dir.path().join(name)).expect("a file").mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_save_that_fails_half_way_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        // The text's temporary name fits into 255 bytes, that of the JSON does not.
        let ending = format!(".{}.txt", std::process::id());
        let stem = "r".repeat(254 - ending.len());
        assert!(save_in(dir.path(), &stem, "text", "{}").is_err());
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }
}
