//! [`Share`]: how much of a whole one kind of memory took.

/// A limit or swap is full at this much of it, in percent.
pub(super) const FULL: u64 = 98;

/// How much of the whole one kind of memory took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Share {
    /// Memory of this kind, in kB.
    pub held_kb: u64,
    /// The whole in kB: the limit, or the host's RAM without the kernel's reserved pages.
    pub of_kb: u64,
}

impl Share {
    /// In percent, rounded down; 0 if the whole is 0.
    #[must_use]
    pub fn percent(self) -> u64 {
        self.held_kb
            .saturating_mul(100)
            .checked_div(self.of_kb)
            .unwrap_or(0)
    }
}

/// True if `part` is at least `percent` percent of `whole`.
pub(super) fn reaches(part: u64, whole: u64, percent: u64) -> bool {
    whole > 0 && u128::from(part) * 100 >= u128::from(whole) * u128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::{Share, reaches};

    #[test]
    fn parts_of_a_whole() {
        assert!(reaches(98, 100, 98) && !reaches(97, 100, 98) && !reaches(0, 0, 0));
        let share = Share {
            held_kb: u64::MAX,
            of_kb: 0,
        };
        assert_eq!(share.percent(), 0);
    }
}
