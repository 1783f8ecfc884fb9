//! The terminal, the hands at it, and the judge.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::common::hands::{Dice, stream, token};
use crate::common::measured;
use crate::common::patience::until;
use crate::common::pty::{self, Launch};
use crate::common::screen::Screen;

use super::machine::{Change, Machine};
use super::record::{Frame, Window, opened_rightly};

/// Nothing was drawn for so long: the program waits for a key.
const QUIET: Duration = Duration::from_millis(25);

/// A screen that never rests is looked at all the same.
const RESTLESS: Duration = Duration::from_millis(500);

/// Looks after which a signal has ended a process, or never will.
const REMEMBERED: usize = 8;

/// Sizes that show a dialog whole.
const SIZES: &[(u16, u16)] = &[(140, 44), (120, 36), (100, 50), (200, 50), (80, 40)];

/// A person at the real program.
pub(super) struct Session {
    machine: Machine,
    program: pty::Session,
    home: tempfile::TempDir,
    window: Window,
    /// The windows before it, the newest last.
    before: VecDeque<Window>,
    pub(super) events: usize,
    changes: usize,
    opened: usize,
    late: usize,
    starts: usize,
    log: Vec<String>,
}

fn launch(home: &tempfile::TempDir) -> pty::Session {
    let path = home.path().to_str().expect("a plain path");
    let program = Launch::oomtop()
        .size(SIZES[0].0, SIZES[0].1)
        .cwd(home.path())
        .env("HOME", path)
        .env("XDG_CONFIG_HOME", path)
        .env("NO_COLOR", "1")
        .start();
    program.wait_for("the table", |screen| screen.has("COMMAND"));
    program.start_recording();
    program
}

impl Session {
    pub(super) fn new(machine: Machine) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let program = launch(&home);
        let mut session = Self {
            machine,
            program,
            home,
            window: Window::default(),
            before: VecDeque::new(),
            events: 0,
            changes: 0,
            opened: 0,
            late: 0,
            starts: 1,
            log: Vec::new(),
        };
        session.rest();
        session.machine.changes();
        session.next_window();
        session
    }

    /// Looks, presses one key, and looks again.
    pub(super) fn person(&mut self, dice: &mut Dice) {
        let has_rested = self.rest();
        self.next_window();
        if dice.roll(20) == 0 {
            let (cols, rows) = SIZES[dice.roll(SIZES.len())];
            self.log(format!("size {cols}x{rows}"));
            self.program.resize(cols, rows);
            self.events += 1;
            self.look();
            return;
        }
        let key = if dice.roll(12) == 0 {
            let (x, y) = (1 + dice.roll(100), 1 + dice.roll(36));
            format!("\x1b[<0;{x};{y}M")
        } else {
            self.purpose(dice).unwrap_or_else(|| token(dice)).to_owned()
        };
        self.type_bytes(key.as_bytes());
        self.look();
        // A frame that was half drawn when the key went out shows no selection.
        match opened_rightly(&self.window).filter(|_| has_rested) {
            Some(Ok(())) => self.opened += 1,
            Some(Err(wrong)) => self.fail(&wrong),
            None => {}
        }
    }

    /// Half of the keys want something: to open a dialog, or to go on in the one that is open.
    fn purpose(&self, dice: &mut Dice) -> Option<&'static str> {
        const OPENING: &[&str] = &[
            "a", "k", "c", "u", "[", "]", "\x1b[B", "\x1b[B", "d", "\x1b",
        ];
        const IN_DIALOG: &[&str] = &["\r", "\r", "\r", "\x1b[B", "\x1b[A", "1", "9", "2M", "\x1b"];
        let is_open = self
            .window
            .frames
            .last()
            .is_some_and(|f| f.dialog.is_some());
        let keys = if is_open { IN_DIALOG } else { OPENING };
        (dice.roll(2) == 0).then(|| keys[dice.roll(keys.len())])
    }

    /// A few keys, split and joined at random.
    pub(super) fn bad_connection(&mut self, dice: &mut Dice) {
        self.next_window();
        let mut bytes = Vec::new();
        for _ in 0..=dice.roll(3) {
            bytes.extend(stream(dice));
        }
        while !bytes.is_empty() {
            let take = 1 + dice.roll(bytes.len());
            let read: Vec<u8> = bytes.drain(..take).collect();
            self.type_bytes(&read);
            let pause = [0, 500, 5_000, 60_000][dice.roll(4)];
            std::thread::sleep(Duration::from_micros(pause));
        }
        self.look();
    }

    fn type_bytes(&mut self, bytes: &[u8]) {
        self.log(format!("{:?}", String::from_utf8_lossy(bytes)));
        self.events += 1;
        // What stood when the bytes went out is known before: the only bytes of a window answer nothing later.
        self.collect();
        self.window.sends.push(Instant::now());
        self.program.send(bytes);
    }

    fn log(&mut self, line: String) {
        self.log.push(line);
        if self.log.len() > 30 {
            self.log.remove(0);
        }
    }

    fn next_window(&mut self) {
        self.collect();
        let last = self.window.frames.last().cloned();
        self.before.push_back(std::mem::take(&mut self.window));
        if self.before.len() > REMEMBERED {
            self.before.pop_front();
        }
        self.window.frames.extend(last);
    }

    fn collect(&mut self) {
        let new = self.program.recorded();
        let frames = new.iter().map(|(at, screen)| Frame::of(screen, *at));
        self.window.frames.extend(frames);
    }

    /// Waits until the program has read all and draws nothing; true if it does.
    fn rest(&mut self) -> bool {
        self.program.await_taken();
        let begun = Instant::now();
        let mut busy = begun;
        loop {
            std::thread::sleep(Duration::from_millis(5));
            self.collect();
            // On a busy machine it waits for a processor before it draws.
            if self.program.is_busy() {
                busy = Instant::now();
            }
            let last = self.window.frames.last().map_or(begun, |frame| frame.at);
            if last.max(busy).elapsed() > QUIET {
                return true;
            }
            if begun.elapsed() > RESTLESS {
                return false;
            }
        }
    }

    /// Judges what has happened to the machine.
    fn look(&mut self) {
        self.rest();
        let changes = self.machine.changes();
        if !changes.is_empty() {
            self.changes += changes.len();
            self.log(format!("{changes:?}"));
            self.judge(&changes);
        }
        if self.events.is_multiple_of(16) {
            self.machine.wake();
            self.machine.changes();
        }
        if !self.program.alive() {
            self.starts += 1;
            self.program = launch(&self.home);
            self.window = Window::default();
            self.rest();
        }
    }

    fn judge(&mut self, changes: &[Change]) {
        if self.window.has_shown(changes) {
            return;
        }
        // The write may have taken longer than the look. A process that is out of memory takes a signal when it has some.
        let is_end = |change: &Change| matches!(change, Change::Ended(..));
        let looks = if changes.iter().all(is_end) {
            REMEMBERED
        } else {
            1
        };
        let mut before = self.before.iter().rev().take(looks);
        if before.any(|window| window.has_shown(changes)) {
            self.late += 1;
            return;
        }
        self.fail(&format!("no frame before the last bytes named {changes:?}"));
    }

    fn fail(&self, wrong: &str) -> ! {
        let last = self.before.back().into_iter().chain([&self.window]);
        let frames = last.flat_map(|window| &window.frames);
        let frames: Vec<&str> = frames.map(|frame| &*frame.text).collect();
        panic!("{wrong}\n{}\n{}", frames.join("\n"), self.log.join("\n"));
    }

    pub(super) fn finish(mut self) {
        measured(&format!(
            "{} events in a real terminal: {} dialogs opened by one key, {} changes ({} seen late), {} starts",
            self.events, self.opened, self.changes, self.late, self.starts
        ));
        assert!(self.changes > 0 && self.opened > 0, "the hands do nothing");
        self.program.keys("<C-c>");
        // What the hands have frozen is asked about first.
        let program = &mut self.program;
        let asks = |screen: &Screen| screen.has("Quit while something is frozen");
        until(|| !program.alive() || program.look(asks));
        if program.alive() {
            program.keys("q");
        }
        self.program.wait_exit();
        self.program.assert_sane();
    }
}
