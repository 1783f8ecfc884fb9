//! [`Record`]: what a program at a tracepoint writes about one victim.

use crate::model::process::MemoryUse;
use crate::model::process::comm::Comm;

/// The kernel marked a victim.
pub(super) const MARK: u32 = 1;
/// Somebody sent SIGKILL.
pub(super) const SIGNAL: u32 = 2;

/// One element of the ring. Every bit pattern is a valid record; what the program could not read is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Record {
    /// [`MARK`] or [`SIGNAL`].
    pub(super) kind: u32,
    /// The victim's thread.
    pub(super) pid: u32,
    /// The victim's process; 0 if the program knows the thread only by its number.
    pub(super) tgid: u32,
    pub(super) uid: u32,
    pub(super) adj: i16,
    pub(super) padding: u16,
    /// 0 if the signal was delivered.
    pub(super) result: u32,
    /// The thread that was running: the one that asked for memory, or that sends the signal.
    pub(super) by_pid: u32,
    pub(super) by_tgid: u32,
    pub(super) by_uid: u32,
    /// `si_code` of the signal.
    pub(super) code: i32,
    /// CLOCK_MONOTONIC in nanoseconds.
    pub(super) at: u64,
    /// Start of the victim in nanoseconds since boot.
    pub(super) start: u64,
    /// Where the signal comes from: `SEND_SIG_NOINFO` (0), `SEND_SIG_PRIV` (1) or an address
    /// (include/linux/sched/signal.h).
    pub(super) info: u64,
    /// The address space, 0 without one.
    pub(super) mm: u64,
    /// The kernfs id of the memory cgroup.
    pub(super) group: u64,
    pub(super) comm: [u8; 16],
    pub(super) by_comm: [u8; 16],
    /// File, anonymous, swapped and shared pages. A counter can be negative for a moment.
    pub(super) rss: [i64; 4],
    /// Bytes.
    pub(super) page_tables: i64,
}

/// The offset of each field of [`Record`], for the program.
pub(super) mod place {
    use super::Record;

    macro_rules! place {
        ($($name:ident $field:ident,)*) => {
            $(
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_possible_wrap,
                    reason = "a record has 152 bytes"
                )]
                pub(in super::super) const $name: i16 = core::mem::offset_of!(Record, $field) as i16;
            )*
        };
    }

    place! {
        KIND kind, PID pid, TGID tgid, UID uid, ADJ adj, RESULT result, BY_PID by_pid, BY_TGID by_tgid,
        BY_UID by_uid, CODE code, AT at, START start, INFO info, MM mm, GROUP group, COMM comm, BY_COMM by_comm,
        RSS rss, PAGE_TABLES page_tables,
    }
}

impl Record {
    pub(super) fn comm(&self) -> Comm {
        name(&self.comm)
    }

    pub(super) fn by_comm(&self) -> Comm {
        name(&self.by_comm)
    }

    /// `None` without an address space. Negative counters count as 0, as badness reads them.
    pub(super) fn memory(&self, page_size: u64) -> Option<MemoryUse> {
        if self.mm == 0 {
            return None;
        }
        let [file, anon, swap, shmem] = self.rss.map(|count| u64::try_from(count).unwrap_or(0));
        Some(MemoryUse {
            rss: file.saturating_add(anon).saturating_add(shmem),
            anon,
            file,
            shmem,
            swap,
            page_tables: u64::try_from(self.page_tables).unwrap_or(0) / page_size.max(1),
        })
    }
}

fn name(bytes: &[u8; 16]) -> Comm {
    let len = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    Comm::new(bytes.split_at(len).0)
}
