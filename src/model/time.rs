//! Points in time as plain numbers. Nothing on this floor reads a clock.

use std::fmt;
use std::time::Duration;

pub use crate::oomlog::Monotonic;

/// Local wall-clock time: seconds since 1970 (UTC) and the zone's offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wall {
    /// Microseconds since the Unix epoch.
    pub unix_micros: i64,
    /// Seconds east of UTC of the local zone.
    pub utc_offset: i32,
}

impl Wall {
    /// Seconds since local midnight, 0..86400.
    #[must_use]
    pub fn second_of_day(self) -> u32 {
        let local = self.unix_micros.div_euclid(1_000_000) + i64::from(self.utc_offset);
        u32::try_from(local.rem_euclid(86_400)).unwrap_or(0)
    }

    /// Days since 1970-01-01 in local time.
    #[must_use]
    pub fn day(self) -> i64 {
        (self.unix_micros.div_euclid(1_000_000) + i64::from(self.utc_offset)).div_euclid(86_400)
    }
}

impl fmt::Display for Wall {
    /// `HH:MM:SS` in local time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.second_of_day();
        write!(f, "{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

/// One reading of both clocks, for converting time stamps between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Time since boot.
    pub monotonic: Monotonic,
    /// The same moment in wall-clock time.
    pub wall: Wall,
    /// How long the machine was suspended since it booted: `/proc/PID/stat` counts that (`CLOCK_BOOTTIME`), the kernel's
    /// log and [`Monotonic`] do not.
    pub asleep: Duration,
}

/// Time since boot with the time in suspend, in microseconds (`CLOCK_BOOTTIME`): when processes started. A type of its
/// own, so that nobody compares it with a [`Monotonic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BootTime(pub u64);

impl BootTime {
    /// Of a start time in clock ticks, of which there are so many in a second.
    #[must_use]
    pub fn from_ticks(ticks: u64, per_second: u64) -> Self {
        let micros = u128::from(ticks) * 1_000_000 / u128::from(per_second.max(1));
        Self(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Time from `earlier` to this moment; zero if that comes later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Now {
    /// The same moment on the clock that counts suspend.
    #[must_use]
    pub fn boot(self) -> BootTime {
        let asleep = u64::try_from(self.asleep.as_micros()).unwrap_or(u64::MAX);
        BootTime(self.monotonic.0.saturating_add(asleep))
    }

    /// Converts a time with suspend in it to wall-clock time.
    #[must_use]
    pub fn wall_of_boot(self, moment: BootTime) -> Wall {
        let by_boot = Self {
            monotonic: Monotonic(self.boot().0),
            ..self
        };
        by_boot.wall_of(Monotonic(moment.0))
    }

    /// Converts a time since boot to wall-clock time (wrong by the time spent in suspend, as with `dmesg
    /// -T`).
    #[must_use]
    pub fn wall_of(self, moment: Monotonic) -> Wall {
        let to_i64 = |m: Monotonic| i64::try_from(m.0).unwrap_or(i64::MAX);
        let difference = to_i64(moment).saturating_sub(to_i64(self.monotonic));
        Wall {
            unix_micros: self.wall.unix_micros.saturating_add(difference),
            ..self.wall
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BootTime, Monotonic, Now, Wall};

    #[test]
    fn wall_clock_of_a_kernel_stamp() {
        let now = Now {
            monotonic: Monotonic(100_000_000),
            wall: Wall {
                unix_micros: 1_000_000_000_000_000,
                utc_offset: 3600,
            },
            ..Now::default()
        };
        assert_eq!(now.wall_of(Monotonic(40_000_000)).to_string(), "02:45:40");
        assert_eq!(
            Wall {
                unix_micros: -1,
                utc_offset: 0
            }
            .to_string(),
            "23:59:59"
        );
    }

    #[test]
    fn a_start_counts_the_time_in_suspend_and_a_kernel_stamp_does_not() {
        let now = Now {
            monotonic: Monotonic(100_000_000),
            wall: Wall {
                unix_micros: 1_000_000_000_000_000,
                utc_offset: 0,
            },
            asleep: std::time::Duration::from_hours(1),
        };
        let before = |wall: Wall| (now.wall.unix_micros - wall.unix_micros) / 1_000_000;
        // It started 20 s ago, an hour after the boot, of which the machine slept most.
        let started = BootTime::from_ticks(368_000, 100);
        assert_eq!(before(now.wall_of_boot(started)), 20);
        assert_eq!(before(now.wall_of(Monotonic(80_000_000))), 20);
        assert_eq!(before(now.wall_of_boot(BootTime(0))), 3700);
        assert_eq!(BootTime::from_ticks(u64::MAX, 0), BootTime(u64::MAX));
    }
}
