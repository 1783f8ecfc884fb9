//! Where OOM events come from: `/dev/kmsg` and the journal.

pub mod journal;
pub mod kmsg;
