//! How a selected row looks: the selection must not hide that a process dies first.

use ratatui::style::{Color, Modifier, Style};

use super::colour::{Rgb, light};
use super::{CONTRAST, Role, Theme};
use crate::text::tone::Tone;

/// The contrast that a bar needs with what is behind it: its colour must be known, and its end be seen.
const DRAWN: f64 = 2.0;

impl Theme {
    /// The theme of the selected row, of the pane that has the keyboard or of the other one. Text in a tone of alarm
    /// keeps its colour where that can be read on the selection; where it cannot, the colour goes behind the text.
    #[must_use]
    pub fn selected(&self, focused: bool) -> Self {
        let selection = self.look(if focused {
            Role::Selected
        } else {
            Role::SelectedElsewhere
        });
        let mut theme = Self::new(|role| match role {
            Role::Text(tone) => self.selected_text(tone, selection),
            _ => self.look(role).patch(selection),
        });
        theme.drawings = Some(Tone::ALL.map(|tone| self.selected_drawing(tone, selection)));
        theme
    }

    /// How this text looks in this tone.
    pub fn style_of(&self, tone: Tone, text: &str) -> Style {
        match &self.drawings {
            Some(drawings) if is_drawing(text) => drawings[tone as usize],
            _ => self.style(tone),
        }
    }

    fn selected_text(&self, tone: Tone, selection: Style) -> Style {
        let own = self.style(tone);
        let plain = own.patch(selection);
        if !is_alarm(tone) {
            return plain;
        }
        // Reversed among the reversed, and underlined among the underlined, would be like all of them.
        let shared = own.add_modifier & selection.add_modifier;
        let shared = shared & (Modifier::REVERSED | Modifier::UNDERLINED);
        if !shared.is_empty() {
            return plain.remove_modifier(shared);
        }
        match (own.fg, selection.bg) {
            (Some(text), Some(behind)) if is_readable(text, behind) => plain.fg(text),
            // Worth a look, no more: a block of its colour would say that it is urgent.
            (Some(_), Some(_)) if tone == Tone::Watch => plain,
            (Some(colour), Some(_)) => plain.bg(colour).fg(readable_on(colour)),
            (_, None) | (None, _) => plain,
        }
    }

    fn selected_drawing(&self, tone: Tone, selection: Style) -> Style {
        let own = self.style(tone);
        let plain = own.patch(selection);
        match (own.fg, selection.bg) {
            (Some(drawn), Some(behind)) if is_alarm(tone) && contrast(drawn, behind) >= DRAWN => {
                plain.fg(drawn)
            }
            _ => plain,
        }
    }
}

/// True for the tones of the bands that are not calm.
fn is_alarm(tone: Tone) -> bool {
    matches!(tone, Tone::Watch | Tone::Danger | Tone::Critical)
}

/// True for bars and sparklines: blocks and what stands for empty cells of them.
fn is_drawing(text: &str) -> bool {
    let is_block = |c: char| matches!(c, '\u{2580}'..='\u{259f}');
    text.contains(is_block) && text.chars().all(|c| is_block(c) || matches!(c, ' ' | '·'))
}

/// Text of one colour can be read on the other, whatever the user has made of the first 16.
fn is_readable(text: Color, behind: Color) -> bool {
    let is_told = |colour| matches!(colour, Color::Rgb(..) | Color::Indexed(16..));
    is_told(text) && is_told(behind) && contrast(text, behind) >= CONTRAST
}

/// The contrast of two colours; 0 where one is not known.
fn contrast(one: Color, other: Color) -> f64 {
    let both = light(one).zip(light(other));
    both.map_or(0.0, |(one, other)| one.contrast(other))
}

/// Black or white, as a terminal that shows this colour can show it: one of the two can be read on any colour.
fn readable_on(colour: Color) -> Color {
    let (black, white) = match colour {
        Color::Rgb(..) => (Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255)),
        // The first 16 are the user's: how they look is not known.
        Color::Indexed(16..) => (Color::Indexed(16), Color::Indexed(231)),
        _ => (Color::Black, Color::White),
    };
    let behind = light(colour).unwrap_or(Rgb(0, 0, 0));
    let is_dark = behind.contrast(Rgb(255, 255, 255)) >= behind.contrast(Rgb(0, 0, 0));
    if is_dark { white } else { black }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::{is_drawing, is_readable};

    #[test]
    fn nobody_knows_how_the_colours_of_the_user_look_on_each_other() {
        assert!(is_readable(Color::Rgb(255, 255, 0), Color::Rgb(0, 0, 128)));
        assert!(is_readable(Color::Indexed(226), Color::Indexed(18)));
        for (text, behind) in [
            (Color::Yellow, Color::Blue),
            (Color::Indexed(3), Color::Indexed(4)),
            (Color::Rgb(255, 255, 0), Color::Blue),
            (Color::Yellow, Color::Rgb(0, 0, 128)),
        ] {
            assert!(!is_readable(text, behind), "{text:?} on {behind:?}");
        }
    }

    #[test]
    fn bars_and_sparklines_are_drawings_and_words_are_not() {
        for text in ["▏", "███▌", "▂▃ ·▁", "·█"] {
            assert!(is_drawing(text), "{text}");
        }
        for text in ["", " ", "·", "java", "!", "×", "█ 3", "1.2"] {
            assert!(!is_drawing(text), "{text}");
        }
    }
}
