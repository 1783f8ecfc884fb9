//! [`Notice`]: one sentence in the footer that expires.

use std::time::Duration;

use crate::model::time::Monotonic;
use crate::text::tone::Tone;

/// How long a notice stays.
const SHORT: Duration = Duration::from_secs(6);
/// How long a failure or a kill stays.
const LONG: Duration = Duration::from_secs(15);

/// A message for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Meaning.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// When it was raised.
    pub since: Monotonic,
}

impl Notice {
    /// A notice raised now.
    pub fn new(tone: Tone, text: impl Into<String>, now: Monotonic) -> Self {
        Self {
            tone,
            text: text.into(),
            since: now,
        }
    }

    /// True if the notice has been shown long enough.
    pub fn is_over(&self, now: Monotonic) -> bool {
        self.stays(now).is_zero()
    }

    /// How much longer the notice is shown.
    pub fn stays(&self, now: Monotonic) -> Duration {
        let all = if self.tone == Tone::Critical {
            LONG
        } else {
            SHORT
        };
        all.saturating_sub(now.since(self.since))
    }
}
