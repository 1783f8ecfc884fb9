//! [`Output`]: what a program wrote to its terminal, and the screens that it makes.

use std::io::Read;
use std::num::NonZeroU16;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use super::screen::Screen;

/// What the program wrote so far: the raw bytes and the screen they make.
pub(super) struct Output {
    pub(super) parser: vt100::Parser,
    pub(super) raw: Vec<u8>,
    /// Bytes of `raw` that the emulator has.
    shown: usize,
    /// The screen before the frame that has begun and not ended.
    whole: Option<Screen>,
    pub(super) ended: bool,
    /// True while nobody reads: the terminal takes no more output once its buffers are full.
    pub(super) held: bool,
    /// The screens after each piece of output, while somebody wants them.
    pub(super) recorded: Option<Vec<(Instant, Screen)>>,
}

/// Around a frame: a terminal that knows these codes shows no half of it.
const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

impl Output {
    /// Nothing yet, on a screen of this size.
    pub(super) fn of(cols: u16, rows: u16) -> Self {
        Self {
            parser: vt100::Parser::new(cells(rows), cells(cols), 0),
            raw: Vec::new(),
            shown: 0,
            whole: None,
            ended: false,
            held: false,
            recorded: None,
        }
    }

    /// The screen as it was shown last: a frame that has not come to its end does not count.
    pub(super) fn screen(&self) -> Screen {
        let half = self.whole.as_ref();
        Screen(
            half.map_or_else(|| self.parser.screen(), |whole| &whole.0)
                .clone(),
        )
    }

    /// Keeps the screen as it is now, if somebody wants it.
    pub(super) fn record(&mut self) {
        if self.recorded.is_some() {
            let entry = (Instant::now(), self.screen());
            self.recorded.get_or_insert_default().push(entry);
        }
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, cols: u16, rows: u16) {
        self.parser.set_size(cells(rows), cells(cols));
    }

    /// Feeds the emulator, frame by frame.
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        loop {
            let mark = if self.whole.is_some() {
                FRAME_ENDS
            } else {
                FRAME_BEGINS
            };
            let new = &self.raw[self.shown..];
            let Some(at) = new.windows(mark.len()).position(|window| window == mark) else {
                // The beginning of a mark may be the last that has come.
                let tail = (0..mark.len()).rev().find(|n| new.ends_with(&mark[..*n]));
                let end = new.len() - tail.unwrap_or(0).max(unfinished(new));
                self.parser.process(&new[..end]);
                self.shown += end;
                if end > 0 && self.whole.is_none() {
                    self.record();
                }
                return;
            };
            self.parser.process(&new[..at + mark.len()]);
            self.shown += at + mark.len();
            self.whole = match self.whole {
                None => Some(Screen(self.parser.screen().clone())),
                Some(_) => None,
            };
            if self.whole.is_none() {
                self.record();
            }
        }
    }
}

/// Bytes of a character at the end that has not come whole. The emulator loses the blank that follows a character of
/// two bytes which comes in two pieces (vte 0.15).
fn unfinished(bytes: &[u8]) -> usize {
    let back = bytes.iter().rev().take(3);
    let lead = back.copied().position(|byte| !matches!(byte, 0x80..=0xbf));
    let Some(at) = lead.filter(|at| {
        let long = match bytes[bytes.len() - 1 - at] {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        at + 1 < long
    }) else {
        return 0;
    };
    at + 1
}

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has at least one cell")
}

/// Feeds the emulator until the terminal is closed.
pub(super) fn collect(mut reader: Box<dyn Read + Send>, output: &(Mutex<Output>, Condvar)) {
    let mut chunk = vec![0; 65536];
    loop {
        let n = reader.read(&mut chunk).unwrap_or(0);
        let state = output.0.lock().expect("the output is not poisoned");
        let mut state = (output.1)
            .wait_while(state, |state| state.held)
            .expect("the output is not poisoned");
        state.take(&chunk[..n]);
        state.ended = n == 0;
        if state.ended {
            // Nobody ends the frame any more.
            state.whole = None;
        }
        output.1.notify_all();
        if n == 0 {
            return;
        }
    }
}

#[test]
fn output_makes_the_same_screen_in_any_two_pieces() {
    let text = "\x1b[2;1H\x1b[7m██▌·· ▅▇  22M ×é€😀 x\x1b[0m\u{b7} y".as_bytes();
    let screen = |pieces: [&[u8]; 2]| {
        let mut output = Output::of(40, 4);
        for piece in pieces {
            output.take(piece);
        }
        output.screen().framed()
    };
    let whole = screen([text, b""]);
    for at in 0..text.len() {
        let (first, rest) = text.split_at(at);
        assert_eq!(screen([first, rest]), whole, "in two pieces of {at} bytes");
    }
}
