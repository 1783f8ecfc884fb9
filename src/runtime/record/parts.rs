//! [`Parts`]: the files of one recording. `FILE` grows; when it is full it becomes `FILE.N`, and the oldest of these go.
//! A part is written once, from its start to its end, and readable by nobody else.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};

use crate::recording::{Header, Refused};

/// A recording has so many parts at most: one of them is what goes at once.
const PARTS: u64 = 10;

/// Least size of a part: a whole sample of a small machine must not fill one.
const LEAST: u64 = 256 << 10;

/// The files of a recording that grows.
#[derive(Debug)]
pub(in crate::runtime) struct Parts {
    path: PathBuf,
    file: File,
    /// Bytes of whole frames in it.
    size: u64,
    header: Header,
    most: u64,
    /// The full parts by number, the oldest first, with their sizes.
    full: VecDeque<(u32, u64)>,
}

impl Parts {
    /// Begins a recording. With `goes_on` one that is there becomes an older part.
    ///
    /// # Errors
    /// A sentence: something is there, or cannot be made.
    pub(in crate::runtime) fn begin(
        path: &Path,
        header: Header,
        most: u64,
        goes_on: bool,
    ) -> Result<Self, String> {
        let mut full = existing(path)?;
        if goes_on {
            set_aside(path, &mut full)?;
        } else if let Some((number, _)) = full.back() {
            return Err(format!(
                "{} exists already: it is a part of another recording; take another name, or go on there with --continue",
                numbered(path, *number).display()
            ));
        }
        let file = create(path).map_err(|error| refusal(path, &error))?;
        let mut parts = Self {
            path: path.to_owned(),
            file,
            size: 0,
            header,
            most,
            full,
        };
        parts
            .append(&header.bytes())
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        Ok(parts)
    }

    /// Appends whole frames. What was written of them before an error is taken away again.
    ///
    /// # Errors
    /// The disk is full, something else is wrong with it, or there is no room within the size that is allowed.
    pub(super) fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        self.make_room(frames.len() as u64)?;
        if let Err(error) = self.file.write_all(frames) {
            // If this fails too, the reader finds the next frame behind the torn one.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += frames.len() as u64;
        Ok(())
    }

    /// True if the next sample should begin another part.
    pub(super) fn is_full(&self) -> bool {
        self.size >= (self.most / PARTS).max(LEAST)
    }

    /// Removes the oldest parts until so many bytes can be added.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        while self.bytes().saturating_add(bytes) > self.most {
            let Some(&(oldest, _)) = self.full.front() else {
                return Err(io::Error::other("the sample is larger than --max"));
            };
            let part = numbered(&self.path, oldest);
            match fs::remove_file(&part) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let part = part.display();
                    return Err(io::Error::other(format!(
                        "the oldest part {part} cannot be removed: {error}"
                    )));
                }
                _ => self.full.pop_front(),
            };
        }
        Ok(())
    }

    /// Begins another part. If that fails, the present one is as it was.
    ///
    /// # Errors
    /// The part cannot be renamed, or no other be made.
    pub(super) fn next_part(&mut self, unix_micros: i64) -> io::Result<()> {
        let header = Header {
            segment: self.header.segment.saturating_add(1),
            unix_micros,
            ..self.header
        };
        let bytes = header.bytes();
        self.make_room(bytes.len() as u64)?;
        let number = free_number(&self.path)?;
        let fresh = beside(&self.path, "new");
        remove_unfinished(&fresh);
        let mut file = create(&fresh)?;
        let renamed = file.write_all(&bytes).and_then(|()| {
            let part = numbered(&self.path, number);
            let moved = match rename_new(&self.path, &part) {
                // Somebody has taken it away: the recording goes on.
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                moved => moved.map(|()| true)?,
            };
            rename_new(&fresh, &self.path).inspect_err(|_| {
                if moved {
                    let _ = rename_new(&part, &self.path);
                }
            })?;
            Ok(moved)
        });
        let moved = renamed.inspect_err(|_| {
            let _ = fs::remove_file(&fresh);
        })?;
        if moved {
            self.full.push_back((number, self.size));
        }
        (self.file, self.size, self.header) = (file, bytes.len() as u64, header);
        Ok(())
    }

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// The disk.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Bytes of all parts.
    pub(super) fn bytes(&self) -> u64 {
        self.size + self.full.iter().map(|(_, size)| size).sum::<u64>()
    }
}

/// The name of a full part.
pub(in crate::runtime) fn numbered(path: &Path, number: u32) -> PathBuf {
    beside(path, &number.to_string())
}

/// The name with a dot and this text behind it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OsString::from(format!(".{suffix}")));
    PathBuf::from(name)
}

/// Removes a part that was never more than its header: a recorder was killed between two parts.
fn remove_unfinished(path: &Path) {
    let own = fs::symlink_metadata(path).is_ok_and(|meta| {
        meta.is_file() && meta.len() <= 64 && meta.uid() == rustix::process::geteuid().as_raw()
    });
    if own {
        let _ = fs::remove_file(path);
    }
}

/// The numbers of the files beside this one that are named as its parts, ascending.
pub(in crate::runtime) fn numbers(path: &Path) -> io::Result<Vec<u32>> {
    let Some(name) = path.file_name().map(OsStr::as_encoded_bytes) else {
        return Ok(Vec::new());
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir.unwrap_or(Path::new(".")))? {
        let other = entry?.file_name();
        let number = other.as_encoded_bytes().strip_prefix(name);
        let number = number.and_then(|rest| rest.strip_prefix(b"."));
        let number = number.and_then(|rest| std::str::from_utf8(rest).ok());
        // Another spelling of the number would be another file.
        let parsed = number.and_then(|number| number.parse::<u32>().ok());
        found.extend(parsed.filter(|n| Some(n.to_string().as_str()) == number));
    }
    found.sort_unstable();
    Ok(found)
}

/// The next number: behind all that are there, whoever made them.
fn free_number(path: &Path) -> io::Result<u32> {
    let last = numbers(path)?.last().copied().unwrap_or(0);
    let next = last.checked_add(1);
    next.ok_or_else(|| io::Error::other("there is no number left for another part"))
}

/// The full parts of earlier recordings there.
fn existing(path: &Path) -> Result<VecDeque<(u32, u64)>, String> {
    let unread = |error: io::Error| format!("the directory of {}: {error}", path.display());
    let mut full = VecDeque::new();
    for number in numbers(path).map_err(unread)? {
        let part = numbered(path, number);
        // Only what is ours may be removed one day.
        if let Ok(size) = own_recording(&part) {
            full.push_back((number, size));
        }
    }
    Ok(full)
}

/// Makes a recording that is there an older part.
fn set_aside(path: &Path, full: &mut VecDeque<(u32, u64)>) -> Result<(), String> {
    if matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    let size = own_recording(path)
        .map_err(|why| format!("{} {why}: it is left as it is", path.display()))?;
    let number = free_number(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let part = numbered(path, number);
    rename_new(path, &part).map_err(|error| {
        format!(
            "{} cannot become {}: {error}",
            path.display(),
            part.display()
        )
    })?;
    full.push_back((number, size));
    Ok(())
}

/// The size of a regular file of this user that is a recording of any version; otherwise why it is none.
fn own_recording(path: &Path) -> Result<u64, String> {
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
        .map_err(|error| format!("cannot be read ({error})"))?;
    let meta = file.metadata().map_err(|error| format!("({error})"))?;
    if !meta.is_file() {
        return Err("is no regular file".to_owned());
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err("is another user's".to_owned());
    }
    let mut start = Vec::new();
    let read = Read::by_ref(&mut file).take(64).read_to_end(&mut start);
    read.map_err(|error| format!("cannot be read ({error})"))?;
    match Header::parse(&start) {
        Err(Refused::Alien) => Err("is no recording of oomtop".to_owned()),
        Err(Refused::Short(0)) => Err("is empty".to_owned()),
        _ => Ok(meta.len()),
    }
}

/// A new file, whatever the name is a link to.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

fn refusal(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => format!(
            "{path} exists already and is left as it is: take another name, or go on there with --continue"
        ),
        io::ErrorKind::NotFound => format!("{path} cannot be made: its directory does not exist"),
        io::ErrorKind::PermissionDenied => {
            format!("{path} cannot be made: you may not write in its directory")
        }
        _ => format!("{path} cannot be made: {error}"),
    }
}

#[cfg(test)]
mod tests;
