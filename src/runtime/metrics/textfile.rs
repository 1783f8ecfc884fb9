//! [`Textfile`]: metrics as a file for the textfile collector of node_exporter.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::runtime::RunError;

/// Everybody may read it: node_exporter is another user.
const MODE: u32 = 0o644;

/// A file that is replaced as a whole each time, and removed at the end: numbers of a program that has ended must not look
/// like numbers of now.
#[derive(Debug)]
pub(super) struct Textfile {
    path: PathBuf,
    /// In the same directory, and of a name that the collector does not read.
    beside: PathBuf,
    /// What was written last. It stays open, so that no other file gets its inode.
    own: RefCell<Option<File>>,
}

impl Textfile {
    /// A file of this path, which nothing has been written to.
    ///
    /// # Errors
    /// A sentence, if the path is no place for it.
    pub(super) fn new(path: &Path) -> Result<Self, RunError> {
        let wrong = |why: &str| RunError::Metrics(format!("--textfile {}: {why}", path.display()));
        let name = path.file_name().ok_or_else(|| wrong("that is no file"))?;
        if path.extension().is_none_or(|end| end != "prom") {
            return Err(wrong(
                "node_exporter reads only files whose names end in .prom",
            ));
        }
        if path.is_dir() {
            return Err(wrong("that is a directory"));
        }
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".new");
        Ok(Self {
            path: path.to_owned(),
            beside: path.with_file_name(hidden),
            own: RefCell::default(),
        })
    }

    /// Puts this text in the place of the one before.
    ///
    /// # Errors
    /// A sentence; the file of before stays.
    pub(super) fn write(&self, text: &str) -> Result<(), String> {
        self.replace(text)
            .map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        // What an earlier run has left, or what somebody else has laid there for a file of root to be written through.
        match fs::remove_file(&self.beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&self.beside)?;
        let written = self.put_in_place(&file, text);
        if written.is_err() {
            let _ = fs::remove_file(&self.beside);
        } else {
            self.own.replace(Some(file));
        }
        written
    }

    fn put_in_place(&self, mut file: &File, text: &str) -> io::Result<()> {
        // Whatever the umask is.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.write_all(text.as_bytes())?;
        // No fsync: after a crash of the machine the numbers are worthless anyway.
        fs::rename(&self.beside, &self.path)
    }
}

impl Drop for Textfile {
    fn drop(&mut self) {
        // A file that somebody else has put there is theirs.
        let own = self.own.borrow();
        let own = own.as_ref().and_then(|file| file.metadata().ok());
        let there = fs::symlink_metadata(&self.path).ok();
        if let (Some(own), Some(there)) = (own, there)
            && (own.dev(), own.ino()) == (there.dev(), there.ino())
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::Textfile;

    #[test]
    fn the_file_is_whole_readable_and_gone_at_the_end() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("oomtop.prom");
        let precious = dir.path().join("precious");
        fs::write(&precious, "mine").expect("a file");
        symlink(&precious, dir.path().join(".oomtop.prom.new")).expect("a trap");
        let file = Textfile::new(&path).expect("a path");
        file.write("a 1\n").expect("written");
        file.write("a 2\n").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("text"), "a 2\n");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o644);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 2);
        drop(file);
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(&precious).expect("text"), "mine");
    }

    #[test]
    fn only_the_file_that_it_has_written_goes_with_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("oomtop.prom");
        fs::write(&path, "theirs").expect("a file");
        drop(Textfile::new(&path).expect("a path"));
        assert_eq!(fs::read_to_string(&path).expect("text"), "theirs");
        let [first, second] = [(); 2].map(|()| Textfile::new(&path).expect("a path"));
        first.write("a 1\n").expect("written");
        second.write("a 2\n").expect("written");
        drop(first);
        assert_eq!(fs::read_to_string(&path).expect("text"), "a 2\n");
        drop(second);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
    }

    #[test]
    fn a_place_that_cannot_be_is_a_sentence() {
        for path in ["/", "/tmp/x", "/tmp/x.txt", ""] {
            assert!(Textfile::new(Path::new(path)).is_err(), "{path}");
        }
        let file = Textfile::new(Path::new("/nowhere/at/all/x.prom")).expect("a name");
        let error = file.write("a 1\n").expect_err("no such directory");
        assert!(
            error.contains("/nowhere/at/all/x.prom cannot be written"),
            "{error}"
        );
    }
}
