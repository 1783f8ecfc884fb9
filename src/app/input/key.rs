//! [`Key`]: one key press with its modifiers, and its name (`a`, `F7`, `Ctrl-c`, `PgDn`).

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyModifiers};

/// A key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Ctrl and Alt; Shift is part of the character.
    pub modifiers: KeyModifiers,
}

/// Names of the keys that type no character.
const NAMES: &[(&str, KeyCode)] = &[
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("BackTab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("Del", KeyCode::Delete),
    ("Ins", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Space", KeyCode::Char(' ')),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    /// The same key with Alt.
    #[must_use]
    pub const fn with_alt(self) -> Self {
        Self {
            modifiers: self.modifiers.union(KeyModifiers::ALT),
            ..self
        }
    }

    /// The character, if the key types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// The name in few cells: arrows as arrows.
    pub fn symbol(self) -> String {
        let arrow = match self.code {
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            _ => return self.to_string(),
        };
        if self.modifiers.is_empty() {
            arrow.to_owned()
        } else {
            self.to_string()
        }
    }
}

/// The highest function key that a terminal sends (xterm's ctlseqs, "VT220-Style Function Keys").
const LAST_FUNCTION: u8 = 20;

/// What other programs write in front of a key, in small letters.
const PREFIXES: &[(&str, KeyModifiers)] = &[
    ("ctrl-", KeyModifiers::CONTROL),
    ("ctrl+", KeyModifiers::CONTROL),
    ("c-", KeyModifiers::CONTROL),
    ("alt-", KeyModifiers::ALT),
    ("alt+", KeyModifiers::ALT),
    ("meta-", KeyModifiers::ALT),
    ("a-", KeyModifiers::ALT),
    ("m-", KeyModifiers::ALT),
    ("shift-", KeyModifiers::SHIFT),
    ("shift+", KeyModifiers::SHIFT),
    ("s-", KeyModifiers::SHIFT),
];

/// What other programs call the keys of [`NAMES`], in small letters.
const ALIASES: &[(&str, KeyCode)] = &[
    ("return", KeyCode::Enter),
    ("ret", KeyCode::Enter),
    ("cr", KeyCode::Enter),
    ("escape", KeyCode::Esc),
    ("btab", KeyCode::BackTab),
    ("bs", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("pageup", KeyCode::PageUp),
    ("ppage", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("pgdown", KeyCode::PageDown),
    ("npage", KeyCode::PageDown),
];

impl Key {
    /// The names that are no character, as they are shown: `Enter`, `F1`.
    pub fn names() -> Vec<String> {
        let functions = (1..=LAST_FUNCTION).map(|n| format!("F{n}"));
        let named = NAMES.iter().map(|(name, _)| (*name).to_owned());
        named.chain(functions).collect()
    }

    /// Why this key never arrives; `None` if a terminal sends it. Control characters are one byte, which several keys share
    /// (ASCII; termios(3)).
    pub fn never_sent(self) -> Option<String> {
        let other = |name: &str| Some(format!("a terminal sends it as {name}: write {name}"));
        let is_ctrl = self.modifiers == KeyModifiers::CONTROL;
        match self.code {
            KeyCode::Char('i') if is_ctrl => other("Tab"),
            KeyCode::Char('m') if is_ctrl => other("Enter"),
            KeyCode::Char('[') if is_ctrl => other("Esc"),
            KeyCode::Char(c) if is_ctrl && c.is_ascii_uppercase() => {
                other(&format!("Ctrl-{}", c.to_ascii_lowercase()))
            }
            KeyCode::Char('[' | 'O') if self.modifiers == KeyModifiers::ALT => {
                Some("in a terminal other keys begin with these bytes".to_owned())
            }
            KeyCode::F(n) if n == 0 || n > LAST_FUNCTION => {
                Some(format!("terminals send F1 to F{LAST_FUNCTION}"))
            }
            _ => None,
        }
    }
}

impl FromStr for Key {
    type Err = String;

    /// Takes the names that are shown (`a`, `F7`, `Ctrl-c`, `PgDn`), in any case, and the way helix, vim, tmux and Emacs
    /// write keys: `C-x`, `<C-x>`, `M-x`, `S-Tab`, `ret`.
    fn from_str(text: &str) -> Result<Self, String> {
        let none = || format!("'{text}' is not a key");
        let bracketed = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
        let mut rest = bracketed.filter(|inner| !inner.is_empty()).unwrap_or(text);
        let mut modifiers = KeyModifiers::NONE;
        while let Some((modifier, after)) = modifier(rest) {
            modifiers |= modifier;
            rest = after;
        }
        let code = code(rest).ok_or_else(none)?;
        let shift = modifiers.contains(KeyModifiers::SHIFT);
        modifiers.remove(KeyModifiers::SHIFT);
        let code = match code {
            code if !shift => code,
            KeyCode::Tab | KeyCode::BackTab => KeyCode::BackTab,
            KeyCode::Char(c) if c.is_ascii_alphabetic() => KeyCode::Char(c.to_ascii_uppercase()),
            // A terminal sends the sign that is on the key, or does not tell the two apart.
            _ => return Err(none()),
        };
        Ok(Self { code, modifiers })
    }
}

/// The modifier in front of a key, and what is behind it.
fn modifier(text: &str) -> Option<(KeyModifiers, &str)> {
    PREFIXES.iter().find_map(|(prefix, modifier)| {
        let (front, after) = text.split_at_checked(prefix.len())?;
        let is_it = front.eq_ignore_ascii_case(prefix) && !after.is_empty();
        is_it.then_some((*modifier, after))
    })
}

/// A key without modifiers.
fn code(text: &str) -> Option<KeyCode> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Some(KeyCode::Char(c));
    }
    let is_it = |(name, _): &&(&str, KeyCode)| name.eq_ignore_ascii_case(text);
    let named = NAMES.iter().chain(ALIASES).find(is_it);
    named.map(|(_, code)| *code).or_else(|| {
        let number = text.strip_prefix(['F', 'f'])?;
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        number.parse().ok().filter(|_| is_number).map(KeyCode::F)
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Char(c) => write!(f, "{c}"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn names_round_trip() {
        for name in [
            "a", "A", "/", "F7", "F10", "Ctrl-c", "PgDn", "Space", "Enter", "-", "+", "Alt-x", "?",
        ] {
            let key: Key = name.parse().expect(name);
            assert_eq!(key.to_string(), name);
        }
        assert!("Foo".parse::<Key>().is_err());
        assert!("".parse::<Key>().is_err());
    }

    #[test]
    fn keys_are_taken_as_other_programs_write_them() {
        for (written, shown) in [
            ("C-x", "Ctrl-x"),
            ("<C-x>", "Ctrl-x"),
            ("ctrl+x", "Ctrl-x"),
            ("M-x", "Alt-x"),
            ("C-A-x", "Ctrl-Alt-x"),
            ("f5", "F5"),
            ("<F5>", "F5"),
            ("esc", "Esc"),
            ("ret", "Enter"),
            ("pagedown", "PgDn"),
            ("S-tab", "BackTab"),
            ("Shift-a", "A"),
            ("ctrl--", "Ctrl--"),
            ("<", "<"),
            ("<>", "?"),
        ] {
            match written.parse::<Key>() {
                Ok(key) => assert_eq!(key.to_string(), shown, "{written}"),
                Err(_) => assert_eq!(shown, "?", "{written}"),
            }
        }
        for none in ["Shift-Up", "S-1", "Ctrl-", "F1x", "F+1", "Hyper-x"] {
            assert!(none.parse::<Key>().is_err(), "{none}");
        }
    }

    #[test]
    fn what_is_never_sent_says_so() {
        let never = |name: &str| name.parse::<Key>().expect(name).never_sent();
        for (name, says) in [
            ("Ctrl-i", "Tab"),
            ("Ctrl-m", "Enter"),
            ("Ctrl-A", "Ctrl-a"),
            ("Alt-[", "begin"),
            ("F21", "F1 to F20"),
            ("F0", "F1 to F20"),
        ] {
            let why = never(name).expect(name);
            assert!(why.contains(says), "{why}");
        }
        for name in Key::names()
            .iter()
            .map(String::as_str)
            .chain(["a", "Ctrl-a", "Alt-x"])
        {
            assert_eq!(never(name), None, "{name}");
        }
    }
}
