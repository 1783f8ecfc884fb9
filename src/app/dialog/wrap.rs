//! Breaks long lines at spaces, keeping their indent; what follows a label stays behind it.

use unicode_segmentation::UnicodeSegmentation;

use crate::text::cells::prefix;
use crate::text::tone::{Line, Span, Tone};

/// A blank at which no line ends.
pub const TOGETHER: &str = "\u{a0}";

/// Most lines for one text: no screen is higher, and no text may stop the program.
const MOST_LINES: usize = 1000;

/// Breaks a line at spaces so that it fits; cuts a word longer than the width into pieces. Runs in linear
/// time.
pub fn wrap(line: &Line, width: usize) -> Vec<Line> {
    if width == 0 {
        return vec![line.clone()];
    }
    let first = line.spans.first().map_or("", |span| span.text.as_str());
    let indent = if line.spans.len() > 1 && is_label(first) && first.len() * 3 < width {
        first.len()
    } else {
        (first.len() - first.trim_start_matches(' ').len()).min(width / 2)
    };
    let mut page = Wrapped {
        lines: vec![Line::new()],
        used: 0,
        indent,
    };
    for span in &line.spans {
        for word in span.text.split_inclusive(' ') {
            page.word(span, word, width);
            if page.lines.len() >= MOST_LINES {
                page.lines.push(Line::of(Tone::Dim, "…"));
                return page.lines;
            }
        }
    }
    page.end_line();
    page.lines
}

/// True for a name that is padded to the width of its column: `  limit      `.
fn is_label(text: &str) -> bool {
    let is_padded = text.ends_with("  ") || (text.starts_with(' ') && text.ends_with(' '));
    text.is_ascii() && is_padded && !text.trim().is_empty()
}

/// The lines built so far.
struct Wrapped {
    lines: Vec<Line>,
    /// Cells used in the last line.
    used: usize,
    /// Blanks in front of every line but the first.
    indent: usize,
}

impl Wrapped {
    fn word(&mut self, span: &Span, word: &str, width: usize) {
        let letters = word.trim_end();
        let mut rest = letters;
        if prefix(rest, width.saturating_sub(self.used), false).0 < rest.len()
            && self.used > self.indent
        {
            self.next_line();
        }
        loop {
            let (bytes, taken) = prefix(rest, width.saturating_sub(self.used), false);
            if bytes == rest.len() {
                self.push(span, rest, taken);
                let blanks = &word[letters.len()..];
                self.push(span, blanks, blanks.len());
                return;
            }
            // Each line takes at least one letter, or the loop would never end.
            let bytes = if bytes == 0 {
                rest.graphemes(true).next().map_or(rest.len(), str::len)
            } else {
                bytes
            };
            let (head, tail) = rest.split_at(bytes);
            self.push(span, head, taken);
            self.next_line();
            rest = tail;
            if self.lines.len() >= MOST_LINES {
                return;
            }
        }
    }

    fn push(&mut self, span: &Span, text: &str, cells: usize) {
        if let Some(last) = self.lines.last_mut() {
            last.push(span.tone, text.replace(TOGETHER, " "));
        }
        self.used += cells;
    }

    fn next_line(&mut self) {
        self.end_line();
        self.lines
            .push(Line::of(Tone::Normal, " ".repeat(self.indent)));
        self.used = self.indent;
    }

    /// A trailing blank may lie beyond the width: it must not cost a letter.
    fn end_line(&mut self) {
        if let Some(last) = self.lines.last_mut().and_then(|line| line.spans.last_mut()) {
            last.text.truncate(last.text.trim_end().len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TOGETHER, wrap};
    use crate::text::tone::{Line, Tone};

    #[test]
    fn wraps_at_spaces_and_keeps_the_indent() {
        let line = Line::of(Tone::Normal, "  one two").add(Tone::Strong, " three four");
        let wrapped: Vec<_> = wrap(&line, 11).iter().map(Line::plain).collect();
        assert_eq!(wrapped, ["  one two", "  three", "  four"]);
        assert_eq!(wrap(&Line::from("abcdefgh"), 3).len(), 3);
    }

    #[test]
    fn what_a_label_names_stays_behind_it() {
        let line = Line::of(Tone::Dim, "  key   ").add(Tone::Normal, "does what one wants");
        let wrapped: Vec<_> = wrap(&line, 25).iter().map(Line::plain).collect();
        assert_eq!(wrapped, ["  key   does what one", "        wants"]);
        // Too narrow for two columns.
        let wrapped: Vec<_> = wrap(&line, 12).iter().map(Line::plain).collect();
        assert_eq!(wrapped.get(1).map(String::as_str), Some("  what one"));
    }

    #[test]
    fn no_line_ends_at_a_blank_that_holds_together() {
        let text = format!("whom same{TOGETHER}user{TOGETHER}(12)");
        let wrapped: Vec<_> = wrap(&Line::from(text), 16)
            .iter()
            .map(Line::plain)
            .collect();
        assert_eq!(wrapped, ["whom", "same user (12)"]);
    }

    #[test]
    fn a_huge_word_is_broken_in_no_time_and_its_end_is_marked() {
        let huge = Line::from("é\u{1b}日".repeat(200_000));
        let wrapped = wrap(&huge, 100);
        assert_eq!(wrapped.len(), super::MOST_LINES + 1);
        assert_eq!(wrapped.last().map(Line::plain).as_deref(), Some("…"));
    }

    proptest::proptest! {
        #[test]
        fn loses_no_letter(text in "[a-z日 ]{0,80}", width in 2_usize..40) {
            let kept: String = wrap(&Line::from(text.as_str()), width).iter().map(Line::plain).collect();
            let letters = |t: &str| t.chars().filter(|c| *c != ' ').collect::<String>();
            proptest::prop_assert_eq!(letters(&kept), letters(&text));
        }
    }
}
