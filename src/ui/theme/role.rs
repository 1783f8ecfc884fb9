//! [`Role`]: everything on the screen that a theme gives a look: each tone of text, and the parts that are no text.

use crate::text::tone::Tone;

/// What a theme gives a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Text of this tone; the look of ordinary text has the background of the whole screen.
    Text(Tone),
    /// The selected row of the pane that has the keyboard.
    Selected,
    /// The selected row of the other pane.
    SelectedElsewhere,
    /// Column headers.
    Heading,
    /// The header of the sorted column.
    Sorted,
    /// A key in the footer.
    Key,
    /// What the key does.
    Label,
    /// A mark of a gauge that is not reached.
    Mark,
}

/// The roles that are no tone, in the order of the variants.
const OTHERS: [Role; 7] = [
    Role::Selected,
    Role::SelectedElsewhere,
    Role::Heading,
    Role::Sorted,
    Role::Key,
    Role::Label,
    Role::Mark,
];

/// How many there are.
const COUNT: usize = Tone::ALL.len() + OTHERS.len();

impl Role {
    /// All roles: the tones, then the others.
    pub const ALL: [Self; COUNT] = {
        let mut all = [Self::Selected; COUNT];
        let mut at = 0;
        while at < COUNT {
            all[at] = if at < Tone::ALL.len() {
                Self::Text(Tone::ALL[at])
            } else {
                OTHERS[at - Tone::ALL.len()]
            };
            at += 1;
        }
        all
    };

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        let other = match self {
            Self::Text(tone) => return tone as usize,
            Self::Selected => 0,
            Self::SelectedElsewhere => 1,
            Self::Heading => 2,
            Self::Sorted => 3,
            Self::Key => 4,
            Self::Label => 5,
            Self::Mark => 6,
        };
        Tone::ALL.len() + other
    }

    /// The key of a theme file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text(tone) => tone.name(),
            Self::Selected => "selected",
            Self::SelectedElsewhere => "selected_elsewhere",
            Self::Heading => "heading",
            Self::Sorted => "sorted",
            Self::Key => "key",
            Self::Label => "label",
            Self::Mark => "mark",
        }
    }
}

/// The contrast that text must have with its background (WCAG 2.1, 1.4.3). Dim text, too: units, limits and names are dim,
/// and they are facts.
pub const CONTRAST: f64 = 4.5;

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn each_role_knows_its_place() {
        for (at, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role.index(), at, "{}", role.name());
        }
    }
}
