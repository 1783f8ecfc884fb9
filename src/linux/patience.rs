//! [`Patience`]: how long somebody waits for systemd, and whether they still do.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most time between two looks whether somebody still waits.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// How long an answer may take, unless somebody sees that it is waited for. On a machine that is short of memory systemd is
/// slow, too.
pub(crate) const WITHIN: Duration = Duration::from_secs(2);

/// How long one may take while somebody sees that it is waited for, and can end the wait: as with systemctl (sd-bus
/// `BUS_DEFAULT_TIMEOUT`).
pub const LONG: Duration = Duration::from_secs(25);

/// How long each answer of systemd is waited for.
#[derive(Clone)]
pub struct Patience {
    within: Duration,
    /// False as soon as nobody waits any more; `None`: somebody does.
    goes_on: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Default for Patience {
    fn default() -> Self {
        Self::within(WITHIN)
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience")
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

impl Patience {
    /// So long for each answer.
    #[must_use]
    pub fn within(within: Duration) -> Self {
        Self {
            within,
            goes_on: None,
        }
    }

    /// As long as that, and only while this is true.
    #[must_use]
    pub fn while_wanted(
        within: Duration,
        goes_on: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            within,
            goes_on: Some(Arc::new(goes_on)),
        }
    }

    /// Until when the next answer is waited for.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.within
    }

    /// True if nobody waits any more.
    pub(crate) fn is_over(&self) -> bool {
        self.goes_on.as_ref().is_some_and(|goes_on| !goes_on())
    }

    /// The middle of a sentence: "systemd … ".
    pub(crate) fn unanswered(&self) -> String {
        if self.is_over() {
            "had not answered when you stopped waiting".to_owned()
        } else {
            format!("has not answered within {} s", self.within.as_secs())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{LONG, Patience};

    #[test]
    fn what_is_said_tells_who_has_ended_the_wait() {
        let wanted = Arc::new(AtomicBool::new(true));
        let shared = Arc::clone(&wanted);
        let patience = Patience::while_wanted(LONG, move || shared.load(Ordering::SeqCst));
        assert_eq!(patience.unanswered(), "has not answered within 25 s");
        wanted.store(false, Ordering::SeqCst);
        assert!(patience.is_over());
        assert_eq!(
            patience.unanswered(),
            "had not answered when you stopped waiting"
        );
        assert!(!Patience::default().is_over());
    }
}
