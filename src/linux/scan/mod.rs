//! The interface between the sampler and the back ends that make the process table.

pub(super) mod aside;
pub mod backend;
pub(super) mod bpf;
mod cgroup_rest;
pub(super) mod command_lines;
mod cpu_meter;
pub(super) mod detail;
pub(super) mod history;
mod launch;
mod preferred;
pub(super) mod proc;
pub(super) mod wchan;

use crate::model::kernel::RssSource;
use crate::model::memory::Memory;
use crate::model::process::{Process, ProcessId};

use super::ReadError;
pub(crate) use bpf::kills::KillTrace;
pub(crate) use bpf::sees_this_machine;
pub(crate) use bpf::starts::StartTrace;

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

/// What a back end may use to save work in one pass over all processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanPass<'a> {
    /// Counts passes, from 1.
    pub seq: u64,
    /// The processes on the screen and the next victims: a back end must always read these.
    pub shown: &'a [ProcessId],
    /// The host's memory, read right before the pass.
    pub memory: &'a Memory,
    /// True if tasks have waited for memory in the last seconds: every row must be read.
    pub pressed: bool,
    /// True if the processor time of processes with several threads is wanted too, which costs a step for each thread
    /// where the kernel is asked to walk the tasks.
    pub cpu: bool,
}

/// The result of a scan. Every process that is missing from the table is counted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanCount {
    /// Rows in the table.
    pub listed: u32,
    /// Processes that ended while they were read: nothing is missing.
    pub vanished: u32,
    /// Processes whose `stat` may not be read (hidepid).
    pub hidden: u32,
    /// Processes whose files are invalid or could not be read.
    pub failed: u32,
}

impl ScanCount {
    /// Number of processes that are missing from the table.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.vanished + self.hidden + self.failed
    }
}

/// A way to read all processes. The sampler adds the facts that it caches from sample to sample.
pub trait ProcessScan: Send {
    /// Short name for the screen: `/proc`, `bpf task walk`.
    fn name(&self) -> &'static str;

    /// True if `rss` comes from the kernel's counters without their per-CPU parts.
    fn is_approximate(&self) -> bool {
        false
    }

    /// Replaces the contents of `table` by one row per process, in no particular order.
    ///
    /// Fills all fields except `cgroup`, `growth` and `command`; `cgroup_id` only if that is free. A process
    /// that ends during the scan is counted and is no error.
    ///
    /// # Errors
    /// Only if no table can be made.
    fn scan(
        &mut self,
        wants: &ScanWants,
        pass: &ScanPass<'_>,
        table: &mut Vec<Process>,
    ) -> Result<ScanCount, ReadError>;

    /// Does what the next scan would wait for. Called when the sample has been delivered.
    fn prepare(&mut self) {}
}

/// Reserves room in an empty table for this many rows and few more. Growing by doubling would touch, and so
/// lock, up to three times the memory.
pub(crate) fn with_room(table: &mut Vec<Process>, rows: usize) {
    if table.capacity() < rows {
        table.reserve_exact(rows + rows / 16);
    }
}
