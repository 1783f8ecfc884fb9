//! Reads small kernel files into a reused buffer and parses numbers in them.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// First size of a read buffer: larger than any `stat` or `status` of an ordinary process, so that
/// one `read` takes all of it.
const FIRST_SIZE: usize = 16 * 1024;

/// Larger than any setting below `/proc/sys` that oomtop reads.
const SETTING_SIZE: usize = 128;

/// Most bytes read of a file; the rest is ignored.
const LARGEST: usize = 4 << 20;

/// A buffer reused from file to file, so that a scan allocates nothing once the buffer is large enough.
#[derive(Debug, Default)]
pub(crate) struct FileBuffer(Vec<u8>);

impl FileBuffer {
    /// Reads a file that the kernel prints in one piece (`/proc/PID/stat` and the like): a read that does not
    /// fill the buffer has reached the end, which saves a second call.
    ///
    /// # Errors
    /// The error of the system call; `ENOENT` or `ESRCH` if the process has ended.
    pub(crate) fn read_single(
        &mut self,
        dir: impl AsFd,
        path: impl rustix::path::Arg,
    ) -> Result<&[u8], Errno> {
        self.read(dir, path, true)
    }

    /// Reads a file to its end, with as many reads as needed (files with many records).
    ///
    /// # Errors
    /// As [`Self::read_single`].
    pub(crate) fn read_whole(
        &mut self,
        dir: impl AsFd,
        path: impl rustix::path::Arg,
    ) -> Result<&[u8], Errno> {
        self.read(dir, path, false)
    }

    /// Reads a setting below `/proc/sys`. For those the kernel allocates as much as the read asks for, and that can
    /// take seconds while memory is short (fs/proc/proc_sysctl.c `proc_sys_call_handler`).
    ///
    /// # Errors
    /// As [`Self::read_single`].
    pub(crate) fn read_setting(
        &mut self,
        dir: impl AsFd,
        path: impl rustix::path::Arg,
    ) -> Result<&[u8], Errno> {
        let file = open_file(dir, path)?;
        self.make_room();
        let room = self.0.get_mut(..SETTING_SIZE).unwrap_or_default();
        let got = retry_on_intr(|| rustix::io::read(&file, &mut *room))?;
        Ok(self.0.get(..got).unwrap_or_default())
    }

    fn make_room(&mut self) {
        if self.0.is_empty() {
            self.0.resize(FIRST_SIZE, 0);
        }
    }

    fn read(
        &mut self,
        dir: impl AsFd,
        path: impl rustix::path::Arg,
        short_is_end: bool,
    ) -> Result<&[u8], Errno> {
        let file = open_file(dir, path)?;
        self.make_room();
        let mut filled = 0;
        loop {
            let Some(room) = self.0.get_mut(filled..).filter(|room| !room.is_empty()) else {
                if self.0.len() >= LARGEST {
                    break;
                }
                let doubled = self.0.len() * 2;
                self.0.resize(doubled, 0);
                continue;
            };
            let size = room.len();
            let got = retry_on_intr(|| rustix::io::read(&file, &mut *room))?;
            filled += got;
            if got == 0 || (short_is_end && got < size) {
                break;
            }
        }
        Ok(self.0.get(..filled).unwrap_or_default())
    }
}

fn open_file(dir: impl AsFd, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    // NONBLOCK: another root could contain a FIFO, and a sample must never hang.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::openat(dir, path, flags, Mode::empty())
}

/// Opens a directory as the base of relative paths. Needs no permission to list it.
///
/// # Errors
/// The error of the system call.
pub(crate) fn open_dir(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// True if the error means that the process or group is gone: it ended between two reads.
pub(crate) fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::SRCH | Errno::NODEV)
}

/// What oomtop or the machine has run out of.
pub(crate) fn shortage(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::MFILE => Some("oomtop has no file descriptor left (ulimit -n)"),
        Errno::NFILE => Some("the system has no file descriptor left (fs.file-max)"),
        _ => None,
    }
}

/// More bytes than any machine has. Larger numbers in a damaged file are reduced to this, so that sums and
/// products of sizes cannot overflow.
pub(crate) const MOST_BYTES: u64 = 1 << 56;

/// Parses all of `bytes` as a decimal number, with optional blanks around it; `None` for anything else.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// As [`number`], with an optional minus.
pub(crate) fn signed(bytes: &[u8]) -> Option<i64> {
    let bytes = bytes.trim_ascii();
    match bytes.strip_prefix(b"-") {
        Some(digits) => number(digits)
            .and_then(|n| i64::try_from(n).ok())
            .map(|n| -n),
        None => number(bytes).and_then(|n| i64::try_from(n).ok()),
    }
}

/// The lines of a file.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty())
}

/// The value behind `key` in a file of `key value` lines.
pub(crate) fn keyed(bytes: &[u8], key: &str) -> Option<u64> {
    lines(bytes).find_map(|line| {
        let rest = line.strip_prefix(key.as_bytes())?;
        if rest.first() == Some(&b' ') {
            number(rest)
        } else {
            None
        }
    })
}

/// Counts the lines of `/proc/stat` for single CPUs: `cpu0`, `cpu1`, …
pub(crate) fn count_cpus(bytes: &[u8]) -> u64 {
    lines(bytes)
        .filter_map(|line| line.strip_prefix(b"cpu"))
        .filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        .count() as u64
}

/// The bytes as text without surrounding blanks; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.trim_ascii()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{FileBuffer, keyed, number, open_dir, signed};

    #[test]
    fn numbers_are_whole_or_nothing() {
        assert_eq!(number(b" 42\n"), Some(42));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bad in [&b""[..], b"-1", b"max", b"1 2", b"18446744073709551616"] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
        assert_eq!(signed(b"-1000\n"), Some(-1000));
        assert_eq!(signed(b"--1"), None);
    }

    #[test]
    fn a_key_is_matched_whole() {
        let text = b"oom_kill_disable 1\noom_kill 7\n";
        assert_eq!(keyed(text, "oom_kill"), Some(7));
        assert_eq!(keyed(text, "oom"), None);
    }

    #[test]
    fn a_file_longer_than_the_buffer_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let content = vec![b'x'; 100_000];
        std::fs::write(dir.path().join("long"), &content).unwrap();
        let fd = open_dir(dir.path()).unwrap();
        let mut buffer = FileBuffer::default();
        assert_eq!(buffer.read_single(&fd, "long").unwrap(), content);
        assert_eq!(buffer.read_whole(&fd, "long").unwrap(), content);
        assert!(buffer.read_whole(&fd, "none").is_err());
    }
}
