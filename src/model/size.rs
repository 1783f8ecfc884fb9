//! Sizes as people type them: `512M`, `1.5G`, `4096`, `max`.

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Nothing was typed.
    #[error("type a size such as 512M or 1.5G")]
    Empty,
    /// Not a number with an optional unit.
    #[error("'{0}' is not a size; use a number with K, M, G or T, such as 512M")]
    NotASize(String),
    /// More than any machine has. The kernel would let the number overflow silently (cgroup files do).
    #[error("{0} is more than the kernel can count")]
    TooLarge(String),
}

/// Parses a size in bytes with binary units: `K`, `M`, `G`, `T`, with or without `B` or `iB`, either
/// case; fractions are allowed with a unit.
///
/// # Errors
/// See [`SizeError`]. The kernel's own parser overflows silently, so everything is checked here.
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SizeError::Empty);
    }
    let bad = || SizeError::NotASize(text.to_owned());
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim().to_ascii_lowercase();
    let shift = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(bad()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty())
        || fraction.contains('.')
        || (number.contains('.') && shift == 0)
    {
        return Err(bad());
    }
    let too_large = || SizeError::TooLarge(text.to_owned());
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| too_large())?
    };
    let bytes = whole.checked_mul(1 << shift).ok_or_else(too_large)?;
    // Six fractional digits are enough and cannot overflow.
    let digits = &fraction[..fraction.len().min(6)];
    let scale = 10_u64.pow(u32::try_from(digits.len()).unwrap_or(0));
    let part = if digits.is_empty() {
        0
    } else {
        digits.parse::<u64>().map_err(|_| bad())?
    };
    let bytes = bytes
        .checked_add(part * (1_u64 << shift) / scale)
        .ok_or_else(too_large)?;
    // The kernel keeps byte counters in signed longs.
    if bytes > i64::MAX as u64 {
        Err(too_large())
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{SizeError, parse_size};

    #[test]
    fn sizes() {
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size(" 512M "), Ok(512 << 20));
        assert_eq!(parse_size("1.5g"), Ok(3 << 29));
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size(".5k"), Ok(512));
        assert_eq!(parse_size(""), Err(SizeError::Empty));
        for bad in ["abc", "-1", "1.5", "1..5M", "5X", ".", "10 20M", "１M", "M"] {
            assert!(
                matches!(parse_size(bad), Err(SizeError::NotASize(_))),
                "{bad}"
            );
        }
        for large in ["99999999999999999999", "9223372036854775808", "99999999T"] {
            assert!(
                matches!(parse_size(large), Err(SizeError::TooLarge(_))),
                "{large}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse_size(&text);
        }
    }
}
