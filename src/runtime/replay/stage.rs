//! [`Stage`]: feeds a state with what was recorded, up to any sample.

use std::path::Path;
use std::sync::Arc;

use super::files::{Part, open};
use super::holes::holes;
use crate::app::State;
use crate::app::msg::{Effect, Msg};
use crate::app::replay::Replay;
use crate::app::replay::timeline::{Moment, Timeline};
use crate::app::settings::Settings;
use crate::app::update::update;
use crate::model::snapshot::Host;
use crate::model::time::Now;
use crate::recording::{Entry, Item, Kind, Played, Player, Recording};

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
    /// Frames whose content could not be read.
    pub(super) unreadable: u32,
}

impl Stage {
    /// Opens a recording.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let recording = open(path)?;
        let entries = &recording.index().entries;
        let samples: Vec<usize> = entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| entry.kind.is_sample().then_some(at))
            .collect();
        let (host, first) = beginning(&recording, samples.first().copied().unwrap_or(0))
            .ok_or_else(|| format!("{} has no sample that can be read", path.display()))?;
        let timeline = Arc::new(timeline(entries, &samples, &recording, first));
        Ok(Self {
            recording,
            samples,
            player: Player::default(),
            timeline,
            host,
            first,
            unreadable: 0,
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
        self.rewind(state, 0)
    }

    /// Shows this sample: on from the present one if that is not far, otherwise in a state that begins anew.
    pub(super) fn show(&mut self, state: State, sample: usize) -> State {
        let at = state.replay.as_ref().map_or(0, |replay| replay.at);
        let mut state = state;
        if sample > at && sample - at <= WARM {
            self.feed(&mut state, sample);
            state
        } else {
            self.rewind(state, sample)
        }
    }

    fn rewind(&mut self, state: State, sample: usize) -> State {
        let notice = state.notice.clone();
        let mut state = state.elsewhere();
        let begin = sample.saturating_sub(WARM);
        let index = self.recording.index();
        let entry = self.samples.get(begin).copied().unwrap_or(0);
        self.player = Player::at(index, entry);
        self.events_before(&mut state, self.player.next_entry());
        self.feed(&mut state, sample);
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

    /// Plays up to this sample and with it.
    fn feed(&mut self, state: &mut State, sample: usize) {
        let Some(end) = self.samples.get(sample).copied() else {
            return;
        };
        while self.player.next_entry() <= end {
            match self.player.play(&self.recording) {
                Some(Ok(played)) => take_in(state, played),
                Some(Err(_)) => self.unreadable += 1,
                None => break,
            }
        }
        if let Some(replay) = &mut state.replay {
            replay.at = sample;
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
    first: Now,
) -> Timeline {
    let moment = |at: &usize| {
        let entry = &entries[*at];
        Moment {
            unix_micros: entry.unix_micros,
            percent: f64::from(entry.mark) / 100.0,
        }
    };
    let mut kills: Vec<usize> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind == Kind::Kill)
        .map(|(at, _)| samples.partition_point(|sample| *sample < at))
        .filter(|sample| *sample < samples.len())
        .collect();
    kills.dedup();
    Timeline {
        samples: samples.iter().map(moment).collect(),
        kills,
        holes: holes(&recording.index().missing, first.wall),
    }
}
