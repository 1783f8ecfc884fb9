//! One key, mouse report or other sequence at the begin of some bytes (ECMA-48, xterm's ctlseqs, console_codes(4)).

use crossterm::event::{KeyCode, KeyModifiers};

use crate::app::input::key::Key;
use crate::app::msg::{Mouse, MouseAction, Msg};

pub(super) const ESC: u8 = 0x1b;

/// Longest control sequence that is waited for; no terminal sends one that long.
const MOST_BYTES: usize = 64;

/// Longest string (an answer to a question about colours, or a clipboard) that is waited for.
const MOST_STRING: usize = 4096;

/// The bytes of the keys that no other may swallow.
const CTRL_C: u8 = 0x03;
const CTRL_Z: u8 = 0x1a;

/// What is at the begin of the bytes.
#[derive(Debug)]
pub(super) enum Parsed {
    /// More must come.
    Incomplete,
    /// So many bytes mean nothing here.
    Nothing(usize),
    /// So many bytes begin a paste.
    PasteBegins(usize),
    /// So many bytes are this.
    Msg(usize, Msg),
}

/// Looks at the begin of `bytes`, which are not empty.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] | [ESC] => Parsed::Incomplete,
        // The second Esc may begin a sequence: it is looked at next. Ctrl-C and Ctrl-Z are heard whatever stands before
        // them: a busy machine reads an Esc together with the key behind it.
        [ESC, ESC | CTRL_C | CTRL_Z, ..] => Parsed::Msg(1, Msg::Key(Key::plain(KeyCode::Esc))),
        [ESC, b'[', ..] => control_sequence(bytes),
        [ESC, b'O', ..] => single_shift(bytes),
        [ESC, b']' | b'P' | b'_' | b'^' | b'X', ..] => string(bytes),
        [ESC, rest @ ..] => match character(rest) {
            Parsed::Msg(used, Msg::Key(key)) => Parsed::Msg(used + 1, Msg::Key(key.with_alt())),
            Parsed::Nothing(used) => Parsed::Nothing(used + 1),
            other => other,
        },
        _ => character(bytes),
    }
}

fn key(used: usize, code: KeyCode, modifiers: KeyModifiers) -> Parsed {
    Parsed::Msg(used, Msg::Key(Key { code, modifiers }))
}

/// A character, or a key that a control character stands for.
fn character(bytes: &[u8]) -> Parsed {
    let Some(first) = bytes.first().copied() else {
        return Parsed::Incomplete;
    };
    let control = |c: u8| key(1, KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let plain = |code| key(1, code, KeyModifiers::NONE);
    match first {
        b'\r' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f | 0x08 => plain(KeyCode::Backspace),
        0 => control(b' '),
        0x01..=0x1a => control(first - 1 + b'a'),
        0x1c..=0x1f => control(first - 0x1c + b'4'),
        0x20..0x7f => plain(KeyCode::Char(char::from(first))),
        _ => {
            let whole = bytes.get(..bytes.len().min(4)).unwrap_or_default();
            let found = whole.utf8_chunks().next();
            match found.map(|chunk| (chunk.valid().chars().next(), chunk.invalid())) {
                Some((Some(c), _)) => key(c.len_utf8(), KeyCode::Char(c), KeyModifiers::NONE),
                // The begin of a character, or a byte that is in none.
                Some((None, bad)) if bad.len() == whole.len() && needs_more(whole) => {
                    Parsed::Incomplete
                }
                Some((None, bad)) => Parsed::Nothing(bad.len()),
                None => Parsed::Nothing(1),
            }
        }
    }
}

/// The bytes can become a character (RFC 3629).
fn needs_more(bytes: &[u8]) -> bool {
    let wanted = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return false,
    };
    bytes.len() < wanted
}

/// `ESC O` and a letter.
fn single_shift(bytes: &[u8]) -> Parsed {
    let Some(letter) = bytes.get(2).copied() else {
        return Parsed::Incomplete;
    };
    match letter {
        b'M' => key(3, KeyCode::Enter, KeyModifiers::NONE),
        0x20..0x7f => match lettered(letter) {
            Some(code) => key(3, code, KeyModifiers::NONE),
            None => Parsed::Nothing(3),
        },
        _ => Parsed::Nothing(2),
    }
}

/// The keys that a letter stands for, in `ESC O` and in `ESC [`.
fn lettered(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// The keys that a number before `~` stands for.
fn numbered(number: u16) -> Option<KeyCode> {
    let function = |n: u16| u8::try_from(n).ok().map(KeyCode::F);
    Some(match number {
        1 | 7 => KeyCode::Home,
        4 | 8 => KeyCode::End,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => function(number - 10)?,
        17..=21 => function(number - 11)?,
        23..=26 => function(number - 12)?,
        28..=29 => function(number - 13)?,
        31..=34 => function(number - 14)?,
        _ => return None,
    })
}

/// `ESC ]` and the like, up to the end of the string.
fn string(bytes: &[u8]) -> Parsed {
    for (at, byte) in bytes.iter().enumerate().skip(2) {
        match byte {
            0x07 => return Parsed::Nothing(at + 1),
            &ESC => {
                return match bytes.get(at + 1) {
                    Some(b'\\') => Parsed::Nothing(at + 2),
                    // Another sequence: the string was none.
                    Some(_) => Parsed::Nothing(at),
                    None => Parsed::Incomplete,
                };
            }
            _ => {}
        }
    }
    if bytes.len() < MOST_STRING {
        Parsed::Incomplete
    } else {
        Parsed::Nothing(bytes.len())
    }
}

/// `ESC [`, parameters, a final letter.
fn control_sequence(bytes: &[u8]) -> Parsed {
    // The Linux console's F1 to F5.
    if let [ESC, b'[', b'[', rest @ ..] = bytes {
        return match rest.first() {
            None => Parsed::Incomplete,
            Some(letter @ b'A'..=b'E') => key(4, KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE),
            Some(0x20..0x7f) => Parsed::Nothing(4),
            Some(_) => Parsed::Nothing(3),
        };
    }
    // A mouse report of the oldest kind: three bytes follow, each 32 more than it means.
    if let [ESC, b'[', b'M', rest @ ..] = bytes {
        return match rest {
            [button, x, y, ..] => mouse(
                6,
                u16::from(button.saturating_sub(32)),
                u16::from(x.saturating_sub(32)),
                u16::from(y.saturating_sub(32)),
                true,
            ),
            _ => Parsed::Incomplete,
        };
    }
    let body = bytes.get(2..).unwrap_or_default();
    let Some(end) = body.iter().position(|byte| !(0x20..0x40).contains(byte)) else {
        return if bytes.len() < MOST_BYTES {
            Parsed::Incomplete
        } else {
            Parsed::Nothing(bytes.len())
        };
    };
    let used = end + 3;
    let (parameters, last) = (&body[..end], body[end]);
    if !(0x40..0x7f).contains(&last) {
        // Broken off: what comes now is not a part of it.
        return Parsed::Nothing(end + 2);
    }
    match last {
        b'M' | b'm' => mouse_report(used, parameters, last == b'M'),
        _ => key_sequence(used, parameters, last),
    }
}

fn key_sequence(used: usize, parameters: &[u8], last: u8) -> Parsed {
    let Some(numbers) = numbers(parameters) else {
        return Parsed::Nothing(used);
    };
    let first = numbers.first().copied().unwrap_or(0);
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
    match last {
        b'~' if first == 200 => Parsed::PasteBegins(used),
        b'~' => numbered(first).map_or(Parsed::Nothing(used), |code| key(used, code, modifiers)),
        b'Z' => key(used, KeyCode::BackTab, modifiers),
        b'u' => coded(used, first, modifiers),
        // With `R` an answer: where the cursor is.
        _ if first > 1 => Parsed::Nothing(used),
        _ => lettered(last).map_or(Parsed::Nothing(used), |code| key(used, code, modifiers)),
    }
}

/// A key by the number of its character (xterm's modifyOtherKeys, kitty).
fn coded(used: usize, number: u16, modifiers: KeyModifiers) -> Parsed {
    let code = match number {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        _ => match char::from_u32(u32::from(number)).filter(|c| !c.is_control()) {
            Some(c) => KeyCode::Char(c),
            None => return Parsed::Nothing(used),
        },
    };
    key(used, code, modifiers)
}

/// Parameters that are numbers; `None` if they are something else, as in answers of the terminal.
fn numbers(parameters: &[u8]) -> Option<Vec<u16>> {
    let text = std::str::from_utf8(parameters).ok()?;
    let number = |part: &str| match part {
        "" => Some(0),
        // `13:1` names the kind of press beside the number.
        _ => part.split(':').next()?.parse().ok(),
    };
    text.split(';').map(number).collect()
}

/// One more than the bits Shift, Alt and Ctrl; Shift is a part of the key.
fn modifiers(number: u16) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::ALT, bits & 2 != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    modifiers
}

/// `<b;x;y` (SGR), or `b;x;y` with 32 added to the button (urxvt).
fn mouse_report(used: usize, parameters: &[u8], pressed: bool) -> Parsed {
    let (sgr, rest) = match parameters.strip_prefix(b"<") {
        Some(rest) => (true, rest),
        None => (false, parameters),
    };
    match numbers(rest).as_deref() {
        Some([button, x, y]) if sgr => mouse(used, *button, *x, *y, pressed),
        Some([button, x, y]) => mouse(used, button.saturating_sub(32), *x, *y, true),
        _ => Parsed::Nothing(used),
    }
}

/// A report of the mouse, cells counted from 1. Motion, releases and other buttons mean nothing here.
fn mouse(used: usize, button: u16, x: u16, y: u16, pressed: bool) -> Parsed {
    const MOTION: u16 = 32;
    // Without Shift, Alt and Ctrl.
    let action = match button & !0b1_1100 {
        _ if !pressed || button & MOTION != 0 => return Parsed::Nothing(used),
        0 => MouseAction::Click,
        64 => MouseAction::ScrollUp,
        65 => MouseAction::ScrollDown,
        _ => return Parsed::Nothing(used),
    };
    let mouse = Mouse {
        x: x.saturating_sub(1),
        y: y.saturating_sub(1),
        action,
    };
    Parsed::Msg(used, Msg::Mouse(mouse))
}
