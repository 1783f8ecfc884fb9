//! [`Replay`]: where in a recording the screen is, and where a key goes from there. The state beside it is that of the
//! dashboard and takes the same messages.

pub mod growth;
pub mod moment;
pub mod timeline;

use std::sync::Arc;
use std::time::Duration;

use crate::app::State;
use crate::app::msg::{Control, Effect};
use crate::model::snapshot::Snapshot;
use crate::model::time::Wall;
use crate::text::tone::Tone;
use timeline::Timeline;

/// How fast a recording can be shown, as a multiple of the time it took, in hundredths.
const SPEEDS: &[u32] = &[10, 25, 50, 100, 200, 500, 1000, 3000, 6000];

/// A gap between two samples is shown for no longer than this.
const LONGEST: Duration = Duration::from_secs(3);

/// A way through the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Travel {
    /// So many samples forward; negative: back.
    Samples(isize),
    /// So many seconds forward; negative: back.
    Seconds(i64),
    /// To the first sample after the next kill.
    NextKill,
    /// To the first sample after the last kill before this one.
    PreviousKill,
    /// To this time, in microseconds since 1970.
    To(i64),
}

/// A recording on the screen.
#[derive(Debug)]
pub struct Replay {
    /// Name of the file.
    pub file: String,
    /// Its samples and kills.
    pub timeline: Arc<Timeline>,
    /// The sample on the screen, by its place among the samples.
    pub at: usize,
    /// The sample that was asked for and is not on the screen yet: further keys go on from it.
    pub aim: Option<usize>,
    /// How far the way to it is done, in percent; `None` while there is none, or a short one.
    pub way: Option<u8>,
    /// It goes on by itself.
    pub playing: bool,
    /// Place in [`SPEEDS`].
    speed: usize,
    /// The sample that others are compared with.
    pub mark: Option<Arc<Snapshot>>,
}

impl Replay {
    /// A recording that stands at its first sample.
    pub fn new(file: String, timeline: Arc<Timeline>) -> Self {
        Self {
            file,
            timeline,
            at: 0,
            aim: None,
            way: None,
            playing: false,
            speed: SPEEDS.iter().position(|speed| *speed == 100).unwrap_or(0),
            mark: None,
        }
    }

    /// The sample that a way leads to; the present one if it leads nowhere.
    pub fn target(&self, way: Travel) -> usize {
        let times = &self.timeline.samples;
        let last = times.len().saturating_sub(1);
        let from = self.from();
        match way {
            Travel::Samples(by) => from.saturating_add_signed(by).min(last),
            Travel::Seconds(by) => {
                let now = times.get(from).map_or(0, |s| s.monotonic);
                let time = now.saturating_add_signed(by.saturating_mul(1_000_000));
                let at = self.timeline.before_monotonic(time);
                // A key always does something, also where samples are rare.
                match by {
                    1.. => at.max(from + 1).min(last),
                    _ => at.min(from.saturating_sub(1)),
                }
            }
            Travel::To(time) => self.timeline.before(time),
            Travel::NextKill => {
                let after = |kill: &&usize| **kill > from;
                self.timeline
                    .kills
                    .iter()
                    .find(after)
                    .copied()
                    .unwrap_or(from)
            }
            Travel::PreviousKill => {
                let before = |kill: &&usize| **kill < from;
                let kill = self.timeline.kills.iter().rev().find(before);
                kill.copied().unwrap_or(from)
            }
        }
    }

    /// Where a way begins.
    fn from(&self) -> usize {
        self.aim.unwrap_or(self.at)
    }

    /// How long the sample on the screen stays; `None` while the recording stands, and at its end.
    pub fn stays(&self) -> Option<Duration> {
        let (this, next) = (self.at, self.at.checked_add(1)?);
        let (this, next) = (
            self.timeline.samples.get(this)?,
            self.timeline.samples.get(next)?,
        );
        let micros = next.monotonic.saturating_sub(this.monotonic);
        let wait = Duration::from_micros(micros).saturating_mul(100) / self.hundredths();
        self.playing.then_some(wait.min(LONGEST))
    }

    fn hundredths(&self) -> u32 {
        SPEEDS.get(self.speed).copied().unwrap_or(100)
    }

    /// The speed in words: `x1`, `x0.5`.
    pub fn speed(&self) -> String {
        let hundredths = self.hundredths();
        if hundredths.is_multiple_of(100) {
            format!("x{}", hundredths / 100)
        } else {
            format!("x{}", f64::from(hundredths) / 100.0)
        }
    }
}

impl State {
    /// Goes to another moment of the recording.
    pub(in crate::app) fn travel(&mut self, way: Travel) -> Vec<Effect> {
        let Some(replay) = &mut self.replay else {
            return self.only_in_replay();
        };
        let target = replay.target(way);
        if target == replay.from() {
            let sentence = match way {
                Travel::NextKill => "no kill after this in the recording",
                Travel::PreviousKill => "no kill before this in the recording",
                Travel::Samples(1..) | Travel::Seconds(1..) => "the end of the recording",
                Travel::Samples(_) | Travel::Seconds(_) => "the start of the recording",
                Travel::To(_) => return Vec::new(),
            };
            self.say(Tone::Normal, sentence);
            return Vec::new();
        }
        // Stepping stops playback.
        if matches!(
            way,
            Travel::Samples(_) | Travel::NextKill | Travel::PreviousKill
        ) {
            replay.playing = false;
        }
        replay.aim = Some(target);
        self.ask(Control::Show(target))
    }

    /// Stands still, or goes on.
    pub(in crate::app) fn toggle_playing(&mut self) -> Vec<Effect> {
        if let Some(replay) = &mut self.replay {
            replay.playing = !replay.playing;
        }
        Vec::new()
    }

    /// Faster or slower.
    pub(in crate::app) fn change_speed(&mut self, faster: bool) -> Vec<Effect> {
        let Some(replay) = &mut self.replay else {
            return self.only_in_replay();
        };
        replay.speed = if faster {
            (replay.speed + 1).min(SPEEDS.len() - 1)
        } else {
            replay.speed.saturating_sub(1)
        };
        let speed = replay.speed();
        self.say(Tone::Normal, format!("speed {speed}"));
        Vec::new()
    }

    /// Sets the mark that later moments are compared with.
    pub(in crate::app) fn set_mark(&mut self) -> Vec<Effect> {
        let Some(replay) = &mut self.replay else {
            return self.only_in_replay();
        };
        replay.mark = Some(Arc::clone(&self.snapshot));
        let time = self.snapshot.taken.wall;
        let compare = self.key(crate::app::input::id::ActionId::Compare);
        self.say(
            Tone::Good,
            format!("marked {time}; {compare} shows what has grown since, at any other moment"),
        );
        Vec::new()
    }

    pub(in crate::app) fn only_in_replay(&mut self) -> Vec<Effect> {
        self.say(Tone::Normal, "only in a replay (oomtop replay FILE)");
        Vec::new()
    }

    /// The zone of the recording, for times that are typed.
    pub(in crate::app) fn recorded_wall(&self) -> Wall {
        self.snapshot.taken.wall
    }

    /// A state for another moment of the recording that remembers nothing of this one but what the user has chosen:
    /// panes, filters, order, selection, open dialogs.
    #[must_use]
    pub fn elsewhere(self) -> Self {
        let mut fresh = Self::new(self.settings, self.host, self.size, self.now);
        fresh.zoom_wanted = None;
        fresh.table = self.table;
        fresh.domains = self.domains.forgetting();
        fresh
            .events
            .set_filter(&self.events.filter_text, self.events.filter);
        fresh.focus = self.focus;
        fresh.dialogs = self.dialogs;
        fresh.prompt = self.prompt;
        fresh.searched = self.searched;
        fresh.keymap = self.keymap;
        fresh.replay = self.replay;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::timeline::{Moment, Timeline};
    use super::{Replay, Travel};

    fn replay(kills: &[usize]) -> Replay {
        let sample = |second: i64| Moment {
            unix_micros: second * 1_000_000,
            monotonic: second.unsigned_abs() * 1_000_000,
            percent: 10.0,
        };
        let timeline = Timeline::new((0..100).map(sample).collect(), kills.to_vec(), Vec::new());
        Replay::new("r".to_owned(), Arc::new(timeline))
    }

    #[test]
    fn every_way_ends_within_the_recording() {
        let mut replay = replay(&[20, 40]);
        for at in 0..100 {
            replay.at = at;
            assert_eq!(replay.target(Travel::Samples(1)), (at + 1).min(99));
            assert_eq!(replay.target(Travel::Samples(-1)), at.saturating_sub(1));
            assert_eq!(replay.target(Travel::Seconds(10)), (at + 10).min(99));
            assert_eq!(replay.target(Travel::Seconds(-60)), at.saturating_sub(60));
            assert_eq!(replay.target(Travel::To(i64::MAX)), 99);
            assert_eq!(replay.target(Travel::To(i64::MIN)), 0);
        }
        replay.at = 20;
        assert_eq!(replay.target(Travel::NextKill), 40);
        assert_eq!(replay.target(Travel::PreviousKill), 20);
        // A key that comes before the screen has followed goes on from where the last one led.
        replay.aim = Some(30);
        assert_eq!(replay.target(Travel::Samples(-1)), 29);
        assert_eq!(replay.target(Travel::Seconds(10)), 40);
        replay.aim = None;
        replay.at = 41;
        assert_eq!(replay.target(Travel::NextKill), 41);
        assert_eq!(replay.target(Travel::PreviousKill), 40);
        replay.timeline = Arc::default();
        replay.at = 0;
        for way in [
            Travel::Samples(1),
            Travel::Seconds(-1),
            Travel::To(0),
            Travel::NextKill,
        ] {
            assert_eq!(replay.target(way), 0);
        }
    }

    #[test]
    fn a_gap_is_not_waited_for() {
        let mut replay = replay(&[]);
        assert_eq!(replay.stays(), None);
        replay.playing = true;
        assert_eq!(replay.stays().map(|wait| wait.as_millis()), Some(1000));
        replay.speed += 1;
        assert_eq!(replay.stays().map(|wait| wait.as_millis()), Some(500));
        replay.at = 99;
        assert_eq!(replay.stays(), None);
    }
}
