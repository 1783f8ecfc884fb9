//! [`Line`]: text with meaning instead of colours; `ui::theme` decides how a [`Tone`] looks.

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Normal,
    /// Secondary: labels, units, hints.
    Dim,
    /// Stands out without alarm: names, values asked for.
    Strong,
    /// Keys, titles, the focused thing.
    Accent,
    /// Fine, safe, done.
    Good,
    /// Worth a look: at the gauge, the first band.
    Watch,
    /// Trouble is near: the second band.
    Danger,
    /// The worst: the third band, kills, failures.
    Critical,
}

impl Tone {
    /// All tones, in the order of the variants.
    pub const ALL: [Self; 8] = [
        Self::Normal,
        Self::Dim,
        Self::Strong,
        Self::Accent,
        Self::Good,
        Self::Watch,
        Self::Danger,
        Self::Critical,
    ];

    /// The key of a theme file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Dim => "dim",
            Self::Strong => "strong",
            Self::Accent => "accent",
            Self::Good => "good",
            Self::Watch => "watch",
            Self::Danger => "danger",
            Self::Critical => "critical",
        }
    }
}

/// A run of text in one tone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// The text. May contain anything, such as a process name with control characters: the screen replaces those.
    pub text: String,
    /// Its meaning.
    pub tone: Tone,
}

/// One line of spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// From left to right.
    pub spans: Vec<Span>,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one tone.
    pub fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self::new().add(tone, text)
    }

    /// Adds a run and returns the line.
    #[must_use]
    pub fn add(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.push(tone, text);
        self
    }

    /// Adds a run.
    pub fn push(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.spans.push(Span { text, tone });
        }
    }

    /// The text without its tones.
    pub fn plain(&self) -> String {
        self.spans.iter().map(|s| s.text.as_str()).collect()
    }

    /// Columns the line takes on a terminal.
    pub fn width(&self) -> usize {
        self.spans
            .iter()
            .map(|s| unicode_width::UnicodeWidthStr::width(s.text.as_str()))
            .sum()
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::of(Tone::Normal, text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::of(Tone::Normal, text)
    }
}

/// True for characters that a terminal would obey instead of showing: controls (C0, C1, DEL), and
/// invisible characters that reverse the direction of text or hide it. The last characters of Unicode stand for
/// bytes that are not UTF-8 ([`crate::model::cgroup::CgroupPath`]).
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{10ff80}'..='\u{10ffff}')
}

/// The text with [`is_unsafe`] characters replaced: what others wrote goes through here before it is printed.
pub fn printable(text: &str) -> String {
    let safe = |c| if is_unsafe(c) { '\u{fffd}' } else { c };
    text.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::Tone;

    #[test]
    fn all_has_the_order_of_the_variants() {
        for (at, tone) in Tone::ALL.iter().enumerate() {
            assert_eq!(*tone as usize, at, "{}", tone.name());
        }
    }
}
