//! What happens of its own accord, and when: the next sample, the end of a notice, the clock.

use std::time::Duration;

use crate::app::State;
use crate::app::msg::Effect;
use crate::model::time::{Monotonic, Now};

const SECOND: Duration = Duration::from_secs(1);

/// A frame without a new sample is due when the last is this old: the sample is late, and says so.
const LATE: Duration = Duration::from_millis(1150);

/// How often to look at the clock where no samples carry it on.
const LOOK: Duration = Duration::from_millis(250);

/// A sample is never put off longer than this because the last one took long.
const SLOWEST: Duration = Duration::from_secs(5);

/// Never shorter: a deadline that has just passed must not turn into a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

impl State {
    /// How long nothing happens unless somebody sends a message. After that a tick is due.
    pub fn quiet_for(&self) -> Duration {
        let clock = if self.samples_carry_the_clock() {
            LATE.saturating_sub(self.now.monotonic.since(self.changed_at))
        } else {
            LOOK
        };
        let notice = self.notice.as_ref().map(|n| n.stays(self.now.monotonic));
        let soonest = [notice, self.until_sample()].into_iter().flatten().min();
        soonest
            .map_or(clock, |soonest| soonest.min(clock))
            .max(SHORTEST)
    }

    /// Asks for a sample, unless one is being taken: then for another right after it.
    pub(in crate::app) fn request_sample(&mut self) -> Vec<Effect> {
        if self.sampling.is_some() {
            self.sample_again = true;
            return Vec::new();
        }
        self.sampling = Some(self.now.monotonic);
        self.asked = self.now.monotonic;
        vec![Effect::Sample(self.needs())]
    }

    /// Time until a sample must be asked for; `None` while one is being taken, or paused.
    pub(in crate::app) fn until_sample(&self) -> Option<Duration> {
        if self.paused || self.sampling.is_some() {
            return None;
        }
        if self.asked == Monotonic::default() {
            return Some(Duration::ZERO);
        }
        let waited = self.now.monotonic.since(self.asked);
        Some(self.period().saturating_sub(waited))
    }

    /// The time between two samples: what was asked for, or ten times what a sample costs if that is
    /// longer. Whoever looks at a machine in trouble must not be its trouble. Time in which others had the processors
    /// costs them nothing: then a fresh sample is needed most.
    pub fn period(&self) -> Duration {
        let took = Duration::from_micros(self.snapshot.spent_micros);
        self.settings
            .delay
            .max(took.saturating_mul(10).min(SLOWEST))
    }

    /// The clock on the screen is to move on, or the age of the last sample to be seen.
    pub(in crate::app) fn clock_moves(&self, now: Now) -> bool {
        let unchanged = now.monotonic.since(self.changed_at);
        if self.samples_carry_the_clock() {
            unchanged >= LATE
        } else {
            self.now.wall.second_of_day() != now.wall.second_of_day()
        }
    }

    /// A frame for each sample is enough: one more in between would double the cost of the screen.
    fn samples_carry_the_clock(&self) -> bool {
        self.settings.delay <= SECOND && !self.paused
    }
}
