//! [`OomScoreAdj`], the value a user writes, and `oom_score`, the value the kernel shows.

use std::fmt;
use std::str::FromStr;

use crate::model::kernel::ScoreFormula;

/// A valid `/proc/PID/oom_score_adj`: -1000 (immune) ..= 1000 (first to die). proc(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(transparent)]
pub struct OomScoreAdj(i16);

/// Why a text is not an `oom_score_adj`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdjError {
    /// Nothing was typed.
    #[error("type a value from -1000 to 1000")]
    Empty,
    /// Not a whole decimal number.
    #[error("'{0}' is not a whole number")]
    NotANumber(String),
    /// A number outside the range.
    #[error("{0} is outside -1000 to 1000")]
    OutOfRange(String),
}

impl OomScoreAdj {
    /// Never killed: `OOM_SCORE_ADJ_MIN` (include/uapi/linux/oom.h).
    pub const IMMUNE: Self = Self(-1000);
    /// Killed first: `OOM_SCORE_ADJ_MAX`.
    pub const MAX: Self = Self(1000);
    /// No adjustment.
    pub const ZERO: Self = Self(0);

    /// `None` outside -1000 ..= 1000.
    #[must_use]
    pub fn new(value: i64) -> Option<Self> {
        i16::try_from(value)
            .ok()
            .filter(|v| (-1000..=1000).contains(v))
            .map(Self)
    }

    /// The nearest valid value.
    #[must_use]
    pub fn clamped(value: i64) -> Self {
        Self(i16::try_from(value.clamp(-1000, 1000)).unwrap_or(0))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i16 {
        self.0
    }

    /// Converts a legacy `oom_adj` (-17 ..= 15) as the kernel does (fs/proc/base.c `oom_adj_write`, seen in
    /// 6.1): 15 is 1000, all else is `value * 1000 / 17` truncated. `None` outside the range.
    #[must_use]
    pub fn from_legacy(oom_adj: i64) -> Option<Self> {
        match oom_adj {
            15 => Some(Self::MAX),
            -17..=14 => Self::new(oom_adj * 1000 / 17),
            _ => None,
        }
    }

    /// What `/proc/PID/oom_adj` would show: 1000 is 15, all else is `adj * 17 / 1000` truncated.
    #[must_use]
    pub fn to_legacy(self) -> i16 {
        if self == Self::MAX {
            15
        } else {
            self.0 * 17 / 1000
        }
    }

    /// The term that adj adds to badness in a domain of `total` pages. Divides before multiplying, as the
    /// kernel does (mm/oom_kill.c `oom_badness`, 3.6 to 7.3: `adj *= totalpages / 1000`).
    #[must_use]
    pub fn pages(self, total: u64) -> i64 {
        i64::from(self.0) * i64::try_from(total / 1000).unwrap_or(i64::MAX / 1000)
    }
}

impl FromStr for OomScoreAdj {
    type Err = AdjError;

    fn from_str(text: &str) -> Result<Self, AdjError> {
        let text = text.trim();
        if text.is_empty() || text == "-" || text == "+" {
            return Err(AdjError::Empty);
        }
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AdjError::NotANumber(text.to_owned()));
        }
        text.parse::<i64>()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| AdjError::OutOfRange(text.to_owned()))
    }
}

impl fmt::Display for OomScoreAdj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// `/proc/PID/oom_score` for a process of this badness (fs/proc/base.c `proc_oom_score`).
///
/// `points` is `None` for a process the kernel will not choose (shown as 0). `total` is always RAM + swap in
/// pages, even inside a memory cgroup. Since 5.9 (and late 5.4.y) the result is 0 ..= 2000 and an idle
/// process shows about 666; before, it was 0 ..= about 1000 plus the adjustment.
#[must_use]
pub fn oom_score(points: Option<i64>, total: u64, formula: ScoreFormula) -> u32 {
    let Some(points) = points else { return 0 };
    let total = i64::try_from(total).unwrap_or(i64::MAX).max(1);
    let permille = points.saturating_mul(1000) / total;
    let score = match formula {
        ScoreFormula::Scaled => (1000 + permille) * 2 / 3,
        // Before 5.9 a chosen process had at least one point.
        ScoreFormula::Permille => points.max(1).saturating_mul(1000) / total,
    };
    u32::try_from(score.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{AdjError, OomScoreAdj, oom_score};
    use crate::model::kernel::ScoreFormula;

    #[test]
    fn only_whole_numbers_in_range() {
        assert_eq!("-1000".parse(), Ok(OomScoreAdj::IMMUNE));
        assert_eq!(" +5 ".parse(), Ok(OomScoreAdj::clamped(5)));
        assert_eq!("".parse::<OomScoreAdj>(), Err(AdjError::Empty));
        for bad in ["1e2", "5.0", "0x10", "--5", "5 5", "٣"] {
            assert!(
                matches!(bad.parse::<OomScoreAdj>(), Err(AdjError::NotANumber(_))),
                "{bad}"
            );
        }
        for bad in ["1001", "-1001", "99999999999999999999"] {
            assert!(
                matches!(bad.parse::<OomScoreAdj>(), Err(AdjError::OutOfRange(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn legacy_values_convert_as_the_kernel_does() {
        let pairs = [
            (-17, -1000),
            (-16, -941),
            (0, 0),
            (1, 58),
            (14, 823),
            (15, 1000),
        ];
        for (old, new) in pairs {
            assert_eq!(
                OomScoreAdj::from_legacy(old).map(OomScoreAdj::get),
                Some(new)
            );
        }
        assert_eq!(OomScoreAdj::from_legacy(16), None);
        // As in the kernel, the conversion loses precision: 58 shows as 0, 59 as 1.
        assert_eq!(OomScoreAdj::clamped(58).to_legacy(), 0);
        assert_eq!(OomScoreAdj::clamped(59).to_legacy(), 1);
        assert_eq!(OomScoreAdj::clamped(-999).to_legacy(), -16);
    }

    #[test]
    fn score_of_known_processes() {
        // An idle process on a 24 GiB machine shows 666, an ineligible one 0.
        assert_eq!(oom_score(Some(100), 6_000_000, ScoreFormula::Scaled), 666);
        assert_eq!(oom_score(None, 6_000_000, ScoreFormula::Scaled), 0);
        // 50 % of memory: 500 before 5.9, 1000 since.
        assert_eq!(
            oom_score(Some(500_000), 1_000_000, ScoreFormula::Permille),
            500
        );
        assert_eq!(
            oom_score(Some(500_000), 1_000_000, ScoreFormula::Scaled),
            1000
        );
        // Division truncates towards zero, twice: -0.4 permille is 0, not -1.
        assert_eq!(oom_score(Some(-400), 1_000_000, ScoreFormula::Scaled), 666);
        // A small process at -999.
        assert_eq!(
            oom_score(Some(-999_000), 1_000_000, ScoreFormula::Scaled),
            0
        );
    }
}
