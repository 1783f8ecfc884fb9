//! [`Remedy`]: what the incident dialog can do.

/// Shares that Tab goes through, in percent of the limit or of what is in use.
pub(super) const SHARES: &[u64] = &[10, 25, 50];

/// A group of more processes is not frozen with one key: it may be half of the machine.
const OVERSEEN: usize = 32;

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
    /// Let the process continue.
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
            Self::Continue => "continue",
            Self::Reap => "kill one",
            Self::KillGroup => "kill all",
        }
    }

    /// It needs to know how much.
    pub(super) fn takes_amount(self) -> bool {
        matches!(self, Self::Raise | Self::Reclaim)
    }

    /// It hits so many processes, and cannot be taken back or stops more than anybody oversees.
    pub(super) fn is_asked_twice(self, members: usize) -> bool {
        match self {
            Self::KillGroup => true,
            Self::Freeze => members > OVERSEEN,
            Self::Thaw
            | Self::Raise
            | Self::Reclaim
            | Self::Expose
            | Self::Stop
            | Self::Continue
            | Self::Reap => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Remedy;

    #[test]
    fn what_stops_more_than_anybody_oversees_is_asked_twice() {
        let asks = |remedy: Remedy| [1, 32, 33, 1511].map(|members| remedy.is_asked_twice(members));
        assert_eq!(asks(Remedy::KillGroup), [true; 4]);
        assert_eq!(asks(Remedy::Freeze), [false, false, true, true]);
        assert_eq!(asks(Remedy::Thaw), [false; 4]);
    }

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
