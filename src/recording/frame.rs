//! [`Frame`]: one piece of a file, checked as a whole.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Bytes in front of the payload.
pub(super) const HEAD: usize = 41;

/// What each frame begins with.
pub(super) const MARK: [u8; 4] = [0xf7, b'O', b'R', b'F'];

/// Longest payload, as it is in the file. 10 000 processes with long command lines need a tenth.
pub(super) const MOST_PACKED: usize = 16 << 20;

/// Longest payload once it is unpacked.
pub(super) const MOST_UNPACKED: usize = 64 << 20;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole sample, the host and the sources of events: a reader can begin here.
    Key,
    /// The difference of a sample to the one before.
    Change,
    /// Something that was told between two samples, and no new kill.
    Event,
    /// A kill that was told of.
    Kill,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Key => 1,
            Self::Change => 2,
            Self::Event => 3,
            Self::Kill => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Key,
            2 => Self::Change,
            3 => Self::Event,
            4 => Self::Kill,
            _ => return None,
        })
    }

    /// True for a sample.
    #[must_use]
    pub fn is_sample(self) -> bool {
        matches!(self, Self::Key | Self::Change)
    }
}

/// The first bytes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32,
    pub(super) kind: Kind,
    /// Frames are counted from 0, over all segments.
    pub(super) number: u32,
    /// The sample that a difference is a difference to, by number; for others their own number.
    pub(super) base: u32,
    /// When it happened, in microseconds since 1970.
    pub(super) unix_micros: i64,
    /// The same moment since boot, in microseconds.
    pub(super) monotonic: u64,
    /// Of a sample: the used share of the gauge, in hundredths of a percent. Otherwise 0.
    pub(super) mark: u16,
    /// Kills that nothing before told of.
    pub(super) kills: u16,
    pub(super) crc: u32,
}

impl Head {
    /// Reads the first bytes of a frame; `None` if none begins there.
    pub(super) fn parse(bytes: &[u8; HEAD]) -> Option<Self> {
        if bytes[..4] != MARK {
            return None;
        }
        let length = u32_at(bytes, 4);
        if length as usize > MOST_PACKED {
            return None;
        }
        let eight = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            eight
        };
        Some(Self {
            length,
            kind: Kind::from_byte(bytes[8])?,
            number: u32_at(bytes, 9),
            base: u32_at(bytes, 13),
            unix_micros: i64::from_le_bytes(eight(17)),
            monotonic: u64::from_le_bytes(eight(25)),
            mark: u16::from_le_bytes([bytes[33], bytes[34]]),
            kills: u16::from_le_bytes([bytes[35], bytes[36]]),
            crc: u32_at(bytes, 37),
        })
    }

    fn bytes(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..4].copy_from_slice(&MARK);
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8] = self.kind.byte();
        bytes[9..13].copy_from_slice(&self.number.to_le_bytes());
        bytes[13..17].copy_from_slice(&self.base.to_le_bytes());
        bytes[17..25].copy_from_slice(&self.unix_micros.to_le_bytes());
        bytes[25..33].copy_from_slice(&self.monotonic.to_le_bytes());
        bytes[33..35].copy_from_slice(&self.mark.to_le_bytes());
        bytes[35..37].copy_from_slice(&self.kills.to_le_bytes());
        bytes[37..].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }

    /// Bytes of the whole frame.
    pub(super) fn size(&self) -> u64 {
        HEAD as u64 + u64::from(self.length)
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

/// The checksum of a frame: all of it but the checksum itself.
pub(super) fn frame_crc(head: &[u8; HEAD], payload: &[u8]) -> u32 {
    crc(&[&head[..37], payload])
}

/// CRC-32 as zlib has it.
pub(super) fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

/// Appends a frame; `head` without length and checksum. False if there is too much in it: then nothing is appended.
pub(super) fn append(to: &mut Vec<u8>, head: Head, payload: &[u8]) -> bool {
    if payload.len() > MOST_UNPACKED {
        return false;
    }
    let start = to.len();
    to.extend([0; HEAD]);
    let mut packer = DeflateEncoder::new(&mut *to, Compression::new(6));
    // Writing to memory does not fail.
    let written = packer.write_all(payload).and_then(|()| packer.try_finish());
    drop(packer);
    let length = to.len() - start - HEAD;
    let Some(length) = u32::try_from(length)
        .ok()
        .filter(|_| written.is_ok() && length <= MOST_PACKED)
    else {
        to.truncate(start);
        return false;
    };
    let head = Head {
        length,
        crc: 0,
        ..head
    };
    let crc = frame_crc(&head.bytes(), &to[start + HEAD..]);
    to[start..start + HEAD].copy_from_slice(&Head { crc, ..head }.bytes());
    true
}

/// Unpacks a payload; `None` if it is damaged or too large.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MOST_UNPACKED as u64 + 1;
    DeflateDecoder::new(packed)
        .take(most)
        .read_to_end(&mut bytes)
        .ok()?;
    (bytes.len() <= MOST_UNPACKED).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{HEAD, Head, Kind, MOST_UNPACKED, append, frame_crc, unpack};

    #[test]
    fn a_frame_comes_back_and_a_bomb_does_not_go_off() {
        let head = Head {
            length: 0,
            kind: Kind::Change,
            number: 7,
            base: 5,
            unix_micros: -3,
            monotonic: 1 << 40,
            mark: 9_999,
            kills: 2,
            crc: 0,
        };
        let mut bytes = b"before".to_vec();
        assert!(append(&mut bytes, head, b"payload payload payload"));
        let frame = &bytes[6..];
        let start: [u8; HEAD] = frame[..HEAD].try_into().expect("a head");
        let read = Head::parse(&start).expect("a frame");
        assert_eq!(
            Head {
                length: 0,
                crc: 0,
                ..read
            },
            head
        );
        assert_eq!(read.crc, frame_crc(&start, &frame[HEAD..]));
        assert_eq!(
            unpack(&frame[HEAD..]).as_deref(),
            Some(&b"payload payload payload"[..])
        );
        let mut bomb = Vec::new();
        assert!(append(&mut bomb, head, &vec![0; MOST_UNPACKED]));
        assert!(bomb.len() < 100_000);
        assert!(!append(&mut bomb, head, &vec![0; MOST_UNPACKED + 1]));
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packer, &vec![0; MOST_UNPACKED + 1]).expect("memory");
        assert_eq!(unpack(&packer.finish().expect("memory")), None);
    }
}
