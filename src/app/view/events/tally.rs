//! [`Tally`]: how many kills of this boot the events tell, and whether the log told them.

use super::Entry;

/// Kills by the kernel in this boot, as far as they are known here. The kernel's own counters count also
/// what the log holds no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Told by the log.
    pub logged: u64,
    /// Counted by the kernel while oomtop ran, without a line in the log.
    pub unlogged: u64,
}

impl Tally {
    /// The kills of one entry.
    pub(super) fn from_entry(entry: &Entry) -> Self {
        match entry {
            Entry::Report {
                report, boot: 0, ..
            } => Self {
                logged: report.kills.len() as u64,
                unlogged: 0,
            },
            Entry::Unlogged { kills, .. } => Self {
                logged: 0,
                unlogged: *kills,
            },
            // A program's kill is told in its row, not in the kernel's count.
            Entry::Report { .. } | Entry::Gap { .. } | Entry::Userspace(_) => Self::default(),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            logged: self.logged.saturating_add(other.logged),
            unlogged: self.unlogged.saturating_add(other.unlogged),
        }
    }

    /// All of them.
    pub fn total(self) -> u64 {
        self.logged.saturating_add(self.unlogged)
    }

    /// `57 logged`, `57 logged + 3 unlogged`: what the number counts.
    pub fn words(self) -> String {
        match (self.logged, self.unlogged) {
            (logged, 0) => format!("{logged} logged"),
            (0, unlogged) => format!("{unlogged} unlogged"),
            (logged, unlogged) => format!("{logged} logged + {unlogged} unlogged"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn what_is_counted_is_said() {
        let said = |logged, unlogged| Tally { logged, unlogged }.words();
        assert_eq!(said(0, 0), "0 logged");
        assert_eq!(said(57, 0), "57 logged");
        assert_eq!(said(0, 3), "3 unlogged");
        assert_eq!(said(57, 3), "57 logged + 3 unlogged");
    }
}
