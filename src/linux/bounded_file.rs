//! A file of the user's: opened without waiting, read to a bound.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens it for reading. A FIFO without a writer does not hang the caller.
///
/// # Errors
/// What open(2) says.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// All of an open file, or `None` if it has more than `most` bytes.
///
/// # Errors
/// What read(2) says.
pub(crate) fn contents(file: &File, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// All bytes of a regular file.
///
/// # Errors
/// A sentence with the path, if it cannot be read, is not a regular file, or has more than `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let path_of = path.display();
    let unread = |error: io::Error| format!("{path_of} cannot be read: {error}");
    let file = open(path).map_err(unread)?;
    if !file.metadata().map_err(unread)?.is_file() {
        return Err(format!("{path_of} is not a regular file"));
    }
    let bytes = contents(&file, most).map_err(unread)?;
    bytes.ok_or_else(|| format!("{path_of} is larger than {} KiB", most >> 10))
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub(crate) fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let bytes = read(path, most)?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::read_text;

    #[test]
    fn nothing_hangs_and_nothing_is_cut() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let said = |name: &str| read_text(&at(name), 1024).expect_err(name);
        std::fs::write(at("right"), "x".repeat(1024)).expect("a file");
        std::fs::write(at("large"), "x".repeat(1025)).expect("a file");
        std::fs::write(at("bytes"), b"\xff").expect("a file");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("fifo"),
            rustix::fs::FileType::Fifo,
            mode,
            0,
        )
        .expect("a FIFO");
        assert_eq!(
            read_text(&at("right"), 1024).map(|text| text.len()),
            Ok(1024)
        );
        assert!(said("large").ends_with("large is larger than 1 KiB"));
        assert!(said("bytes").ends_with("bytes is not UTF-8"));
        assert!(said("fifo").ends_with("fifo is not a regular file"));
        assert!(said("none").contains("none cannot be read: "));
    }
}
