//! [`Stage`]: feeds a state with what was recorded, up to any sample.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::clocks::clock_steps;
use super::files::{Part, open};
use super::holes::{holes, sentence, stamp};
use crate::app::State;
use crate::app::msg::{Effect, Msg};
use crate::app::notice::Notice;
use crate::app::replay::Replay;
use crate::app::replay::timeline::{Moment, Timeline};
use crate::app::settings::Settings;
use crate::app::update::update;
use crate::model::snapshot::Host;
use crate::model::time::{Now, Wall};
use crate::recording::{Entry, Item, Kind, Played, Player, Recording};
use crate::text::tone::Tone;

/// Samples before a moment that the state takes in before it shows the moment: trends, forecasts and the kills of the last
/// minute come from them.
const WARM: usize = 600;

/// A recording and how far the state has seen it.
#[derive(Debug)]
pub(super) struct Stage {
    recording: Recording<Part>,
    /// The places of the samples in the index.
    samples: Vec<usize>,
    player: Player,
    pub(super) timeline: Arc<Timeline>,
    pub(super) host: Host,
    pub(super) first: Now,
    /// The samples and events whose content could not be read on the way to the last sample that was asked for, a sentence
    /// each.
    pub(super) unread: Vec<String>,
    /// The way to the sample that was asked for, while it is not there yet.
    way: Option<Way>,
}

/// A way to a sample: hundreds of samples may have to be taken in first, and the keyboard is not to wait for them.
#[derive(Debug)]
struct Way {
    /// The sample at its end.
    sample: usize,
    /// From an earlier sample.
    onward: bool,
    /// The state began anew, at this sample.
    anew: Option<usize>,
    /// Events of the time before that are to be taken in first, the last one first.
    events: Vec<usize>,
    /// The sentence on the screen when it began.
    notice: Option<Notice>,
    /// The last sample that was taken in.
    taken: Option<usize>,
    /// Where the player stood when it began.
    entry: usize,
}

impl Stage {
    /// Opens a recording.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let (recording, others) = open(path)?;
        let entries = &recording.index().entries;
        let samples: Vec<usize> = entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| entry.kind.is_sample().then_some(at))
            .collect();
        let (host, first) = beginning(&recording, samples.first().copied().unwrap_or(0))
            .ok_or_else(|| format!("{} has no sample that can be read", path.display()))?;
        let timeline = Arc::new(timeline(entries, &samples, &recording, (first, others)));
        Ok(Self {
            recording,
            samples,
            player: Player::default(),
            timeline,
            host,
            first,
            unread: Vec::new(),
            way: None,
        })
    }

    /// The state of a screen at the first sample.
    pub(super) fn state(&mut self, name: String, settings: Settings, size: (u16, u16)) -> State {
        let settings = Settings {
            read_only: true,
            watched: None,
            ..settings
        };
        let mut state = State::new(settings, self.host.clone(), size, self.first);
        state.replay = Some(Replay::new(name, Arc::clone(&self.timeline)));
        let mut state = self.anew(state, 0, true);
        self.step(&mut state, Duration::MAX);
        state
    }

    /// Goes to this sample without a pause.
    pub(super) fn show(&mut self, state: State, sample: usize) -> State {
        let mut state = self.begin(state, sample);
        self.step(&mut state, Duration::MAX);
        state
    }

    /// Sets out to this sample: on from the present one if that is not far, otherwise in a state that begins anew. A way that
    /// is not at its end yet goes on, if it leads there.
    pub(super) fn begin(&mut self, state: State, sample: usize) -> State {
        let at = state.replay.as_ref().map_or(0, |replay| replay.at);
        let onward = sample > at;
        if let Some(way) = &mut self.way {
            let is_ahead = sample >= way.taken.map_or(way.sample, |taken| taken + 1);
            let is_warm = way
                .anew
                .is_none_or(|from| from <= sample.saturating_sub(WARM));
            if is_ahead && is_warm && sample.saturating_sub(way.sample) <= WARM {
                (way.sample, way.onward) = (sample, onward);
                return state;
            }
        }
        self.unread.clear();
        let is_on_the_way = self.way.is_some();
        if onward && sample - at <= WARM && !is_on_the_way {
            self.way = Some(Way {
                sample,
                onward,
                anew: None,
                events: Vec::new(),
                notice: None,
                taken: None,
                entry: self.player.next_entry(),
            });
            return state;
        }
        self.anew(state, sample, onward)
    }

    /// True until the sample that was asked for is on the screen.
    pub(super) fn is_on_the_way(&self) -> bool {
        self.way.is_some()
    }

    /// Goes on for about so long. Returns true at the end of the way.
    pub(super) fn step(&mut self, state: &mut State, within: Duration) -> bool {
        let begun = Instant::now();
        let mut before = Player::default();
        loop {
            let Some(way) = &mut self.way else {
                return true;
            };
            if let Some(event) = way.events.pop() {
                before.skip_to(event);
                if let Some(Ok(played)) = before.play(&self.recording) {
                    take_in(state, played);
                }
            } else if self.feed(state) {
                self.arrive(state);
                return true;
            }
            if begun.elapsed() >= within {
                self.tell(state);
                return false;
            }
        }
    }

    /// Tells the state how far it is.
    fn tell(&self, state: &mut State) {
        let Some((way, replay)) = self.way.as_ref().zip(state.replay.as_mut()) else {
            return;
        };
        let end = self.samples.get(way.sample).copied().unwrap_or(0);
        let whole = (end + 1).saturating_sub(way.entry).max(1);
        let done = self
            .player
            .next_entry()
            .saturating_sub(way.entry)
            .min(whole);
        replay.way = u8::try_from(done * 100 / whole).ok();
    }

    fn arrive(&mut self, state: &mut State) {
        let Some(way) = self.way.take() else {
            return;
        };
        if let Some(replay) = &mut state.replay {
            replay.at = way.taken.unwrap_or(replay.at);
            (replay.aim, replay.way) = (None, None);
        }
        if way.anew.is_some() {
            // What was news then is none now.
            state.notice = way.notice;
            state.events.looked_at();
        }
        self.say_unread(state, way.sample);
    }

    /// Says that another sample is shown than the one that was asked for.
    fn say_unread(&self, state: &mut State, sample: usize) {
        let Some(at) = state.replay.as_ref().map(|replay| replay.at) else {
            return;
        };
        let Some(asked) = self.timeline.samples.get(sample).filter(|_| at != sample) else {
            return;
        };
        let wall = Wall {
            unix_micros: asked.unix_micros,
            ..self.first.wall
        };
        let shown = state.snapshot.taken.wall;
        state.say(
            Tone::Watch,
            format!(
                "the sample of {} cannot be read: this is that of {}",
                stamp(wall),
                stamp(shown)
            ),
        );
    }

    fn anew(&mut self, state: State, sample: usize, onward: bool) -> State {
        let notice = match self.way.take() {
            Some(Way {
                anew: Some(_),
                notice,
                ..
            }) => notice,
            _ => state.notice.clone(),
        };
        let state = state.elsewhere();
        let begin = sample.saturating_sub(WARM);
        let index = self.recording.index();
        let entry = self.samples.get(begin).copied().unwrap_or(0);
        self.player = Player::at(index, entry);
        let entry = self.player.next_entry();
        // The kills of the time before.
        let earlier = index.entries.iter().take(entry).enumerate();
        let events = earlier.filter_map(|(at, entry)| (!entry.kind.is_sample()).then_some(at));
        let mut events: Vec<usize> = events.collect();
        events.reverse();
        self.way = Some(Way {
            sample,
            onward,
            anew: Some(begin),
            events,
            notice,
            taken: None,
            entry,
        });
        state
    }

    /// Takes the next frame in; true if there is nothing more to take in. If the sample cannot be read, the last one before it
    /// stays; `onward`, or if there is none, the next one that can be read is shown.
    fn feed(&mut self, state: &mut State) -> bool {
        let Some(way) = &mut self.way else {
            return true;
        };
        let Some(end) = self.samples.get(way.sample).copied() else {
            return true;
        };
        let entry = self.player.next_entry();
        let is_there = way.taken == Some(way.sample) || (way.taken.is_some() && !way.onward);
        if entry > end && (is_there || way.taken.is_some_and(|taken| taken > way.sample)) {
            return true;
        }
        let place = self.samples.binary_search(&entry).ok();
        match self.player.play(&self.recording) {
            Some(Ok(played)) => {
                take_in(state, played);
                way.taken = place.or(way.taken);
            }
            Some(Err(hole)) => self.unread.push(sentence(&hole, self.first.wall)),
            None => return true,
        }
        false
    }
}

/// The host and the clocks of the first sample that can be read.
fn beginning(recording: &Recording<Part>, entry: usize) -> Option<(Host, Now)> {
    let mut player = Player::at(recording.index(), entry);
    while let Some(played) = player.play(recording) {
        if let Ok(Played {
            now,
            host: Some(host),
            ..
        }) = played
        {
            return Some((host, now));
        }
    }
    None
}

/// Tells a state what happened, as the loop of the running screen does.
pub(super) fn take_in(state: &mut State, played: Played) {
    if let Some(host) = played.host {
        state.host = host;
    }
    update(state, Msg::Tick(played.now));
    for item in played.items {
        let msg = match item {
            Item::Sample(snapshot) => Msg::Sampled(snapshot),
            Item::Failed(reason) => Msg::SampleFailed(reason),
            Item::Oom(event) => Msg::Oom(event),
            Item::Traced(traced) => Msg::Traced(traced),
            Item::Source(source) => Msg::Source(source),
            Item::Wakes(sources) => Msg::WakeSources(sources),
        };
        // Nothing of the running machine belongs to the recording.
        let asked = update(state, msg).effects;
        debug_assert!(
            !asked
                .iter()
                .any(|effect| matches!(effect, Effect::Write { .. }))
        );
    }
}

fn timeline(
    entries: &[Entry],
    samples: &[usize],
    recording: &Recording<Part>,
    (first, others): (Now, Option<String>),
) -> Timeline {
    let moment = |at: &usize| {
        let entry = &entries[*at];
        Moment {
            unix_micros: entry.unix_micros,
            monotonic: entry.monotonic,
            percent: f64::from(entry.mark) / 100.0,
        }
    };
    let mut kills: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind == Kind::Kill || entry.kills > 0)
        .map(|(at, _)| samples.partition_point(|sample| *sample < at))
        // A kill behind the last sample must not be lost.
        .map(|sample| sample.min(samples.len().saturating_sub(1)))
        .collect();
    kills.dedup();
    let moments: Vec<Moment> = samples.iter().map(moment).collect();
    let mut remarks = holes(&recording.index().missing, first.wall);
    remarks.extend(others);
    remarks.extend(clock_steps(&moments, first.wall));
    Timeline::new(moments, kills, remarks)
}
