//! [`Unread`]: what has come into the pane since it was last looked at, and what of it are kills.

use super::EventLog;
use super::entry::Entry;

/// Kills and other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unread {
    /// Processes killed, by whomever; a row can tell of several.
    pub kills: u64,
    /// Rows that tell of nobody's death: gaps, OOMs without a victim, SIGKILLs by others.
    pub others: u64,
}

impl Unread {
    /// What these entries tell.
    pub(super) fn count<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut all = Self::default();
        for entry in entries {
            match entry {
                Entry::Unlogged { kills, .. } => all.kills += kills,
                Entry::Userspace(_) => all.kills += 1,
                Entry::Report { .. } | Entry::Traced { .. } if !entry.kills().is_empty() => {
                    all.kills += entry.kills().len() as u64;
                }
                Entry::Report { .. }
                | Entry::Traced { .. }
                | Entry::Sigkill(_)
                | Entry::Gap { .. } => all.others += 1,
            }
        }
        all
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            kills: self.kills + other.kills,
            others: self.others + other.others,
        }
    }

    /// `2 new kills, 1 other new row`; empty if nothing is new.
    pub fn words(self) -> String {
        let kills = match self.kills {
            0 => None,
            1 => Some("1 new kill".to_owned()),
            kills => Some(format!("{kills} new kills")),
        };
        let other = if self.kills > 0 { "other new" } else { "new" };
        let others = match self.others {
            0 => None,
            1 => Some(format!("1 {other} row")),
            others => Some(format!("{others} {other} rows")),
        };
        let parts: Vec<String> = kills.into_iter().chain(others).collect();
        parts.join(", ")
    }
}

impl EventLog {
    /// Does this to the entries and counts what has become new by it. What the log held at the start is no news. A row
    /// that takes the place of another is none either.
    pub(super) fn counting<T>(&mut self, change: impl FnOnce(&mut Self) -> T) -> T {
        // What makes room for the new has been there before.
        let all = |log: &Self| Unread::count(log.entries()).plus(log.dropped);
        let before = all(self);
        let done = change(self);
        if self.source.caught_up {
            let now = all(self);
            let sum = |unread: u64, now: u64, before: u64| (unread + now).saturating_sub(before);
            self.unread = Unread {
                kills: sum(self.unread.kills, now.kills, before.kills),
                others: sum(self.unread.others, now.others, before.others),
            };
        }
        done
    }

    /// Somebody looks at the pane.
    pub fn looked_at(&mut self) {
        self.unread = Unread::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Unread;

    #[test]
    fn what_is_new_is_named() {
        let words = |kills, others| Unread { kills, others }.words();
        assert_eq!(words(0, 0), "");
        assert_eq!(words(1, 0), "1 new kill");
        assert_eq!(words(12, 0), "12 new kills");
        assert_eq!(words(0, 1), "1 new row");
        assert_eq!(words(2, 3), "2 new kills, 3 other new rows");
    }
}
