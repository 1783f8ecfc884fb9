//! `oomtop record`: samples and events to a file, without a screen.
//!
//! A state of the dashboard that nobody looks at decides when samples are taken and what each must read, so that the
//! recording has what the screen would have had.

pub(super) mod keeper;
pub(super) mod parts;
mod pending;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use super::headless::{Event, LogItem, Session};
use super::{RunError, clock, complain};
use crate::app::State;
use crate::app::msg::{Effect, Msg};
use crate::app::settings::Settings;
use crate::app::update::update;
use crate::linux::SysRoot;
use crate::linux::scan::backend::BackendChoice;
use crate::model::record::RecordTask;
use crate::model::snapshot::{Host, Needs};
use crate::model::time::Now;
use crate::recording::{Encoder, Header, Item};
use crate::text::format;
use parts::Parts;
use pending::Pending;

/// The screen that nobody looks at: its rows are read as exactly as those of a large terminal.
const SCREEN: (u16, u16) = (200, 100);

/// A recording to make.
#[derive(Debug)]
pub struct Recorder {
    /// Where, and how much.
    pub task: RecordTask,
    /// Settings; `delay` is the time between two samples.
    pub settings: Settings,
    /// Where the kernel's files are.
    pub root: SysRoot,
    /// How to read the processes.
    pub backend: BackendChoice,
}

/// Records until SIGTERM or SIGINT. Returns the exit status, 0.
///
/// # Errors
/// If the machine cannot be read, or the recording cannot be begun.
pub fn record(recorder: Recorder) -> Result<u8, RunError> {
    let mut session = Session::new(recorder.root, recorder.backend)?;
    let host = session.host()?.clone();
    let mut now = clock::now();
    let header = Header {
        id: id(now.wall.unix_micros),
        segment: 0,
        unix_micros: now.wall.unix_micros,
    };
    let task = recorder.task;
    let parts =
        Parts::begin(&task.file, header, task.most, task.goes_on).map_err(RunError::Recording)?;
    session.follow_log()?;
    let mut tape = Tape::new(host.clone(), parts);
    let mut state = State::new(recorder.settings, host, SCREEN, now);
    let mut msg = Msg::Tick(now);
    loop {
        for needs in take_in(&mut state, msg, now) {
            session.ask(&Needs {
                all_commands: true,
                ..needs
            })?;
        }
        let event = session.next(Instant::now() + state.quiet_for());
        now = clock::now();
        msg = match event {
            Event::Tick(now) => Msg::Tick(now),
            Event::Sample(Ok(snapshot)) => {
                tape.sample(&Item::Sample(Arc::clone(&snapshot)));
                Msg::Sampled(snapshot)
            }
            Event::Sample(Err(error)) => {
                let reason = error.to_string();
                tape.take(Item::Failed(reason.clone()), now);
                Msg::SampleFailed(reason)
            }
            Event::Log(LogItem::Event(event)) => {
                tape.take(Item::Oom(event.clone()), now);
                Msg::Oom(event)
            }
            Event::Log(LogItem::Traced(traced)) => {
                tape.take(Item::Traced(traced.clone()), now);
                Msg::Traced(traced)
            }
            Event::Log(LogItem::Source(source)) => {
                tape.take(Item::Source(source.clone()), now);
                Msg::Source(source)
            }
            Event::Stop(_) => {
                tape.write_events();
                tape.finish();
                return Ok(0);
            }
        };
    }
}

/// Tells the state the time and what happened then; returns the samples that are to be taken. Either may make one due.
fn take_in(state: &mut State, msg: Msg, now: Now) -> Vec<Needs> {
    let mut effects = match msg {
        Msg::Tick(_) => Vec::new(),
        _ => update(state, Msg::Tick(now)).effects,
    };
    effects.extend(update(state, msg).effects);
    // What the state says is for a screen.
    state.notice = None;
    let needs = |effect| match effect {
        Effect::Sample(needs) => Some(needs),
        _ => None,
    };
    effects.into_iter().filter_map(needs).collect()
}

/// From items to the file.
#[derive(Debug)]
pub(super) struct Tape {
    encoder: Encoder,
    parts: Parts,
    pending: Pending,
    /// What is wrong with the disk, said once.
    trouble: Option<String>,
}

impl Tape {
    pub(super) fn new(host: Host, parts: Parts) -> Self {
        Self {
            encoder: Encoder::new(host),
            parts,
            pending: Pending::default(),
            trouble: None,
        }
    }

    /// Takes in what is written with the next sample, or at once if there is much of it.
    pub(super) fn take(&mut self, item: Item, now: Now) {
        if self.pending.push(item, now) {
            self.write_events();
        }
    }

    fn write_events(&mut self) {
        let waiting = self.pending.take();
        if waiting.is_empty() {
            return;
        }
        let has_room = self.has_room();
        let mut frames = Vec::new();
        for (item, now) in waiting {
            // The encoder must know of it though there is no room: the next whole sample tells of the sources.
            self.encoder.append(&mut frames, &item, now);
        }
        if has_room {
            self.write(&frames);
        }
    }

    pub(super) fn sample(&mut self, item: &Item) {
        self.write_events();
        let now = clock::now();
        if !self.has_room() {
            return;
        }
        let mut frames = Vec::new();
        self.encoder.append(&mut frames, item, now);
        self.write(&frames);
    }

    /// Begins another part if the present one is full. Without one the recording would be larger than allowed.
    fn has_room(&mut self) -> bool {
        if !self.parts.is_full() {
            return true;
        }
        // Whether there is another part or not, the next sample must not differ from one that is elsewhere.
        self.encoder.begin_segment();
        match self.parts.next_part(clock::now().wall.unix_micros) {
            Ok(()) => true,
            Err(error) => {
                self.say(&error);
                false
            }
        }
    }

    fn write(&mut self, frames: &[u8]) {
        if frames.is_empty() {
            return;
        }
        match self.parts.append(frames) {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    complain("recording goes on");
                }
            }
            Err(error) => {
                // The next sample must not differ from one that is not in the file.
                self.encoder.begin_segment();
                self.say(&error);
            }
        }
    }

    /// Says what is wrong, once for each thing.
    fn say(&mut self, error: &std::io::Error) {
        let why = match error.kind() {
            ErrorKind::StorageFull => "the disk is full".to_owned(),
            ErrorKind::QuotaExceeded => "the quota of the disk is used up".to_owned(),
            ErrorKind::ReadOnlyFilesystem => "the disk has become read-only".to_owned(),
            _ => error.to_string(),
        };
        let sentence = format!(
            "nothing is recorded: {why}; its parts hold {}; oomtop tries again at the next sample",
            format::size(self.parts.bytes())
        );
        if self.trouble.as_ref() != Some(&sentence) {
            complain(&sentence);
            self.trouble = Some(sentence);
        }
    }

    fn finish(&mut self) {
        if let Err(error) = self.parts.finish() {
            self.say(&error);
        }
        if self.encoder.too_large() > 0 {
            complain(&format!(
                "{} samples or events were too large and are not in the recording",
                self.encoder.too_large()
            ));
        }
    }
}

/// A number that no other recording has.
pub(super) fn id(unix_micros: i64) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // Keyed anew in each process from the kernel's random numbers.
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_i64(unix_micros);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::take_in;
    use crate::app::State;
    use crate::app::msg::Msg;
    use crate::app::settings::Settings;
    use crate::model::event_source::EventSource;
    use crate::model::snapshot::{Host, Snapshot};
    use crate::model::time::{Monotonic, Now};

    #[test]
    fn an_event_that_comes_when_a_sample_is_due_does_not_swallow_it() {
        let at = |second: u64| Now {
            monotonic: Monotonic(second * 1_000_000),
            ..Now::default()
        };
        let mut state = State::new(Settings::default(), Host::default(), (200, 100), at(1));
        assert_eq!(take_in(&mut state, Msg::Tick(at(1)), at(1)).len(), 1);
        let sample = Snapshot {
            seq: 1,
            taken: at(1),
            ..Snapshot::default()
        };
        take_in(&mut state, Msg::Sampled(Arc::new(sample)), at(1));
        let event = Msg::Source(EventSource::default());
        assert_eq!(take_in(&mut state, event, at(60)).len(), 1);
    }
}
