//! The clocks. Only this file reads them; all other code gets times as values.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use crate::model::time::{Monotonic, Now, Wall};

/// Both clocks now, with the local zone's offset.
pub(super) fn now() -> Now {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let micros = u64::try_from(boot.tv_sec).unwrap_or(0) * 1_000_000
        + u64::try_from(boot.tv_nsec / 1000).unwrap_or(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let unix_micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Now {
        monotonic: Monotonic(micros),
        wall: Wall {
            unix_micros,
            utc_offset: utc_offset(unix_micros),
        },
    }
}

/// Offset of the local zone at that moment, in seconds east of UTC; 0 if the zone is not known.
fn utc_offset(unix_micros: i64) -> i32 {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let zone = ZONE.get_or_init(zone);
    jiff::Timestamp::from_microsecond(unix_micros)
        .map_or(0, |stamp| zone.to_offset(stamp).seconds())
}

/// The local zone: from `TZ` if set, else from `/etc/localtime`, read directly. Looking up the zone's name
/// would walk the whole zone database before the first frame.
fn zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    let local = std::fs::read("/etc/localtime").ok();
    local
        .and_then(|rules| TimeZone::tzif("local", &rules).ok())
        .unwrap_or(TimeZone::UTC)
}
