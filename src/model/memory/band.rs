//! Warning bands of the memory gauge, with hysteresis.

/// How close memory is to exhaustion, in the four words of the gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Below the first mark.
    #[default]
    Normal,
    /// From the first mark (70 % by default).
    Warning,
    /// From the second mark (85 %).
    Danger,
    /// From the third mark (95 %).
    Critical,
}

impl Band {
    /// The word shown beside the gauge.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "WARNING",
            Self::Danger => "DANGER",
            Self::Critical => "CRITICAL",
        }
    }
}

/// The three marks in percent, ascending, each 0 < mark <= 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    marks: [f64; 3],
}

/// A value must fall this many percentage points below a mark before the band goes down again.
pub const HYSTERESIS: f64 = 2.0;

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            marks: [70.0, 85.0, 95.0],
        }
    }
}

impl Thresholds {
    /// # Errors
    /// The end of a sentence ("takes …, not …") when the marks are not ascending, or not in 0 < mark <= 100.
    pub fn new(marks: [f64; 3]) -> Result<Self, String> {
        let ascending = marks[0] < marks[1] && marks[1] < marks[2];
        if !ascending || marks.iter().any(|m| !(0.0 < *m && *m <= 100.0)) {
            return Err(format!(
                "takes three ascending percentages between 0 and 100, such as 70,85,95, not {},{},{}",
                marks[0], marks[1], marks[2]
            ));
        }
        Ok(Self { marks })
    }

    /// The marks in percent.
    #[must_use]
    pub fn marks(&self) -> [f64; 3] {
        self.marks
    }

    /// The band of a value, without hysteresis.
    #[must_use]
    pub fn band(&self, percent: f64) -> Band {
        match self.marks.iter().filter(|m| percent >= **m).count() {
            0 => Band::Normal,
            1 => Band::Warning,
            2 => Band::Danger,
            _ => Band::Critical,
        }
    }

    /// The band that follows `before`. It goes up at once, and down only [`HYSTERESIS`] points below the
    /// mark, so that a value near a mark does not flicker.
    #[must_use]
    pub fn next(&self, before: Band, percent: f64) -> Band {
        let now = self.band(percent);
        if now >= before {
            now
        } else {
            self.band(percent + HYSTERESIS).min(before)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Band, Thresholds};

    #[test]
    fn rises_at_once_and_falls_late() {
        let t = Thresholds::default();
        let mut band = Band::Normal;
        let mut walk = |percent| {
            band = t.next(band, percent);
            band
        };
        assert_eq!(walk(69.9), Band::Normal);
        assert_eq!(walk(70.0), Band::Warning);
        assert_eq!(walk(69.5), Band::Warning);
        assert_eq!(walk(67.9), Band::Normal);
        assert_eq!(walk(99.0), Band::Critical);
        assert_eq!(walk(94.0), Band::Critical);
        assert_eq!(walk(92.0), Band::Danger);
        assert_eq!(walk(10.0), Band::Normal);
    }

    #[test]
    fn marks_must_ascend() {
        assert!(Thresholds::new([70.0, 60.0, 95.0]).is_err());
        assert!(Thresholds::new([0.0, 60.0, 95.0]).is_err());
        assert!(Thresholds::new([10.0, 60.0, 101.0]).is_err());
        assert!(Thresholds::new([f64::NAN, 60.0, 90.0]).is_err());
        assert!(Thresholds::new([50.0, 60.0, 100.0]).is_ok());
    }
}
