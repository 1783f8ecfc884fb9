//! The hands at the keyboard, and the eye that judges.

use std::fs;
use std::time::{Duration, Instant};

use oomtop::app::input::id::ActionId as Id;
use oomtop::app::input::keymap::Keymap;
use oomtop::app::input::presets::Preset;
use oomtop::app::input::scope::KeyScope::{self, Table};
use rustix::process::Signal;

use super::cases::{Case, Fit, On, Step};
use crate::common::keys;
use crate::common::pty::{Launch, Session};
use crate::common::scene_tree::SceneTree;
use crate::common::screen::Screen;
use crate::screenshots::real_report;

/// Nothing was drawn for so long: the program waits for a key.
const QUIET: Duration = Duration::from_millis(15);

/// The program waits 30 ms for what may follow an Esc: a letter would be that letter with Alt.
const AFTER_ESC: Duration = Duration::from_millis(60);

/// The same key as terminals with kitty's protocol send it, which nothing can follow: on the way back to the table, where the
/// key itself is not judged, there is nothing to wait for.
const WHOLE_ESC: &[u8] = b"\x1b[27u";

/// A step that changes nothing is not waited for longer.
const IDLE: Duration = Duration::from_secs(5);

/// Rows of the header, whose numbers may change by themselves, and of the notice and the function bar.
const HEAD: usize = 4;
const FOOT: usize = 2;

const SIZE: (u16, u16) = (120, 36);

/// The dashboard on a prepared machine, and a recording of it.
pub(super) struct Hands {
    keymap: Keymap,
    preset: Preset,
    scene: SceneTree,
    machine: Session,
    recording: Session,
}

/// The bytes of a key, by the name that the help has.
fn bytes(key: &str) -> Vec<u8> {
    if let Some(arrow) = key.strip_prefix("Alt-").filter(|rest| rest.len() > 1) {
        let plain = keys::bytes(&format!("<{arrow}>"));
        let letter = plain.last().copied().expect("an arrow");
        return [b"\x1b[1;3", &[letter][..]].concat();
    }
    let written = match (key.strip_prefix("Ctrl-"), key.strip_prefix("Alt-")) {
        (Some(letter), _) => format!("<C-{letter}>"),
        (_, Some(letter)) => format!("<A-{letter}>"),
        _ if key == "<" => "<lt>".to_owned(),
        _ if key.chars().count() == 1 => key.to_owned(),
        _ => format!("<{key}>"),
    };
    keys::bytes(&written)
}

fn launch(scene: &SceneTree, preset: Preset, args: &[&str]) -> Session {
    let home = scene.folder().to_str().expect("a plain path");
    let session = Launch::oomtop()
        .size(SIZE.0, SIZE.1)
        .cwd(scene.folder())
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .env("OOMTOP_KEYS", preset.name())
        .env("OOMTOP_DELAY", "3600")
        .args(args)
        .start();
    session.wait_for("the scene", |screen| {
        screen.has("mysqld") && screen.has("━ Processes")
    });
    session
}

fn dashboard(scene: &SceneTree, preset: Preset) -> Session {
    let session = launch(scene, preset, &["--root", "host"]);
    session.wait_for("the kills", |screen| screen.has("killed"));
    session
}

/// Records a few seconds of the scene. Returns the name of the file in its folder.
fn record(scene: &mut SceneTree) -> &'static str {
    let name = "r.oomrec";
    let file = scene.folder().join(name);
    let mut recorder = std::process::Command::new(env!("CARGO_BIN_EXE_oomtop"))
        .current_dir(scene.folder())
        .args(["record", "-o", name, "--every", "0.1", "--root", "host"])
        .stdin(std::process::Stdio::null())
        .spawn()
        .expect("the recorder starts");
    let size = || fs::metadata(&file).map_or(0, |file| file.len());
    for number in 0..6 {
        let before = size();
        scene.advance();
        if number == 3 {
            real_report(&scene.root().join("dev/kmsg"));
        }
        assert!(
            crate::common::patience::until(|| size() > before),
            "nothing is recorded"
        );
    }
    let pid = rustix::process::Pid::from_child(&recorder);
    rustix::process::kill_process(pid, Signal::TERM).expect("it runs");
    assert!(recorder.wait().expect("waited").success());
    name
}

/// What is judged: the styled screen without what changes by itself.
fn body(screen: &Screen) -> String {
    let styled = screen.styled();
    let lines: Vec<&str> = styled.lines().collect();
    let end = lines.len().saturating_sub(FOOT);
    lines.get(HEAD..end).unwrap_or_default().join("\n")
}

fn has_dialog(screen: &Screen, title: &str) -> bool {
    let frame = |line: &String| line.contains('┌') && line.contains(title);
    screen.lines().iter().any(frame)
}

/// The table, with nothing open.
fn is_home(screen: &Screen) -> bool {
    let last = screen.lines().pop().unwrap_or_default();
    screen.has("━ Processes by") && !screen.has("┌") && last.contains("Help")
}

impl Hands {
    pub(super) fn new(preset: Preset, keymap: Keymap) -> Self {
        let mut scene = SceneTree::new();
        let file = record(&mut scene);
        let recording = launch(&scene, preset, &["replay", file]);
        let machine = dashboard(&scene, preset);
        Self {
            keymap,
            preset,
            scene,
            machine,
            recording,
        }
    }

    fn session(&mut self, on: On) -> &mut Session {
        match on {
            On::Machine => &mut self.machine,
            On::Recording => &mut self.recording,
        }
    }

    /// Waits until the program has read all and draws nothing.
    fn rest(&mut self, on: On) {
        let session = self.session(on);
        session.await_taken();
        loop {
            let before = session.written();
            let begun = Instant::now();
            let mut is_busy = false;
            while begun.elapsed() < QUIET {
                std::thread::sleep(Duration::from_millis(5));
                // On a busy machine it waits for a processor before it draws.
                is_busy |= session.is_busy();
            }
            if session.written() == before && !is_busy {
                return;
            }
        }
    }

    fn send(&mut self, on: On, bytes: &[u8]) {
        let session = self.session(on);
        let before = session.written();
        session.send(bytes);
        let begun = Instant::now();
        while session.written() == before && begun.elapsed() < IDLE {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.rest(on);
    }

    fn run(&mut self, on: On, scope: KeyScope, action: Id) {
        let key = self.keymap.key_in(scope, action);
        let key = key.unwrap_or_else(|| panic!("{action} has no key in the {}", scope.name()));
        self.send(on, &bytes(&key.to_string()));
    }

    /// One step back.
    fn go_back(&mut self, on: On) {
        let back = bytes(&self.keymap.key(Id::Back));
        let is_esc = back == b"\x1b";
        self.send(on, if is_esc { WHOLE_ESC } else { &back });
    }

    /// Back to the table, whatever is open.
    fn home(&mut self, on: On) {
        for _ in 0..6 {
            if self.session(on).look(is_home) {
                return;
            }
            self.go_back(on);
        }
        let screen = self.session(on).look(Screen::framed);
        panic!("there is no way back to the table; {screen}");
    }

    /// The help has a line for each action: its keys and what they do.
    pub(super) fn help_lists(&mut self, rows: &[(String, String)]) {
        self.machine.resize(160, 250);
        self.run(On::Machine, Table, Id::Help);
        // Its last section: all of it is there.
        self.machine.wait_for("the whole help", |screen| {
            has_dialog(screen, ": help") && screen.has("What the kernel counts")
        });
        let lines = self.machine.look(Screen::lines);
        for (keys, does) in rows {
            let is_it = |line: &String| {
                let inside = line.trim_matches(['│', ' ']);
                let rest = inside.strip_prefix(keys.as_str()).map(str::trim_start);
                rest.is_some_and(|rest| rest.starts_with(does.as_str()))
            };
            assert!(
                lines.iter().any(is_it),
                "the help does not list {keys}: {does}"
            );
        }
        self.home(On::Machine);
        self.machine.resize(SIZE.0, SIZE.1);
        self.machine.wait_for("the old size", |screen| {
            screen.size() == SIZE && is_home(screen)
        });
    }

    /// Presses one key in its place, and judges.
    pub(super) fn press(&mut self, action: Id, key: &str, case: &Case) {
        let on = case.on;
        self.home(on);
        for step in case.steps {
            match step {
                Step::Do(scope, action) => self.run(on, *scope, *action),
                Step::Type(text) => self.send(on, text.as_bytes()),
            }
        }
        self.rest(on);
        if let Fit::Shows(words) = case.fit {
            // A notice of the key before.
            if self.session(on).look(|screen| screen.has(words)) {
                self.go_back(on);
            }
            let screen = self.session(on).look(Screen::framed);
            assert!(
                !screen.contains(words),
                "{words:?} proves nothing; {screen}"
            );
        }
        let what = format!("{key} ({action} in the {})", case.scope.name());
        let parsed = key.parse().expect(key);
        let bound = self.keymap.lookup(case.scope, parsed).map(|bound| bound.id);
        assert_eq!(bound, Some(action), "{what} is bound to something else");
        self.judge(&what, &bytes(key), case);
        if matches!(case.fit, Fit::Quits) {
            return;
        }
        let wrong = |screen: &Screen| screen.has(" does nothing;") || screen.has("only in the ");
        let session = self.session(on);
        assert!(
            !session.look(wrong),
            "{what}: {}",
            session.look(Screen::framed)
        );
        self.home(on);
        for action in case.after {
            let scope = self.scope_of(on);
            self.run(on, scope, *action);
            if *action == Id::Back {
                // What was drawn may have been the clock.
                std::thread::sleep(AFTER_ESC * 4);
                self.rest(on);
            }
        }
    }

    /// The pane that is shown.
    fn scope_of(&mut self, on: On) -> KeyScope {
        let is_domains = self.session(on).look(|screen| screen.has("━ OOM domains"));
        if is_domains { KeyScope::Domains } else { Table }
    }

    fn judge(&mut self, what: &str, bytes: &[u8], case: &Case) {
        let on = case.on;
        let session = self.session(on);
        let (before, drawn) = (session.look(body), session.written());
        session.send(bytes);
        match case.fit {
            Fit::Dialog(title) => {
                session.wait_for(what, |screen| has_dialog(screen, title));
            }
            Fit::Shows(words) => {
                session.wait_for(what, |screen| screen.has(words));
            }
            Fit::Gone(words) => {
                session.wait_for(what, |screen| !screen.has(words));
            }
            Fit::Changes => {
                session.wait_for(what, |screen| body(screen) != before);
            }
            Fit::Toggles => {
                session.wait_for(what, |screen| body(screen) != before);
                self.rest(on);
                let session = self.session(on);
                let then = session.look(body);
                session.send(bytes);
                session.wait_for(&format!("{what}, again"), |screen| body(screen) != then);
            }
            Fit::Redraws => {
                // Every cell of the screen: more than any change of the picture.
                session.eventually(what, || session.written() > drawn + 36 * 40);
            }
            Fit::Quits => {
                let exit = session.wait_exit();
                assert_eq!((exit.code, exit.signal), (0, None), "{what}");
                self.machine = dashboard(&self.scene, self.preset);
            }
        }
        self.rest(on);
    }

    pub(super) fn leave(mut self) {
        self.home(On::Machine);
        self.machine.keys("<C-c>");
        assert_eq!(self.machine.wait_exit().code, 0);
        self.machine.assert_sane();
    }
}
