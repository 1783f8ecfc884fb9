//! [`Remedy`]: what the incident dialog can do.

/// Shares that Tab goes through, in percent of the limit or of what is in use.
pub(super) const SHARES: &[u64] = &[10, 25, 50];

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Freeze the group.
    Freeze,
    /// Thaw the group.
    Thaw,
    /// Raise its limit.
    Raise,
    /// Take memory out of it.
    Reclaim,
    /// Raise the adj of the one that grows.
    Expose,
    /// Stop the process.
    Stop,
    /// Let the process run on.
    Continue,
    /// Kill the process and take its memory at once.
    Reap,
    /// Kill all of the group.
    KillGroup,
}

impl Remedy {
    /// The gentlest first.
    pub(super) const ALL: &[Self] = &[
        Self::Freeze,
        Self::Thaw,
        Self::Raise,
        Self::Reclaim,
        Self::Expose,
        Self::Stop,
        Self::Continue,
        Self::Reap,
        Self::KillGroup,
    ];

    /// The key that chooses it; two that are never offered together share one.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Freeze => 'f',
            Self::Thaw => 't',
            Self::Raise => 'r',
            Self::Reclaim => 'c',
            Self::Expose => 'e',
            Self::Stop | Self::Continue => 's',
            Self::Reap => 'k',
            Self::KillGroup => 'x',
        }
    }

    /// In a word or two.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Raise => "raise limit",
            Self::Reclaim => "reclaim",
            Self::Expose => "expose",
            Self::Stop => "stop one",
            Self::Continue => "run on",
            Self::Reap => "kill one",
            Self::KillGroup => "kill all",
        }
    }

    /// It needs to know how much.
    pub(super) fn takes_amount(self) -> bool {
        matches!(self, Self::Raise | Self::Reclaim)
    }

    /// It cannot be taken back and hits more than one.
    pub(super) fn is_asked_twice(self) -> bool {
        self == Self::KillGroup
    }
}

#[cfg(test)]
mod tests {
    use super::Remedy;

    #[test]
    fn letters_are_no_part_of_a_number_and_differ() {
        for one in Remedy::ALL {
            assert!(!one.letter().is_ascii_digit());
            let alike = Remedy::ALL
                .iter()
                .filter(|other| other.letter() == one.letter());
            let most = if matches!(one, Remedy::Stop | Remedy::Continue) {
                2
            } else {
                1
            };
            assert_eq!(alike.count(), most, "{one:?}");
        }
    }
}
