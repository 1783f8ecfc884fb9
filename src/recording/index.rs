//! [`Index`]: which frames a recording has and which it lacks, found by looking at each frame. No index is written, so
//! none can be wrong.

use super::frame::{HEAD, Head, Kind, MARK, frame_crc};
use super::header::{HEADER, Header, Refused};

/// Most frames of a recording: a week of samples.
pub(super) const MOST_FRAMES: usize = 1 << 20;

/// How much of a damaged file may be read in search of the next whole frame, as a multiple of its size.
const PATIENCE: u64 = 4;

/// Bytes read at once in the search.
const WINDOW: usize = 64 << 10;

/// The bytes of one segment.
pub trait Bytes {
    /// How many there are.
    fn size(&self) -> u64;

    /// Fills `into` with those from `at` on.
    ///
    /// # Errors
    /// Why they cannot be read, as a sentence.
    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), String>;
}

impl Bytes for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), String> {
        let from = usize::try_from(at).ok();
        let found = from.and_then(|from| self.get(from..)?.get(..into.len()));
        into.copy_from_slice(found.ok_or("the end is before its end")?);
        Ok(())
    }
}

/// One whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which segment it is in, by its place among those that were opened.
    pub(super) segment: u32,
    /// Where its payload begins.
    pub(super) at: u64,
    /// Bytes of the payload.
    pub(super) length: u32,
    /// What it is.
    pub kind: Kind,
    pub(super) number: u32,
    pub(super) base: u32,
    /// When it happened, in microseconds since 1970.
    pub unix_micros: i64,
    /// When it happened, in microseconds since boot.
    pub monotonic: u64,
    /// Of a sample: the used share of the gauge, in hundredths of a percent.
    pub mark: u16,
    /// Kills that nothing before told of.
    pub kills: u16,
}

/// What is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The last bytes are an incomplete frame: the recorder was killed, or the file was cut.
    Tail {
        /// How many bytes.
        bytes: u64,
    },
    /// Bytes in the middle are no whole frame.
    Damaged {
        /// How many bytes.
        bytes: u64,
        /// How many frames they were, by the numbers around them; `None` at an end.
        frames: Option<u32>,
        /// The times of the whole frames around them, in microseconds since 1970.
        between: (Option<i64>, Option<i64>),
    },
    /// Samples that are whole but say only how they differ from one that is missing.
    Samples {
        /// How many.
        count: u32,
        /// The times of the first and the last, in microseconds since 1970.
        between: (i64, i64),
    },
    /// Frames between two others that are in no file: they were too large, or could not be written.
    Skipped {
        /// How many.
        frames: u32,
        /// The times of the frames around them, in microseconds since 1970.
        between: (i64, i64),
    },
    /// Segments between two others.
    Segments {
        /// How many.
        count: u32,
    },
    /// A frame whose checksum is right and whose content is not.
    Content {
        /// When it happened, in microseconds since 1970.
        unix_micros: i64,
    },
}

/// The frames of a recording in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// The whole frames that can be read.
    pub entries: Vec<Entry>,
    /// What is not there, in the order of the file.
    pub missing: Vec<Missing>,
}

impl Index {
    /// Looks at every frame of the segments, which are in order.
    ///
    /// # Errors
    /// Why there is nothing to replay.
    pub(super) fn build<B: Bytes>(segments: &[B]) -> Result<Self, Refused> {
        let mut index = Self::default();
        let mut before: Option<Header> = None;
        for (place, segment) in segments.iter().enumerate() {
            let header = header(segment)?;
            // A jump in the numbers that is explained already.
            let mut gap = false;
            if let Some(before) = before {
                let lost = header
                    .segment
                    .saturating_sub(before.segment.saturating_add(1));
                gap = lost > 0;
                if gap {
                    index.missing.push(Missing::Segments { count: lost });
                }
            }
            before = Some(header);
            index.add(u32::try_from(place).unwrap_or(u32::MAX), segment, gap)?;
        }
        index.drop_unreadable();
        Ok(index)
    }

    fn add<B: Bytes>(
        &mut self,
        place: u32,
        segment: &B,
        mut explained: bool,
    ) -> Result<(), Refused> {
        let size = segment.size();
        let mut at = HEADER as u64;
        let mut patience = size.saturating_mul(PATIENCE);
        while at < size {
            let found = match whole(segment, at, &mut patience)? {
                Some(head) => Some((at, head)),
                None => search(segment, at + 1, &mut patience)?,
            };
            let Some((from, head)) = found else {
                // What was torn off there is said; the jump in the numbers behind it is the same loss.
                self.missing.push(Missing::Tail { bytes: size - at });
                break;
            };
            let last = self.entries.last();
            let frames = last
                .and_then(|last| last.number.checked_add(1))
                .and_then(|next| head.number.checked_sub(next));
            if from > at {
                self.missing.push(Missing::Damaged {
                    bytes: from - at,
                    frames,
                    between: (last.map(|last| last.unix_micros), Some(head.unix_micros)),
                });
            } else if let (Some(last), Some(frames @ 1..), false) = (last, frames, explained) {
                self.missing.push(Missing::Skipped {
                    frames,
                    between: (last.unix_micros, head.unix_micros),
                });
            }
            explained = false;
            if self.entries.len() >= MOST_FRAMES {
                return Err(Refused::Large(MOST_FRAMES));
            }
            self.entries.push(Entry {
                segment: place,
                at: from + HEAD as u64,
                length: head.length,
                kind: head.kind,
                number: head.number,
                base: head.base,
                unix_micros: head.unix_micros,
                monotonic: head.monotonic,
                mark: head.mark,
                kills: head.kills,
            });
            at = from + head.size();
        }
        Ok(())
    }

    /// Takes out the samples that differ from one that is missing.
    fn drop_unreadable(&mut self) {
        let mut known: Option<u32> = None;
        let mut lost: Option<(u32, i64, i64)> = None;
        let mut holes = Vec::new();
        self.entries.retain(|entry| {
            let readable = match entry.kind {
                Kind::Key => true,
                Kind::Change => known == Some(entry.base),
                Kind::Event | Kind::Kill => return true,
            };
            if readable {
                known = Some(entry.number);
                holes.extend(lost.take());
            } else {
                known = None;
                let (count, first, _) = lost.unwrap_or((0, entry.unix_micros, 0));
                lost = Some((count + 1, first, entry.unix_micros));
            }
            readable
        });
        holes.extend(lost);
        let samples = |(count, first, last)| Missing::Samples {
            count,
            between: (first, last),
        };
        self.missing.extend(holes.into_iter().map(samples));
    }

    /// Samples that can be read.
    pub fn samples(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind.is_sample())
    }
}

/// The header of a segment.
pub(super) fn header<B: Bytes>(segment: &B) -> Result<Header, Refused> {
    let length = usize::try_from(segment.size()).unwrap_or(usize::MAX);
    let mut bytes = [0; HEADER];
    let bytes = &mut bytes[..length.min(HEADER)];
    segment.read_at(0, bytes).map_err(Refused::Unreadable)?;
    Header::parse(bytes)
}

/// The frame that begins there, if it is whole. Takes what it reads from `patience`.
fn whole<B: Bytes>(segment: &B, at: u64, patience: &mut u64) -> Result<Option<Head>, Refused> {
    if at + HEAD as u64 > segment.size() {
        return Ok(None);
    }
    let mut head = [0; HEAD];
    segment
        .read_at(at, &mut head)
        .map_err(Refused::Unreadable)?;
    let Some(parsed) = Head::parse(&head) else {
        return Ok(None);
    };
    if at + parsed.size() > segment.size() || *patience < parsed.size() {
        return Ok(None);
    }
    *patience -= parsed.size();
    let mut payload = vec![0; parsed.length as usize];
    segment
        .read_at(at + HEAD as u64, &mut payload)
        .map_err(Refused::Unreadable)?;
    Ok((frame_crc(&head, &payload) == parsed.crc).then_some(parsed))
}

/// The next whole frame at or behind this place.
fn search<B: Bytes>(
    segment: &B,
    mut at: u64,
    patience: &mut u64,
) -> Result<Option<(u64, Head)>, Refused> {
    let size = segment.size();
    let mut window = vec![0; WINDOW];
    while at + (HEAD as u64) <= size {
        let length = usize::try_from(size - at).unwrap_or(WINDOW).min(WINDOW);
        let window = &mut window[..length];
        segment.read_at(at, window).map_err(Refused::Unreadable)?;
        for offset in memchr::memmem::find_iter(window, &MARK) {
            let from = at + offset as u64;
            if let Some(head) = whole(segment, from, patience)? {
                return Ok(Some((from, head)));
            }
        }
        // A mark may begin in the last bytes of the window.
        let step = length.saturating_sub(MARK.len() - 1).max(1);
        at += step as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Missing, Refused};
    use crate::recording::frame::{Head, Kind, append};
    use crate::recording::{Header, Player, Recording};

    fn head(kind: Kind, number: u32) -> Head {
        Head {
            length: 0,
            kind,
            number,
            base: number,
            unix_micros: i64::from(number),
            monotonic: u64::from(number),
            mark: 0,
            kills: 0,
            crc: 0,
        }
    }

    fn segment(segment: u32, frames: &[(Head, Vec<u8>)]) -> Vec<u8> {
        let header = Header {
            id: 7,
            segment,
            unix_micros: 0,
        };
        let mut bytes = header.bytes().to_vec();
        for (head, payload) in frames {
            assert!(append(&mut bytes, *head, payload));
        }
        bytes
    }

    #[test]
    fn a_jump_in_the_numbers_is_said() {
        let event = |number| (head(Kind::Event, number), Vec::new());
        let missing = |segments| {
            let recording: Result<Recording<Vec<u8>>, Refused> = Recording::open(segments);
            recording.expect("opens").index().missing.clone()
        };
        let skipped = |frames, between| Missing::Skipped { frames, between };
        let one = segment(0, &[event(3), event(4), event(7)]);
        assert_eq!(missing(vec![one.clone()]), [skipped(2, (4, 7))]);
        let two = segment(1, &[event(9)]);
        assert_eq!(
            missing(vec![one.clone(), two]),
            [skipped(2, (4, 7)), skipped(1, (7, 9))]
        );
        let three = segment(2, &[event(9)]);
        let lost = Missing::Segments { count: 1 };
        assert_eq!(missing(vec![one, three]), [skipped(2, (4, 7)), lost]);
        let wrapped = segment(0, &[event(u32::MAX), event(0)]);
        assert_eq!(missing(vec![wrapped]), []);
    }

    fn extreme() -> impl Strategy<Value = u32> {
        prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()]
    }

    proptest! {
        /// Checksums are no secret: whoever makes a file makes those right too.
        #[test]
        fn frames_of_a_stranger_whose_checksums_are_right_do_no_harm(
            segments in prop::collection::vec((extreme(), prop::collection::vec(
                (1..5_u8, extreme(), extreme(), any::<i64>(), any::<u64>(), prop::collection::vec(any::<u8>(), 0..60)), 0..6)), 1..3),
        ) {
            let frame = |(kind, number, base, unix_micros, monotonic, payload): (u8, u32, u32, i64, u64, Vec<u8>)| {
                let kind = [Kind::Key, Kind::Change, Kind::Event, Kind::Kill][usize::from(kind - 1)];
                let unix_micros = if base == u32::MAX { i64::MIN } else { unix_micros };
                (Head { base, unix_micros, monotonic, mark: u16::MAX, kills: 1, ..head(kind, number) }, payload)
            };
            let segments = segments.into_iter().map(|(number, frames)| {
                segment(number, &frames.into_iter().map(frame).collect::<Vec<_>>())
            });
            let recording = Recording::open(segments.collect::<Vec<_>>()).expect("the headers are right");
            let mut player = Player::default();
            while player.play(&recording).is_some() {}
        }
    }
}
