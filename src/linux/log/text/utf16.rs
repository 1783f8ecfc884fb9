//! UTF-16 as UTF-8, with a byte order mark and without.

use std::io::{self, Read};

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The order of UTF-16 text that begins with these bytes; `None` for other text. Without a mark, almost every
    /// second byte of a log is zero, since its words are ASCII.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0xff, 0xfe]) {
            return Some(Self::Little);
        }
        if head.starts_with(&[0xfe, 0xff]) {
            return Some(Self::Big);
        }
        let pairs = head.as_chunks::<2>().0;
        let zeros = |place: usize| {
            pairs
                .iter()
                .filter(|pair| pair.get(place) == Some(&0))
                .count()
        };
        let (first, second) = (zeros(0), zeros(1));
        // A few characters of other scripts, and no zero in the other place.
        let most = pairs.len() * 3 / 4;
        if pairs.len() < 4 {
            None
        } else if second > most && first == 0 {
            Some(Self::Little)
        } else if first > most && second == 0 {
            Some(Self::Big)
        } else {
            None
        }
    }
}

/// The text of a UTF-16 stream.
pub(super) struct Utf16<R> {
    inner: R,
    order: Order,
    /// Bytes and a first half of a pair that wait for what follows.
    bytes: Vec<u8>,
    high: Option<u16>,
    ready: io::Cursor<Vec<u8>>,
    begun: bool,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    /// Reads the stream in this order.
    pub(super) fn new(inner: R, order: Order) -> Self {
        Self {
            inner,
            order,
            bytes: Vec::new(),
            high: None,
            ready: io::Cursor::default(),
            begun: false,
            ended: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        const AT_ONCE: usize = 64 * 1024;
        let mut buffer = vec![0; AT_ONCE];
        let size = self.inner.read(&mut buffer)?;
        self.bytes
            .extend_from_slice(buffer.get(..size).unwrap_or_default());
        let mut text = String::new();
        let (pairs, odd) = self.bytes.as_chunks::<2>();
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.iter().map(|pair| match self.order {
            Order::Little => u16::from_le_bytes(*pair),
            Order::Big => u16::from_be_bytes(*pair),
        }));
        self.bytes = odd.to_vec();
        if size == 0 {
            self.ended = true;
        } else if let Some(high) = units.last().copied()
            && (0xd800..0xdc00).contains(&high)
        {
            units.pop();
            self.high = Some(high);
        }
        for unit in char::decode_utf16(units) {
            let unit = unit.unwrap_or(char::REPLACEMENT_CHARACTER);
            if self.begun || unit != '\u{feff}' {
                text.push(unit);
            }
            self.begun = true;
        }
        self.ready = io::Cursor::new(text.into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let size = self.ready.read(buffer)?;
            if size > 0 || self.ended || buffer.is_empty() {
                return Ok(size);
            }
            self.fill()?;
        }
    }
}

/// UTF-8 without the mark in front.
pub(super) fn without_mark(mut text: impl Read) -> io::Result<impl Read> {
    let mut mark = [0; 3];
    text.read_exact(&mut mark)?;
    Ok(text)
}
