//! [`Tally`]: how many kills of this boot the events show, and how many of those the log has.

use super::Entry;

/// Kernel kills of this boot, as far as oomtop knows. The kernel's own counters also include kills that the
/// log no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// In the log.
    pub logged: u64,
    /// Told by a tracepoint only.
    pub traced: u64,
    /// Counted by the kernel while oomtop ran, without a line in the log.
    pub unlogged: u64,
    /// Lines about them: a group kill names its first victim twice, and the kernel counts it twice.
    pub lines: u64,
}

impl Tally {
    /// The kills of one entry.
    pub(super) fn from_entry(entry: &Entry) -> Self {
        match entry {
            Entry::Report {
                report, boot: 0, ..
            } => Self {
                logged: report.kills.len() as u64,
                lines: report
                    .kills
                    .iter()
                    .map(|kill| u64::from(kill.lines.max(1)))
                    .sum(),
                ..Self::default()
            },
            Entry::Traced { traced, .. } => Self {
                traced: 1,
                lines: traced.counted,
                ..Self::default()
            },
            Entry::Unlogged { kills, .. } => Self {
                unlogged: *kills,
                ..Self::default()
            },
            // A program's kill has its own row; the kernel's counters do not include it.
            Entry::Report { .. } | Entry::Gap { .. } | Entry::Userspace(_) | Entry::Sigkill(_) => {
                Self::default()
            }
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            logged: self.logged.saturating_add(other.logged),
            traced: self.traced.saturating_add(other.traced),
            unlogged: self.unlogged.saturating_add(other.unlogged),
            lines: self.lines.saturating_add(other.lines),
        }
    }

    /// ` of 281 since boot`, if the kernel's counter has more than these: kills that the log holds no more. Empty
    /// otherwise.
    pub fn of_counter(self, counter: Option<u64>) -> String {
        let known = self.lines.saturating_add(self.unlogged);
        match counter.filter(|all| *all > known) {
            Some(all) => format!(" of {all} since boot"),
            None => String::new(),
        }
    }

    /// All kills, whoever told of them.
    pub fn total(self) -> u64 {
        let told = self.logged.saturating_add(self.traced);
        told.saturating_add(self.unlogged)
    }

    /// `57 logged`, `57 logged + 3 unlogged`: what the number counts.
    pub fn words(self) -> String {
        let parts = [
            (self.logged, "logged"),
            (self.traced, "traced"),
            (self.unlogged, "unlogged"),
        ];
        let there = parts.iter().filter(|(kills, _)| *kills > 0);
        let words: Vec<String> = there.map(|(kills, how)| format!("{kills} {how}")).collect();
        if words.is_empty() {
            "0 logged".to_owned()
        } else {
            words.join(" + ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn what_is_counted_is_said() {
        let tally = |logged, unlogged| Tally {
            logged,
            traced: 0,
            unlogged,
            lines: logged,
        };
        let said = |logged, unlogged| tally(logged, unlogged).words();
        assert_eq!(tally(36, 0).of_counter(Some(281)), " of 281 since boot");
        assert_eq!(tally(36, 1).of_counter(Some(37)), "");
        let group = Tally {
            lines: 3,
            ..tally(2, 0)
        };
        assert_eq!(
            group.of_counter(Some(3)),
            "",
            "one of two was counted twice"
        );
        assert_eq!(said(0, 0), "0 logged");
        assert_eq!(said(57, 0), "57 logged");
        assert_eq!(said(0, 3), "3 unlogged");
        assert_eq!(said(57, 3), "57 logged + 3 unlogged");
        let traced = Tally {
            traced: 2,
            ..tally(0, 1)
        };
        assert_eq!(
            (traced.words().as_str(), traced.total()),
            ("2 traced + 1 unlogged", 3)
        );
    }
}
