//! Numbers as people read them: sizes, rates, durations.

use std::time::Duration;

use humansize::{BINARY, FormatSizeOptions, format_size};

use crate::model::time::Wall;

/// `9.9G`, `512M`, `0B`: at most five columns, for table cells.
pub fn size(bytes: u64) -> String {
    // 9.96 is 10 in the two digits there are.
    let bytes = rounded(bytes, |value| value < 9.95);
    let places = usize::from(bytes >= 1024 && whole(bytes) < 10);
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
    let options = FormatSizeOptions::from(BINARY).decimal_places(1);
    format_size(rounded(bytes, |_| true), options)
}

/// A part beside its whole, in the unit of the whole, for a reader who compares them: `3.1` and `23.5 GiB`, `0.02` and
/// `2 GiB`, `<0.01` and `8 GiB`.
pub fn beside(part: u64, whole: u64) -> (String, String) {
    let unit = unit(rounded(whole, |_| true));
    let number = match part as f64 / unit as f64 {
        _ if part == 0 => "0".to_owned(),
        share if unit == 1 => format!("{share:.0}"),
        share if share < 0.005 => "<0.01".to_owned(),
        share if share < 0.095 => format!("{share:.2}"),
        share => {
            let text = format!("{share:.1}");
            text.strip_suffix(".0").unwrap_or(&text).to_owned()
        }
    };
    (number, long_size(whole))
}

/// [`beside`] as a phrase: `3.1 of 23.5 GiB`.
pub fn part_of(part: u64, whole: u64) -> String {
    let (part, whole) = beside(part, whole);
    format!("{part} of {whole}")
}

/// The bytes that the text will stand for: a whole number of the unit, or of its tenths where `tenths` is true of
/// the value in that unit. Rounding comes first, because it can lead to the next unit: 1023.6 MiB is 1 GiB, not
/// 1024 MiB.
fn rounded(bytes: u64, tenths: fn(f64) -> bool) -> u64 {
    let unit = unit(bytes) as f64;
    let value = bytes as f64 / unit;
    let value = if tenths(value) {
        (value * 10.0).round() / 10.0
    } else {
        value.round()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; `as` saturates"
    )]
    let bytes = (value * unit).round() as u64;
    bytes
}

/// Bytes of the largest unit (1, KiB, MiB, …) that is not more than this.
fn unit(bytes: u64) -> u64 {
    1 << (bytes.max(1).ilog2() / 10 * 10)
}

/// The number before the unit, without its fraction.
fn whole(bytes: u64) -> u64 {
    bytes / unit(bytes)
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

/// A number of things in a sentence: `1 thread`, `12 threads`.
pub fn number_of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Badness in per mille of the `total` of an OOM domain, both in pages, as every screen shows it: one decimal
/// below 100, so that small processes differ too.
pub fn permille(points: i64, total: u64) -> String {
    let share = points as f64 * 1000.0 / (total.max(1) as f64);
    if share.abs() < 99.95 {
        format!("{share:.1}")
    } else {
        format!("{share:.0}")
    }
}

/// Processor time in nine columns, as top shows it: `0:03.27`, `812:45.10`, then `16h40m`.
pub fn processor_time(time: Duration) -> String {
    let (s, hundredths) = (time.as_secs(), time.subsec_millis() / 10);
    match s {
        0..60_000 => format!("{}:{:02}.{hundredths:02}", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3600, s / 60 % 60),
    }
}

/// When something began, in five columns, as ps shows it: `14:05` today, `Nov28` this year, `2025`.
pub fn day_or_time(wall: Wall, now: Wall) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    if wall.day() == now.day() {
        let s = wall.second_of_day();
        return format!("{:02}:{:02}", s / 3600, s / 60 % 60);
    }
    let (then, today) = (date(wall), date(now));
    let mut parts = then.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok());
    let name = month.and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    match (name, day) {
        (Some(name), Some(day)) if today.split('-').next() == year => format!("{name}{day}"),
        _ => year.unwrap_or_default().to_owned(),
    }
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

/// An estimated time: the last ten seconds by the second, longer ones rounded so that they do not jump with every
/// sample: `8s`, `50s`, `3m`, `2h`.
fn about(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..10 => format!("{}s", s.max(1)),
        10..120 => format!("{}s", s / 10 * 10),
        120..5400 => format!("{}m", (s + 30) / 60),
        _ => format!("{}h", (s + 1800) / 3600),
    }
}

/// A duration, as every screen and page shows it, in a column as in a sentence: `~8s`, `~50s`.
pub fn roughly(span: Duration) -> String {
    format!("~{}", about(span))
}

/// [`roughly`] with `?` where it has not come true for some seconds, or usage has turned back before: `~8s?`.
pub fn forecast(span: Duration, is_unsure: bool) -> String {
    format!("{}{}", roughly(span), if is_unsure { "?" } else { "" })
}

/// `71.2%`.
pub fn percent(value: f64) -> String {
    format!("{value:.1}%")
}

/// The local date: `2026-11-28`.
pub fn date(wall: Wall) -> String {
    // Days since 0000-03-01: the leap day is the last of a year.
    let days = wall.day() + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{date:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_of_leap_years_and_of_the_zone() {
        let wall = |unix: i64, utc_offset| crate::model::time::Wall {
            unix_micros: unix * 1_000_000,
            utc_offset,
        };
        let dates = [(0, 0), (951_782_400, 0), (1_795_824_000, -1), (-1, 0)];
        let dates = dates.map(|(unix, offset)| super::date(wall(unix, offset)));
        assert_eq!(
            dates,
            ["1970-01-01", "2000-02-29", "2026-11-27", "1969-12-31"]
        );
    }

    #[test]
    fn times_fit_their_columns() {
        for (seconds, shown) in [
            (0.0, "0:00.00"),
            (3.279, "0:03.27"),
            (61.5, "1:01.50"),
            (59_999.99, "999:59.99"),
            (60_000.0, "16h40m"),
        ] {
            assert_eq!(
                super::processor_time(Duration::from_secs_f64(seconds)),
                shown
            );
        }
        let wall = |unix: i64| crate::model::time::Wall {
            unix_micros: unix * 1_000_000,
            utc_offset: 0,
        };
        let now = wall(1_795_824_000 + 3600);
        for (unix, shown) in [
            (1_795_824_000 + 65, "00:01"),
            (1_795_824_000 - 1, "Nov27"),
            (951_782_400, "2000"),
        ] {
            assert_eq!(super::day_or_time(wall(unix), now), shown);
        }
    }

    use std::time::Duration;

    use super::{about, count, duration, long_size, rate, size};
    use crate::text::format;

    #[test]
    fn sizes_are_rounded_before_their_unit_is_chosen() {
        let mib = |tenths: u64| (tenths << 20) / 10;
        for (bytes, short, long) in [
            (0, "0B", "0 B"),
            (1023, "1023B", "1023 B"),
            (1024, "1.0K", "1 KiB"),
            (10 << 20, "10M", "10 MiB"),
            (mib(99), "9.9M", "9.9 MiB"),
            (mib(10_234), "1023M", "1023.4 MiB"),
            (mib(10_236), "1.0G", "1023.6 MiB"),
            ((1 << 30) - 1, "1.0G", "1 GiB"),
            ((1 << 30) * 996 / 100, "10G", "10 GiB"),
            ((1 << 30) * 994 / 100, "9.9G", "9.9 GiB"),
            (u64::MAX, "16E", "16 EiB"),
        ] {
            assert_eq!(
                (size(bytes).as_str(), long_size(bytes).as_str()),
                (short, long),
                "{bytes}"
            );
        }
    }

    /// The bytes that a text such as `9.9G` or `9.9 GiB` stands for.
    fn read(text: &str) -> f64 {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .expect("a unit");
        let (number, unit) = text.split_at(end);
        let unit = unit
            .trim()
            .chars()
            .next()
            .and_then(|unit| "BKMGTPE".find(unit));
        let exponent = i32::try_from(unit.expect("a known unit")).expect("small");
        number.parse::<f64>().expect("a number") * 1024_f64.powi(exponent)
    }

    proptest::proptest! {
        #[test]
        fn a_larger_size_never_reads_smaller_and_no_size_is_too_wide(
            shift in 0_u32..64, bits: u64, more in 0_u64..2048, step in 0_u32..54
        ) {
            // Every magnitude alike, and neighbours that differ by little.
            let less = bits >> shift;
            let more = less.saturating_add(more << step);
            proptest::prop_assert!(size(less).len() <= 5, "{}", size(less));
            proptest::prop_assert!(long_size(less).len() <= 10, "{}", long_size(less));
            for text in [size, long_size] {
                proptest::prop_assert!(read(&text(less)) <= read(&text(more)), "{} {}", text(less), text(more));
                let off = read(&text(less)) / less.max(1) as f64;
                proptest::prop_assert!(less == 0 || (0.95..=1.05).contains(&off), "{less}: {}", text(less));
            }
            let rates = format::rate(less as f64).len();
            proptest::prop_assert!(rates <= 8, "{}", format::rate(less as f64));
        }
    }

    #[test]
    fn a_size_just_below_a_unit_is_that_unit() {
        for shift in [20, 30, 40, 50] {
            let unit = 1_u64 << shift;
            for below in [1, 4096, unit / 100_000] {
                let (short, long) = (size(unit - below), long_size(unit - below));
                assert!(
                    !short.contains("1024") && !long.contains("1024"),
                    "{short}, {long}"
                );
            }
        }
        assert_eq!(long_size((1 << 30) - 4096), "1 GiB");
        assert_eq!(size((1 << 30) - 4096), "1.0G");
        assert_eq!(long_size(1000 << 20), "1000 MiB");
        assert_eq!(size(1023), "1023B");
    }

    #[test]
    fn a_part_has_the_unit_of_its_whole() {
        let gib = |tenths: u64| (tenths << 30) / 10;
        for (part, whole, text) in [
            (gib(31), gib(235), "3.1 of 23.5 GiB"),
            (gib(30), gib(235), "3 of 23.5 GiB"),
            (0, gib(80), "0 of 8 GiB"),
            (632 << 10, gib(80), "<0.01 of 8 GiB"),
            (30 << 20, gib(20), "0.03 of 2 GiB"),
            (900 << 20, gib(20), "0.9 of 2 GiB"),
            (gib(30), gib(20), "3 of 2 GiB"),
            (512, 900, "512 of 900 B"),
            ((1 << 30) - 1, (1 << 30) - 1, "1 of 1 GiB"),
        ] {
            assert_eq!(super::part_of(part, whole), text);
        }
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
        // The same number wherever the last seconds are told.
        assert_eq!(about(Duration::from_secs(9)), "9s");
        assert_eq!(super::roughly(Duration::from_millis(300)), "~1s");
        assert_eq!(about(Duration::from_secs(443)), "7m");
        assert_eq!(duration(Duration::from_hours(292)), "12d04h");
    }
}
