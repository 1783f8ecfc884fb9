//! The seam between the sampler and what makes the process table.

pub mod backend;
pub(super) mod bpf;
pub(super) mod detail;
pub(super) mod history;
pub(super) mod proc;

use crate::model::kernel::RssSource;
use crate::model::memory::Memory;
use crate::model::process::{Process, ProcessId};

use super::ReadError;

/// What a back end must know to fill the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanWants {
    /// Which resident size [`crate::model::process::MemoryUse::rss`] holds.
    pub rss: RssSource,
    /// Page size in bytes.
    pub page_size: u64,
    /// pid 1 of this `/proc` is the host's init.
    pub global_init: bool,
}

/// What one pass over all processes may go by to save work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanPass<'a> {
    /// Counts passes, from 1.
    pub seq: u64,
    /// Rows that somebody looks at, and the next victims: these are read anew, whatever it costs.
    pub shown: &'a [ProcessId],
    /// The host's memory, read just before.
    pub memory: &'a Memory,
    /// Tasks have waited for memory in the last seconds: every row must be fresh.
    pub pressed: bool,
}

/// How a scan went. What is not in the table is counted here, never lost silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanCount {
    /// Rows in the table.
    pub listed: u32,
    /// Ended while they were read: nothing is missing.
    pub vanished: u32,
    /// Present, but not even `stat` may be read (hidepid).
    pub hidden: u32,
    /// Present, but what was read makes no sense, or reading failed.
    pub failed: u32,
}

impl ScanCount {
    /// All that is not in the table.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.vanished + self.hidden + self.failed
    }
}

/// A way to read all processes. The sampler adds what is cached from sample to sample.
pub trait ProcessScan: Send {
    /// Short name for the screen: `/proc`, `bpf task walk`.
    fn name(&self) -> &'static str;

    /// True if `rss` is that of the kernel's counters without the parts that each CPU keeps to itself.
    fn is_approximate(&self) -> bool {
        false
    }

    /// Replaces the contents of `table` by one row per process, in no particular order.
    ///
    /// Fills everything but `cgroup`, `growth` and `command`; `cgroup_id` only if that costs nothing.
    /// A process that ends meanwhile is counted, not an error.
    ///
    /// # Errors
    /// Only if no table can be made at all.
    fn scan(
        &mut self,
        wants: &ScanWants,
        pass: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError>;
}

/// Makes room in an empty table for so many rows and few more: growing by doubling would touch, and
/// so lock, up to three times the memory.
pub(crate) fn with_room(table: &mut Vec<Process>, rows: usize) {
    if table.capacity() < rows {
        table.reserve_exact(rows + rows / 16);
    }
}
