//! [`Confirmation`]: keeps a key from confirming what was not on the screen when it was pressed.
//!
//! A slow connection delivers keys in lumps, and what was typed while oomtop was busy arrives at once: a key that
//! opens a dialog, and a line end behind it that was meant for something else. A question can be confirmed only by a
//! key that was read after the question had been drawn.

use std::time::Duration;

use crate::app::State;
use crate::model::time::Monotonic;

/// A key that was read so soon after the key that opened the dialog was on its way before. No hand is so fast.
const ON_ITS_WAY: Duration = Duration::from_millis(3);

/// What is asked, since when it is on the screen, and when the keys were read.
#[derive(Debug, Default)]
pub struct Confirmation {
    /// When the present keys were read; `None` for keys that come from no terminal.
    read_at: Option<Monotonic>,
    /// Dialogs opened so far.
    opened: u64,
    /// Keys, clicks and pasted texts that dialogs have taken so far.
    taken: u64,
    asked: Option<Question>,
    /// When the keys that led to the question were read; `None` if it came without a key.
    asked_at: Option<Monotonic>,
    /// When a frame first showed the question.
    shown_at: Option<Monotonic>,
}

/// What the front dialog asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) struct Question {
    /// The last dialog that was opened,
    opened: u64,
    /// how many are open,
    open: usize,
    /// which of its questions the front one asks,
    which: usize,
    /// and what dialogs had taken by then: a value that was typed and its line end can come in one read, too.
    taken: u64,
}

impl Confirmation {
    /// The keys that follow were read at this time.
    pub(in crate::app) fn read(&mut self, at: Monotonic) {
        self.read_at = Some(at);
    }

    /// When the present keys or clicks were read.
    pub(in crate::app) fn read_at(&self) -> Option<Monotonic> {
        self.read_at
    }

    /// A dialog was opened.
    pub(in crate::app) fn opened(&mut self) {
        self.opened += 1;
    }

    /// The front dialog has taken a key, a click or text.
    pub(in crate::app) fn taken(&mut self) {
        self.taken += 1;
    }
}

impl State {
    /// The state as it is now is on the screen since then.
    pub fn drawn(&mut self, at: Monotonic) {
        let confirmation = &mut self.confirmation;
        confirmation.shown_at = confirmation.shown_at.or(Some(at));
    }

    /// What the front dialog asks now.
    pub(in crate::app) fn question(&self) -> Option<Question> {
        self.dialogs.last().map(|dialog| Question {
            opened: self.confirmation.opened,
            open: self.dialogs.len(),
            which: dialog.question(),
            taken: self.confirmation.taken,
        })
    }

    /// Takes note of what is asked after a message.
    pub(in crate::app) fn note_question(&mut self) {
        let asked = self.question();
        if asked != self.confirmation.asked {
            self.confirmation.asked = asked;
            self.confirmation.asked_at = self.confirmation.read_at;
            self.confirmation.shown_at = None;
        }
    }

    /// The key that is pressed now can mean the question of the front dialog.
    pub(in crate::app) fn may_confirm(&self) -> bool {
        let Confirmation {
            read_at,
            asked_at,
            shown_at,
            ..
        } = self.confirmation;
        let Some(read) = read_at else { return true };
        let later = |before: Option<Monotonic>, by: Duration| {
            before.is_none_or(|before| read.since(before) >= by)
        };
        shown_at.is_some_and(|shown| read > shown) && later(asked_at, ON_ITS_WAY)
    }
}
