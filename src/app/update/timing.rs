//! What happens without input, and when: the next sample, the end of a notice, the clock.

use std::time::Duration;

use crate::app::State;
use crate::app::msg::Effect;
use crate::model::memory::band::Band;
use crate::model::time::{Monotonic, Now};

const SECOND: Duration = Duration::from_secs(1);

/// If the last frame is this old, draw another without a new sample: the screen then says that the sample is
/// late.
const LATE: Duration = Duration::from_millis(1150);

/// How often to look at the clock if samples do not redraw it.
const LOOK: Duration = Duration::from_millis(250);

/// A sample that costs much delays the next one by no more than this.
const SLOWEST: Duration = Duration::from_secs(5);

/// A sample may cost this part of a processor.
const SHARE: u32 = 10;

/// While memory is short, a sample that costs much delays the next one by no more than a second, unless it costs more
/// than this part of a processor.
const SHARE_WHILE_SHORT: u32 = 2;

/// Time between samples while tasks wait for memory: the victim changes within a second then, and a processor that the
/// kernel keeps for a second makes the sample that much older.
const WHILE_WAITING: Duration = Duration::from_millis(500);

/// Samples that come more often than the user asked for cost no more than this part of a processor.
const SHARE_WHILE_WAITING: u32 = 5;

/// Shortest wait: a deadline that has just passed must not turn into a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

impl State {
    /// How long to wait for a message before a tick is due.
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

    /// Requests a sample; while one is running, requests another right after it.
    pub(in crate::app) fn request_sample(&mut self) -> Vec<Effect> {
        if self.sampling.is_some() {
            self.sample_again = true;
            return Vec::new();
        }
        self.sampling = Some(self.now.monotonic);
        self.asked = self.now.monotonic;
        self.early.asked(self.now.monotonic);
        vec![Effect::Sample(self.needs())]
    }

    /// Time until the next request for a sample; `None` while a sample runs or sampling is paused.
    pub(in crate::app) fn until_sample(&self) -> Option<Duration> {
        if self.paused || self.sampling.is_some() {
            return None;
        }
        if self.asked == Monotonic::default() {
            return Some(Duration::ZERO);
        }
        let waited = self.now.monotonic.since(self.asked);
        let regular = self.period().saturating_sub(waited);
        let early = self.until_early();
        Some(early.map_or(regular, |early| early.min(regular)))
    }

    /// The time between two samples: the requested period, or ten times what a sample costs if that is longer. A
    /// monitor must not add to the load of a machine in trouble. Time in which other programs had the processors is
    /// no cost: a fresh sample is needed most then.
    ///
    /// While memory is short, most of the cost is the kernel's search for a free page, and a sample of five seconds
    /// ago names a victim that has gone: the share of a processor may be larger. While tasks wait for memory, samples
    /// come more often than requested as long as they are cheap.
    pub fn period(&self) -> Duration {
        let cost = Duration::from_micros(self.snapshot.spent_micros);
        let often = WHILE_WAITING.max(cost.saturating_mul(SHARE_WHILE_WAITING));
        if self.tasks_wait() && often < self.settings.delay {
            return often;
        }
        let mut longest = SLOWEST;
        if self.memory_is_short() {
            longest = longest.min(SECOND.max(cost.saturating_mul(SHARE_WHILE_SHORT)));
        }
        self.settings
            .delay
            .max(cost.saturating_mul(SHARE).min(longest))
    }

    /// True in the highest band, and while tasks wait for memory in more than one of a hundred moments: a host that has
    /// little room for months is not in trouble.
    fn memory_is_short(&self) -> bool {
        self.gauge.band == Band::Critical || self.tasks_wait()
    }

    fn tasks_wait(&self) -> bool {
        let waits = self.snapshot.pressure.map(|p| p.some.avg10);
        waits.is_some_and(|percent| percent >= 1.0)
    }

    /// True if the clock on the screen must advance, or if the screen must show the age of the last sample.
    pub(in crate::app) fn clock_moves(&self, now: Now) -> bool {
        let unchanged = now.monotonic.since(self.changed_at);
        if self.samples_carry_the_clock() {
            unchanged >= LATE
        } else {
            self.now.wall.second_of_day() != now.wall.second_of_day()
        }
    }

    /// True if one frame for each sample keeps the clock right: more frames would double the cost of the
    /// screen.
    fn samples_carry_the_clock(&self) -> bool {
        self.settings.delay <= SECOND && !self.paused
    }
}
