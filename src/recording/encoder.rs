//! [`Encoder`]: from what happens to frames.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::codec::{Coded, Writer};
use super::frame::{Head, Kind, append};
use super::item::Item;
use crate::model::event_source::EventSource;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::{Monotonic, Now};
use crate::model::wake::WakeSources;
use crate::oomlog::{OomEvent, ReportKey};

/// A whole sample at least so often: a reader that begins anywhere needs no more than this.
const KEY_EVERY: Duration = Duration::from_mins(1);

/// Reports whose kills are known; more begin to count anew.
const REPORTS: usize = 1024;

/// Turns samples and events into frames.
#[derive(Debug)]
pub struct Encoder {
    host: Host,
    source: EventSource,
    wakes: WakeSources,
    /// Number of the next frame.
    number: u32,
    /// The sample before, which the next is compared with, and its number.
    base: Option<(u32, Arc<Snapshot>)>,
    /// When the last whole sample was taken.
    key: Option<Monotonic>,
    /// When the first sample was taken: kills before it are history.
    begun: Option<Monotonic>,
    /// How many kills of a report were written.
    told: HashMap<ReportKey, usize>,
    writer: Writer,
    /// Frames that were left out because they would have been too large.
    too_large: u64,
}

impl Encoder {
    /// An encoder whose first sample will be whole.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self {
            host,
            source: EventSource::default(),
            wakes: WakeSources::default(),
            number: 0,
            base: None,
            key: None,
            begun: None,
            told: HashMap::new(),
            writer: Writer::default(),
            too_large: 0,
        }
    }

    /// Makes the next sample a whole one: a segment begins.
    pub fn begin_segment(&mut self) {
        self.base = None;
    }

    /// True if the next sample will be whole.
    #[must_use]
    pub fn is_key_next(&self, taken: Monotonic) -> bool {
        self.base.is_none() || self.key.is_none_or(|key| taken.since(key) >= KEY_EVERY)
    }

    /// Samples and events that were too large for a frame and are not in the recording.
    #[must_use]
    pub fn too_large(&self) -> u64 {
        self.too_large
    }

    /// Appends the frame of one item that came at this time; returns what kind it is, `None` if it was too large.
    pub fn append(&mut self, to: &mut Vec<u8>, item: &Item, now: Now) -> Option<Kind> {
        let appended = match item {
            Item::Sample(snapshot) => self.sample(to, snapshot),
            Item::Source(source) => {
                self.source = source.clone();
                self.event(to, item, now)
            }
            Item::Wakes(wakes) => {
                self.wakes = wakes.clone();
                self.event(to, item, now)
            }
            Item::Failed(_) | Item::Oom(_) | Item::Traced(_) => self.event(to, item, now),
        };
        if appended.is_none() {
            self.too_large += 1;
        }
        appended
    }

    fn sample(&mut self, to: &mut Vec<u8>, snapshot: &Arc<Snapshot>) -> Option<Kind> {
        let taken = snapshot.taken.monotonic;
        self.begun.get_or_insert(taken);
        self.writer.bytes.clear();
        let is_key = self.is_key_next(taken);
        let kind = match &self.base {
            Some((_, base)) if !is_key => {
                snapshot.put_change(base, &mut self.writer);
                Kind::Change
            }
            _ => {
                let spaces = snapshot.processes.iter().filter_map(|p| p.address_space);
                self.writer.keep_spaces(spaces);
                self.host.put(&mut self.writer);
                self.source.put(&mut self.writer);
                self.wakes.put(&mut self.writer);
                snapshot.put(&mut self.writer);
                Kind::Key
            }
        };
        let base = match (&self.base, kind) {
            (Some((number, _)), Kind::Change) => *number,
            _ => self.number,
        };
        let (percent, _, _) = snapshot.gauge();
        // A share is 0 to 100; anything else is cut.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let mark = (percent * 100.0).round().clamp(0.0, 10_000.0) as u16;
        let head = self.head(kind, base, snapshot.taken.wall.unix_micros, mark);
        if !append(to, head, &self.writer.bytes) {
            // The next one does not know this one.
            return None;
        }
        self.base = Some((self.number, Arc::clone(snapshot)));
        if kind == Kind::Key {
            self.key = Some(taken);
        }
        self.number = self.number.wrapping_add(1);
        Some(kind)
    }

    fn event(&mut self, to: &mut Vec<u8>, item: &Item, now: Now) -> Option<Kind> {
        let fresh = self.fresh_kills(item);
        let kind = if fresh > 0 { Kind::Kill } else { Kind::Event };
        self.writer.bytes.clear();
        now.put(&mut self.writer);
        item.put(&mut self.writer);
        let mark = u16::try_from(fresh).unwrap_or(u16::MAX);
        let head = self.head(kind, self.number, now.wall.unix_micros, mark);
        if !append(to, head, &self.writer.bytes) {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        Some(kind)
    }

    /// How many kills an item tells of that nothing before it told of, and that are no history.
    fn fresh_kills(&mut self, item: &Item) -> usize {
        let (at, kills) = item.kills();
        let begun = self.begun.unwrap_or_default();
        let is_history = self.begun.is_none() || at.is_some_and(|at| at < begun);
        let key = match item {
            Item::Oom(OomEvent::Report(report)) => report.key,
            Item::Oom(OomEvent::Userspace(kill)) => kill.key,
            // The log tells of the same kill.
            _ => return 0,
        };
        if self.told.len() >= REPORTS {
            self.told.clear();
        }
        let told = self.told.insert(key, kills).unwrap_or(0);
        if is_history {
            return 0;
        }
        kills.saturating_sub(told)
    }

    fn head(&self, kind: Kind, base: u32, unix_micros: i64, mark: u16) -> Head {
        Head {
            length: 0,
            kind,
            number: self.number,
            base,
            unix_micros,
            mark,
            crc: 0,
        }
    }
}
