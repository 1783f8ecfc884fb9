//! [`Recording`]: what was recorded, read back. [`Player`]: item after item from any sample on.

use std::sync::Arc;

use super::codec::{Coded, Malformed, Reader};
use super::frame::{Kind, unpack};
use super::header::{Header, Refused};
use super::index::{Bytes, Entry, Index, Missing, header};
use super::item::Item;
use crate::model::event_source::EventSource;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::Now;
use crate::model::wake::WakeSources;

/// The segments of one recording.
#[derive(Debug)]
pub struct Recording<B> {
    segments: Vec<B>,
    index: Index,
    header: Header,
}

/// What a frame held.
#[derive(Debug, Clone)]
pub struct Played {
    /// The clocks then.
    pub now: Now,
    /// In the order in which the state took it in.
    pub items: Vec<Item>,
    /// The host, where the reader begins or begins anew.
    pub host: Option<Host>,
}

/// A whole sample with what goes with it.
struct Key {
    host: Host,
    source: EventSource,
    wakes: WakeSources,
    snapshot: Snapshot,
}

impl<B: Bytes> Recording<B> {
    /// Opens the segments of one recording, the oldest first.
    ///
    /// # Errors
    /// Why there is nothing to replay.
    pub fn open(segments: Vec<B>) -> Result<Self, Refused> {
        let first = segments.first().ok_or(Refused::Short(0))?;
        let header = header(first)?;
        let index = Index::build(&segments)?;
        Ok(Self {
            segments,
            index,
            header,
        })
    }

    /// Which recording it is.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    /// Its frames.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    fn payload(&self, entry: &Entry) -> Option<Vec<u8>> {
        let segment = self.segments.get(entry.segment as usize)?;
        let mut packed = vec![0; entry.length as usize];
        segment.read_at(entry.at, &mut packed).ok()?;
        unpack(&packed)
    }
}

/// Reads items in their order. Begins at a whole sample.
#[derive(Debug, Default)]
pub struct Player {
    /// The next frame, by its place in the index.
    next: usize,
    base: Option<(u32, Arc<Snapshot>)>,
    /// Frames of the last sample on are told as differences; before it, a whole sample tells of its host too.
    begun: bool,
}

impl Player {
    /// A player whose first frame is this one, or the whole sample before it.
    #[must_use]
    pub fn at(index: &Index, entry: usize) -> Self {
        let upto = index.entries.get(..=entry).unwrap_or(&index.entries);
        let key = upto.iter().rposition(|entry| entry.kind == Kind::Key);
        Self {
            next: key.unwrap_or(0),
            ..Self::default()
        }
    }

    /// Goes to this frame, which is an event: no sample can be read from there on.
    pub fn skip_to(&mut self, entry: usize) {
        self.next = entry;
        self.base = None;
    }

    /// The place of the next frame in the index.
    #[must_use]
    pub fn next_entry(&self) -> usize {
        self.next
    }

    /// Reads the next frame; `None` at the end.
    ///
    /// # Errors
    /// What is missing: a frame whose content cannot be. The player goes on behind it.
    pub fn play<B: Bytes>(&mut self, recording: &Recording<B>) -> Option<Result<Played, Missing>> {
        let entry = *recording.index.entries.get(self.next)?;
        self.next += 1;
        let unreadable = Missing::Content {
            unix_micros: entry.unix_micros,
        };
        let played = recording
            .payload(&entry)
            .and_then(|bytes| self.decode(&entry, &bytes).ok());
        if played.is_none() && entry.kind.is_sample() {
            self.base = None;
        }
        Some(played.ok_or(unreadable))
    }

    fn decode(&mut self, entry: &Entry, bytes: &[u8]) -> Result<Played, Malformed> {
        let mut from = Reader::new(bytes);
        let played = match entry.kind {
            Kind::Key => {
                let key = Key {
                    host: Coded::take(&mut from)?,
                    source: Coded::take(&mut from)?,
                    wakes: Coded::take(&mut from)?,
                    snapshot: Coded::take(&mut from)?,
                };
                self.key(entry, key)
            }
            Kind::Change => {
                let base = self
                    .base
                    .as_ref()
                    .filter(|(number, _)| *number == entry.base);
                let (_, base) = base.ok_or(Malformed)?;
                let snapshot = Snapshot::take_change(base, &mut from)?;
                self.sample(entry, snapshot)
            }
            Kind::Event | Kind::Kill => Played {
                now: Coded::take(&mut from)?,
                items: vec![Item::take(&mut from)?],
                host: None,
            },
        };
        from.end()?;
        Ok(played)
    }

    fn key(&mut self, entry: &Entry, key: Key) -> Played {
        let sources = [Item::Source(key.source), Item::Wakes(key.wakes)];
        let played = self.sample(entry, key.snapshot);
        if std::mem::replace(&mut self.begun, true) {
            // What the state was told of already.
            return played;
        }
        Played {
            items: sources.into_iter().chain(played.items).collect(),
            host: Some(key.host),
            ..played
        }
    }

    fn sample(&mut self, entry: &Entry, snapshot: Snapshot) -> Played {
        let snapshot = Arc::new(snapshot);
        self.base = Some((entry.number, Arc::clone(&snapshot)));
        Played {
            now: snapshot.taken,
            items: vec![Item::Sample(snapshot)],
            host: None,
        }
    }
}
