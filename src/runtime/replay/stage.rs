//! [`Stage`]: feeds a state with what was recorded, up to any sample.

use std::path::Path;
use std::sync::Arc;

use super::files::{Part, open};
use super::holes::{holes, sentence, stamp};
use crate::app::State;
use crate::app::msg::{Effect, Msg};
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
        self.rewind(state, 0, true)
    }

    /// Shows this sample: on from the present one if that is not far, otherwise in a state that begins anew.
    pub(super) fn show(&mut self, state: State, sample: usize) -> State {
        let at = state.replay.as_ref().map_or(0, |replay| replay.at);
        let onward = sample > at;
        let mut state = state;
        self.unread.clear();
        if onward && sample - at <= WARM {
            self.feed(&mut state, sample, true);
        } else {
            state = self.rewind(state, sample, onward);
        }
        self.say_unread(&mut state, sample);
        state
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

    fn rewind(&mut self, state: State, sample: usize, onward: bool) -> State {
        let notice = state.notice.clone();
        let mut state = state.elsewhere();
        let begin = sample.saturating_sub(WARM);
        let index = self.recording.index();
        let entry = self.samples.get(begin).copied().unwrap_or(0);
        self.player = Player::at(index, entry);
        self.events_before(&mut state, self.player.next_entry());
        self.feed(&mut state, sample, onward);
        // What was news then is none now.
        state.notice = notice;
        state.events.unread = 0;
        state
    }

    /// Lets the state know the kills of the time before.
    fn events_before(&mut self, state: &mut State, end: usize) {
        let mut player = Player::default();
        let entries = &self.recording.index().entries;
        let events = entries.iter().take(end).enumerate();
        let events: Vec<usize> = events
            .filter_map(|(at, entry)| (!entry.kind.is_sample()).then_some(at))
            .collect();
        for at in events {
            player.skip_to(at);
            if let Some(Ok(played)) = player.play(&self.recording) {
                take_in(state, played);
            }
        }
    }

    /// Plays up to this sample and with it. If it cannot be read, the last one before it stays; `onward`, or if there is none,
    /// the next one that can be read is shown.
    fn feed(&mut self, state: &mut State, sample: usize, onward: bool) {
        let Some(end) = self.samples.get(sample).copied() else {
            return;
        };
        let mut taken = None;
        loop {
            let entry = self.player.next_entry();
            let is_there = taken == Some(sample) || (taken.is_some() && !onward);
            if entry > end && (is_there || taken.is_some_and(|taken| taken > sample)) {
                break;
            }
            let place = self.samples.binary_search(&entry).ok();
            match self.player.play(&self.recording) {
                Some(Ok(played)) => {
                    take_in(state, played);
                    taken = place.or(taken);
                }
                Some(Err(hole)) => self.unread.push(sentence(&hole, self.first.wall)),
                None => break,
            }
        }
        if let Some(replay) = &mut state.replay {
            replay.at = taken.unwrap_or(replay.at);
            replay.aim = None;
        }
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
    Timeline::new(
        samples.iter().map(moment).collect(),
        kills,
        holes(&recording.index().missing, first.wall)
            .into_iter()
            .chain(others)
            .collect(),
    )
}
