//! How a person types: not faster than a hand can.

use std::time::Duration;

use super::keys;
use super::pty::Session;

/// The program waits so long for the rest of a sequence.
const AFTER_ESC: Duration = Duration::from_millis(60);

/// A hand takes longer from what the eye has seen to a key; a key within 3 ms of a dialog confirms nothing.
const EYE_TO_HAND: Duration = Duration::from_millis(40);

impl Session {
    /// Types `keys` (see [`keys::bytes`]), with a pause after each Esc: Esc and a letter in one read mean Alt and
    /// that letter.
    pub(crate) fn keys(&mut self, keys: &str) {
        if keys.contains("<Enter>") {
            std::thread::sleep(EYE_TO_HAND);
        }
        for part in keys.split_inclusive("<Esc>") {
            self.send(&keys::bytes(part));
            if part.ends_with("<Esc>") {
                self.await_taken();
                std::thread::sleep(AFTER_ESC);
            }
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
