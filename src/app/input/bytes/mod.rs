//! [`Decoder`]: the bytes of a terminal to keys, mouse reports and pasted text.
//!
//! A connection joins and splits what was sent as it likes. Bytes that belong to a sequence (an arrow, a paste, an
//! answer of the terminal) must never come out as the keys they look like: a `[`, digits and a line end would open
//! a dialog, fill it in and confirm it. So an Esc in front of a sequence is the key Esc and the sequence stays
//! whole, the rest of a sequence that comes late is still a part of it, and a broken one is dropped.

mod sequence;

use std::time::Duration;

use crossterm::event::KeyCode;

use crate::app::input::key::Key;
use crate::app::msg::Msg;
use crate::model::time::Monotonic;
use sequence::{ESC, Parsed, parse};

/// How long an Esc may be the begin of a sequence.
const ESC_ALONE: Duration = Duration::from_millis(30);

/// How long the rest of a sequence may take, and of a paste before what has come of it is shown.
const REST: Duration = Duration::from_secs(1);

/// Most text of one paste that is kept: far more than any input takes.
const MOST_PASTED: usize = 64 * 1024;

/// Ends a paste (xterm's bracketed paste mode).
const PASTE_END: &[u8] = b"\x1b[201~";

/// Ctrl-C.
const ETX: u8 = 3;

/// Takes bytes as they come, and the time that passes without any.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Bytes that are no whole key or sequence yet.
    pending: Vec<u8>,
    mode: Mode,
    /// An Esc came alone at this time: what looks like the rest of a sequence now may be the rest of that one.
    lone_esc: Option<Monotonic>,
    /// The first of `pending` is the Esc that has come out as a key already.
    is_esc_out: bool,
    /// When the last bytes came.
    at: Monotonic,
}

/// What the bytes are.
#[derive(Debug, Default)]
enum Mode {
    /// Keys and sequences.
    #[default]
    Keys,
    /// Pasted text. If it is `late`, a second has passed without its end.
    Paste { text: Vec<u8>, late: bool },
}

impl Decoder {
    /// Takes the bytes of one read.
    pub fn feed(&mut self, bytes: &[u8], at: Monotonic, out: &mut Vec<Msg>) {
        let Some(first) = bytes.first() else {
            return;
        };
        if let Some(esc) = self.lone_esc.take()
            && matches!(first, b'[' | b'O')
            && at.since(esc) < REST
        {
            self.pending.push(ESC);
            self.is_esc_out = true;
        }
        self.at = at;
        // Whoever sits before a paste that never ends must get out.
        if matches!(self.mode, Mode::Paste { late: true, .. }) && bytes == [ETX] {
            self.mode = Mode::Keys;
            self.pending.clear();
        }
        self.pending.extend_from_slice(bytes);
        self.take(out);
    }

    /// How long no bytes may come before [`Self::quiet`] must be told; `None` if nothing waits for that.
    pub fn patience(&self) -> Option<Duration> {
        match &self.mode {
            Mode::Paste { late: true, .. } if self.pending == [ESC] => Some(ESC_ALONE),
            Mode::Paste { text, .. } if !text.is_empty() || !self.pending.is_empty() => Some(REST),
            Mode::Paste { late, .. } => (!late).then_some(REST),
            Mode::Keys if self.pending.is_empty() => None,
            // The Esc has been told already; a `[` behind it is either a key or the begin of the rest.
            Mode::Keys if self.is_esc_out && self.pending.len() <= 2 => Some(ESC_ALONE),
            Mode::Keys if self.pending == [ESC] => Some(ESC_ALONE),
            Mode::Keys => Some(REST),
        }
    }

    /// No bytes came for [`Self::patience`]: what waits is all there is.
    pub fn quiet(&mut self, out: &mut Vec<Msg>) {
        if let Mode::Paste { text, late } = &mut self.mode {
            if *late && self.pending == [ESC] {
                self.mode = Mode::Keys;
                self.pending.clear();
                return;
            }
            if !text.is_empty() {
                out.push(pasted(&std::mem::take(text)));
            }
            *late = true;
            return;
        }
        let waits = std::mem::take(&mut self.pending);
        let is_esc_out = std::mem::take(&mut self.is_esc_out);
        match waits.as_slice() {
            [ESC] if !is_esc_out => {
                out.push(Msg::Key(Key::plain(KeyCode::Esc)));
                self.lone_esc = Some(self.at);
            }
            [ESC, letter] if letter.is_ascii_graphic() => {
                let key = Key::plain(KeyCode::Char(char::from(*letter)));
                let key = if is_esc_out { key } else { key.with_alt() };
                out.push(Msg::Key(key));
            }
            // The rest never came.
            _ => {}
        }
    }

    fn take(&mut self, out: &mut Vec<Msg>) {
        let mut from = 0;
        let mut waits = std::mem::take(&mut self.pending);
        while let Some(bytes) = waits.get(from..).filter(|bytes| !bytes.is_empty()) {
            if let Mode::Paste { text, .. } = &mut self.mode {
                let (taken, ended) = take_paste(bytes, text);
                from += taken;
                if !ended {
                    break;
                }
                if !text.is_empty() {
                    out.push(pasted(text));
                }
                self.mode = Mode::Keys;
                continue;
            }
            match parse(bytes) {
                Parsed::Incomplete => break,
                Parsed::Nothing(used) => from += used.max(1),
                Parsed::PasteBegins(used) => {
                    from += used;
                    self.mode = Mode::Paste {
                        text: Vec::new(),
                        late: false,
                    };
                }
                Parsed::Msg(used, msg) => {
                    from += used.max(1);
                    // An Esc that was told is not told again.
                    let again = matches!(msg, Msg::Key(key) if key.code == KeyCode::Esc);
                    if !(std::mem::take(&mut self.is_esc_out) && again) {
                        out.push(msg);
                    }
                }
            }
            self.is_esc_out = false;
        }
        waits.drain(..from.min(waits.len()));
        self.pending = waits;
    }
}

/// Takes pasted bytes up to the end of the paste; false if it has not come yet. What may be the begin of the end
/// stays.
fn take_paste(bytes: &[u8], text: &mut Vec<u8>) -> (usize, bool) {
    let end = bytes.windows(PASTE_END.len()).position(|w| w == PASTE_END);
    let (plain, used, ended) = if let Some(at) = end {
        (at, at + PASTE_END.len(), true)
    } else {
        let begun = (1..PASTE_END.len()).rev();
        let mut begun = begun.filter(|n| bytes.ends_with(&PASTE_END[..*n]));
        let plain = bytes.len() - begun.next().unwrap_or(0);
        (plain, plain, false)
    };
    let room = MOST_PASTED.saturating_sub(text.len());
    text.extend_from_slice(bytes.get(..plain.min(room)).unwrap_or_default());
    (used, ended)
}

fn pasted(text: &[u8]) -> Msg {
    Msg::Paste(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests;
