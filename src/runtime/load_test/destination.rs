//! [`Destination`]: where the report goes: standard error, or a file that appears whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

/// Where the report goes.
#[derive(Debug)]
pub(super) enum Destination {
    /// Standard error: standard output is the command's.
    Errors,
    /// A terminal, a pipe: what cannot be replaced.
    Stream(File),
    /// A file that has no name until it is whole.
    Whole {
        /// Without a name, or a directory that knows no such files.
        file: Option<File>,
        path: PathBuf,
    },
}

impl Destination {
    /// Opens it before the command is started: hours of a load test must not end in a directory that is not there.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else {
            return Ok(Self::Errors);
        };
        let say = |error: io::Error| format!("{} cannot be written: {error}", path.display());
        let found = fs::metadata(path).map(|found| found.file_type());
        if let Ok(kind) = &found
            && (kind.is_char_device() || kind.is_fifo() || kind.is_block_device())
        {
            let opened = OpenOptions::new().write(true).open(path);
            return opened.map(Self::Stream).map_err(say);
        }
        if found.is_ok_and(|kind| kind.is_dir()) {
            return Err(format!("{} is a directory: name a file", path.display()));
        }
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let file = match rustix::fs::open(directory(path), flags, mode) {
            Ok(file) => Some(File::from(file)),
            // Not every file system has files without names.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => None,
            Err(errno) => return Err(say(errno.into())),
        };
        Ok(Self::Whole {
            file,
            path: path.to_owned(),
        })
    }

    /// Writes the whole text.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn write(self, text: &str) -> Result<(), String> {
        match self {
            // Nobody can be told where standard error is closed.
            Self::Errors => {
                let _ = io::stderr().write_all(text.as_bytes());
                Ok(())
            }
            Self::Stream(mut file) => file
                .write_all(text.as_bytes())
                .map_err(|error| format!("the report could not be written: {error}")),
            Self::Whole { file, path } => write_whole(file, &path, text)
                .map_err(|error| format!("{} could not be written: {error}", path.display())),
        }
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn write_whole(file: Option<File>, path: &Path, text: &str) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let aside = directory(path).join(name);
    // Left behind by a process of the same number that was killed.
    let _ = fs::remove_file(&aside);
    let (mut file, has_name) = match file {
        Some(file) => (file, false),
        None => (File::create_new(&aside)?, true),
    };
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    let named = written.and_then(|()| {
        if !has_name {
            let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
            rustix::fs::linkat(CWD, unnamed, CWD, &aside, AtFlags::SYMLINK_FOLLOW)?;
        }
        // A name for what is whole already; this replaces an older report in one step.
        fs::rename(&aside, path)
    });
    if named.is_err() {
        let _ = fs::remove_file(&aside);
    }
    named
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Destination;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("a directory").flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_report_has_no_name_until_it_is_whole_and_replaces_the_older_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("report");
        fs::write(&path, "an older report, and a longer one").expect("written");
        let destination = Destination::open(Some(&path)).expect("opened");
        assert_eq!(names(dir.path()), ["report"]);
        destination.write("new").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        assert_eq!(names(dir.path()), ["report"]);
    }

    #[test]
    fn a_place_that_is_not_there_is_said_before_the_command_runs() {
        let dir = tempfile::tempdir().expect("a directory");
        let nowhere = dir.path().join("none/report");
        assert!(Destination::open(Some(&nowhere)).is_err());
        assert!(Destination::open(Some(dir.path())).is_err());
        assert!(Destination::open(Some(Path::new("/dev/null"))).is_ok());
    }

    #[test]
    fn without_files_that_have_no_name_it_is_written_aside() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("report");
        let destination = Destination::Whole {
            file: None,
            path: path.clone(),
        };
        destination.write("text").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "text");
        assert_eq!(names(dir.path()), ["report"]);
    }
}
