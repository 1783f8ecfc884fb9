//! JSON that a terminal can show: what it would obey is escaped. A reader of JSON gets the same text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::text::tone::is_unsafe;

/// The JSON text with unsafe characters of its strings as `\uXXXX`. JSON itself has none but newlines.
pub fn escaped(json: &str) -> Cow<'_, str> {
    if !json.bytes().any(|byte| byte >= 0x7f) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' || !is_unsafe(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

/// Writes JSON [`escaped`]. Each write must end with a whole character, as those of `serde_json` do.
#[derive(Debug)]
pub struct SafeJson<W>(pub W);

impl<W: Write> Write for SafeJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(escaped(text).as_bytes())?,
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{SafeJson, escaped};

    #[test]
    fn the_value_is_the_same_and_nothing_is_obeyed() {
        let text = "caf\u{e9} \u{9b}31m \u{7f} \u{202e} \u{61c} \u{ad} \u{e0041} \u{1f980} \\ \"\n";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let safe = escaped(&json);
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
        assert!(
            !safe
                .chars()
                .any(|c| c != '\n' && crate::text::tone::is_unsafe(c))
        );
        assert!(safe.contains("caf\u{e9}"), "what is harmless stays");
        let mut written = Vec::new();
        serde_json::to_writer_pretty(SafeJson(&mut written), &[text]).unwrap();
        assert_eq!(written, safe.as_bytes());
    }
}
