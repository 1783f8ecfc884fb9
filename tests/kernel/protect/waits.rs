//! How long the descendants of a process wait for their value.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::common::hog::adj_of;
use crate::common::own_child::id_of;

/// A tick of a start time, 1/100 s.
const TICK: Duration = Duration::from_millis(10);

/// The descendants, and how long each has waited.
pub(crate) struct Waits {
    top: u32,
    /// `None` while it waits.
    waited: BTreeMap<u32, Option<Duration>>,
}

impl Waits {
    pub(crate) fn of(top: u32) -> Self {
        Self {
            top,
            waited: BTreeMap::new(),
        }
    }

    /// Looks at all that wait, and for new ones. Returns how many have this value.
    pub(crate) fn look(&mut self, adj: i32) -> usize {
        let mut open = vec![self.top];
        while let Some(parent) = open.pop() {
            // Far cheaper than the whole process table.
            let path = format!("/proc/{parent}/task/{parent}/children");
            let children = std::fs::read_to_string(path).unwrap_or_default();
            for child in children
                .split_whitespace()
                .filter_map(|pid| pid.parse().ok())
            {
                self.waited.entry(child).or_default();
                open.push(child);
            }
        }
        for (pid, waited) in &mut self.waited {
            if waited.is_none() && adj_of(*pid) == Some(adj) {
                *waited = id_of(*pid).map(|id| {
                    let ticks = u32::try_from(id.start_ticks).expect("a year of ticks");
                    since_boot().saturating_sub(TICK * ticks)
                });
            }
        }
        self.waited.values().flatten().count()
    }

    /// What was found.
    pub(crate) fn words(&self) -> String {
        let mut waits: Vec<_> = self.waited.values().flatten().collect();
        waits.sort_unstable();
        let at = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_millis();
        format!(
            "{} processes that started at random had their value after {} ms (median), {} ms (p99), {} ms (most), \
             to the 10 ms of a start time",
            waits.len(),
            at(50),
            at(99),
            at(100)
        )
    }
}

fn since_boot() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).expect("after boot")
}
