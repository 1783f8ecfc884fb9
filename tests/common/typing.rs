//! How a person types: not faster than a hand can.

use std::time::{Duration, Instant};

use super::keys;
use super::pty::Session;

/// The program waits 30 ms for the rest of a sequence, and may be late to read the Esc.
const AFTER_ESC: Duration = Duration::from_millis(120);

/// A hand takes longer from what the eye has seen to a key; a key within 3 ms of a dialog confirms nothing.
const EYE_TO_HAND: Duration = Duration::from_millis(40);

impl Session {
    /// Types `keys` (see [`keys::bytes`]), with a pause after each Esc: Esc and a letter in one read mean Alt and
    /// that letter; and one before each Enter, which confirms only what the eye has seen.
    pub(crate) fn keys(&mut self, keys: &str) {
        for typed in keys.split_inclusive("<Enter>") {
            let (before, enter) = match typed.strip_suffix("<Enter>") {
                Some(before) => (before, "<Enter>"),
                None => (typed, ""),
            };
            for part in before.split_inclusive("<Esc>") {
                self.send(&keys::bytes(part));
                if part.ends_with("<Esc>") {
                    self.await_taken();
                    pause(AFTER_ESC);
                }
            }
            if enter.is_empty() {
                continue;
            }
            if !before.is_empty() {
                self.await_taken();
            }
            // A busy machine may have shown a frame that the program has not finished yet.
            self.await_rest();
            pause(EYE_TO_HAND);
            self.send(&keys::bytes(enter));
        }
    }

    /// Waits until no thread of the program runs, at several looks: the last frame is finished then. Not for ever: a
    /// program under load may have something to do all the time.
    fn await_rest(&mut self) {
        let pid = self.pid();
        let begun = Instant::now();
        let mut rested = 0;
        while rested < 3 && begun.elapsed() < Duration::from_secs(2) {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
            let mut tasks = tasks.into_iter().flatten().flatten();
            let runs = tasks.any(|task| {
                let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                let state = stat.rsplit(") ").next();
                state.is_some_and(|rest| rest.starts_with(['R', 'D']))
            });
            rested = if runs { 0 } else { rested + 1 };
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Takes the newest write back: waits for the question and answers it.
    #[track_caller]
    pub(crate) fn undo(&mut self) {
        self.keys("u");
        self.wait_for("the undo dialog", |screen| screen.has("take it back"));
        self.keys("<Enter>");
    }
}

/// Waits longer where more processes want to run than can: the program's own clocks go off late there.
fn pause(time: Duration) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load
        .split(' ')
        .next()
        .and_then(|load| load.parse::<f64>().ok());
    let cpus = std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64);
    std::thread::sleep(time.mul_f64((load.unwrap_or(0.0) / cpus).clamp(1.0, 6.0)));
}
