//! The clocks. Only this file reads them; all other code gets times as values.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use crate::model::time::{Monotonic, Now, Wall};

/// Both clocks now, with the local zone's offset.
pub(super) fn now() -> Now {
    let micros = |clock| {
        let time = rustix::time::clock_gettime(clock);
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000
            + u64::try_from(time.tv_nsec / 1000).unwrap_or(0)
    };
    let monotonic = micros(rustix::time::ClockId::Monotonic);
    let boot = micros(rustix::time::ClockId::Boottime);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let unix_micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Now {
        monotonic: Monotonic(monotonic),
        asleep: std::time::Duration::from_micros(boot.saturating_sub(monotonic)),
        wall: Wall {
            unix_micros,
            utc_offset: utc_offset(unix_micros),
        },
    }
}

/// A moment as local date, time and offset: `2026-11-27 08:16:38 +01:00`.
pub(super) fn date(unix_micros: i64) -> String {
    let Ok(stamp) = jiff::Timestamp::from_microsecond(unix_micros) else {
        return "an unknown time".to_owned();
    };
    let local = stamp.to_zoned(local_zone().clone());
    local.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// This moment in UTC: `2026-11-27T22:31:05.123456Z`.
pub(super) fn utc() -> String {
    let micros = now().wall.unix_micros;
    jiff::Timestamp::from_microsecond(micros)
        .map_or_else(|_| micros.to_string(), |stamp| format!("{stamp:.6}"))
}

/// The local zone.
pub(super) fn zone() -> &'static TimeZone {
    local_zone()
}

/// Seconds east of UTC at that moment; UTC where the zone is not known.
fn utc_offset(unix_micros: i64) -> i32 {
    jiff::Timestamp::from_microsecond(unix_micros)
        .map_or(0, |stamp| local_zone().to_offset(stamp).seconds())
}

fn local_zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(super::zone::local)
}

/// This moment as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date() -> String {
    let seconds = now().wall.unix_micros.div_euclid(1_000_000);
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |stamp| stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    )
}

/// Processor time of this process, in seconds.
pub(super) fn own_cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
