//! [`Encoder`]: from what happens to frames.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::codec::{Coded, Writer};
use super::frame::{Head, Kind, append};
use super::item::Item;
use crate::model::event_source::EventSource;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::{Monotonic, Now};
use crate::model::traced::{HowTaken, Traced};
use crate::model::wake::WakeSources;
use crate::oomlog::{OomEvent, Pid, ReportKey};

/// A whole sample at least so often: a reader that begins anywhere needs no more than this.
const KEY_EVERY: Duration = Duration::from_mins(1);

/// Reports and traced kills that are remembered; of more, the oldest are forgotten.
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
    told: BTreeMap<ReportKey, usize>,
    /// Traced kills of which no report has told yet, by their number.
    traced: VecDeque<(u64, Pid)>,
    /// Kills of reports that no trace has told of yet.
    reported: VecDeque<Pid>,
    /// The kernel's counter in the last sample.
    counter: Option<u64>,
    /// Kills that were told of and that the counter has not shown yet.
    ahead: u64,
    /// Kills that only the counter has shown yet.
    behind: u64,
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
            told: BTreeMap::new(),
            traced: VecDeque::new(),
            reported: VecDeque::new(),
            counter: None,
            ahead: 0,
            behind: 0,
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
        // What was left out has a number too: whoever reads the file sees that it is missing.
        self.number = self.number.wrapping_add(1);
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
        let kills = self.unexplained(snapshot.kills.host);
        let head = Head {
            mark,
            ..self.head(kind, base, snapshot.taken, kills)
        };
        if !append(to, head, &self.writer.bytes) {
            // The next one does not know this one.
            self.base = None;
            return None;
        }
        self.base = Some((self.number, Arc::clone(snapshot)));
        if kind == Kind::Key {
            self.key = Some(taken);
        }
        Some(kind)
    }

    fn event(&mut self, to: &mut Vec<u8>, item: &Item, now: Now) -> Option<Kind> {
        let fresh = self.fresh_kills(item);
        let kind = if fresh > 0 { Kind::Kill } else { Kind::Event };
        self.writer.bytes.clear();
        now.put(&mut self.writer);
        item.put(&mut self.writer);
        let kills = u64::try_from(fresh).unwrap_or(u64::MAX);
        let head = self.head(kind, self.number, now, kills);
        append(to, head, &self.writer.bytes).then_some(kind)
    }

    /// How many kills an item tells of that nothing before it told of, and that are no history.
    fn fresh_kills(&mut self, item: &Item) -> usize {
        let (at, kills) = item.kills();
        let begun = self.begun.unwrap_or_default();
        let is_history = self.begun.is_none() || at.is_some_and(|at| at < begun);
        let key = match item {
            Item::Oom(OomEvent::Report(report)) => report.key,
            Item::Oom(OomEvent::Userspace(kill)) => kill.key,
            Item::Traced(Traced::Kill(kill)) if kill.how == HowTaken::Killed && !is_history => {
                return usize::from(self.is_fresh_trace(kill.number, kill.pid));
            }
            _ => return 0,
        };
        let told = self.told.insert(key, kills).unwrap_or(0);
        if self.told.len() > REPORTS {
            // Keys ascend.
            self.told.pop_first();
        }
        if is_history {
            return 0;
        }
        match item {
            Item::Oom(OomEvent::Report(report)) => {
                let new = report.kills.iter().skip(told);
                let pids: Vec<Pid> = new.map(|kill| kill.pid).collect();
                pids.into_iter()
                    .filter(|pid| self.is_fresh_report(*pid))
                    .count()
            }
            _ => kills.saturating_sub(told),
        }
    }

    /// True if no report and no earlier trace told of this kill.
    fn is_fresh_trace(&mut self, number: u64, pid: Pid) -> bool {
        if self.traced.iter().any(|(known, _)| *known == number) {
            return false;
        }
        if let Some(at) = self.reported.iter().position(|known| *known == pid) {
            self.reported.remove(at);
            return false;
        }
        remember(&mut self.traced, (number, pid));
        self.is_ahead()
    }

    /// True if no trace told of this kill of a report.
    fn is_fresh_report(&mut self, pid: Pid) -> bool {
        if let Some((_, known)) = self.traced.iter_mut().find(|(_, known)| *known == pid) {
            // The number stays: more may be told of it.
            *known = 0;
            return false;
        }
        remember(&mut self.reported, pid);
        self.is_ahead()
    }

    /// Counts a kill that was told of; false if the counter has shown it already.
    fn is_ahead(&mut self) -> bool {
        if self.behind > 0 {
            self.behind -= 1;
            return false;
        }
        self.ahead = self.ahead.saturating_add(1);
        true
    }

    /// How far the counter has risen beyond the kills that were told of.
    fn unexplained(&mut self, counter: Option<u64>) -> u64 {
        let before = self.counter;
        self.counter = counter.or(before);
        let rise = match (before, counter) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => 0,
        };
        let explained = rise.min(self.ahead);
        self.ahead -= explained;
        let rest = rise - explained;
        self.behind = self.behind.saturating_add(rest);
        rest
    }

    fn head(&self, kind: Kind, base: u32, at: Now, kills: u64) -> Head {
        Head {
            length: 0,
            kind,
            number: self.number,
            base,
            unix_micros: at.wall.unix_micros,
            monotonic: at.monotonic.0,
            mark: 0,
            kills: u16::try_from(kills).unwrap_or(u16::MAX),
            crc: 0,
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= REPORTS {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Encoder;
    use crate::model::snapshot::{Host, KillCounters, Snapshot};
    use crate::model::time::{Monotonic, Now};
    use crate::oomlog::{Kill, OomEvent, OomReport, ReportKey};
    use crate::recording::{Header, Item, Recording};

    #[test]
    fn a_counter_that_rises_without_a_report_is_a_kill_and_one_with_a_report_is_not_another() {
        let mut encoder = Encoder::new(Host::default());
        let header = Header {
            id: 1,
            segment: 0,
            unix_micros: 0,
        };
        let mut bytes = header.bytes().to_vec();
        for (second, counter) in [(1, 5), (2, 5), (3, 7), (4, 7), (5, 8)] {
            let taken = Now {
                monotonic: Monotonic(second * 1_000_000),
                ..Now::default()
            };
            if second == 5 {
                assert_eq!((encoder.behind, encoder.ahead), (2, 0));
                // Reports of the three.
                let told: Vec<bool> = (0..3).map(|_| encoder.is_ahead()).collect();
                assert_eq!(told, [false, false, true]);
            }
            let sample = Snapshot {
                taken,
                kills: KillCounters {
                    host: Some(counter),
                },
                ..Snapshot::default()
            };
            encoder.append(&mut bytes, &Item::Sample(Arc::new(sample)), taken);
        }
        let recording = Recording::open(vec![bytes]).expect("a recording");
        let kills: Vec<u16> = recording
            .index()
            .samples()
            .map(|entry| entry.kills)
            .collect();
        assert_eq!(kills, [0, 0, 2, 0, 0]);
    }

    #[test]
    fn of_many_reports_only_the_oldest_is_forgotten() {
        let mut encoder = Encoder::new(Host::default());
        encoder.begun = Some(Monotonic(0));
        let kill = |key: u64| {
            let pid = u32::try_from(key).expect("small") + 1;
            let report = OomReport {
                key: ReportKey(key),
                at: Some(Monotonic(9)),
                kills: vec![Kill {
                    pid,
                    ..Kill::default()
                }],
                ..OomReport::default()
            };
            Item::Oom(OomEvent::Report(Arc::new(report)))
        };
        for key in 0..=1024 {
            assert_eq!(encoder.fresh_kills(&kill(key)), 1, "{key}");
        }
        assert_eq!(encoder.fresh_kills(&kill(1000)), 0);
        assert_eq!(encoder.fresh_kills(&kill(1024)), 0);
    }
}
