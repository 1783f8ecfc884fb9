//! [`Theme`]: how a [`Tone`] looks. The only place with colours; `config/themes/` reads them from files.

pub mod colour;
mod depth;
mod role;
mod selected;

use ratatui::style::{Color, Modifier, Style};

pub use depth::Depth;
pub use role::{CONTRAST, Role};

use crate::model::memory::band::Band;
use crate::text::tone::Tone;

/// A style for every role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    looks: [Style; Role::ALL.len()],
    /// On a selected row: how bars and graphs look in each tone. Elsewhere they look as text does.
    drawings: Option<[Style; Tone::ALL.len()]>,
}

impl Theme {
    /// A theme that gives each role a look.
    pub fn new(look: impl Fn(Role) -> Style) -> Self {
        Self {
            looks: Role::ALL.map(look),
            drawings: None,
        }
    }

    /// `oomtop`: the colours of the terminal's own 16, so that light and dark backgrounds both work.
    pub fn colours() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self::new(|role| match role {
            // What always stands there must not be louder than what is urgent.
            Role::Text(Tone::Normal) | Role::Label => plain,
            // Dark grey is unreadable on many terminals; grey with DIM falls back to plain grey.
            Role::Text(Tone::Dim) => plain.fg(Color::Gray).add_modifier(Modifier::DIM),
            Role::Text(Tone::Strong) => bold,
            Role::Text(Tone::Accent) | Role::Key => bold.fg(Color::Cyan),
            Role::Text(Tone::Good) => plain.fg(Color::Green),
            Role::Text(Tone::Watch) | Role::Mark => plain.fg(Color::Yellow),
            Role::Text(Tone::Danger) => bold.fg(Color::LightRed),
            Role::Text(Tone::Critical) => bold.fg(Color::Red),
            Role::Selected => plain
                .bg(Color::Blue)
                .fg(Color::White)
                .remove_modifier(Modifier::DIM),
            Role::SelectedElsewhere | Role::Heading => plain.add_modifier(Modifier::UNDERLINED),
            Role::Sorted => bold.fg(Color::Cyan).add_modifier(Modifier::UNDERLINED),
        })
    }

    /// `mono`: bold, reversed and underlined only. `NO_COLOR`, `--no-color`, terminals without colours.
    pub fn mono() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        Self::new(|role| match role {
            Role::Text(Tone::Normal | Tone::Dim | Tone::Good) | Role::Label => plain,
            Role::Text(Tone::Strong | Tone::Accent | Tone::Watch) | Role::Key | Role::Mark => bold,
            Role::Text(Tone::Danger) | Role::Sorted => bold.add_modifier(Modifier::UNDERLINED),
            Role::Text(Tone::Critical) => bold.add_modifier(Modifier::REVERSED),
            Role::Selected => reversed,
            Role::SelectedElsewhere | Role::Heading => plain.add_modifier(Modifier::UNDERLINED),
        })
    }

    /// The look of a role.
    pub fn look(&self, role: Role) -> Style {
        self.looks[role.index()]
    }

    /// The theme with the colours that a terminal has. Without colours, tones that only colours told apart would look
    /// alike: such a theme becomes [`Self::mono`].
    #[must_use]
    pub fn at(&self, depth: Depth) -> Self {
        let is_coloured = |look: &Style| look.fg.is_some() || look.bg.is_some();
        if depth == Depth::None && self.looks.iter().any(is_coloured) {
            return Self::mono();
        }
        let ground = self.look(Role::Text(Tone::Normal)).bg;
        let mut shown = Self::new(|role| depth.look(self.look(role), ground, CONTRAST));
        shown.part_bands();
        shown
    }

    /// Where two bands have become the same colour, something else tells them apart.
    fn part_bands(&mut self) {
        let bands = [Tone::Good, Tone::Watch, Tone::Danger, Tone::Critical];
        let bands = bands.map(|tone| Role::Text(tone).index());
        for (at, band) in bands.into_iter().enumerate() {
            for modifier in [Modifier::BOLD, Modifier::UNDERLINED, Modifier::REVERSED] {
                let is_alike = |other: &usize| self.looks[*other] == self.looks[band];
                if bands[..at].iter().any(is_alike) {
                    self.looks[band] = self.looks[band].add_modifier(modifier);
                }
            }
        }
    }

    /// The style of a tone.
    pub fn style(&self, tone: Tone) -> Style {
        self.look(Role::Text(tone))
    }

    /// What lies under everything: ordinary text and its background.
    pub fn ground(&self) -> Style {
        self.look(Role::Text(Tone::Normal))
    }

    /// The column headers.
    pub fn heading(&self) -> Style {
        self.look(Role::Heading)
    }

    /// The sorted column's header.
    pub fn sorted_heading(&self) -> Style {
        self.look(Role::Sorted)
    }

    /// A key in the footer.
    pub fn key(&self) -> Style {
        self.look(Role::Key)
    }

    /// What the key does.
    pub fn key_label(&self) -> Style {
        self.look(Role::Label)
    }

    /// A mark of a gauge that is not reached.
    pub fn mark(&self) -> Style {
        self.look(Role::Mark)
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

/// The themes that can be chosen while the screen is shown, with the colours that the terminal has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Themes {
    named: Vec<(String, Theme)>,
    /// Where the state names none of them.
    other: Theme,
}

impl Themes {
    /// These themes, and one for every other name.
    pub fn new(named: Vec<(String, Theme)>, other: Theme) -> Self {
        Self { named, other }
    }

    /// The theme of this name.
    pub fn of(&self, name: &str) -> &Theme {
        let found = self.named.iter().find(|(own, _)| own == name);
        found.map_or(&self.other, |(_, theme)| theme)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }
}

/// This theme whatever the name.
impl From<Theme> for Themes {
    fn from(theme: Theme) -> Self {
        Self::new(Vec::new(), theme)
    }
}
