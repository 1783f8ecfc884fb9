//! [`Course`]: what the readings of a group come down to, from the first to the last.

use std::time::Duration;

use crate::model::memory::band::{Band, Thresholds};
use crate::model::oom_domain::headroom::Room;
use crate::model::time::Monotonic;

/// Memory that no reclaim gets back, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Held {
    /// Private memory of programs (`anon`; v1 `total_rss`).
    pub anon: u64,
    /// tmpfs and shared memory (`shmem`).
    pub shmem: u64,
    /// Kernel memory without the caches that shrink: page tables, stacks, sockets, slab. On v1 the shrinking part is
    /// estimated by the host's mix.
    pub kernel: u64,
    /// What of the group is in swap.
    pub swap: u64,
}

impl Held {
    /// What must be in RAM: anon + shmem + kernel.
    #[must_use]
    pub fn unreclaimable(&self) -> u64 {
        self.anon
            .saturating_add(self.shmem)
            .saturating_add(self.kernel)
    }

    /// The same and what is swapped out: what must be in RAM where there is no swap.
    #[must_use]
    pub fn with_swap(&self) -> u64 {
        self.unreclaimable().saturating_add(self.swap)
    }
}

/// Which limit is the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// That of the group of the command.
    Group,
    /// That of a group around it.
    Around,
    /// The RAM of the host.
    #[default]
    Host,
}

/// One look at the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// When.
    pub at: Monotonic,
    /// Bytes charged, with page cache; `None` if it could not be read.
    pub usage: Option<u64>,
    /// What of that no reclaim gets back; `None` if it could not be read.
    pub held: Option<Held>,
    /// Bytes of which the same look at `memory.stat` tells what they are: [`Self::held`] and caches. The usage is of another
    /// moment: a process may have ended in between.
    pub told: Option<u64>,
    /// The domain with the least room, of the group and all that is around it.
    pub room: Option<(Bound, Room)>,
}

/// The smallest room that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Headroom {
    /// Bytes that were left before an OOM.
    pub left: u64,
    /// Of which limit.
    pub of: Bound,
    /// That limit in bytes.
    pub limit: u64,
}

/// Pauses between two readings: while memory is short, is growing fast or the command is young, and otherwise.
pub const SHORT: Duration = Duration::from_millis(5);
/// See [`SHORT`].
pub const LONG: Duration = Duration::from_millis(50);

/// How long a command is young: many end before that.
const YOUNG: Duration = Duration::from_secs(1);

/// A reading may take this part of the time, one tenth of a processor, as long as that makes no pause longer than [`LONG`].
const SHARE: u32 = 9;

/// How long to wait for the next reading, when the last one took `cost` of a processor.
#[must_use]
pub fn pause(age: Duration, before: &Reading, now: &Reading, cost: Duration) -> Duration {
    let usage = |reading: &Reading| reading.usage.unwrap_or(0);
    let grown = usage(now).saturating_sub(usage(before));
    let is_short = now.room.is_some_and(|(_, room)| {
        let left = room.left();
        left < room.limit / 10 || grown.saturating_mul(8) > left
    });
    let wanted = if is_short || age < YOUNG { SHORT } else { LONG };
    wanted.max(cost * SHARE).min(LONG)
}

/// The readings of one command, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    marks: Thresholds,
    band: Band,
    last: Option<Monotonic>,
    /// How many readings there were.
    pub readings: u64,
    /// The longest time between two.
    pub longest_gap: Duration,
    /// The time in each band, the calmest first. A band lasts from its reading to the next one.
    pub bands: [Duration; 4],
    /// The highest usage that was seen, with page cache.
    pub most_usage: u64,
    /// The highest [`Reading::told`].
    pub most_told: u64,
    /// The parts at the reading at which most was held.
    pub most_held: Held,
    /// `None` if no room could be read.
    pub least_room: Option<Headroom>,
}

impl Course {
    /// Before the first reading.
    #[must_use]
    pub fn new(marks: Thresholds) -> Self {
        Self {
            marks,
            band: Band::default(),
            last: None,
            readings: 0,
            longest_gap: Duration::ZERO,
            bands: [Duration::ZERO; 4],
            most_usage: 0,
            most_told: 0,
            most_held: Held::default(),
            least_room: None,
        }
    }

    /// Takes the next reading.
    pub fn accept(&mut self, reading: &Reading) {
        self.pass(reading.at);
        self.readings += 1;
        self.most_usage = self.most_usage.max(reading.usage.unwrap_or(0));
        self.most_told = self.most_told.max(reading.told.unwrap_or(0));
        if let Some(held) = reading.held
            && held.with_swap() >= self.most_held.with_swap()
        {
            self.most_held = held;
        }
        if let Some((of, room)) = reading.room {
            self.band = self.marks.next(self.band, room.percent());
            let left = room.left();
            if self.least_room.is_none_or(|least| left < least.left) {
                let limit = room.limit;
                self.least_room = Some(Headroom { left, of, limit });
            }
        }
    }

    /// The command has ended: its last band lasted until then.
    pub fn end(&mut self, at: Monotonic) {
        self.pass(at);
    }

    fn pass(&mut self, at: Monotonic) {
        if let Some(last) = self.last {
            let gap = at.since(last);
            self.longest_gap = self.longest_gap.max(gap);
            if let Some(time) = self.bands.get_mut(self.band as usize) {
                *time += gap;
            }
        }
        self.last = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Bound, Course, Headroom, Held, LONG, Reading, SHORT, pause};
    use crate::model::memory::band::Thresholds;
    use crate::model::oom_domain::headroom::Room;
    use crate::model::time::Monotonic;

    fn reading(millis: u64, usage: u64, anon: u64) -> Reading {
        let room = Room {
            limit: 100,
            usage: anon,
            ..Room::default()
        };
        Reading {
            at: Monotonic(millis * 1000),
            usage: Some(usage),
            held: Some(Held {
                anon,
                ..Held::default()
            }),
            told: Some(usage.max(anon)),
            room: Some((Bound::Group, room)),
        }
    }

    #[test]
    fn a_band_lasts_until_the_next_reading() {
        let mut course = Course::new(Thresholds::default());
        for (millis, usage, anon) in [
            (1000, 90, 10),
            (1010, 95, 72),
            (1030, 99, 96),
            (1031, 99, 20),
        ] {
            course.accept(&reading(millis, usage, anon));
        }
        course.end(Monotonic(1_131_000));
        let millis = course.bands.map(|time| time.as_millis());
        assert_eq!(millis, [10 + 100, 20, 0, 1]);
        assert_eq!((course.readings, course.most_usage), (4, 99));
        assert_eq!(course.longest_gap, Duration::from_millis(100));
        assert_eq!(course.most_held.unreclaimable(), 96);
        let least = Headroom {
            left: 4,
            of: Bound::Group,
            limit: 100,
        };
        assert_eq!(course.least_room, Some(least));
    }

    #[test]
    fn swap_counts_where_most_was_held() {
        let mut course = Course::new(Thresholds::default());
        let held = |anon, swap| Reading {
            held: Some(Held {
                anon,
                swap,
                ..Held::default()
            }),
            ..Reading::default()
        };
        course.accept(&held(50, 0));
        course.accept(&held(40, 30));
        course.accept(&held(45, 0));
        let most = course.most_held;
        assert_eq!((most.unreclaimable(), most.with_swap()), (40, 70));
    }

    #[test]
    fn who_is_nearly_full_or_fills_fast_is_read_often() {
        let (old, quick) = (Duration::from_mins(1), Duration::from_micros(100));
        let calm = reading(0, 40, 40);
        assert_eq!(pause(old, &calm, &reading(50, 41, 41), quick), LONG);
        assert_eq!(pause(old, &calm, &reading(50, 50, 50), quick), SHORT);
        let full = reading(0, 95, 95);
        assert_eq!(pause(old, &full, &full, quick), SHORT);
        assert_eq!(pause(Duration::ZERO, &calm, &calm, quick), SHORT);
        // A reading that costs much comes less often, and never so seldom that nothing is seen.
        let dear = Duration::from_millis(2);
        assert_eq!(pause(old, &full, &full, dear), dear * 9);
        assert_eq!(pause(old, &full, &full, dear * 100), LONG);
    }

    proptest::proptest! {
        #[test]
        fn the_bands_add_up_to_the_whole_time(
            steps in proptest::collection::vec((0_u64..5000, 0_u64..200, 0_u64..200), 1..40),
        ) {
            let mut course = Course::new(Thresholds::default());
            let mut now = 7;
            let first = now + steps.first().map_or(0, |step| step.0);
            let mut most = 0;
            let mut least = u64::MAX;
            for (pause, usage, anon) in steps {
                now += pause;
                course.accept(&reading(now, usage, anon));
                most = most.max(anon);
                least = least.min(100_u64.saturating_sub(anon));
            }
            course.end(Monotonic((now + 11) * 1000));
            let whole: Duration = course.bands.iter().sum();
            proptest::prop_assert_eq!(whole, Duration::from_millis(now + 11 - first));
            proptest::prop_assert_eq!(course.most_held.anon, most);
            proptest::prop_assert_eq!(course.least_room.map(|room| room.left), Some(least));
        }
    }
}
