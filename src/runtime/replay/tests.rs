//! What the program runs: from the recorder's tape to the stage of a replay.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::stage::Stage;
use crate::app::State;
use crate::app::msg::Msg;
use crate::app::replay::Replay;
use crate::app::settings::Settings;
use crate::app::update::update;
use crate::model::event_source::EventSource;
use crate::model::memory::Memory;
use crate::model::snapshot::{Host, Snapshot};
use crate::model::time::{Monotonic, Now, Wall};
use crate::oomlog::{Kill, OomEvent, OomReport, ReportKey};
use crate::recording::{Header, Item};
use crate::runtime::record::Tape;
use crate::runtime::record::parts::Parts;
use crate::ui::Screen;
use crate::ui::theme::Theme;

const SIZE: (u16, u16) = (120, 36);

fn at(second: u64) -> Now {
    Now {
        monotonic: Monotonic(second * 1_000_000),
        wall: Wall {
            unix_micros: 1_795_821_000_000_000 + i64::try_from(second).expect("small") * 1_000_000,
            utc_offset: 3600,
        },
        ..Now::default()
    }
}

fn sample(second: u64) -> Arc<Snapshot> {
    let memory = Memory {
        total: 8 << 30,
        available: Some((8 << 30) - (second << 24)),
        ..Memory::default()
    };
    Arc::new(Snapshot {
        seq: second,
        taken: at(second),
        memory,
        ..Snapshot::default()
    })
}

fn report(second: u64) -> OomEvent {
    let report = OomReport {
        key: ReportKey(second),
        at: Some(at(second).monotonic),
        kills: vec![Kill {
            pid: 77,
            comm: "worker".to_owned(),
            at: Some(at(second).monotonic),
            ..Kill::default()
        }],
        ..OomReport::default()
    };
    OomEvent::Report(Arc::new(report))
}

fn host() -> Host {
    Host {
        name: "web".to_owned(),
        ..Host::default()
    }
}

fn tape(path: &Path) -> Tape {
    let header = Header {
        id: 5,
        segment: 0,
        unix_micros: 0,
    };
    let parts = Parts::begin(path, header, 1 << 20, false).expect("a recording");
    Tape::new(host(), parts)
}

/// The frame, without the sentences that only concern the way to it.
fn frame(state: &mut State) -> Buffer {
    state.notice = None;
    state.events.looked_at();
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::colours();
    Screen {
        state,
        theme: &theme,
    }
    .draw(area, &mut buffer);
    buffer
}

#[test]
fn playing_and_seeking_show_the_frames_of_the_running_machine() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("r");
    let source = EventSource {
        name: "/dev/kmsg".to_owned(),
        caught_up: true,
        ..EventSource::default()
    };
    let mut told = vec![(Item::Source(source), at(100))];
    for second in 100..190 {
        if second == 130 || second == 170 {
            told.push((Item::Oom(report(second)), at(second)));
        }
        told.push((Item::Sample(sample(second)), at(second)));
    }
    let mut tape = tape(&path);
    for (item, now) in told.clone() {
        match item {
            Item::Sample(_) => tape.sample(&item),
            other => tape.take(other, now),
        }
    }
    let mut stage = Stage::open(&path).expect("opens");
    let timeline = Arc::clone(&stage.timeline);
    assert_eq!(
        (timeline.samples.len(), &timeline.kills[..]),
        (90, &[30, 70][..])
    );

    let settings = Settings {
        read_only: true,
        watched: None,
        ..Settings::default()
    };
    let mut live = State::new(settings.clone(), host(), SIZE, at(100));
    live.replay = Some(Replay::new("r".to_owned(), timeline));
    let mut frames = Vec::new();
    for (item, now) in told {
        update(&mut live, Msg::Tick(now));
        match item {
            Item::Sample(snapshot) => {
                update(&mut live, Msg::Sampled(snapshot));
                if let Some(replay) = &mut live.replay {
                    replay.at = frames.len();
                }
                frames.push(frame(&mut live));
            }
            Item::Oom(event) => drop(update(&mut live, Msg::Oom(event))),
            Item::Source(source) => drop(update(&mut live, Msg::Source(source))),
            other => panic!("{other:?}"),
        }
    }
    let mut played = stage.state("r".to_owned(), settings.clone(), SIZE);
    assert_eq!(frame(&mut played), frames[0]);
    for (sample, live) in frames.iter().enumerate().skip(1) {
        played = stage.show(played, sample);
        assert_eq!(&frame(&mut played), live, "{sample}");
    }
    for sample in [71, 70, 31, 12, 0, 89] {
        played = stage.show(played, sample);
        assert_eq!(frame(&mut played), frames[sample], "{sample}");
    }
    // By the smallest steps, and with another wish on the way: back, on, and back to where it began.
    for (sample, another) in [(70, 30), (89, 60), (12, 80), (80, 12), (50, 50), (40, 89)] {
        played = stage.begin(played, sample);
        let mut steps = 0;
        while !stage.step(&mut played, Duration::ZERO) {
            steps += 1;
            let way = played.replay.as_ref().and_then(|replay| replay.way);
            assert!(way.is_some_and(|way| way <= 100), "{way:?}");
            if steps == 5 {
                played = stage.begin(played, another);
            }
        }
        assert!(steps > 5, "{steps}");
        assert_eq!(frame(&mut played), frames[another], "{sample} {another}");
    }
}

#[test]
fn a_sample_that_cannot_be_decoded_is_said_and_none_is_shown_in_its_place_unsaid() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("r");
    let mut tape = tape(&path);
    let mut starts = Vec::new();
    // Whole samples at 0 and 60 s.
    for second in [0, 30, 60, 90] {
        starts.push(usize::try_from(fs::metadata(&path).expect("there").len()).expect("small"));
        tape.sample(&Item::Sample(sample(second)));
    }
    let mut bytes = fs::read(&path).expect("read");
    // Another payload with its checksum.
    let frame = &mut bytes[starts[1]..starts[2]];
    let (head, payload) = frame.split_at_mut(41);
    payload.fill(0xff);
    let mut crc = flate2::Crc::new();
    crc.update(&head[..37]);
    crc.update(payload);
    head[37..].copy_from_slice(&crc.sum().to_le_bytes());
    fs::write(&path, bytes).expect("written");

    let mut recorded = Stage::open(&path).expect("opens");
    let state = recorded.state(String::new(), Settings::default(), SIZE);
    let place = |state: &State| {
        (
            state.replay.as_ref().map(|replay| replay.at),
            state.snapshot.seq,
        )
    };
    let said = |state: &State| state.notice.as_ref().map(|notice| notice.text.clone());
    assert_eq!(place(&state), (Some(0), 0));
    let state = recorded.show(state, 1);
    assert_eq!(place(&state), (Some(2), 60));
    let sentence = said(&state).expect("said");
    assert!(
        sentence.contains("cannot be read: this is that of"),
        "{sentence}"
    );
    assert_eq!(recorded.unread.len(), 1);
    let state = recorded.show(state, 1);
    assert_eq!(place(&state), (Some(0), 0));
    assert_eq!(recorded.unread.len(), 1);
    let state = recorded.show(state, 3);
    assert_eq!(place(&state), (Some(3), 90));
}
