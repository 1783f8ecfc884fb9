//! [`Role`]: everything on the screen that a theme gives a look.

/// What a theme gives a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text, and the background of the whole screen.
    Normal,
    /// Labels, units, hints.
    Dim,
    /// Names, values asked for.
    Strong,
    /// Keys, titles, the focused thing.
    Accent,
    /// The normal band; fine, done.
    Good,
    /// The first band.
    Watch,
    /// The second band.
    Danger,
    /// The third band, kills, failures.
    Critical,
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

impl Role {
    /// All roles, in the order of the variants.
    pub const ALL: [Self; 15] = [
        Self::Normal,
        Self::Dim,
        Self::Strong,
        Self::Accent,
        Self::Good,
        Self::Watch,
        Self::Danger,
        Self::Critical,
        Self::Selected,
        Self::SelectedElsewhere,
        Self::Heading,
        Self::Sorted,
        Self::Key,
        Self::Label,
        Self::Mark,
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
            Self::Selected => "selected",
            Self::SelectedElsewhere => "selected_elsewhere",
            Self::Heading => "heading",
            Self::Sorted => "sorted",
            Self::Key => "key",
            Self::Label => "label",
            Self::Mark => "mark",
        }
    }

    /// The contrast that text of this role must have with its background (WCAG 2.1, 1.4.3): 4.5, and 3 for secondary
    /// text.
    pub fn contrast(self) -> f64 {
        match self {
            Self::Dim => 3.0,
            _ => 4.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn all_has_the_order_of_the_variants() {
        for (at, role) in Role::ALL.iter().enumerate() {
            assert_eq!(*role as usize, at, "{}", role.name());
        }
    }
}
