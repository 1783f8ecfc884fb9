//! [`Header`]: the first 64 bytes of a file.

use super::frame::{crc, u32_at};
use super::schema::fingerprint;

/// The version of the layout that this program writes and reads. Every change of a field of a recorded type is another
/// version.
pub const VERSION: u16 = 1;

/// Bytes of the header.
pub(super) const HEADER: usize = 64;

const MAGIC: [u8; 8] = *b"\x89OOMREC\n";

/// Which recording a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The same in all segments of a recording, and in no other recording.
    pub id: u64,
    /// Segments are counted from 0.
    pub segment: u32,
    /// When it was made, in microseconds since 1970.
    pub unix_micros: i64,
}

/// Why a file cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Shorter than its header, so that no sample can be in it.
    #[error("ends within its header, after {0} bytes: there is no sample in it")]
    Short(u64),
    /// Something else.
    #[error("is no recording of oomtop")]
    Alien,
    /// Another layout.
    #[error(
        "was recorded in layout {version} by oomtop {program}; this oomtop reads layout {VERSION}"
    )]
    Version {
        /// Its version.
        version: u16,
        /// The version of the program that wrote it.
        program: String,
    },
    /// The version is the same and the fields are not: a build between two versions.
    #[error("was recorded by another build of oomtop {0}, whose samples have other fields")]
    Fields(String),
    /// The header does not have its checksum.
    #[error("has a damaged header: which layout it has is not known")]
    Damaged,
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Too many frames.
    #[error("has more than {0} frames")]
    Large(usize),
    /// No whole sample.
    #[error("has no whole sample in it{0}")]
    Empty(String),
}

impl Header {
    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10..12].copy_from_slice(&64_u16.to_le_bytes());
        bytes[12..16].copy_from_slice(&fingerprint().to_le_bytes());
        bytes[16..24].copy_from_slice(&self.id.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.segment.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.unix_micros.to_le_bytes());
        let program = env!("CARGO_PKG_VERSION").as_bytes();
        let length = program.len().min(24);
        bytes[36..36 + length].copy_from_slice(&program[..length]);
        let crc = crc(&[&bytes[..60]]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the first bytes of a file.
    ///
    /// # Errors
    /// Why the file cannot be replayed.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let short = || Refused::Short(bytes.len() as u64);
        let magic = bytes.get(..8).ok_or_else(|| {
            if MAGIC.starts_with(bytes) {
                short()
            } else {
                Refused::Alien
            }
        })?;
        if magic != MAGIC {
            return Err(Refused::Alien);
        }
        let bytes = bytes.get(..HEADER).ok_or_else(short)?;
        if u32_at(bytes, 60) != crc(&[&bytes[..60]]) {
            return Err(Refused::Damaged);
        }
        let program = bytes[36..60].split(|byte| *byte == 0).next();
        let program = String::from_utf8_lossy(program.unwrap_or_default()).into_owned();
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(Refused::Version { version, program });
        }
        if u32_at(bytes, 12) != fingerprint() {
            return Err(Refused::Fields(program));
        }
        let eight = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            eight
        };
        Ok(Self {
            id: u64::from_le_bytes(eight(16)),
            segment: u32_at(bytes, 24),
            unix_micros: i64::from_le_bytes(eight(28)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, Refused, VERSION};
    use crate::recording::frame::crc;
    use crate::recording::schema::fingerprint;

    /// Another fingerprint is another layout: then VERSION must be another as well, and both stand here anew.
    #[test]
    fn a_version_has_one_layout() {
        assert_eq!((VERSION, fingerprint()), (1, 1_352_030_168));
        let said = format!("version of the layout: {VERSION};");
        assert!(include_str!("format.md").contains(&said), "{said}");
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_sentence() {
        let header = Header {
            id: 7,
            segment: 2,
            unix_micros: 99,
        };
        let bytes = header.bytes();
        assert_eq!(Header::parse(&bytes), Ok(header));
        for cut in 0..bytes.len() {
            let refused = Header::parse(&bytes[..cut]);
            assert_eq!(refused, Err(Refused::Short(cut as u64)));
        }
        assert_eq!(Header::parse(b"\x7fELF"), Err(Refused::Alien));
        let mut newer = bytes;
        newer[8] = 9;
        assert_eq!(Header::parse(&newer), Err(Refused::Damaged));
        let sum = crc(&[&newer[..60]]);
        newer[60..].copy_from_slice(&sum.to_le_bytes());
        let refused = Header::parse(&newer).expect_err("another version");
        assert!(
            refused
                .to_string()
                .contains("recorded in layout 9 by oomtop 0.1.0")
        );
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes;
                flipped[at] ^= 1 << bit;
                assert!(Header::parse(&flipped).is_err());
            }
        }
    }
}
