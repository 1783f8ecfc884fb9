//! The ranking of one domain's candidates, in the order in which the kernel prefers victims.

use std::cmp::Ordering;
use std::num::NonZeroU64;

use super::{Candidate, Verdict};
use crate::model::cgroup::CgroupKey;
use crate::model::kernel::{KernelRules, TieBreak};
use crate::model::process::badness::{Badness, Immunity};
use crate::model::process::{Process, ProcessId};

/// The first two candidates of one domain, collected in one walk over the table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Race {
    pub(super) first: Option<Entry>,
    second: Option<Entry>,
    pub(super) members: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    points: i64,
    id: ProcessId,
    address_space: Option<NonZeroU64>,
    has_swap: bool,
    /// The memory cgroup of the process.
    pub(super) cgroup: Option<CgroupKey>,
}

impl Entry {
    fn shares_memory_with(self, other: Self) -> bool {
        self.address_space.is_some() && self.address_space == other.address_space
    }
}

impl Race {
    pub(super) fn enter(&mut self, process: &Process, badness: Badness, tie: TieBreak) {
        // The kernel looks at no thread of its own (mm/oom_kill.c `oom_unkillable_task`).
        self.members += u32::from(badness != Badness::Immune(Immunity::KernelThread));
        let Badness::Points(points) = badness else {
            return;
        };
        let points = compared(points, tie);
        let entry = Entry {
            points,
            id: process.id,
            address_space: process.address_space,
            has_swap: process.memory.is_some_and(|memory| memory.swap > 0),
            cgroup: process.cgroup,
        };
        let first = self.first;
        if first.is_none_or(|first| beats(entry, first, tie)) {
            self.first = Some(entry);
            // A process that shares the memory of the first dies with it, so it is not the runner-up.
            if !first.is_some_and(|first| first.shares_memory_with(entry)) {
                self.second = first;
            }
        } else if !first.is_some_and(|first| first.shares_memory_with(entry))
            && self.second.is_none_or(|second| beats(entry, second, tie))
        {
            self.second = Some(entry);
        }
    }

    pub(super) fn verdict(&self, rules: &KernelRules) -> Option<Verdict> {
        let candidate = |e: Entry| Candidate {
            id: e.id,
            points: e.points,
        };
        let first = self.first?;
        // Each of the two has its own reading error.
        let error = |e: Entry| rules.rss_error + if e.has_swap { rules.swap_error } else { 0 };
        let close = self.second.is_some_and(|second| {
            first.points.abs_diff(second.points) <= error(first).saturating_add(error(second))
        });
        Some(Verdict {
            victim: candidate(first),
            runner_up: self.second.map(candidate),
            close,
            rival: None,
        })
    }
}

/// The points as the kernel compares them: from 3.6 to 5.8 every candidate has at least one (mm/oom_kill.c
/// `oom_badness`: `points > 0 ? points : 1`), so many small processes with a negative adj are equal.
#[must_use]
pub fn compared(points: i64, tie: TieBreak) -> i64 {
    match tie {
        TieBreak::Later => points,
        TieBreak::Earlier => points.max(1),
    }
}

/// The order in which the kernel prefers victims, the least preferred first: by points, and among equals by
/// age, in a direction that depends on the kernel. Age is the start time, then the pid: `for_each_process`
/// visits them in this order (mm/oom_kill.c `select_bad_process` and `oom_evaluate_task`, 6.18).
#[must_use]
pub fn order(a: (i64, ProcessId), b: (i64, ProcessId), tie: TieBreak) -> Ordering {
    a.0.cmp(&b.0).then_with(|| seniority(a.1, b.1, tie))
}

/// The order of two processes with equal points: the greater one dies.
#[must_use]
pub fn seniority(a: ProcessId, b: ProcessId, tie: TieBreak) -> Ordering {
    let by_age = (a.start_ticks, a.pid).cmp(&(b.start_ticks, b.pid));
    match tie {
        TieBreak::Later => by_age,
        TieBreak::Earlier => by_age.reverse(),
    }
}

/// [`seniority`] as a number, for sorting: pids are below 2^22 (`PID_MAX_LIMIT`), and 2^41 ticks are
/// centuries.
#[must_use]
pub fn age_rank(id: ProcessId, tie: TieBreak) -> i64 {
    let ticks = i64::try_from(id.start_ticks.min((1 << 41) - 1)).unwrap_or(0);
    let age = ticks << 22 | i64::from(id.pid.min((1 << 22) - 1));
    match tie {
        TieBreak::Later => age,
        TieBreak::Earlier => -age,
    }
}

fn beats(a: Entry, b: Entry, tie: TieBreak) -> bool {
    order((a.points, a.id), (b.points, b.id), tie) == Ordering::Greater
}
