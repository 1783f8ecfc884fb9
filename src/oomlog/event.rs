//! [`OomEvent`]: what comes out of a log.

use std::sync::Arc;

use crate::oomlog::{Monotonic, OomReport, UserspaceKill};

/// What comes out of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OomEvent {
    /// A report began or grew. It replaces an earlier one of the same key.
    Report(Arc<OomReport>),
    /// A program killed before the kernel had to. It replaces an earlier one of the same key.
    Userspace(Arc<UserspaceKill>),
    /// Records were lost (the ring buffer was overrun): kills may be missing here.
    Gap {
        /// Stamp of the first record after the gap, if it had one.
        at: Option<Monotonic>,
        /// How many records are missing; 0 if that is not known.
        lost: u64,
    },
}
