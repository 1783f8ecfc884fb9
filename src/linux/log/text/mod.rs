//! Log files as text: rotated logs are compressed, logs from Windows terminals and serial tools are UTF-16.
//!
//! What a file is, its first bytes tell, never its name.

mod bounded;
mod gzip;
mod utf16;
mod zstd;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use rustix::fs::FileType;

use crate::linux::log::kmsg::{KmsgItem, KmsgReader};
use bounded::{Bounded, Counted};
use utf16::{Order, Utf16};

/// Bytes that show what a file is.
const HEAD: usize = 512;
/// How often packed text may be packed again.
const DEPTH_MOST: u32 = 3;
/// Most memory of an xz decoder, in KiB: its largest preset needs 64 MiB.
const XZ_KIB: u32 = 128 * 1024;

/// Opens a log; `-` is standard input. A file that grows ends where it ends now, the kernel's own log with its
/// newest record.
///
/// # Errors
/// If it cannot be opened, or is of a kind that is no text and is not read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return text_of(Box::new(io::stdin()), 0);
    }
    let kind = rustix::fs::stat(path)?;
    if FileType::from_raw_mode(kind.st_mode) == FileType::CharacterDevice {
        return device(path, kind.st_rdev);
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    match length {
        // Files of /proc have no length.
        0 => text_of(Box::new(file), 0),
        length => text_of(Box::new(file.take(length)), 0),
    }
}

/// The kernel's log as it is now. A terminal is read like a pipe; other devices have no end.
fn device(path: &Path, number: u64) -> io::Result<Box<dyn Read>> {
    const KMSG: (u32, u32) = (1, 11);
    const NULL: (u32, u32) = (1, 3);
    match (rustix::fs::major(number), rustix::fs::minor(number)) {
        KMSG => {
            let reader = KmsgReader::open(path).map_err(|error| error.source)?;
            Ok(Box::new(Records {
                reader,
                ready: io::Cursor::default(),
            }))
        }
        NULL => Ok(Box::new(io::empty())),
        _ => {
            let file = File::open(path)?;
            if !rustix::termios::isatty(&file) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is a device, no log",
                ));
            }
            text_of(Box::new(file), 0)
        }
    }
}

/// The records that the kernel's log holds.
struct Records {
    reader: KmsgReader,
    ready: io::Cursor<Vec<u8>>,
}

impl Read for Records {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let size = self.ready.read(buffer)?;
            if size > 0 || buffer.is_empty() {
                return Ok(size);
            }
            match self
                .reader
                .next(Duration::ZERO)
                .map_err(|error| error.source)?
            {
                Some(KmsgItem::Record(mut record)) => {
                    record.push(b'\n');
                    self.ready = io::Cursor::new(record);
                }
                // The numbers of the records show that some are missing.
                Some(KmsgItem::Lost) => {}
                None => return Ok(0),
            }
        }
    }
}

/// Makes the stream of the unpacked bytes.
type Unpack = Box<dyn FnOnce(Counted) -> Box<dyn Read>>;

/// The text of a stream: unpacked, as UTF-8. A packed stream that is cut gives all there is, then an error of kind
/// `UnexpectedEof`; one that unpacks to far too much ends with `FileTooLarge`.
fn text_of(mut stream: Box<dyn Read>, depth: u32) -> io::Result<Box<dyn Read>> {
    let mut head = Vec::with_capacity(HEAD);
    let begin = stream.by_ref().take(HEAD as u64).read_to_end(&mut head);
    // A packed stream may be cut: its first bytes may be all there is.
    let failed = begin.err();
    let kind = Kind::of(&head);
    let rest: Box<dyn Read> = match failed {
        Some(error) => Box::new(Failing(Some(error))),
        None => stream,
    };
    let whole = io::Cursor::new(head).chain(rest);
    if let Kind::Other(what) = kind {
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let (name, unpacked): (_, Unpack) = match kind {
        Kind::Text | Kind::Other(_) => return Ok(Box::new(whole)),
        Kind::Utf8Marked => return Ok(Box::new(utf16::without_mark(whole)?)),
        Kind::Utf16(order) => return Ok(Box::new(Utf16::new(whole, order))),
        Kind::Gzip => (
            "gzip",
            Box::new(|packed| Box::new(gzip::Members::new(BufReader::new(packed)))),
        ),
        Kind::Zstd => (
            "zstd",
            Box::new(|packed| Box::new(zstd::Frames::new(packed))),
        ),
        Kind::Xz => (
            "xz",
            Box::new(|packed| {
                Box::new(lzma_rust2::XzReader::new_mem_limit(
                    BufReader::new(packed),
                    true,
                    XZ_KIB,
                ))
            }),
        ),
        Kind::Bzip2 => (
            "bzip2",
            Box::new(|packed| Box::new(bzip2::read::MultiBzDecoder::new(packed))),
        ),
    };
    if depth >= DEPTH_MOST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is packed more than {DEPTH_MOST} times"),
        ));
    }
    text_of(Box::new(Bounded::new(whole, name, unpacked)), depth + 1)
}

/// A stream whose beginning was read before it failed.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Utf8Marked,
    Utf16(Order),
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    /// Something else, and what to do about it.
    Other(&'static str),
}

const UTF_32: &str =
    "it is UTF-32 text: read it with iconv -f UTF-32 -t UTF-8 FILE | oomtop explain -";

/// Without a mark, three of four bytes are zero at the same places, since a log's words are ASCII.
fn is_utf_32(head: &[u8]) -> bool {
    let (units, _) = head.as_chunks::<4>();
    let all = |is_ascii: fn(&[u8; 4]) -> bool| units.len() >= 4 && units.iter().all(is_ascii);
    all(|unit| matches!(unit, [1..=0x7f, 0, 0, 0]))
        || all(|unit| matches!(unit, [0, 0, 0, 1..=0x7f]))
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        const OTHERS: &[(&[u8], &str)] = &[
            (
                b"LPKSHHRH",
                "it is a journal file: read it with journalctl --file FILE | oomtop explain -",
            ),
            (b"PK\x03\x04", "it is a zip archive: unpack it first"),
            (
                b"\x04\x22\x4d\x18",
                "it is compressed by lz4: unpack it first (lz4 -d)",
            ),
            (
                b"\x1f\x9d",
                "it is compressed by compress: unpack it first (uncompress)",
            ),
            (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"),
            (
                b"\x5d\x00\x00",
                "it is compressed by lzma: unpack it first (unlzma)",
            ),
            (
                b"LZIP",
                "it is compressed by lzip: unpack it first (lzip -d)",
            ),
            (
                b"\x89LZO",
                "it is compressed by lzop: unpack it first (lzop -d)",
            ),
            (b"\xff\xfe\0\0", UTF_32),
            (b"\0\0\xfe\xff", UTF_32),
            (b"\x7fELF", "it is a program or a core dump, no log"),
        ];
        let begins = |magic: &[u8]| head.starts_with(magic);
        if begins(b"\x1f\x8b") {
            return Self::Gzip;
        }
        if begins(b"\x28\xb5\x2f\xfd") || zstd::is_skippable(head) {
            return Self::Zstd;
        }
        if begins(b"\xfd7zXZ\0") {
            return Self::Xz;
        }
        // The magic of the first block may be cut, too.
        let block = head.get(4..head.len().min(10)).unwrap_or_default();
        if begins(b"BZh") && !block.is_empty() && b"1AY&SY".starts_with(block) {
            return Self::Bzip2;
        }
        if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| begins(magic)) {
            return Self::Other(what);
        }
        if begins(b"\xef\xbb\xbf") {
            return Self::Utf8Marked;
        }
        if is_utf_32(head) {
            return Self::Other(UTF_32);
        }
        Order::of(head).map_or(Self::Text, Self::Utf16)
    }
}

#[cfg(test)]
mod tests;
