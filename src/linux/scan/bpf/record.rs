//! [`Record`]: what the program writes about one process, and its conversion to a row.

use std::num::NonZeroU64;

use super::layout::{Field, Width};
use crate::model::process::comm::Comm;
use crate::model::process::cpu::CpuTime;
use crate::model::process::score::OomScoreAdj;
use crate::model::process::{MemoryUse, Process, ProcessId, TaskState};

/// One element of the array that the kernel and oomtop share. Every bit pattern is a valid record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Record {
    pub(super) pid: u32,
    pub(super) ppid: u32,
    pub(super) uid: u32,
    /// `oom_score_adj` in the lower half.
    pub(super) adj: u32,
    pub(super) threads: u32,
    pub(super) flags: u32,
    pub(super) state: u32,
    pub(super) exit_state: u32,
    /// Nanoseconds since boot.
    pub(super) start: u64,
    pub(super) comm: [u8; 16],
    /// The kernfs id of the memory cgroup; 0 if not read.
    pub(super) group: u64,
    /// Not 0 if the process has memory: only then `rss` and `page_tables` are valid. Equal for processes that
    /// share an address space.
    pub(super) mm: u64,
    /// File, anonymous, swapped and shared pages. A counter can be negative for a moment.
    pub(super) rss: [i64; 4],
    /// Bytes.
    pub(super) page_tables: i64,
    /// Nanoseconds of a processor: of the main thread, of the threads that have ended, and of the others where the walk
    /// visits them.
    pub(super) cpu: u64,
}

/// The offset and width of each field of [`Record`], for the program.
pub(super) mod place {
    use super::{Field, Record, Width};

    const fn at(offset: usize, width: Width) -> Field {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "a record has 120 bytes"
        )]
        let offset = offset as i16;
        Field { offset, width }
    }

    macro_rules! place {
        ($name:ident, $field:ident, $width:ident) => {
            pub(in super::super) const $name: Field =
                at(core::mem::offset_of!(Record, $field), Width::$width);
        };
    }

    place!(PID, pid, Word);
    place!(PPID, ppid, Word);
    place!(UID, uid, Word);
    place!(ADJ, adj, Word);
    place!(THREADS, threads, Word);
    place!(FLAGS, flags, Word);
    place!(STATE, state, Word);
    place!(EXIT_STATE, exit_state, Word);
    place!(START, start, Double);
    place!(COMM, comm, Double);
    place!(GROUP, group, Double);
    place!(MM, mm, Double);
    place!(RSS, rss, Double);
    place!(PAGE_TABLES, page_tables, Double);
    place!(CPU, cpu, Double);

    /// The eight bytes `index` places after `field`.
    pub(in super::super) const fn nth(field: Field, index: i16) -> Field {
        Field {
            offset: field.offset + 8 * index,
            width: Width::Double,
        }
    }
}

/// `PF_KTHREAD` (include/linux/sched.h).
const PF_KTHREAD: u32 = 0x0020_0000;

/// Whose processor time is in the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// Nobody's: this kernel has other names for it.
    Unknown,
    /// That of main threads and of threads that have ended.
    Leaders,
    /// That of all threads.
    All,
}

/// The units for converting a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub(super) page_size: u64,
    /// Nanoseconds in a tick of `start_ticks` (kernel/time/time.c `nsec_to_clock_t`).
    pub(super) tick_nanos: u64,
    pub(super) global_init: bool,
}

impl Record {
    /// True if the main thread has ended and other threads live. The memory belongs to them and is not in
    /// this record.
    pub(super) fn is_leaderless(&self) -> bool {
        self.mm == 0 && self.threads > 1 && self.flags & PF_KTHREAD == 0
    }

    /// The processor time, if it is that of all threads.
    pub(super) fn cpu(&self, walk: Threads, pass: u64) -> Option<CpuTime> {
        let is_whole = match walk {
            Threads::Unknown => false,
            Threads::Leaders => self.threads <= 1,
            Threads::All => true,
        };
        is_whole.then_some(CpuTime {
            nanos: self.cpu,
            read: pass,
            percent: None,
        })
    }

    /// The same row that the files of `/proc` would give.
    pub(super) fn row(&self, units: Units) -> Process {
        let kernel_thread = self.flags & PF_KTHREAD != 0;
        Process {
            id: ProcessId {
                pid: self.pid,
                start_ticks: self.start / units.tick_nanos.max(1),
            },
            ppid: self.ppid,
            uid: self.uid,
            comm: self.comm(),
            state: TaskState(state_letter(self.state, self.exit_state)),
            threads: self.threads,
            kernel_thread,
            global_init: units.global_init && self.pid == 1,
            memory: (self.mm != 0 && !kernel_thread).then(|| self.memory(units.page_size)),
            adj: (!kernel_thread).then(|| self.adj()).flatten(),
            address_space: NonZeroU64::new(self.mm).filter(|_| !kernel_thread),
            cgroup_id: (self.group != 0).then_some(self.group),
            ..Process::default()
        }
    }

    fn comm(&self) -> Comm {
        let len = self.comm.iter().position(|b| *b == 0);
        Comm::new(self.comm.split_at(len.unwrap_or(self.comm.len())).0)
    }

    fn adj(&self) -> Option<OomScoreAdj> {
        let [low, high, _, _] = self.adj.to_le_bytes();
        OomScoreAdj::new(i64::from(i16::from_le_bytes([low, high])))
    }

    /// Each counter as badness reads it: negative values count as 0 (include/linux/mm.h `get_mm_counter`).
    fn memory(&self, page_size: u64) -> MemoryUse {
        let [file, anon, swap, shmem] = self.rss.map(|count| u64::try_from(count).unwrap_or(0));
        MemoryUse {
            rss: file.saturating_add(anon).saturating_add(shmem),
            anon,
            file,
            shmem,
            swap,
            page_tables: u64::try_from(self.page_tables).unwrap_or(0) / page_size.max(1),
        }
    }
}

/// The letter of `/proc/PID/stat` (include/linux/sched.h `__task_state_index`, `task_index_to_char`).
fn state_letter(state: u32, exit_state: u32) -> char {
    const UNINTERRUPTIBLE: u32 = 0x0002;
    const REPORTED: u32 = 0x007f;
    const IDLE: u32 = 0x0402;
    /// The kernel shows `TASK_RTLOCK_WAIT` and `TASK_FROZEN` as disk sleep.
    const SHOWN_AS_SLEEP: u32 = 0x1000 | 0x8000;
    if state & IDLE == IDLE {
        return 'I';
    }
    let shown = if state & SHOWN_AS_SLEEP == 0 {
        (state | exit_state) & REPORTED
    } else {
        UNINTERRUPTIBLE
    };
    let letters = ['R', 'S', 'D', 'T', 't', 'X', 'Z', 'P'];
    let highest = u32::BITS - shown.leading_zeros();
    letters.get(highest as usize).copied().unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::{Record, Units, state_letter};
    use crate::model::process::score::OomScoreAdj;

    const UNITS: Units = Units {
        page_size: 4096,
        tick_nanos: 10_000_000,
        global_init: true,
    };

    fn record() -> Record {
        Record {
            pid: 1,
            adj: 0xffff_fc19,
            threads: 2,
            start: 47_119_999_999,
            comm: *b"java\0rest of it\0",
            mm: 1,
            rss: [10, 20, 3, -4],
            page_tables: 8192,
            ..Record::default()
        }
    }

    #[test]
    fn a_row_has_the_numbers_of_the_files() {
        let row = record().row(UNITS);
        assert_eq!((row.id.pid, row.id.start_ticks), (1, 4711));
        assert_eq!(row.comm.text(), "java");
        assert_eq!(row.adj.map(OomScoreAdj::get), Some(-999));
        let memory = row.memory.expect("memory");
        assert_eq!((memory.rss, memory.shmem), (30, 0));
        assert_eq!((memory.swap, memory.page_tables), (3, 2));
        assert!(row.global_init);
    }

    #[test]
    fn without_memory() {
        let mut gone = Record { mm: 0, ..record() };
        assert!(gone.is_leaderless());
        assert_eq!(gone.row(UNITS).memory, None);
        gone.threads = 1;
        assert!(!gone.is_leaderless());
        let kernel = Record {
            flags: 0x0020_0040,
            ..record()
        };
        assert!(kernel.row(UNITS).kernel_thread && !kernel.is_leaderless());
        assert_eq!(kernel.row(UNITS).adj, None);
        assert_eq!(kernel.row(UNITS).memory, None);
    }

    #[test]
    fn letters_of_states() {
        let cases = [
            (0, 0, 'R'),
            (1, 0, 'S'),
            (0x2001, 0, 'S'),
            (2, 0, 'D'),
            (0x402, 0, 'I'),
            (4, 0, 'T'),
            (8, 0, 't'),
            (0x80, 0x20, 'Z'),
            (0x80, 0x10, 'X'),
            (0x8000, 0, 'D'),
            (0x40, 0, 'P'),
        ];
        for (state, exit, letter) in cases {
            assert_eq!(state_letter(state, exit), letter, "{state:x} {exit:x}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bits_make_a_row(words in proptest::array::uniform32(proptest::num::u32::ANY)) {
            let record = Record {
                pid: words[0], adj: words[1], state: words[2], exit_state: words[3], flags: words[4],
                rss: [i64::MAX / 4, i64::MIN, i64::from(words[5]), -1],
                page_tables: i64::MIN, mm: u64::from(words[6] % 2), start: u64::MAX,
                comm: [words[7].to_le_bytes()[0]; 16], ..Record::default()
            };
            let row = record.row(Units { page_size: 0, tick_nanos: 0, global_init: false });
            proptest::prop_assert_eq!(row.id.pid, words[0]);
        }
    }
}
