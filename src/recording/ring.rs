//! [`Ring`]: the last minutes in bounded memory, as frames, ready to be a file.

use std::collections::VecDeque;

use super::encoder::Encoder;
use super::frame::Kind;
use super::header::Header;
use super::item::Item;
use crate::model::snapshot::Host;
use crate::model::time::Now;

/// One stretch of frames that begins with a whole sample.
#[derive(Debug, Default)]
struct Stretch {
    bytes: Vec<u8>,
    samples: usize,
}

/// Keeps the newest frames within so many bytes. What goes are whole stretches, of a minute or less.
#[derive(Debug)]
pub struct Ring {
    encoder: Encoder,
    most: usize,
    stretches: VecDeque<Stretch>,
    /// Events that came before the first sample.
    early: Vec<u8>,
    bytes: usize,
}

impl Ring {
    /// A ring of at most so many bytes.
    #[must_use]
    pub fn new(host: Host, most: usize) -> Self {
        Self {
            encoder: Encoder::new(host),
            most,
            stretches: VecDeque::new(),
            early: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes in an item that came at this time; returns what kind it is, `None` if it was too large.
    pub fn push(&mut self, item: &Item, now: Now) -> Option<Kind> {
        let mut frame = Vec::new();
        if let Item::Sample(snapshot) = item {
            // A quarter of the room at most, so that most of the room is always in use.
            let is_full = |stretch: &Stretch| stretch.bytes.len() > self.most / 4;
            if self.stretches.back().is_none_or(is_full) {
                self.encoder.begin_segment();
            }
            if self.encoder.is_key_next(snapshot.taken.monotonic) {
                self.stretches.push_back(Stretch::default());
            }
        }
        let kind = self.encoder.append(&mut frame, item, now)?;
        self.bytes += frame.len();
        match self.stretches.back_mut() {
            Some(stretch) => {
                stretch.samples += usize::from(matches!(item, Item::Sample(_)));
                append(&mut stretch.bytes, &frame);
            }
            None => append(&mut self.early, &frame),
        }
        while self.bytes > self.most {
            let gone = match self.stretches.pop_front() {
                // The newest alone is too large: it goes too, and the next sample begins anew.
                Some(stretch) => stretch.bytes.len(),
                None => 0,
            };
            let early = std::mem::take(&mut self.early).len();
            self.bytes = self.bytes.saturating_sub(gone + early);
            if gone + early == 0 {
                break;
            }
        }
        if self.stretches.is_empty() {
            self.encoder.begin_segment();
        }
        Some(kind)
    }

    /// Bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Samples that are kept.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.samples).sum()
    }

    /// The content of a file with all that is kept, in parts.
    pub fn file(&self, header: &Header) -> impl Iterator<Item = Vec<u8>> + '_ {
        let stretches = self.stretches.iter().map(|stretch| stretch.bytes.clone());
        std::iter::once(header.bytes().to_vec())
            .chain(std::iter::once(self.early.clone()))
            .chain(stretches)
    }
}

/// Grows by what is needed and an eighth: twice as much would be room that nobody bounds.
fn append(to: &mut Vec<u8>, bytes: &[u8]) {
    if to.capacity() - to.len() < bytes.len() {
        to.reserve_exact(bytes.len() + to.len() / 8);
    }
    to.extend(bytes);
}
