//! From when and until when a certificate is valid. RFC 5280, section 4.1.2.5; read here because rustls tells it of no
//! certificate that is a CA.

use jiff::civil;

/// Seconds since 1970, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: u64,
    pub(super) until: u64,
}

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The validity of a certificate in DER; `None` if it is none.
pub(super) fn of(certificate: &[u8]) -> Option<Validity> {
    let (_, certificate, _) = element(certificate)?;
    let (tag, mut rest, _) = element(certificate)?;
    if tag != SEQUENCE {
        return None;
    }
    let (first, _, after) = element(rest)?;
    if first == VERSION {
        rest = after;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (tag, validity, _) = element(rest)?;
    if tag != SEQUENCE {
        return None;
    }
    let (tag, from, rest) = element(validity)?;
    let from = time(tag, from)?;
    let (tag, until, _) = element(rest)?;
    let until = time(tag, until)?;
    Some(Validity { from, until })
}

/// Tag and contents of the first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let digits = rest.get(..count)?;
        length = digits
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        rest = rest.get(count..)?;
    }
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn time(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let (month, day, hour, minute, second) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?);
    let at = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    // Before 1970 is long ago all the same.
    Some(u64::try_from(at.timestamp().as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{GENERALIZED_TIME, UTC_TIME, Validity, of, time};

    fn wrap(tag: u8, inside: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inside.len()).expect("short");
        [&[tag, 0x81, length], inside].concat()
    }

    fn certificate() -> Vec<u8> {
        let validity = [
            wrap(UTC_TIME, b"700101000010Z"),
            wrap(GENERALIZED_TIME, b"20500101000000Z"),
        ]
        .concat();
        let parts = [
            wrap(0xa0, &[2, 1, 2]),
            wrap(2, &[1]),
            wrap(0x30, &[]),
            wrap(0x30, &[]),
            wrap(0x30, &validity),
        ]
        .concat();
        wrap(0x30, &wrap(0x30, &parts))
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let (from, until) = (10, 2_524_608_000);
        assert_eq!(of(&certificate()), Some(Validity { from, until }));
        assert_eq!(time(UTC_TIME, b"691231235959Z"), Some(0));
        assert_eq!(time(UTC_TIME, b"241301000000Z"), None, "no month 13");
        assert_eq!(time(UTC_TIME, b"24010100000+Z"), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_too_strange(at in 0_usize..70, byte in 0_u8.., end in 0_usize..70) {
            let mut bytes = certificate();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(end);
            let _ = of(&bytes);
        }
    }
}
