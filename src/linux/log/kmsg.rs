//! Reads the raw records of `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg), on a thread of its own.
//!
//! The records in the ring buffer come first, then new ones. A plain file of records works too, and is
//! followed as it grows: this is how the log of another host, or of a test, is watched. `oomlog` parses the
//! records.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use crate::linux::ReadError;
use crate::linux::as_root::as_root;
use crate::linux::kernel_file::number;

/// Size of the read buffer. A record is at most about 2 KiB of text and its dictionary; a read into a smaller
/// buffer fails and the record is lost.
const RECORD_MOST: usize = 16 * 1024;

/// A longer line of a plain file is split: no kernel writes such lines.
const LINE_MOST: usize = 256 * 1024;

/// Time between two checks whether a plain file has grown.
const FILE_PAUSE: Duration = Duration::from_millis(50);

/// The result of one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KmsgItem {
    /// One record as the kernel prints it, continuation lines included, without the final newline.
    Record(Vec<u8>),
    /// Records were overwritten before they could be read.
    Lost,
}

/// An open kernel log.
#[derive(Debug)]
pub struct KmsgReader {
    path: PathBuf,
    file: OwnedFd,
    kind: Kind,
    start: Start,
    buffer: Vec<u8>,
    /// Ends a wait when it becomes readable.
    stop: Option<OwnedFd>,
}

/// Where the log ended when it was opened.
#[derive(Debug)]
enum Start {
    /// A descriptor behind the record that was the last one then. Its next record is the first new one.
    Behind(OwnedFd),
    /// The sequence number of the first record that is new.
    First(u64),
    /// The size of the file.
    Size(u64),
    /// Everything that was there then has been read.
    Passed,
}

#[derive(Debug)]
enum Kind {
    Device,
    File {
        partial: Vec<u8>,
        ready: VecDeque<Vec<u8>>,
        read: u64,
    },
}

impl KmsgReader {
    /// Opens the log at its oldest record.
    ///
    /// # Errors
    /// EPERM for an ordinary user where `kernel.dmesg_restrict` is set, ENOENT in most containers:
    /// then use [`crate::linux::log::journal::JournalReader`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let file = open(path)?;
        let stat = rustix::fs::fstat(&file).map_err(|errno| cannot_read(path, errno))?;
        let ended_at = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Start::Size(u64::try_from(stat.st_size).unwrap_or(0)),
            FileType::CharacterDevice => open(path)
                .ok()
                .filter(|end| rustix::fs::seek(end, SeekFrom::End(0)).is_ok())
                .map_or(Start::Passed, Start::Behind),
            _ => Start::Passed,
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::CharacterDevice if is_kmsg(stat.st_rdev) => Kind::Device,
            FileType::CharacterDevice | FileType::BlockDevice => return Err(no_log(path)),
            FileType::Directory => return Err(cannot_read(path, Errno::ISDIR)),
            _ => Kind::File {
                partial: Vec::new(),
                ready: VecDeque::new(),
                read: 0,
            },
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            kind,
            start: ended_at,
            buffer: vec![0; RECORD_MOST],
            stop: None,
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True if nothing was read though nothing is left to read: no kernel has an empty log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::File { read: 0, .. })
    }

    /// Ends each wait as soon as `stop` can be read: the waits may be long, then.
    pub fn stop_at(&mut self, stop: OwnedFd) {
        self.stop = Some(stop);
    }

    /// True if a wait costs nothing until a record comes or the reader is stopped. A plain file must be looked at again
    /// and again.
    #[must_use]
    pub fn waits_for_free(&self) -> bool {
        matches!(self.kind, Kind::Device) && self.stop.is_some()
    }

    /// The next record, or `None` if none came within `timeout` or the reader was stopped. The timeout lets the caller
    /// check whether to stop.
    ///
    /// # Errors
    /// If the log cannot be read any more.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<KmsgItem>, ReadError> {
        let until = Instant::now() + timeout;
        loop {
            let item = match self.kind {
                Kind::Device => self.read_record(),
                Kind::File { .. } => self.read_lines(),
            };
            if let Some(item) = item.map_err(|errno| cannot_read(&self.path, errno))? {
                return Ok(Some(item));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if self.wait(left) {
                return Ok(None);
            }
        }
    }

    /// True once all records have been read that were there when the log was opened: `next` is the one that is about
    /// to be handled, `None` if none is there now. A log that grows as fast as it is read has an end, too.
    pub fn is_past_start(&mut self, next: Option<&KmsgItem>) -> bool {
        let Some(item) = next else {
            self.start = Start::Passed;
            return true;
        };
        if let Start::Behind(end) = &self.start
            && let Ok(size) = rustix::io::read(end, &mut self.buffer[..])
            && let Some(first) = self.buffer.get(..size).and_then(sequence)
        {
            self.start = Start::First(first);
        }
        let passed = match (&self.start, &self.kind, item) {
            (Start::Passed, ..) => true,
            (Start::First(first), _, KmsgItem::Record(record)) => {
                sequence(record).is_some_and(|own| own >= *first)
            }
            // Read in blocks: the records that are ready lie before what was read last.
            (Start::Size(size), Kind::File { ready, read, .. }, _) => {
                ready.is_empty() && read >= size
            }
            _ => false,
        };
        if passed {
            self.start = Start::Passed;
        }
        passed
    }

    fn read_record(&mut self) -> Result<Option<KmsgItem>, Errno> {
        match rustix::io::read(&self.file, &mut self.buffer[..]) {
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Ok(size) => Ok(self.buffer.get(..size).map(record)),
            // Records were overwritten (the kernel reports it once), or a record does not fit into the buffer
            // and is skipped.
            Err(Errno::PIPE | Errno::INVAL) => Ok(Some(KmsgItem::Lost)),
            Err(errno) => Err(errno),
        }
    }

    fn read_lines(&mut self) -> Result<Option<KmsgItem>, Errno> {
        let Kind::File {
            partial,
            ready,
            read,
        } = &mut self.kind
        else {
            return Ok(None);
        };
        if let Some(line) = ready.pop_front() {
            return Ok(Some(KmsgItem::Record(line)));
        }
        loop {
            let size = match rustix::io::read(&self.file, &mut self.buffer[..]) {
                Ok(size) => size,
                Err(Errno::AGAIN | Errno::INTR) => 0,
                Err(errno) => return Err(errno),
            };
            if size == 0 {
                if let Some(file) = replaced(&self.path, &self.file, *read) {
                    self.file = file;
                    *read = 0;
                    partial.clear();
                    return Ok(Some(KmsgItem::Lost));
                }
                return Ok(None);
            }
            *read += size as u64;
            partial.extend_from_slice(self.buffer.get(..size).unwrap_or_default());
            take_records(partial, ready);
            // Nothing whole yet is not the end of the file.
            if let Some(record) = ready.pop_front() {
                return Ok(Some(KmsgItem::Record(record)));
            }
        }
    }

    /// True if the reader was stopped meanwhile.
    fn wait(&self, left: Duration) -> bool {
        if matches!(self.kind, Kind::File { .. }) {
            // poll() always reports a plain file as readable: check again after a pause.
            std::thread::sleep(left.min(FILE_PAUSE));
            return false;
        }
        let mut fds = vec![PollFd::new(&self.file, PollFlags::IN)];
        fds.extend(
            self.stop
                .iter()
                .map(|stop| PollFd::new(stop, PollFlags::IN)),
        );
        // If poll is interrupted or fails, the next read only comes earlier.
        let polled = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
        if polled.is_err() {
            std::thread::sleep(left.min(FILE_PAUSE));
        }
        fds.get(1).is_some_and(|stop| !stop.revents().is_empty())
    }
}

/// Moves the complete records from `partial` to `ready`. A record is a line and the continuation lines after
/// it, which start with a blank.
fn take_records(partial: &mut Vec<u8>, ready: &mut VecDeque<Vec<u8>>) {
    let mut begin = 0;
    let mut from = 0;
    while let Some(length) = partial
        .get(from..)
        .and_then(|rest| rest.iter().position(|b| *b == b'\n'))
    {
        let end = from + length;
        from = end + 1;
        if partial.get(from) == Some(&b' ') {
            continue;
        }
        let line = partial.get(begin..end).unwrap_or_default();
        if !line.is_empty() {
            ready.push_back(line.to_vec());
        }
        begin = from;
    }
    partial.drain(..begin.min(partial.len()));
    if partial.len() > LINE_MOST {
        ready.push_back(std::mem::take(partial));
    }
}

/// The sequence number: the second field of a record.
fn sequence(record: &[u8]) -> Option<u64> {
    number(record.split(|byte| *byte == b',').nth(1)?)
}

fn record(bytes: &[u8]) -> KmsgItem {
    KmsgItem::Record(bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec())
}

/// Opens the file again if it was truncated or replaced by another file of the same name.
fn replaced(path: &Path, file: impl AsFd, read: u64) -> Option<OwnedFd> {
    let old = rustix::fs::fstat(file).ok()?;
    let new = rustix::fs::stat(path).ok()?;
    let same = (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino);
    let regular = FileType::from_raw_mode(new.st_mode) == FileType::RegularFile;
    let shorter = u64::try_from(new.st_size).is_ok_and(|size| size < read);
    (regular && (!same || shorter))
        .then(|| open(path).ok())
        .flatten()
}

fn open(path: &Path) -> Result<OwnedFd, ReadError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| cannot_read(path, errno))
}

/// The device's numbers (Documentation/admin-guide/devices.txt). Containers have /dev/null in its place, and
/// /dev/zero would be read for ever.
fn is_kmsg(device: u64) -> bool {
    (rustix::fs::major(device), rustix::fs::minor(device)) == (1, 11)
}

fn no_log(path: &Path) -> ReadError {
    let error = std::io::Error::new(
        std::io::ErrorKind::InvalidInput,
        "this device is not the kernel's log",
    );
    let remedy = "give the place of /dev/kmsg with --kmsg (in a container: mount the host's)";
    ReadError::new(path, "the kernel log", error, remedy)
}

fn cannot_read(path: &Path, errno: Errno) -> ReadError {
    let remedy = match errno {
        Errno::PERM | Errno::ACCESS => {
            as_root("run oomtop as root, or: sudo sysctl kernel.dmesg_restrict=0")
        }
        Errno::NOENT => "give its place with --kmsg (in a container: mount the host's)",
        _ => "kills will be counted, but not explained",
    };
    ReadError::new(path, "the kernel log", errno, remedy)
}

#[cfg(test)]
mod tests {
    use super::take_records;
    use std::collections::VecDeque;

    #[test]
    fn continuation_lines_belong_to_their_record() {
        let mut partial =
            b"6,1,5,-;one\n SUBSYSTEM=x\n DEVICE=y\n6,2,6,-;two\n\n6,3,7,-;th".to_vec();
        let mut ready = VecDeque::new();
        take_records(&mut partial, &mut ready);
        assert_eq!(
            ready,
            [
                b"6,1,5,-;one\n SUBSYSTEM=x\n DEVICE=y".to_vec(),
                b"6,2,6,-;two".to_vec()
            ]
        );
        assert_eq!(partial, b"6,3,7,-;th");
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut partial = vec![b'x'; super::LINE_MOST + 1];
        let mut ready = VecDeque::new();
        take_records(&mut partial, &mut ready);
        assert!(partial.is_empty());
        assert_eq!(ready.len(), 1);
    }
}
