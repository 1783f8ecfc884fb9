//! Times as journalctl(1) takes them (systemd.time(7)).

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _, Zoned, civil};

/// Microseconds since 1970 of a time as a user types it; `None` if it is none. A time of day that is still to come
/// is that of the day before.
pub(super) fn micros(text: &str, now: i64, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    let now = Timestamp::from_microsecond(now)
        .ok()?
        .to_zoned(zone.clone());
    let at = match text {
        "now" => now,
        "today" => now.start_of_day().ok()?,
        "yesterday" => now.start_of_day().ok()?.checked_sub(1.day()).ok()?,
        _ => ago(text, &now)
            .or_else(|| seconds(text, zone))
            .or_else(|| moment(text, zone))
            .or_else(|| time_of_day(text, &now))?,
    };
    Some(at.timestamp().as_microsecond())
}

/// `@1395716396`.
fn seconds(text: &str, zone: &TimeZone) -> Option<Zoned> {
    let seconds = text.strip_prefix('@')?.parse().ok()?;
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(zone.clone()))
}

/// `10 min ago`, `1h 30min ago`, `-5s`.
fn ago(text: &str, now: &Zoned) -> Option<Zoned> {
    let spans = text
        .strip_suffix("ago")
        .or_else(|| text.strip_prefix('-'))?;
    let mut rest = spans.trim();
    let mut at = now.clone();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (count, behind) = rest.split_at(digits);
        let count: i64 = count.parse().ok()?;
        let behind = behind.trim_start();
        let letters = behind
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        at = at.checked_sub(span(count, unit)?).ok()?;
        rest = behind.trim_start();
    }
    Some(at)
}

fn span(count: i64, unit: &str) -> Option<Span> {
    let span = Span::new();
    match unit {
        "" | "s" | "sec" | "second" | "seconds" => span.try_seconds(count),
        "m" | "min" | "mins" | "minute" | "minutes" => span.try_minutes(count),
        "h" | "hr" | "hour" | "hours" => span.try_hours(count),
        "d" | "day" | "days" => span.try_days(count),
        "w" | "week" | "weeks" => span.try_weeks(count),
        "M" | "month" | "months" => span.try_months(count),
        "y" | "year" | "years" => span.try_years(count),
        _ => return None,
    }
    .ok()
}

/// A date, with a time and a zone if they are given.
fn moment(text: &str, zone: &TimeZone) -> Option<Zoned> {
    let utc = text.strip_suffix(" UTC").map(|text| format!("{text}Z"));
    if let Ok(stamp) = utc.as_deref().unwrap_or(text).parse::<Timestamp>() {
        return Some(stamp.to_zoned(zone.clone()));
    }
    let local = text.parse::<civil::DateTime>().ok();
    let midnight = || {
        Some(
            text.parse::<civil::Date>()
                .ok()?
                .to_datetime(civil::Time::midnight()),
        )
    };
    local.or_else(midnight)?.to_zoned(zone.clone()).ok()
}

fn time_of_day(text: &str, now: &Zoned) -> Option<Zoned> {
    let time = text.parse::<civil::Time>().ok()?;
    let at = now
        .date()
        .to_datetime(time)
        .to_zoned(now.time_zone().clone())
        .ok()?;
    if at > *now {
        return at.checked_sub(1.day()).ok();
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::micros;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    /// The time that `text` means at 2026-11-27 18:00 in a zone one hour east, in UTC.
    fn meant(text: &str) -> Option<String> {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let now: Timestamp = "2026-11-27T17:00:00Z".parse().expect("a time");
        let at = micros(text, now.as_microsecond(), &zone)?;
        Some(Timestamp::from_microsecond(at).expect("a time").to_string())
    }

    #[test]
    fn times_as_journalctl_takes_them() {
        for (text, wanted) in [
            ("10 min ago", "2026-11-27T16:50:00Z"),
            ("1h 30min ago", "2026-11-27T15:30:00Z"),
            ("2h ago", "2026-11-27T15:00:00Z"),
            ("1 day ago", "2026-11-26T17:00:00Z"),
            ("-5s", "2026-11-27T16:59:55Z"),
            ("12:30", "2026-11-27T11:30:00Z"),
            ("12:30:15", "2026-11-27T11:30:15Z"),
            ("23:50", "2026-11-26T22:50:00Z"),
            ("today", "2026-11-26T23:00:00Z"),
            ("yesterday", "2026-11-25T23:00:00Z"),
            ("now", "2026-11-27T17:00:00Z"),
            ("2026-11-27", "2026-11-26T23:00:00Z"),
            ("2026-11-27 12:30", "2026-11-27T11:30:00Z"),
            ("2026-11-27T12:30:00", "2026-11-27T11:30:00Z"),
            ("2026-11-27 12:30:00 UTC", "2026-11-27T12:30:00Z"),
            ("2026-11-27T12:30:00Z", "2026-11-27T12:30:00Z"),
            ("2026-11-27T12:30:00+02:00", "2026-11-27T10:30:00Z"),
            ("@1700000000", "2023-11-14T22:13:20Z"),
        ] {
            assert_eq!(meant(text).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "",
            "ago",
            "soon",
            "10 parsecs ago",
            "25:00",
            "-",
            "99999999999999999999 s ago",
            "@x",
        ] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
