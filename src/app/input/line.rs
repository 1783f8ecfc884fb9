//! [`LineInput`]: one line of text being typed, by graphemes.

use crossterm::event::{KeyCode, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use crate::app::input::key::Key;

/// Longest text an input takes, in bytes: nobody types more than that here.
const MAX_BYTES: usize = 4096;

/// A text and a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineInput {
    text: String,
    /// Byte offset, always at a grapheme boundary.
    cursor: usize,
}

impl LineInput {
    /// An input that holds `text`, cursor at its end.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            cursor: text.len(),
            text,
        }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text left of the cursor.
    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or("")
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self::new(text);
    }

    /// Inserts pasted text; line ends and control characters become spaces or vanish.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' | '\r' | '\t' => self.insert(' '),
                c if c.is_control() => {}
                c => self.insert(c),
            }
        }
    }

    /// Takes a key; true if the input used it.
    pub fn on_key(&mut self, key: Key) -> bool {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('u') => {
                    self.text.drain(..self.cursor);
                    self.cursor = 0;
                }
                KeyCode::Char('w') => self.delete_word(),
                KeyCode::Char('a') => self.cursor = 0,
                KeyCode::Char('e') => self.cursor = self.text.len(),
                _ => return false,
            }
            return true;
        }
        match key.code {
            KeyCode::Char(c) if key.modifiers.is_empty() => self.insert(c),
            KeyCode::Backspace => {
                let start = self.left();
                self.text.drain(start..self.cursor);
                self.cursor = start;
            }
            KeyCode::Delete => {
                let end = self.right();
                self.text.drain(self.cursor..end);
            }
            KeyCode::Left => self.cursor = self.left(),
            KeyCode::Right => self.cursor = self.right(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn insert(&mut self, c: char) {
        if c.is_control() || self.text.len() + c.len_utf8() > MAX_BYTES {
            return;
        }
        self.text.insert(self.cursor, c);
        self.cursor += c.len_utf8();
        // A combining character may have joined the grapheme after it.
        while self.cursor < self.text.len() && !self.at_boundary() {
            self.cursor = self.text[self.cursor..]
                .chars()
                .next()
                .map_or(self.text.len(), |c| self.cursor + c.len_utf8());
        }
    }

    fn at_boundary(&self) -> bool {
        self.text
            .grapheme_indices(true)
            .any(|(at, _)| at == self.cursor)
    }

    fn left(&self) -> usize {
        self.before_cursor()
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        let rest = self.text.get(self.cursor..).unwrap_or("");
        rest.graphemes(true)
            .next()
            .map_or(self.text.len(), |g| self.cursor + g.len())
    }

    fn delete_word(&mut self) {
        let kept = self.before_cursor().trim_end();
        let start = kept.rfind(' ').map_or(0, |at| at + 1);
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use super::LineInput;
    use crate::app::input::key::Key;

    fn typed(keys: &[&str]) -> String {
        let mut input = LineInput::default();
        for key in keys {
            input.on_key(key.parse::<Key>().expect("a key"));
        }
        input.text().to_owned()
    }

    #[test]
    fn edits() {
        assert_eq!(
            typed(&["a", "b", "Left", "c", "End", "d", "Backspace"]),
            "acb"
        );
        assert_eq!(typed(&["a", "Space", "b", "c", "Ctrl-w", "d"]), "a d");
        assert_eq!(typed(&["a", "b", "Ctrl-u", "x", "Home", "Del"]), "");
        assert_eq!(typed(&["e", "\u{301}", "Backspace"]), "");
    }

    proptest::proptest! {
        #[test]
        fn no_keys_break_it(keys in proptest::collection::vec("[a-z]|é|\u{301}|日|👩|\u{200d}|Left|Right|Del|Backspace|Home|End", 0..60)) {
            let mut input = LineInput::default();
            for key in keys {
                if let Ok(key) = key.parse::<Key>() {
                    input.on_key(key);
                }
                proptest::prop_assert!(input.text().is_char_boundary(input.cursor));
            }
        }
    }
}
