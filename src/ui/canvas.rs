//! [`Canvas`]: the only way to the buffer. It cuts text to its width and lets no control character through.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use crate::text::cells::{cells, one_by_one, prefix, shown};
use crate::text::tone::{Line, Tone};

/// Draws text into cells.
#[derive(Debug)]
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// How tones look.
    pub theme: &'a Theme,
    /// Only ASCII may reach the screen.
    pub ascii: bool,
}

impl<'a> Canvas<'a> {
    /// A canvas over a buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, ascii: bool) -> Self {
        Self {
            buffer,
            theme,
            ascii,
        }
    }

    /// The same cells with another theme.
    pub fn themed<'b>(&'b mut self, theme: &'b Theme) -> Canvas<'b> {
        Canvas::new(self.buffer, theme, self.ascii)
    }

    /// Writes text from `x` in at most `width` cells and returns the cells used. Text that is too
    /// long ends with `…`.
    pub fn text(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y < area.top() || y >= area.bottom() || x >= area.right() {
            return 0;
        }
        let width = width.min(area.right() - x);
        if let Some(fits) = one_by_one(text, usize::from(width), self.ascii) {
            return self.one_by_one(x, y, (text, fits), width, style);
        }
        let cut = prefix(text, usize::from(width), self.ascii).0 < text.len();
        let limit = if cut { width.saturating_sub(1) } else { width };
        let mut used = 0;
        for grapheme in text.graphemes(true) {
            let shown = shown(grapheme, self.ascii);
            let wide = u16::try_from(shown.width()).unwrap_or(u16::MAX);
            if wide == 0 {
                continue;
            }
            if used + wide > limit {
                break;
            }
            self.buffer
                .set_stringn(x + used, y, &shown, usize::from(wide), style);
            used += wide;
        }
        if cut && width > 0 {
            used += self.dots(x + used, y, style);
        }
        used
    }

    /// Says that a text goes on.
    fn dots(&mut self, x: u16, y: u16, style: Style) -> u16 {
        let dots = if self.ascii { ">" } else { "…" };
        self.buffer.set_stringn(x, y, dots, 1, style);
        1
    }

    /// The fast path for most text: one cell for each character of the first `fits` bytes, which fill the width or are all.
    fn one_by_one(&mut self, x: u16, y: u16, text: (&str, usize), width: u16, style: Style) -> u16 {
        let (text, fits) = text;
        let is_cut = fits < text.len();
        let limit = if is_cut {
            width.saturating_sub(1)
        } else {
            width
        };
        let mut used = 0;
        for character in text[..fits].chars().take(usize::from(limit)) {
            if let Some(cell) = self.buffer.cell_mut((x + used, y)) {
                cell.set_char(character).set_style(style);
            }
            used += 1;
        }
        if is_cut && width > 0 {
            used += self.dots(x + used, y, style);
        }
        used
    }

    /// Writes text that ends at `x + width`.
    pub fn text_right(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) {
        let needed = u16::try_from(cells(text, self.ascii))
            .unwrap_or(u16::MAX)
            .min(width);
        self.text(x + width - needed, y, width.min(needed), text, style);
    }

    /// Writes a line of tones and returns the cells used.
    pub fn line(&mut self, area: Rect, line: &Line) -> u16 {
        let mut used = 0;
        for span in &line.spans {
            if used >= area.width {
                break;
            }
            let style = self.theme.style_of(span.tone, &span.text);
            used += self.text(area.x + used, area.y, area.width - used, &span.text, style);
        }
        used
    }

    /// Writes a line at the right end of an area.
    pub fn line_right(&mut self, area: Rect, line: &Line) {
        let needed = line
            .spans
            .iter()
            .map(|s| cells(&s.text, self.ascii))
            .sum::<usize>();
        let needed = u16::try_from(needed).unwrap_or(u16::MAX).min(area.width);
        self.line(
            Rect {
                x: area.right() - needed,
                width: needed,
                ..area
            },
            line,
        );
    }

    /// Puts a style under everything in an area.
    pub fn shade(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, style);
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        let ground = self.theme.ground();
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(ground);
                }
            }
        }
    }

    /// The head of a pane: a rule with a title on the left and a remark on the right; the last `kept` cells have no
    /// text.
    pub fn rule(&mut self, area: Rect, (title, remark): (&Line, &Line), kept: u16, focused: bool) {
        if area.height == 0 {
            return;
        }
        let dash = if self.ascii {
            "-"
        } else if focused {
            "━"
        } else {
            "─"
        };
        let style = self
            .theme
            .style(if focused { Tone::Accent } else { Tone::Dim });
        let rule = dash.repeat(usize::from(area.width));
        self.text(area.x, area.y, area.width, &rule, style);
        let inner = Rect {
            x: area.x + 1.min(area.width),
            width: area.width.saturating_sub(2 + kept),
            ..area
        };
        let mut spaced = Line::of(Tone::Normal, " ");
        spaced.spans.extend(title.spans.iter().cloned());
        spaced.push(Tone::Normal, " ");
        let used = self.line(inner, &spaced);
        let room = inner.width.saturating_sub(used + 1);
        let needed = u16::try_from(remark.width() + 2).unwrap_or(u16::MAX);
        if !remark.spans.is_empty() && needed <= room {
            let mut spaced = Line::of(Tone::Normal, " ");
            spaced.spans.extend(remark.spans.iter().cloned());
            spaced.push(Tone::Normal, " ");
            self.line_right(inner, &spaced);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::Canvas;
    use crate::ui::theme::Theme;

    fn drawn(text: &str, width: u16, ascii: bool) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        let theme = Theme::mono();
        Canvas::new(&mut buffer, &theme, ascii).text(0, 0, width, text, Style::new());
        buffer
            .content()
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect::<String>()
            .trim_end()
            .to_owned()
    }

    #[test]
    fn cuts_replaces_and_stays_in_width() {
        assert_eq!(drawn("hello", 12, false), "hello");
        assert_eq!(drawn("hello world", 6, false), "hello…");
        assert_eq!(drawn("\x1b[31mX\x07", 12, false), "\u{fffd}[31mX\u{fffd}");
        assert_eq!(drawn("a\u{202e}b", 12, false), "a\u{fffd}b");
        assert_eq!(drawn("→ é…", 12, true), "> ?>");
        // Each wide character takes two cells, the second of which is blank in the buffer.
        assert_eq!(drawn("日本語", 5, false).replace(' ', ""), "日本…");
        assert_eq!(drawn("x", 0, false), "");
        // Any number of accents on one letter is one grapheme: a name of 16 kB would be sent in every frame.
        let tower = format!("e{}", "\u{301}".repeat(8000));
        assert!(drawn(&tower, 12, false).len() <= 64);
        // An accent behind the last byte that fits.
        assert_eq!(drawn("abcde\u{301}fgh", 5, false), "abcd…");
        assert_eq!(drawn("abcde\u{301}fgh", 4, false), "abc…");
        assert_eq!(drawn("abcde\u{301}fgh", 6, false), "abcde\u{301}…");
    }

    proptest::proptest! {
        #[test]
        fn no_text_reaches_the_screen_raw(text: String, width in 0_u16..14, ascii: bool) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
            let theme = Theme::colours();
            Canvas::new(&mut buffer, &theme, ascii).text(1, 0, width, &text, Style::new());
            for cell in buffer.content() {
                proptest::prop_assert!(!cell.symbol().chars().any(crate::text::tone::is_unsafe), "{:?}", cell.symbol());
                proptest::prop_assert!(!ascii || cell.symbol().is_ascii());
            }
        }
    }

    /// Graphemes that terminals obey, hide, join or draw wide.
    fn odd() -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;
        let parts = proptest::sample::select(vec![
            "a",
            "é",
            "e\u{301}",
            "日",
            "각",
            "ᄀ\u{1161}\u{11a8}",
            "क्षि",
            "لا",
            "﷽",
            "👍🏽",
            "👨\u{200d}👩\u{200d}👧",
            "🇩🇪",
            "☁\u{fe0f}",
            "⌚\u{fe0e}",
            "1\u{fe0f}\u{20e3}",
            "\u{200d}",
            "\u{200b}",
            "\u{feff}",
            "\u{ad}",
            "\u{301}",
            "\u{fe0f}",
            "\u{202e}",
            "\u{2066}",
            "\u{2069}",
            "\u{200f}",
            "\t",
            "\n",
            "\r\n",
            "\x1b[31m",
            "\x1b]0;x\x07",
            "\u{9b}2J",
            "\0",
            "\x7f",
            "\u{e0041}",
            "\u{10ff80}",
            "🏽",
            "\u{1f1e9}",
            "…",
        ]);
        proptest::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
    }

    proptest::proptest! {
        /// A column is as wide as it is, whatever a process calls itself, in the buffer and on a terminal.
        #[test]
        fn no_name_moves_what_stands_beside_it(text in odd(), width in 0_u16..10, ascii: bool, right: bool) {
            let area = Rect::new(0, 0, 14, 1);
            let mut buffer = Buffer::empty(area);
            let theme = Theme::mono();
            let mut canvas = Canvas::new(&mut buffer, &theme, ascii);
            canvas.text(0, 0, 14, "##############", Style::new());
            canvas.text(2, 0, width, &" ".repeat(usize::from(width)), Style::new());
            if right {
                canvas.text_right(2, 0, width, &text, Style::new());
            } else {
                let used = canvas.text(2, 0, width, &text, Style::new());
                proptest::prop_assert!(used <= width);
            }
            let sign = |x: u16| buffer[(x, 0)].symbol();
            let end = 2 + width;
            proptest::prop_assert!((0..2).chain(end..14).all(|x| sign(x) == "#"), "{buffer:?}");
            let mut x = 0;
            while x < 14 {
                let wide = unicode_width::UnicodeWidthStr::width(sign(x)).max(1);
                x += u16::try_from(wide).expect("narrow");
                proptest::prop_assert!(!(2..end).contains(&(x - 1)) || x <= end, "{buffer:?}");
            }
            proptest::prop_assert_eq!(x, 14);
            let mut bytes = Vec::new();
            let mut backend = ratatui::backend::CrosstermBackend::new(&mut bytes);
            let empty = Buffer::filled(area, ratatui::buffer::Cell::new("~"));
            ratatui::backend::Backend::draw(&mut backend, empty.diff(&buffer).into_iter()).expect("memory");
            let [one, cols] = [1, 14].map(|n| std::num::NonZero::new(n).expect("cells"));
            let mut terminal = vt100::Parser::new(one, cols, 0);
            // The parser leaves this one out; terminals show it in one cell.
            let text = String::from_utf8(bytes).expect("UTF-8").replace('\u{fffd}', "?");
            terminal.process(text.as_bytes());
            for x in (0..2).chain(end..14) {
                let cell = terminal.screen().cell(0, x).expect("a cell");
                proptest::prop_assert_eq!(cell.contents(), "#", "{} of {:?} from {:?}", x, terminal.screen().contents(), text);
            }
        }
    }
}
