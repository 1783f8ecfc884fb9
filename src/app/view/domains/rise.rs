//! [`Filling`]: since when a domain is about to be full, and whether that was the start of a process and no more.

use std::time::Duration;

use crate::model::time::Monotonic;

/// How long a domain counts as filling after the growth has ended: rows must not jump up and down under the cursor.
const STAYS: Duration = Duration::from_secs(10);

/// A rise that was over before this time, with more than half of the room left, was the start of a process and no filling.
const LASTS: Duration = Duration::from_secs(3);
const HALF: f64 = 50.0;

/// Since when a domain is about to be full, and when it last was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Filling {
    since: Monotonic,
    last: Monotonic,
}

impl Filling {
    /// It is about to be full at `at`, and was before or not.
    pub(super) fn goes_on(was: Option<Self>, at: Monotonic) -> Self {
        Self {
            since: was.map_or(at, |was| was.since),
            last: at,
        }
    }

    /// It does not fill any more at `at`, with so many percent used: what is left of it. A kill makes room, and ends it.
    pub(super) fn after(self, at: Monotonic, killed: bool, percent: Option<f64>) -> Option<Self> {
        let is_over = killed || at.since(self.last) >= STAYS || self.was_a_start(percent);
        (!is_over).then_some(self)
    }

    /// True if it was over at once and left most of the room.
    pub(super) fn was_a_start(self, percent: Option<f64>) -> bool {
        let lasted = self.last.since(self.since);
        lasted < LASTS && percent.is_some_and(|percent| percent < HALF)
    }
}

#[cfg(test)]
mod tests {
    use super::Filling;
    use crate::model::time::Monotonic;

    #[test]
    fn a_rise_that_ended_at_once_is_no_filling_and_a_longer_one_stays_for_a_while() {
        let second = |at: u64| Monotonic(at * 1_000_000);
        let brief = Filling::goes_on(None, second(10));
        let brief = Filling::goes_on(Some(brief), second(12));
        assert_eq!(brief.after(second(13), false, Some(30.0)), None);
        assert_eq!(brief.after(second(13), false, Some(60.0)), Some(brief));
        let longer = Filling::goes_on(Some(brief), second(13));
        assert_eq!(longer.after(second(14), false, Some(30.0)), Some(longer));
        assert_eq!(longer.after(second(14), true, Some(30.0)), None);
        assert_eq!(longer.after(second(23), false, Some(30.0)), None);
    }
}
