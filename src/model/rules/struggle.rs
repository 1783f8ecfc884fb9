//! [`Struggles`]: oomtop never fights a process, or whoever else sets its value. Who undoes a write again and again
//! keeps the value it wants.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;

/// Most writes to one process. A program may set its own value when it starts, and once more before it starts others.
const MOST: u32 = 3;

/// After so long without a write it is no fight.
const PEACE: Duration = Duration::from_mins(10);

/// What to do with a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It has the value, or is left alone.
    Nothing,
    /// Write the value.
    Write,
    /// Say that it is left alone from here on.
    GiveUp,
}

#[derive(Debug, Clone, Copy)]
struct Struggle {
    value: OomScoreAdj,
    writes: u32,
    last: Duration,
    /// Left alone until another value is wanted.
    given_up: bool,
}

/// The writes so far, by process.
#[derive(Debug, Clone, Default)]
pub struct Struggles(HashMap<ProcessId, Struggle>);

impl Struggles {
    /// What to do with a process that has the value `now` and shall have `wanted`. `at` is the time since any fixed
    /// moment. A write is counted.
    pub fn act(
        &mut self,
        id: ProcessId,
        now: Option<OomScoreAdj>,
        wanted: OomScoreAdj,
        at: Duration,
    ) -> Act {
        if now == Some(wanted) {
            return Act::Nothing;
        }
        let fresh = Struggle {
            value: wanted,
            writes: 0,
            last: at,
            given_up: false,
        };
        let struggle = self.0.entry(id).or_insert(fresh);
        if struggle.value != wanted
            || (!struggle.given_up && at.saturating_sub(struggle.last) > PEACE)
        {
            *struggle = fresh;
        }
        if struggle.given_up {
            return Act::Nothing;
        }
        if struggle.writes == MOST {
            struggle.given_up = true;
            return Act::GiveUp;
        }
        struggle.writes += 1;
        struggle.last = at;
        Act::Write
    }

    /// The write that [`Self::act`] counted last was not made.
    pub fn unwritten(&mut self, id: ProcessId) {
        if let Some(struggle) = self.0.get_mut(&id) {
            struggle.writes = struggle.writes.saturating_sub(1);
        }
    }

    /// A write failed for good: it is not tried again for this value.
    pub fn refused(&mut self, id: ProcessId) {
        if let Some(struggle) = self.0.get_mut(&id) {
            struggle.given_up = true;
        }
    }

    /// Nothing was tried after all.
    pub fn forget(&mut self, id: ProcessId) {
        self.0.remove(&id);
    }

    /// Forgets all but these.
    pub fn keep(&mut self, lives: impl Fn(ProcessId) -> bool) {
        self.0.retain(|id, _| lives(*id));
    }

    /// None is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Act, MOST, PEACE, Struggles};
    use crate::model::process::ProcessId;
    use crate::model::process::score::OomScoreAdj;

    const WANTED: OomScoreAdj = OomScoreAdj::IMMUNE;
    const OTHER: OomScoreAdj = OomScoreAdj::ZERO;
    const SECOND: Duration = Duration::from_secs(1);

    fn act(struggles: &mut Struggles, now: OomScoreAdj, wanted: OomScoreAdj, at: Duration) -> Act {
        struggles.act(ProcessId::default(), Some(now), wanted, at)
    }

    #[test]
    fn a_process_that_changes_its_value_again_and_again_is_left_alone_and_that_is_said_once() {
        let mut struggles = Struggles::default();
        let mut writes = 0;
        let mut told = 0;
        for second in 0..100 {
            match act(&mut struggles, OTHER, WANTED, SECOND * second) {
                Act::Write => writes += 1,
                Act::GiveUp => told += 1,
                Act::Nothing => {}
            }
            assert_eq!(
                act(&mut struggles, WANTED, WANTED, SECOND * second),
                Act::Nothing
            );
        }
        assert_eq!((writes, told), (MOST, 1));
        // Left alone for good, but not with another value.
        let later = PEACE * 9;
        assert_eq!(act(&mut struggles, OTHER, WANTED, later), Act::Nothing);
        assert_eq!(
            act(&mut struggles, OTHER, OomScoreAdj::MAX, later),
            Act::Write
        );
    }

    #[test]
    fn once_in_a_while_is_no_fight() {
        let mut struggles = Struggles::default();
        for hour in 0..50 {
            let at = Duration::from_hours(1) * hour;
            assert_eq!(act(&mut struggles, OTHER, WANTED, at), Act::Write);
        }
    }

    #[test]
    fn a_write_that_was_not_made_is_not_counted() {
        let mut struggles = Struggles::default();
        for second in 0..100 {
            let at = SECOND * second;
            assert_eq!(act(&mut struggles, OTHER, WANTED, at), Act::Write);
            struggles.unwritten(ProcessId::default());
        }
    }

    #[test]
    fn what_was_refused_is_not_tried_again() {
        let mut struggles = Struggles::default();
        assert_eq!(
            act(&mut struggles, OTHER, WANTED, Duration::ZERO),
            Act::Write
        );
        struggles.refused(ProcessId::default());
        assert_eq!(act(&mut struggles, OTHER, WANTED, PEACE * 2), Act::Nothing);
        struggles.keep(|_| false);
        assert!(struggles.is_empty());
        assert_eq!(
            act(&mut struggles, OTHER, WANTED, Duration::ZERO),
            Act::Write
        );
    }
}
