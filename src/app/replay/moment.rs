//! A moment of a recording as somebody types it.

use crate::model::time::Wall;

const DAY: i64 = 86_400;

/// The time in microseconds since 1970 that a text names: `HH:MM`, `HH:MM:SS`, `YYYY-MM-DD HH:MM[:SS]` in the recording's zone;
/// `+90s`, `-2m` from `now`. A clock time alone is the one on the day of `now`, or on the day before or after if only that is
/// within the recording.
///
/// # Errors
/// A sentence that says what can be typed.
pub fn parse(text: &str, now: Wall, span: (i64, i64)) -> Result<i64, String> {
    let text = text.trim();
    let wrong = || format!("'{text}' is no time: HH:MM[:SS], YYYY-MM-DD HH:MM[:SS], +90s, -2m");
    if let Some(rest) = text.strip_prefix(['+', '-']) {
        let seconds = length(rest).ok_or_else(wrong)?;
        let by = if text.starts_with('-') {
            -seconds
        } else {
            seconds
        };
        return Ok(now.unix_micros.saturating_add(by.saturating_mul(1_000_000)));
    }
    let offset = i64::from(now.utc_offset);
    let in_utc = |local: i64| (local - offset).saturating_mul(1_000_000);
    if let Some((date, time)) = text.split_once([' ', 'T']) {
        let days = date_days(date).ok_or_else(wrong)?;
        let seconds = clock(time.trim()).ok_or_else(wrong)?;
        return Ok(in_utc(days * DAY + seconds));
    }
    let seconds = clock(text).ok_or_else(wrong)?;
    let today = now.day();
    let on = |day: i64| in_utc(day * DAY + seconds);
    let (first, last) = span;
    // A minute without seconds is within the recording if any of its seconds is.
    let within = |time: &i64| (first.saturating_sub(60_000_000)..=last).contains(time);
    let days = [today, today - 1, today + 1];
    Ok(days.map(on).into_iter().find(within).unwrap_or(on(today)))
}

/// Seconds since midnight.
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut part = |most: i64| match parts.next() {
        Some(digits)
            if matches!(digits.len(), 1..=2) && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            digits.parse().ok().filter(|part| *part <= most).map(Some)
        }
        Some(_) => None,
        None => Some(None),
    };
    let (hours, minutes, seconds) = (part(23)??, part(59)??, part(59)?);
    parts
        .next()
        .is_none()
        .then_some(hours * 3600 + minutes * 60 + seconds.unwrap_or(0))
}

/// Seconds of `90s`, `90`, `2m`, `1h`.
fn length(text: &str) -> Option<i64> {
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(digits) => (digits, text.as_bytes()[digits.len()]),
        None => (text, b's'),
    };
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(match unit {
        b'h' => number * 3600,
        b'm' => number * 60,
        _ => number,
    })
}

/// Days since 1970-01-01 of a Gregorian date.
fn date_days(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    if parts.next().is_some() || !(1970..=9999).contains(&year) {
        return None;
    }
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    if day < 1 || day > *months.get(before)? {
        return None;
    }
    let years = (1970..year)
        .map(|year| if leap(year) { 366 } else { 365 })
        .sum::<i64>();
    Some(years + months[..before].iter().sum::<i64>() + day - 1)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::model::time::Wall;

    #[test]
    fn a_time_is_found_in_the_zone_and_on_the_day_of_the_recording() {
        // 2026-11-28 00:10:00 +01:00
        let now = Wall {
            unix_micros: 1_795_821_000_000_000,
            utc_offset: 3600,
        };
        let span = (now.unix_micros - 3_600_000_000, now.unix_micros);
        let at = |text| parse(text, now, span).map(|time| (time - now.unix_micros) / 1_000_000);
        assert_eq!(at("00:10"), Ok(0));
        assert_eq!(at("0:9:30"), Ok(-30));
        assert_eq!(at("23:50"), Ok(-1200));
        assert_eq!(at("2026-11-28 00:10:05"), Ok(5));
        assert_eq!(at("2026-11-27T23:10"), Ok(-3600));
        assert_eq!(at("-90s"), Ok(-90));
        assert_eq!(at("+2m"), Ok(120));
        for wrong in [
            "",
            "x",
            "24:00",
            "1:2:3:4",
            "12",
            "-",
            "-1d",
            "2026-02-30 1:00",
            "2026-13-01 1:00",
            "1:é0",
        ] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,20}", micros: i64, zone in -50_000..50_000_i32) {
            let now = Wall { unix_micros: micros, utc_offset: zone };
            let _ = parse(&text, now, (micros, micros));
            for clock in ["1:00", &text] {
                let _ = parse(clock, now, (i64::MIN, i64::MAX));
            }
        }
    }
}
