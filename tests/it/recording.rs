//! What is recorded comes back: the same frames, and of a damaged file nothing that was not in it.

use std::sync::Arc;

use oomtop::app::State;
use oomtop::app::msg::Msg;
use oomtop::app::settings::Settings;
use oomtop::app::update::update;
use oomtop::model::cgroup::CgroupVersion;
use oomtop::model::event_source::EventSource;
use oomtop::model::snapshot::{Host, Snapshot};
use oomtop::model::time::Now;
use oomtop::oomlog::{OomEvent, TextLog};
use oomtop::recording::{Encoder, Header, Item, Missing, Player, Recording, Refused};
use oomtop::ui::Screen;
use oomtop::ui::theme::Theme;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::common::scene::{moment, process};
use crate::common::whole;

const HEADER: Header = Header {
    id: 5,
    segment: 0,
    unix_micros: 0,
};

/// What happens in one second of a generated machine.
#[derive(Debug, Clone)]
struct Second {
    /// Sizes in MiB by pid; a size of 0 is a process that is not there.
    sizes: Vec<u16>,
    free: u8,
    reversed: bool,
    kill: bool,
    rate: f32,
}

fn second() -> impl Strategy<Value = Second> {
    let sizes = prop::collection::vec(prop_oneof![3 => 1..2000_u16, 1 => Just(0)], 6);
    (
        sizes,
        1..100_u8,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
        -1e8..1e8_f32,
    )
        .prop_map(|(sizes, free, reversed, kill, rate)| Second {
            sizes,
            free,
            reversed,
            kill,
            rate,
        })
}

/// The sample of a second, on a machine on which every field has a value.
fn sample(number: u64, second: &Second, version: CgroupVersion) -> Arc<Snapshot> {
    let mut sample = whole::snapshot(version);
    let born = |pid: usize, mib: u16| {
        let pid = u32::try_from(100 + pid).expect("small");
        let mut process = process(pid, "worker", u64::from(mib), i64::from(pid % 3) * 100, 2);
        process.growth = Some(second.rate);
        process.pace.growth = second.rate;
        process.command = Some(format!("worker --of {pid}").into());
        process
    };
    let there = second.sizes.iter().enumerate().filter(|(_, mib)| **mib > 0);
    sample
        .processes
        .extend(there.map(|(pid, mib)| born(pid, *mib)));
    if second.reversed {
        sample.processes.reverse();
    }
    (sample.backend, sample.groups_backend) = ("/proc", "files");
    sample.seq = number + 1;
    sample.taken = moment(number);
    sample.memory.available = Some(sample.memory.total / 100 * u64::from(second.free));
    sample.kills.host = Some(7 + u64::from(second.kill));
    let mut groups = (*sample.cgroups).clone();
    groups[2].usage = Some(u64::from(second.free) << 25);
    groups[2].read_seq = number;
    sample.cgroups = Arc::new(groups);
    Arc::new(sample)
}

fn report(number: u64) -> OomEvent {
    let at = moment(number).monotonic.0;
    let log = include_str!("../fixtures/document/v2.log");
    let mut text = TextLog::default();
    let mut told = Vec::new();
    for line in log.lines() {
        text.line(line.as_bytes(), &mut told);
    }
    text.finish(&mut told);
    let mut last = None;
    for event in told {
        if let OomEvent::Report(mut report) = event {
            let own = Arc::make_mut(&mut report);
            own.at = Some(oomtop::oomlog::Monotonic(at));
            for kill in &mut own.kills {
                kill.at = own.at;
            }
            own.key = oomtop::oomlog::ReportKey(number);
            last = Some(OomEvent::Report(report));
        }
    }
    last.expect("a report in the log")
}

/// Items as a machine of these seconds would tell them.
fn items(seconds: &[Second], version: CgroupVersion) -> Vec<(Item, Now)> {
    let source = EventSource {
        name: "/dev/kmsg".to_owned(),
        caught_up: true,
        ..EventSource::default()
    };
    let mut items = vec![(Item::Source(source), moment(0))];
    for (number, second) in (0..).zip(seconds) {
        if second.kill && number > 0 {
            items.push((Item::Oom(report(number)), moment(number)));
        }
        let sample = sample(number, second, version);
        items.push((Item::Sample(sample), moment(number)));
    }
    items
}

fn recorded(items: &[(Item, Now)], host: &Host) -> Vec<u8> {
    let mut bytes = HEADER.bytes().to_vec();
    let mut encoder = Encoder::new(host.clone());
    for (item, now) in items {
        encoder
            .append(&mut bytes, item, *now)
            .expect("not too large");
    }
    bytes
}

fn msg(item: Item) -> Msg {
    match item {
        Item::Sample(snapshot) => Msg::Sampled(snapshot),
        Item::Failed(reason) => Msg::SampleFailed(reason),
        Item::Oom(event) => Msg::Oom(event),
        Item::Traced(traced) => Msg::Traced(traced),
        Item::Source(source) => Msg::Source(source),
        Item::Wakes(wakes) => Msg::WakeSources(wakes),
    }
}

/// Takes in what happened at a time; the frame with its styles, if it was a sample.
fn shown(state: &mut State, item: Item, now: Now) -> Option<Buffer> {
    update(state, Msg::Tick(now));
    let is_sample = matches!(item, Item::Sample(_));
    update(state, msg(item));
    is_sample.then(|| {
        let area = Rect::new(0, 0, state.size.0, state.size.1);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::colours();
        let screen = Screen {
            state,
            theme: &theme,
        };
        screen.draw(area, &mut buffer);
        buffer
    })
}

fn state(host: &Host, size: (u16, u16)) -> State {
    State::new(Settings::default(), host.clone(), size, moment(0))
}

/// Samples and missing pieces of a file; what else it tells is left out.
fn played(bytes: Vec<u8>) -> Result<(Vec<Arc<Snapshot>>, Vec<Missing>), Refused> {
    let recording = Recording::open(vec![bytes])?;
    let mut player = Player::default();
    let mut missing = recording.index().missing.clone();
    let mut samples = Vec::new();
    while let Some(frame) = player.play(&recording) {
        match frame {
            Ok(told) => samples.extend(told.items.into_iter().filter_map(|item| match item {
                Item::Sample(snapshot) => Some(snapshot),
                _ => None,
            })),
            Err(hole) => missing.push(hole),
        }
    }
    Ok((samples, missing))
}

/// All of a sample; its table of users has no order of its own.
fn text(snapshot: &Snapshot) -> String {
    let users: std::collections::BTreeMap<_, _> = snapshot.users.iter().collect();
    let rest = Snapshot {
        users: Arc::default(),
        ..snapshot.clone()
    };
    format!("{users:?} {rest:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_recording_shows_the_frames_of_the_running_machine(seconds in prop::collection::vec(second(), 1..12), v2: bool) {
        let version = if v2 { CgroupVersion::V2 } else { CgroupVersion::V1 };
        let host = whole::host(version);
        let items = items(&seconds, version);
        let recording = Recording::open(vec![recorded(&items, &host)]).expect("a recording");
        prop_assert_eq!(&recording.index().missing, &vec![]);
        for size in [(120, 36), (80, 24)] {
            let mut live = state(&host, size);
            let live: Vec<_> = items.iter().filter_map(|(item, now)| shown(&mut live, item.clone(), *now)).collect();
            let mut player = Player::default();
            let mut again = state(&Host::default(), size);
            let mut frames = Vec::new();
            while let Some(frame) = player.play(&recording) {
                let told = frame.expect("whole");
                if let Some(host) = told.host {
                    again.host = host;
                }
                for item in told.items {
                    frames.extend(shown(&mut again, item, told.now));
                }
            }
            prop_assert_eq!(frames.len(), live.len());
            for (frame, live) in frames.iter().zip(&live) {
                prop_assert_eq!(frame, live);
            }
        }
    }

    #[test]
    fn no_flipped_bit_shows_a_number_that_was_not_there(
        seconds in prop::collection::vec(second(), 3..10),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..6),
    ) {
        let version = CgroupVersion::V2;
        let items = items(&seconds, version);
        let whole_file = recorded(&items, &whole::host(version));
        let (originals, missing) = played(whole_file.clone()).expect("a recording");
        prop_assert_eq!(missing, vec![]);
        prop_assert_eq!(originals.len(), seconds.len());
        let mut file = whole_file;
        for (at, bit) in flips {
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
        }
        // A damaged header is a refusal.
        if let Ok((samples, missing)) = played(file) {
            for sample in &samples {
                let original = originals.iter().find(|o| o.seq == sample.seq);
                let original = original.map(|o| text(o));
                prop_assert_eq!(Some(text(sample)), original);
            }
            prop_assert!(samples.len() == originals.len() || !missing.is_empty());
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = HEADER.bytes().to_vec();
        file.extend(bytes);
        let _ = played(file);
    }
}

fn small() -> Vec<(Item, Now)> {
    let second = |kill, size| Second {
        sizes: vec![size, 3],
        free: 40,
        reversed: false,
        kill,
        rate: 0.0,
    };
    items(
        &[
            second(false, 1),
            second(true, 2),
            second(false, 0),
            second(false, 9),
        ],
        CgroupVersion::V2,
    )
}

#[test]
fn a_file_that_is_cut_anywhere_opens_and_says_what_is_missing() {
    let items = small();
    let host = whole::host(CgroupVersion::V2);
    let whole_file = recorded(&items, &host);
    let originals: Vec<_> = items
        .iter()
        .filter_map(|(item, _)| match item {
            Item::Sample(snapshot) => Some(text(snapshot)),
            _ => None,
        })
        .collect();
    // Where a whole frame ends.
    let ends: Vec<usize> = (0..=items.len())
        .map(|count| recorded(&items[..count], &host).len())
        .collect();
    for cut in 0..=whole_file.len() {
        let opened = played(whole_file[..cut].to_vec());
        if cut < 64 {
            assert_eq!(opened.err(), Some(Refused::Short(cut as u64)), "{cut}");
            continue;
        }
        let (samples, missing) = opened.expect("opens");
        let frames = ends
            .iter()
            .rposition(|end| *end <= cut)
            .expect("the header");
        let kept = items[..frames]
            .iter()
            .filter(|(item, _)| matches!(item, Item::Sample(_)));
        let kept = kept.count();
        let shown: Vec<_> = samples.iter().map(|s| text(s)).collect();
        assert_eq!(shown, originals[..kept], "{cut}");
        let torn = cut - ends[frames];
        let tail = (torn > 0).then_some(Missing::Tail { bytes: torn as u64 });
        assert_eq!(missing, Vec::from_iter(tail), "{cut}");
    }
}

#[test]
fn behind_a_damaged_frame_the_next_whole_sample_goes_on() {
    let second = |number: u16| Second {
        sizes: vec![number + 1],
        free: 50,
        reversed: false,
        kill: false,
        rate: 0.0,
    };
    let seconds: Vec<_> = (0..130).map(second).collect();
    let items = items(&seconds, CgroupVersion::V2);
    let host = whole::host(CgroupVersion::V2);
    let mut file = recorded(&items, &host);
    // The first item is the source: sample 9 is behind ten items.
    let at = recorded(&items[..10], &host).len();
    file[at + 40] ^= 1;
    let (samples, missing) = played(file).expect("opens");
    let numbers: Vec<u64> = samples.iter().map(|sample| sample.seq).collect();
    let expected: Vec<u64> = (1..=9).chain(61..=130).collect();
    assert_eq!(numbers, expected);
    let [
        Missing::Damaged { frames, .. },
        Missing::Samples { count, .. },
    ] = &missing[..]
    else {
        panic!("{missing:?}");
    };
    assert_eq!((*frames, *count), (Some(1), 50));
}

#[test]
fn processes_that_share_memory_still_do_and_no_kernel_pointer_is_in_the_file() {
    let pointer = std::num::NonZeroU64::new(0xffff_8881_2345_6780);
    let mut sample = whole::snapshot(CgroupVersion::V2);
    for process in &mut sample.processes[..2] {
        process.address_space = pointer;
    }
    let item = (Item::Sample(Arc::new(sample)), moment(0));
    let host = whole::host(CgroupVersion::V2);
    let (samples, _) = played(recorded(&[item], &host)).expect("opens");
    let processes = &samples[0].processes;
    assert_eq!(processes[0].address_space, processes[1].address_space);
    assert_eq!(
        processes[0].address_space.map(std::num::NonZeroU64::get),
        Some(1)
    );
    assert_eq!(samples[0].sharers(&processes[0]).count(), 1);
}
