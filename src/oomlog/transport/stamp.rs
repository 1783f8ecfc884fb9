//! The stamps that logs put in front of a line, in any language.

use crate::oomlog::Monotonic;

/// `  12.345678` or `12.345678 <    0.000010>` (`dmesg`, `dmesg -d`): time since boot.
pub(super) fn since_boot(inside: &str) -> Option<Monotonic> {
    let text = inside.split('<').next().unwrap_or(inside).trim();
    let (whole, fraction) = text.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction) && fraction.len() >= 3)
        .then(|| micros(text))
        .flatten()
}

/// Time since boot as microseconds, from seconds with a fraction.
fn micros(seconds: &str) -> Option<Monotonic> {
    let (whole, fraction) = seconds.split_once('.')?;
    let digits = fraction.get(..fraction.len().min(6))?;
    let scale = 10_u64.checked_pow(u32::try_from(6 - digits.len()).ok()?)?;
    let fraction: u64 = digits.parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    Some(Monotonic(
        whole
            .checked_mul(1_000_000)?
            .checked_add(fraction * scale)?,
    ))
}

/// ` T123` or `   C0` (`CONFIG_PRINTK_CALLER`).
pub(super) fn caller(inside: &str) -> Option<&str> {
    let name = inside.trim();
    let digits = name.strip_prefix('T').or_else(|| name.strip_prefix('C'))?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

/// Any text that holds a time of day: `Fri Sep 25 15:29:47 2020`, `ven. sept. 25 15:29:47 2020`;
/// also `Nov22 17:12` of `dmesg -e`.
pub(super) fn is_clock(inside: &str) -> bool {
    if inside.len() > 64 {
        return false;
    }
    time_of_day(inside).is_some()
        || inside.split_once(' ').is_some_and(|(day, time)| {
            let clock = time.as_bytes();
            matches!(clock, [h1, h2, b':', m1, m2]
                if [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()))
                && day.ends_with(|c: char| c.is_ascii_digit())
                && day.starts_with(char::is_alphabetic)
        })
}

/// `  +0.000015` (`dmesg -e`) or `<    0.000015>` (`dmesg -d -t`): time since the previous line.
pub(super) fn is_relative(inside: &str) -> bool {
    let text = inside.trim().trim_matches(['<', '>']).trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.len() != inside.len()
        && digits.contains('.')
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// `4: binder:569_5:27109`, `310:acorn`: processor or pid, name and pid as some Android kernels print them.
pub(super) fn is_android(inside: &str) -> bool {
    inside.split_once(':').is_some_and(|(number, name)| {
        let number = number.trim();
        !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
            && name.trim_start().starts_with(char::is_alphabetic)
    })
}

/// The text begins with a stamp.
pub(super) fn begins(text: &str) -> bool {
    begins_in_brackets(text) || wall(text).is_some()
}

/// The text begins with a stamp of the kernel or of `dmesg`: `[12345.678901] `.
pub(super) fn begins_in_brackets(text: &str) -> bool {
    text.strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(inside, _)| {
            since_boot(inside).is_some()
                || caller(inside).is_some()
                || is_clock(inside)
                || is_relative(inside)
        })
}

/// A wall-clock stamp at the beginning of the line, and the text behind it.
///
/// The language of month and weekday does not matter: a stamp is a time of day with a date in front of it, at most
/// five words of letters and digits.
pub(super) fn wall(line: &str) -> Option<(&str, &str)> {
    if let Some(found) = unix(line) {
        return Some(found);
    }
    let head: usize = line.char_indices().nth(48).map_or(line.len(), |(at, _)| at);
    let (start, mut end) = time_of_day(line.get(..head)?)?;
    let date = line.get(..start)?;
    let words = date.split_whitespace().count();
    let plain = |c: char| {
        c.is_alphanumeric() || c.is_whitespace() || matches!(c, '-' | '/' | '.' | ',' | '年' | '月')
    };
    if start > 40 || words > 5 || !date.chars().all(plain) {
        return None;
    }
    // A time of day without a date may be anything.
    if !date.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    // Fraction and zone: `.123456+02:00`, `,123456+00:00`, `Z`, `+0000`.
    let tail = line.get(end..)?;
    let zone = tail
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '+' | '-' | ':' | 'Z')))
        .unwrap_or(tail.len());
    end += zone;
    // `12:47:02: text`: the colon is no part of the stamp.
    if line.get(..end)?.ends_with(':') {
        end -= 1;
    }
    let rest = line.get(end..)?;
    // `Mon Jan  1 00:00:00 2024 host …`: the year comes last.
    let rest = match rest.split_once(' ') {
        Some(("", after)) => after
            .split_once(' ')
            .filter(|(year, _)| {
                year.len() == 4 && (year.starts_with("19") || year.starts_with("20"))
            })
            .filter(|(year, _)| year.bytes().all(|b| b.is_ascii_digit()))
            .map_or(rest, |(_, after)| after),
        _ => rest,
    };
    let stamp = line.get(..line.len() - rest.len())?;
    Some((stamp.trim(), rest.strip_prefix(':').unwrap_or(rest)))
}

/// `1795000000.123456` of `journalctl -o short-unix`.
fn unix(line: &str) -> Option<(&str, &str)> {
    let (stamp, _) = line.split_once(' ')?;
    let (seconds, fraction) = stamp.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (seconds.len() >= 9 && fraction.len() >= 3 && digits(seconds) && digits(fraction))
        .then(|| line.split_at(stamp.len()))
}

/// Start and end of `HH:MM:SS` in the text.
fn time_of_day(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let digit = |b: &u8| b.is_ascii_digit();
    let at = bytes.windows(8).position(|w| {
        matches!(w, [h1, h2, b':', m1, m2, b':', s1, s2]
            if [h1, h2, m1, m2, s1, s2].iter().all(|b| digit(b)))
    })?;
    let before = at.checked_sub(1).and_then(|i| bytes.get(i));
    (!before.is_some_and(|b| digit(b) || *b == b':')).then_some((at, at + 8))
}

#[cfg(test)]
mod tests {
    use super::{Monotonic, caller, is_android, is_clock, is_relative, since_boot, wall};

    #[test]
    fn stamps_in_brackets() {
        assert_eq!(since_boot("    6.005263"), Some(Monotonic(6_005_263)));
        assert_eq!(
            since_boot("12.5000001 <    0.1>"),
            Some(Monotonic(12_500_000))
        );
        assert_eq!(since_boot(" 1234"), None);
        assert_eq!(caller("   C12"), Some("C12"));
        assert_eq!(caller("Txyz"), None);
        assert!(is_clock("ven. sept. 25 15:29:47 2020") && is_clock("Nov22 17:12"));
        assert!(!is_clock("  pid  ") && !is_clock("12345"));
        assert!(is_relative("  +0.000015") && is_relative("<    0.000015>"));
        assert!(!is_relative("0.5") && !is_relative("  1234"));
        assert!(is_android("4: binder:569_5:27109") && !is_android("a:b:c"));
    }

    #[test]
    fn stamps_at_the_beginning() {
        let cases = [
            ("Jun 20 12:47:02 host x", "Jun 20 12:47:02", " host x"),
            (
                "2024-05-26T06:17:00.123456+02:00 host x",
                "2024-05-26T06:17:00.123456+02:00",
                " host x",
            ),
            (
                "2026-11-22T17:12:54,123456+00:00 leaky",
                "2026-11-22T17:12:54,123456+00:00",
                " leaky",
            ),
            ("nov. 22 17:12:54 host x", "nov. 22 17:12:54", " host x"),
            (
                "Mon Jan  1 00:00:00 2024 kern.warn kernel: x",
                "Mon Jan  1 00:00:00 2024",
                "kern.warn kernel: x",
            ),
            ("1795000000.715866 host x", "1795000000.715866", " host x"),
            (
                "Nov 22 17:16:15.715866 host x",
                "Nov 22 17:16:15.715866",
                " host x",
            ),
        ];
        for (line, stamp, rest) in cases {
            assert_eq!(wall(line), Some((stamp, rest)), "{line}");
        }
        assert_eq!(wall("x: took 12:00:00"), None);
        assert_eq!(wall("12:00:00 up 3 days"), None);
    }
}
