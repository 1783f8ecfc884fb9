//! Numbers as people read them: sizes, rates, durations.

use std::time::Duration;

use humansize::{BINARY, FormatSizeOptions, format_size};

/// `9.9G`, `512M`, `0B`: at most five columns up to a petabyte, for table cells.
pub fn size(bytes: u64) -> String {
    let places = usize::from(leading_digits(bytes) < 2);
    let options = FormatSizeOptions::from(BINARY)
        .decimal_places(places)
        .decimal_zeroes(places)
        .space_after_value(false);
    let text = format_size(bytes, options);
    match text.strip_suffix("iB") {
        Some(short) => short.to_owned(),
        None => text,
    }
}

/// `9.9 GiB`, for sentences.
pub fn long_size(bytes: u64) -> String {
    format_size(bytes, FormatSizeOptions::from(BINARY).decimal_places(1))
}

/// How many digits the number has before its unit.
fn leading_digits(bytes: u64) -> u32 {
    let mut value = bytes;
    while value >= 1024 {
        value /= 1024;
    }
    if bytes < 1024 {
        4
    } else {
        value.checked_ilog10().map_or(1, |d| d + 1)
    }
}

/// `+32M/s`, `-1.2M/s`, `0` below one KiB a second.
pub fn rate(bytes_per_second: f64) -> String {
    let magnitude = bytes_per_second.abs();
    if magnitude < 1024.0 {
        return "0".to_owned();
    }
    let sign = if bytes_per_second < 0.0 { '-' } else { '+' };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; `as` saturates"
    )]
    let whole = magnitude as u64;
    format!("{sign}{}/s", size(whole))
}

/// A count in at most four columns: `999`, `1.2k`, `12k`, `1.2M`.
pub fn count(value: u64) -> String {
    let mut scaled = value as f64;
    for unit in ["", "k", "M", "G", "T", "P"] {
        // 999.5 would be rounded to four digits.
        if scaled < 999.5 {
            let places = usize::from(!unit.is_empty() && scaled < 9.95);
            return format!("{scaled:.places$}{unit}");
        }
        scaled /= 1000.0;
    }
    format!("{scaled:.0}E")
}

/// `4s`, `2m50s`, `3h04m`, `12d04h`.
pub fn duration(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86_400, s / 3600 % 24),
    }
}

/// An estimated time, rounded so that it does not jump with every sample: `50s`, `3m`, `2h`.
pub fn about(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..120 => format!("{}s", s / 10 * 10),
        120..5400 => format!("{}m", (s + 30) / 60),
        _ => format!("{}h", (s + 1800) / 3600),
    }
}

/// [`about`] for a sentence: `about 50s`, `less than 10s`.
pub fn in_about(span: Duration) -> String {
    if span < Duration::from_secs(10) {
        "less than 10s".to_owned()
    } else {
        format!("about {}", about(span))
    }
}

/// [`about`] for a narrow column: `~50s`, `<10s`.
pub fn roughly(span: Duration) -> String {
    if span < Duration::from_secs(10) {
        "<10s".to_owned()
    } else {
        format!("~{}", about(span))
    }
}

/// `71.2%`.
pub fn percent(value: f64) -> String {
    format!("{value:.1}%")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{about, count, duration, rate, size};

    #[test]
    fn sizes_fit_a_narrow_column() {
        assert_eq!(size(0), "0B");
        assert_eq!(size(1023), "1023B");
        assert_eq!(size(1024), "1.0K");
        assert_eq!(size(10 << 20), "10M");
        assert_eq!(size((1 << 30) * 99 / 10), "9.9G");
        for shift in 0..63 {
            assert!(size(1 << shift).len() <= 5, "{}", size(1 << shift));
            assert!(
                size((1 << shift) - 1).len() <= 6,
                "{}",
                size((1 << shift) - 1)
            );
        }
        let _ = size(u64::MAX);
    }

    #[test]
    fn counts_fit_four_columns() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1.0k");
        assert_eq!(count(9_960), "10k");
        for value in [u64::MAX, 999_499, 999_500, 12_345] {
            assert!(count(value).len() <= 4, "{}", count(value));
        }
    }

    #[test]
    fn rates_and_durations() {
        assert_eq!(rate(0.0), "0");
        assert_eq!(rate(-2.0 * 1_048_576.0), "-2.0M/s");
        assert_eq!(rate(f64::INFINITY).chars().next(), Some('+'));
        assert_eq!(duration(Duration::from_secs(170)), "2m50s");
        assert_eq!(about(Duration::from_secs(59)), "50s");
        assert_eq!(about(Duration::from_secs(443)), "7m");
        assert_eq!(duration(Duration::from_hours(292)), "12d04h");
    }
}
