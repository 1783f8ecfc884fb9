//! [`Agenda`]: when all processes are looked at, and when lost starts are told.

use std::time::Duration;

/// Least time between two looks at all because of lost starts: such a look is dear, and a storm loses more meanwhile.
const PAUSE: Duration = Duration::from_millis(500);

/// So long after a look that failed, as a rule for want of memory, it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Lost starts are told once in this time.
const QUIET: Duration = Duration::from_mins(1);

/// What is due. All times are since one fixed moment.
#[derive(Debug)]
pub(super) struct Agenda {
    every: Duration,
    looked: Duration,
    /// A look is due earlier than `every` says.
    owed: Option<Duration>,
    /// Losses that were not told.
    losses: u64,
    told: Option<Duration>,
}

impl Agenda {
    /// All processes have been looked at now.
    pub(super) fn new(every: Duration, now: Duration) -> Self {
        Self {
            every,
            looked: now,
            owed: None,
            losses: 0,
            told: None,
        }
    }

    /// All must be looked at, at once.
    pub(super) fn look_now(&mut self, now: Duration) {
        self.owed = Some(now);
    }

    /// All must be looked at, but not at once if that was done just now.
    pub(super) fn look_soon(&mut self, now: Duration) {
        let at = now.max(self.looked + PAUSE);
        self.owed = Some(self.owed.map_or(at, |owed| owed.min(at)));
    }

    /// Starts were lost.
    pub(super) fn lost(&mut self, now: Duration) {
        self.losses += 1;
        self.look_soon(now);
    }

    /// How often starts were lost, if that is to be told now.
    pub(super) fn losses(&mut self, now: Duration) -> Option<u64> {
        if self.losses == 0 || self.told.is_some_and(|told| now < told + QUIET) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.losses))
    }

    /// How long nothing is due.
    pub(super) fn rest(&self, now: Duration) -> Duration {
        let regular = self.looked + self.every;
        let look = self.owed.map_or(regular, |owed| owed.min(regular));
        let tell = self.told.filter(|_| self.losses > 0);
        let next = tell.map_or(look, |told| look.min(told + QUIET));
        next.saturating_sub(now)
    }

    /// All processes are to be looked at now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        now >= self.looked + self.every || self.owed.is_some_and(|owed| now >= owed)
    }

    /// All were looked at, or that failed.
    pub(super) fn looked(&mut self, now: Duration, is_done: bool) {
        self.looked = now;
        self.owed = (!is_done).then(|| now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Agenda, PAUSE, QUIET, RETRY};

    const HOUR: Duration = Duration::from_hours(1);
    const STEP: Duration = Duration::from_millis(10);

    #[test]
    fn a_storm_that_loses_starts_costs_few_looks_and_fewer_lines() {
        let mut agenda = Agenda::new(HOUR, Duration::ZERO);
        let (mut looks, mut told) = (0, Vec::new());
        let mut now = Duration::ZERO;
        for _ in 0..1000 {
            now += STEP;
            agenda.lost(now);
            told.extend(agenda.losses(now));
            if agenda.is_due(now) {
                looks += 1;
                agenda.looked(now, true);
            }
        }
        assert_eq!((looks, told), (20, vec![1]));
        // The last loss is looked after too, and what was not told is told later, with their number.
        agenda.lost(now);
        assert!(agenda.rest(now) <= PAUSE);
        agenda.looked(now, true);
        let rest = agenda.rest(now);
        assert!(rest < QUIET, "{rest:?}");
        assert_eq!(agenda.losses(now + rest), Some(1000));
        assert_eq!(agenda.losses(now + HOUR), None);
    }

    #[test]
    fn what_is_asked_for_is_done_at_once_and_what_failed_is_tried_again() {
        let mut agenda = Agenda::new(HOUR, Duration::ZERO);
        assert!(!agenda.is_due(STEP) && agenda.rest(STEP) + STEP == HOUR);
        agenda.look_now(STEP);
        assert!(agenda.is_due(STEP) && agenda.rest(STEP).is_zero());
        agenda.looked(STEP, false);
        assert!(!agenda.is_due(STEP));
        assert_eq!(agenda.rest(STEP), RETRY);
        assert!(agenda.is_due(STEP + RETRY));
        agenda.looked(STEP + RETRY, true);
        assert!(agenda.is_due(STEP + RETRY + HOUR));
    }
}
