//! [`LimitValue`]: what a limit file says, as it is shown, typed and written.

use super::{LimitFile, Unit};
use crate::model::size::{SizeError, parse_size};

/// Least size that can be typed, 0 aside: one page of 4 KiB. The kernel rounds down to pages.
const LEAST: u64 = 4096;

/// Most swappiness the kernel takes (200 since 5.8).
const MOST_SWAPPINESS: u64 = 200;

/// What a limit file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitValue {
    /// `max` on v2, -1 on v1.
    Unlimited,
    /// Bytes; for swappiness a plain number.
    Amount(u64),
    /// 0 or 1.
    Switch(bool),
}

/// Why a text is no value of a limit file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A switch takes two values.
    #[error("0 or 1")]
    NotASwitch,
    /// Below one page: the kernel would make 0 of it, which kills whatever is inside.
    #[error("less than one page is rounded down to 0")]
    LessThanAPage,
    /// Swappiness has a range.
    #[error("a number from 0 to {MOST_SWAPPINESS}")]
    NotSwappiness,
    /// Not a size.
    #[error("{0}")]
    Size(#[from] SizeError),
}

impl LimitValue {
    /// The number, where there is one.
    #[must_use]
    pub fn amount(self) -> Option<u64> {
        match self {
            Self::Amount(amount) => Some(amount),
            Self::Unlimited | Self::Switch(_) => None,
        }
    }
}

impl LimitFile {
    /// Reads what somebody typed: a size such as `512M`, `max`, `0` or `1` for a switch. `None` where nothing
    /// was typed.
    ///
    /// # Errors
    /// See [`ValueError`].
    pub fn parse(self, typed: &str) -> Result<Option<LimitValue>, ValueError> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let value = match self.row().unit {
            Unit::Switch(_) => match typed {
                "0" => LimitValue::Switch(false),
                "1" => LimitValue::Switch(true),
                _ => return Err(ValueError::NotASwitch),
            },
            Unit::Swappiness(_) => match typed.parse() {
                Ok(number) if number <= MOST_SWAPPINESS => LimitValue::Amount(number),
                _ => return Err(ValueError::NotSwappiness),
            },
            Unit::Size(_) | Unit::Protection(_) if typed == "max" => LimitValue::Unlimited,
            Unit::Size(_) | Unit::Protection(_) => match parse_size(typed)? {
                1..LEAST => return Err(ValueError::LessThanAPage),
                bytes => LimitValue::Amount(bytes),
            },
        };
        Ok(Some(value))
    }

    /// Reads what the file shows, on a kernel with pages of `page_size` bytes. `None` where it makes no sense.
    #[must_use]
    pub fn shown(self, text: &[u8], page_size: u64) -> Option<LimitValue> {
        let row = self.row();
        let text = std::str::from_utf8(text).ok()?.trim_ascii();
        let text = match row.line {
            Some(key) => text
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?
                .trim_ascii(),
            None => text,
        };
        if row.lift == Some(text) {
            return Some(LimitValue::Unlimited);
        }
        let number: u64 = text.parse().ok()?;
        Some(match row.unit {
            Unit::Size(_) if number >= unlimited(page_size) => LimitValue::Unlimited,
            Unit::Size(_) | Unit::Protection(_) | Unit::Swappiness(_) => LimitValue::Amount(number),
            Unit::Switch(_) => LimitValue::Switch(number == 1),
        })
    }

    /// The text that is written to the file for this value.
    #[must_use]
    pub fn text(self, value: LimitValue) -> String {
        match value {
            LimitValue::Unlimited => self.row().lift.unwrap_or("max").to_owned(),
            LimitValue::Amount(amount) => amount.to_string(),
            LimitValue::Switch(on) => u8::from(on).to_string(),
        }
    }

    /// The kernel kept what was written: a size may be rounded down to whole pages. Anything else that differs
    /// was not kept (an overflow, which the kernel takes silently).
    #[must_use]
    pub fn is_kept(self, written: LimitValue, now: LimitValue, page_size: u64) -> bool {
        match (written, now) {
            (LimitValue::Amount(written), LimitValue::Amount(now)) => {
                now == written || now == written - written % page_size.max(1)
            }
            (LimitValue::Amount(written), LimitValue::Unlimited) => written >= unlimited(page_size),
            (LimitValue::Unlimited, LimitValue::Unlimited) => true,
            (LimitValue::Switch(written), LimitValue::Switch(now)) => now == written,
            (LimitValue::Unlimited | LimitValue::Switch(_), _) | (_, LimitValue::Switch(_)) => {
                false
            }
        }
    }
}

/// From here on a v1 limit means "none": `PAGE_COUNTER_MAX` in bytes (include/linux/page_counter.h; seen on
/// 6.18 with pages of 4 KiB; older kernels print still more).
fn unlimited(page_size: u64) -> u64 {
    let page = page_size.max(1);
    let most = if cfg!(target_pointer_width = "64") {
        i64::MAX as u64 / page
    } else {
        i32::MAX as u64
    };
    most.saturating_mul(page)
}

#[cfg(test)]
mod tests {
    use super::{LimitFile, LimitValue, unlimited};

    #[test]
    fn what_v1_prints_without_a_limit() {
        assert_eq!(unlimited(4096), 9_223_372_036_854_771_712);
        assert_eq!(unlimited(65536), 9_223_372_036_854_710_272);
    }

    #[test]
    fn values_are_checked_before_the_kernel_sees_them() {
        let max = LimitFile::Max;
        assert_eq!(max.parse("512M"), Ok(Some(LimitValue::Amount(512 << 20))));
        assert_eq!(max.parse("max"), Ok(Some(LimitValue::Unlimited)));
        assert_eq!(max.text(LimitValue::Unlimited), "max");
        assert_eq!(LimitFile::V1Limit.text(LimitValue::Unlimited), "-1");
        assert_eq!(max.parse("  "), Ok(None));
        for bad in ["100", "-1", "1.5", "99999999999999999999", "lots"] {
            assert!(max.parse(bad).is_err(), "{bad}");
        }
        for bad in ["2", "max", "on"] {
            assert!(LimitFile::OomGroup.parse(bad).is_err(), "{bad}");
        }
        assert!(LimitFile::V1Swappiness.parse("201").is_err());
        assert_eq!(
            LimitFile::V1Swappiness.parse("60"),
            Ok(Some(LimitValue::Amount(60)))
        );
    }

    #[test]
    fn what_is_shown_is_read_back_as_it_was_written() {
        let shown = |file: LimitFile, text: &str| file.shown(text.as_bytes(), 4096);
        let lines = "oom_kill_disable 1\nunder_oom 0\noom_kill 3\n";
        let on = Some(LimitValue::Switch(true));
        assert_eq!(shown(LimitFile::V1OomControl, lines), on);
        assert_eq!(shown(LimitFile::Max, "max\n"), Some(LimitValue::Unlimited));
        let none = "9223372036854771712\n";
        assert_eq!(shown(LimitFile::V1Limit, none), Some(LimitValue::Unlimited));
        assert_eq!(
            shown(LimitFile::V1Memsw, "4096\n"),
            Some(LimitValue::Amount(4096))
        );
        for odd in ["", "\n", "many", "-7", "99999999999999999999"] {
            assert_eq!(shown(LimitFile::Max, odd), None, "{odd:?}");
        }
        assert_eq!(LimitFile::Max.shown(b"\xff", 4096), None);
    }

    #[test]
    fn rounding_is_kept_and_overflow_is_not() {
        let kept = |written, now| LimitFile::Max.is_kept(written, now, 4096);
        let (amount, none) = (LimitValue::Amount, LimitValue::Unlimited);
        assert!(kept(amount(40_961), amount(40_960)));
        assert!(kept(amount(1), amount(1)));
        assert!(kept(none, none));
        assert!(kept(amount(u64::MAX), none));
        assert!(!kept(amount(1_000_000), amount(7_766_279_631_452_237_824)));
        assert!(!kept(none, amount(4096)));
        assert!(!kept(LimitValue::Switch(true), LimitValue::Switch(false)));
    }
}
