//! [`Prospect`]: what kills can free at most, before the kernel finds out.

/// What is left of a domain once everybody who can be killed is gone. All sizes are in bytes.
///
/// `by_kill` is an upper bound: a page that a fork shares counts in `RssAnon` of every sharer and is freed with the
/// last one only. What they hold in the kernel (pipes, files, small buffers) goes with them too, but no counter
/// tells whose it is: it is in neither number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Prospect {
    /// The limit; RAM for the host.
    pub limit: u64,
    /// Memory in use ([`super::Ledger::used`]).
    pub used: u64,
    /// At most this much is freed if everybody is killed whom the kernel may kill.
    pub by_kill: u64,
    /// Reclaim gets this back without a kill: page cache, kernel caches, shared memory that still fits in swap.
    pub by_reclaim: u64,
    /// Processes that the kernel may kill.
    pub killable: u64,
    /// Processes in the domain.
    pub members: u64,
}

/// What a [`Prospect`] comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// A kill helps, or memory is not short.
    Fine,
    /// More than a third of the memory in use, and a quarter of the limit, stays whoever is killed.
    Large,
    /// Whoever is killed: the domain is full again at once, or still.
    Hopeless,
}

/// The domain counts as full from this share of its limit on, in percent.
const FULL: u64 = 95;

/// What stays counts as large from this share of the limit on, in percent.
const LARGE: u64 = 25;

impl Prospect {
    /// What neither reclaim nor a kill gives back.
    #[must_use]
    pub fn stays(&self) -> u64 {
        self.used
            .saturating_sub(self.by_reclaim)
            .saturating_sub(self.by_kill)
    }

    /// Memory in use that reclaim cannot get back: what a kill must free.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.used.saturating_sub(self.by_reclaim)
    }

    /// True if reclaim alone keeps it [`Outlook::Fine`], whatever a kill frees.
    #[must_use]
    pub fn is_fine_without_kills(&self) -> bool {
        !self.reaches(self.held(), LARGE)
    }

    fn reaches(&self, part: u64, percent: u64) -> bool {
        self.limit > 0 && u128::from(part) * 100 >= u128::from(self.limit) * u128::from(percent)
    }

    /// What it comes down to.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        let nobody = self.members > 0 && self.killable == 0 && self.reaches(self.held(), FULL);
        if nobody || self.reaches(self.stays(), FULL) {
            Outlook::Hopeless
        } else if self.stays() > self.held() / 3 && self.reaches(self.stays(), LARGE) {
            Outlook::Large
        } else {
            Outlook::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outlook, Prospect};

    fn prospect(used: u64, by_kill: u64, by_reclaim: u64) -> Prospect {
        Prospect {
            limit: 1000,
            used,
            by_kill,
            by_reclaim,
            killable: 3,
            members: 3,
        }
    }

    #[test]
    fn the_outlook_is_what_stays_after_all_kills() {
        assert_eq!(prospect(990, 900, 50).outlook(), Outlook::Fine);
        assert_eq!(prospect(990, 30, 950).outlook(), Outlook::Fine, "cache");
        assert_eq!(prospect(990, 500, 50).outlook(), Outlook::Large);
        assert_eq!(prospect(990, 30, 0).outlook(), Outlook::Hopeless);
        // A small machine at rest: most of what it uses is the kernel's, and nothing is short.
        assert_eq!(prospect(200, 20, 60).outlook(), Outlook::Fine);
        let immune = Prospect {
            killable: 0,
            ..prospect(960, 0, 0)
        };
        assert_eq!(immune.outlook(), Outlook::Hopeless);
        assert_eq!(Prospect::default().outlook(), Outlook::Fine);
    }

    proptest::proptest! {
        #[test]
        fn what_is_fine_without_kills_is_fine_with_any(
            limit in 0_u64..2000,
            used in 0_u64..2000,
            by_kill in 0_u64..2000,
            by_reclaim in 0_u64..2000,
            killable in 0_u64..3,
            members in 0_u64..3,
        ) {
            let known = Prospect { limit, used, by_kill, by_reclaim, killable, members };
            proptest::prop_assert!(!known.is_fine_without_kills() || known.outlook() == Outlook::Fine);
        }
    }
}
