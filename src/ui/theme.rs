//! [`Theme`]: how a [`Tone`] looks. The only place with colours.

use ratatui::style::{Color, Modifier, Style};

use crate::model::memory::band::Band;
use crate::text::tone::Tone;

/// Styles for every meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// The colours of the terminal's own 16, so that light and dark backgrounds both work.
    pub fn colours() -> Self {
        Self { colour: true }
    }

    /// Bold, reverse and underline only: `NO_COLOR`, `--no-color`.
    pub fn mono() -> Self {
        Self { colour: false }
    }

    /// The style of a tone.
    pub fn style(&self, tone: Tone) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        if !self.colour {
            return match tone {
                Tone::Normal | Tone::Dim | Tone::Good => plain,
                Tone::Strong | Tone::Accent | Tone::Watch => bold,
                Tone::Danger => bold.add_modifier(Modifier::UNDERLINED),
                Tone::Critical => bold.add_modifier(Modifier::REVERSED),
            };
        }
        match tone {
            Tone::Normal => plain,
            // Dark grey is unreadable on many terminals; grey with DIM falls back to plain grey.
            Tone::Dim => plain.fg(Color::Gray).add_modifier(Modifier::DIM),
            Tone::Strong => bold,
            Tone::Accent => bold.fg(Color::Cyan),
            Tone::Good => plain.fg(Color::Green),
            Tone::Watch => plain.fg(Color::Yellow),
            Tone::Danger => bold.fg(Color::LightRed),
            Tone::Critical => bold.fg(Color::Red),
        }
    }

    /// The selected row of the pane that has the keyboard; in the other pane, the selected row is underlined.
    pub fn selection(&self, focused: bool) -> Style {
        match (focused, self.colour) {
            (true, true) => Style::new()
                .bg(Color::Blue)
                .fg(Color::White)
                .remove_modifier(Modifier::DIM),
            (true, false) => Style::new().add_modifier(Modifier::REVERSED),
            (false, _) => Style::new().add_modifier(Modifier::UNDERLINED),
        }
    }

    /// The column headers.
    pub fn heading(&self) -> Style {
        if self.colour {
            Style::new().fg(Color::Black).bg(Color::Green)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }

    /// The sorted column's header.
    pub fn sorted_heading(&self) -> Style {
        if self.colour {
            Style::new()
                .fg(Color::Black)
                .bg(Color::Cyan)
                .add_modifier(Modifier::BOLD)
        } else {
            Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
        }
    }

    /// A key in the footer.
    pub fn key(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What the key does.
    pub fn key_label(&self) -> Style {
        if self.colour {
            Style::new().fg(Color::Black).bg(Color::Cyan)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }

    /// The tone of a band.
    pub fn band(band: Band) -> Tone {
        match band {
            Band::Normal => Tone::Good,
            Band::Warning => Tone::Watch,
            Band::Danger => Tone::Danger,
            Band::Critical => Tone::Critical,
        }
    }
}
