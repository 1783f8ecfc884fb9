//! The lines of a report as the log has them, bounded.

/// Most bytes kept of one report; a table of 10 000 tasks needs about 1 MB.
pub(crate) const MAX_RAW_BYTES: usize = 3 << 19;

/// Lines without the transport's prefixes. A newline or control character inside a line is kept as `\xNN`, so that
/// a line stays one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawLines {
    text: String,
    dropped: u64,
}

impl RawLines {
    /// What [`Self::lines`] and [`Self::dropped`] have told of lines that were kept before. `None` for a text that could
    /// not have been kept: too long, or with other control characters than newlines and tabs.
    #[must_use]
    pub fn restored(text: String, dropped: u64) -> Option<Self> {
        let is_ours = |c: char| !c.is_control() || c == '\n' || c == '\t';
        // A line was kept as long as it was short before its control characters were spelled out.
        let kept = text.len() <= 4 * MAX_RAW_BYTES && text.chars().all(is_ours);
        kept.then_some(Self { text, dropped })
    }

    /// The lines in the order of the log.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// How many lines did not fit.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Bytes of memory held for them.
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// True if nothing was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds a line, or counts it if there is no room.
    pub(crate) fn push(&mut self, line: &str) {
        if self.text.len() + line.len() >= MAX_RAW_BYTES {
            self.dropped += 1;
            return;
        }
        escape(line, &mut self.text);
        self.text.push('\n');
    }

    /// Removes the last line with this text: it belongs to another report.
    pub(crate) fn take_back(&mut self, line: &str) {
        let mut escaped = String::new();
        escape(line, &mut escaped);
        escaped.push('\n');
        let begins_line = |at: usize| at == 0 || self.text.as_bytes().get(at - 1) == Some(&b'\n');
        let found = self.text.rmatch_indices(&escaped).map(|(at, _)| at);
        if let Some(at) = found.into_iter().find(|&at| begins_line(at)) {
            self.text.replace_range(at..at + escaped.len(), "");
        }
    }
}

/// Adds the line with its control characters as `\xNN`.
fn escape(line: &str, text: &mut String) {
    for c in line.chars() {
        if c.is_control() && c != '\t' {
            // Two digits are enough: Unicode has no control characters beyond Latin-1.
            let code = u32::from(c) & 0xff;
            text.push_str("\\x");
            text.extend(char::from_digit(code >> 4, 16));
            text.extend(char::from_digit(code & 15, 16));
        } else {
            text.push(c);
        }
    }
}

impl serde::Serialize for RawLines {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_RAW_BYTES, RawLines};

    #[test]
    fn a_line_stays_one_and_the_text_is_bounded() {
        let mut raw = RawLines::default();
        raw.push("a\nb\u{1b}[31m");
        assert_eq!(raw.lines().collect::<Vec<_>>(), ["a\\x0ab\\x1b[31m"]);
        let long = "x".repeat(MAX_RAW_BYTES / 2);
        raw.push(&long);
        raw.push(&long);
        raw.push("still room");
        assert_eq!(raw.dropped(), 1);
        assert_eq!(raw.lines().count(), 3);
        assert!(raw.len() <= MAX_RAW_BYTES + 8);
        let mut raw = RawLines::default();
        for line in ["one", "a\nb", "not one", "a\nb"] {
            raw.push(line);
        }
        raw.take_back("a\nb");
        raw.take_back("one");
        assert_eq!(raw.lines().collect::<Vec<_>>(), ["a\\x0ab", "not one"]);
    }
}
