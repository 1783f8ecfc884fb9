//! Random bytes of a keyboard, a mouse and pastes, split and joined at random: every write must hit what a frame had
//! shown before. The frames alone decide, never the state.

mod frames;
mod machine;
mod rules;

use std::sync::Arc;

use crate::common::hands::{Dice, stream, token};
use crate::common::scene::{Scene, kill_report};
use crate::common::sight::names;
use oomtop::app::input::bytes::Decoder;
use oomtop::app::msg::{Effect, GroupChoice, Msg, Receipt};
use oomtop::app::settings::Settings;
use oomtop::model::plan::execute::{self, run_all};
use oomtop::model::systemd::drop_in::Found;
use oomtop::model::time::Monotonic;
use oomtop::oomlog::OomEvent;
use oomtop::ui::theme::Theme;

use frames::{Frame, judge};
use machine::{Machine, own_host};

/// Keys, pastes and mouse reports of the long run, unless `OOMTOP_TEST_EVENTS` says another number.
const EVENTS: usize = 3_000;

fn events() -> usize {
    let named = std::env::var("OOMTOP_TEST_EVENTS").ok();
    named.and_then(|n| n.parse().ok()).unwrap_or(EVENTS)
}

/// The person, the terminal and the program.
struct Session {
    scene: Scene,
    machine: Machine,
    decoder: Decoder,
    theme: Theme,
    clock: Monotonic,
    frames: [Frame; 2],
    /// Messages since the last frame, and whether anything but a key was among them.
    since: usize,
    events: usize,
    writes: usize,
    opened: usize,
    log: Vec<String>,
}

impl Session {
    fn new() -> Self {
        let mut session = Self {
            scene: Scene::with(140, 44, Settings::default(), own_host()),
            machine: Machine::new(),
            decoder: Decoder::default(),
            theme: Theme::mono(),
            clock: Monotonic(2_000_000_000_000),
            frames: [Frame::default(), Frame::default()],
            since: 0,
            events: 0,
            writes: 0,
            opened: 0,
            log: Vec::new(),
        };
        session.draw();
        session
    }

    /// A frame. A dialog that one key has opened names what the frame before had highlighted or named.
    fn draw(&mut self) {
        let panes = self.scene.state.panes();
        let frame = Frame::of(&self.scene.buffer(&self.theme), &panes);
        let [_, before] = std::mem::take(&mut self.frames);
        if self.since == 1 && before.dialog.is_none() && frame.dialog.is_some() {
            self.check_opening(&before, &frame);
        }
        self.frames = [before, frame];
        self.since = 0;
        let now = self.clock;
        self.scene.state.drawn(now);
    }

    fn check_opening(&mut self, before: &Frame, frame: &Frame) {
        let title = frame.dialog.as_deref().unwrap_or_default();
        let title: String = title.chars().take(60).collect();
        let rest = ["Send a signal to ", "Adjust ", "Cgroup of "].iter();
        let rest = rest
            .filter_map(|words| title.split_once(words))
            .map(|(_, rest)| rest);
        let mut words = rest.flat_map(|rest| rest.split_whitespace().take(1));
        let Some(pid) = words.next() else {
            return;
        };
        // The tagged processes need not be highlighted.
        if title.contains(" tagged processes") || title.contains("(tagged)") {
            return;
        }
        self.opened += 1;
        let pid: u32 = pid.parse().unwrap_or_else(|_| panic!("no pid: {title}"));
        assert!(
            names(&before.highlighted, pid),
            "{title}\nopened, but highlighted was {:?}\n{}\n{}",
            before.highlighted,
            before.text,
            self.log.join("\n")
        );
    }

    fn tell(&mut self, msg: Msg) {
        self.scene.tell(msg);
        let seen = self.frames[1].clone();
        for effect in std::mem::take(&mut self.scene.effects) {
            match effect {
                Effect::Write { id, plans, undo } => {
                    self.writes += 1;
                    if let Err(wrong) = judge(&plans, &seen) {
                        panic!("{wrong}: {plans:?}\n{}\n{}", seen.text, self.log.join("\n"));
                    }
                    let kernel = &mut self.machine.kernel;
                    let plans = match undo {
                        Some(undo) => execute::undo(kernel, &plans, &undo.expected),
                        None => run_all(kernel, &plans),
                    };
                    self.scene.tell(Msg::Done(Receipt::Write { id, plans }));
                }
                Effect::ReadRules(wish) => {
                    let book = rules::book(&self.machine.kernel, &self.machine.living, wish);
                    self.scene.tell(Msg::Rules(Arc::new(book)));
                }
                Effect::ListGroups => {
                    let paths = self.machine.kernel.groups.iter();
                    let groups = paths.map(|(path, limits)| GroupChoice {
                        path: path.clone(),
                        limit: limits.max,
                        usage: None,
                        has_memory: true,
                        writable: true,
                    });
                    let groups = groups.collect();
                    self.scene.tell(Msg::Groups(Ok(groups)));
                }
                Effect::Survey(group) => {
                    let survey = self.machine.survey(&group);
                    self.scene.tell(Msg::Surveyed(group, Ok(survey)));
                }
                Effect::ReadDropIn(unit, lasting) => {
                    let found = Ok(Found::default());
                    self.scene.tell(Msg::DropIn(unit, lasting, found));
                }
                Effect::Save { .. } => {
                    let done = Receipt::Saved(Err("no disk".to_owned()));
                    self.scene.tell(Msg::Done(done));
                }
                Effect::ReadOlderBoots => {
                    self.scene.tell(Msg::Older(Err("no journal".to_owned())));
                }
                Effect::ReadLedger(_) => {
                    self.scene
                        .tell(Msg::Ledger(Arc::new(Err("no numbers".to_owned()))));
                }
                // What asks for samples and holds processes writes nothing; files of the user are not judged here.
                Effect::Sample(_)
                | Effect::Attend(_)
                | Effect::Hold(_)
                | Effect::HoldGroups(_)
                | Effect::Withdraw(_)
                | Effect::ReadOomd(_)
                | Effect::DraftSettings(..)
                | Effect::WriteSettings(..)
                | Effect::SaveRecording => {}
            }
        }
    }

    /// One read of the terminal.
    fn read(&mut self, bytes: &[u8]) {
        let mut out = Vec::new();
        if bytes.is_empty() {
            self.decoder.quiet(&mut out);
        } else {
            self.log.push(format!(
                "{} {:?}",
                self.clock.0,
                String::from_utf8_lossy(bytes)
            ));
            if self.log.len() > 30 {
                self.log.remove(0);
            }
            self.tell(Msg::Read(self.clock));
            self.decoder.feed(bytes, self.clock, &mut out);
        }
        self.events += out.len();
        for msg in out {
            self.since += 1;
            self.tell(msg);
        }
    }

    /// Time passes without a byte, and a frame is drawn.
    fn quiet(&mut self) {
        if self.decoder.patience().is_some() {
            self.clock.0 += 1_000_000;
            self.read(b"");
        }
        self.draw();
    }

    fn sample(&mut self) {
        // What the person sees next is not what the key met.
        self.since += 2;
        let now = self.machine.sampled();
        self.scene.sample(now);
        self.tell(Msg::Read(self.clock));
    }
}

fn run(seed: u64, events: usize) -> Session {
    let mut dice = Dice(seed);
    let mut session = Session::new();
    let mut bytes: Vec<u8> = Vec::new();
    let mut round = 0;
    while session.events < events {
        round += 1;
        if dice.roll(2) == 0 {
            // A person: looks, and presses one key.
            session.read(&std::mem::take(&mut bytes));
            session.quiet();
            session.clock.0 += 200_000;
            session.read(token(&mut dice).as_bytes());
            session.quiet();
        } else {
            // A bad connection.
            bytes.extend(stream(&mut dice));
            let take = 1 + dice.roll(bytes.len());
            let read: Vec<u8> = bytes.drain(..take).collect();
            session.clock.0 += [500, 5_000, 40_000, 200_000][dice.roll(4)];
            session.read(&read);
            if dice.roll(3) > 0 {
                session.draw();
            }
        }
        if round % 40 == 0 {
            session.machine.change(&mut dice);
            session.sample();
            session.draw();
        }
        if round % 60 == 0 {
            let victim = session.machine.living[dice.roll(session.machine.living.len())].clone();
            let name = victim.comm.text().into_owned();
            let key = 1_000 + u64::try_from(round).expect("small");
            let report = kill_report(key, 1, victim.id.pid, &name, None);
            session.since += 2;
            session.tell(Msg::Oom(OomEvent::Report(Arc::new(report))));
            session.draw();
        }
        // Nobody wants a program that has quit.
        session.scene.control = None;
    }
    session
}

#[test]
fn every_write_hits_what_a_frame_has_shown() {
    let (mut writes, mut opened) = (0, 0);
    for seed in 1..=4 {
        let seed = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed);
        let session = run(seed, events() / 4);
        writes += session.writes;
        opened += session.opened;
    }
    crate::common::measured(&format!(
        "{} events of random bytes: {opened} dialogs opened by one key, {writes} writes",
        events()
    ));
    assert!(
        writes > 20 && opened > 20,
        "{writes} writes, {opened} dialogs"
    );
}

#[test]
fn what_came_with_the_opening_key_confirms_nothing() {
    for bytes in [
        &b"\x1b\x1b[200~k\r\x1b[201~"[..],
        b"\x1b\x1b[B \r\r",
        b"k\r\r\r",
        b"[200\r\r",
        b"a\x1b[A\r\r",
        b"u\r",
    ] {
        let mut session = Session::new();
        session.read(bytes);
        session.read(b"");
        session.draw();
        assert_eq!(session.writes, 0, "{bytes:?}");
    }
    // The same keys, one after the other, do it.
    let mut session = Session::new();
    for key in [b"k", b"\r"] {
        session.clock.0 += 100_000;
        session.read(key);
        session.draw();
    }
    assert_eq!(session.writes, 1);
}
