//! [`Ledger`]: what holds the memory in use, and what gives it back: a kill, reclaim, or only a hand.
//!
//! *Used* is precisely this. Host: `MemTotal` - `MemFree` - free pages on the lists of the CPUs. Cgroup:
//! `memory.current` (v1 `memory.usage_in_bytes`). Page cache is part of it. The entries add up to used: what no
//! counter names is [`Ledger::uncounted`], shown and never hidden.
//!
//! The counters overlap; [`host`] and [`group`] count each page once. A log and a live machine go through the same
//! two functions and the same [`Prospect`], so that they cannot contradict each other.

pub mod group;
pub mod host;
mod prospect;
pub mod report;
pub(in crate::oomlog::analysis) mod shmem;

pub use prospect::{Outlook, Prospect};

/// A kind of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Anonymous memory of programs, not locked.
    Private,
    /// Memory that programs have locked (`mlock`): reclaim leaves it alone.
    Locked,
    /// memfd and `MAP_SHARED|MAP_ANONYMOUS`: no name in any file system, so it dies with its last user.
    Shared,
    /// Files of tmpfs mounts, `/dev/shm` among them.
    Tmpfs,
    /// System V shared memory segments.
    SysV,
    /// tmpfs, System V and nameless shared memory together, where they cannot be told apart.
    Shmem,
    /// Page cache of files and block devices.
    PageCache,
    /// Page cache that cannot be dropped and that no program has locked: ramfs.
    Pinned,
    /// Pages of the swap cache that no process maps.
    SwapCache,
    /// Kernel caches that shrink: dentries, inodes.
    SlabReclaimable,
    /// Kernel objects that stay.
    SlabUnreclaimable,
    /// Other kernel memory that shrinks (`KReclaimable` beyond the slab).
    KernelReclaimable,
    /// Page tables, those of virtual machines included.
    PageTables,
    /// Kernel stacks of threads.
    Stacks,
    /// Buffers of sockets outside the slab.
    Sockets,
    /// Per-CPU data.
    PerCpu,
    /// vmalloc, without the stacks that are in it.
    Vmalloc,
    /// Huge pages that are set aside, in use or not.
    HugePages,
    /// The compressed pool of zram and zswap.
    Compressed,
    /// Buffers of devices (DMA-buf, GPU), as far as they are exported.
    DmaBuf,
    /// Kernel memory of a cgroup that `memory.stat` does not tell apart: pipes, sockets' pages, small objects.
    OtherKernel,
}

/// What gives memory of a kind back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FreedBy {
    /// The end of the process that holds it.
    Kill,
    /// The end of the last process that has it open or mapped.
    LastUser,
    /// Reclaim, before anybody is killed.
    Reclaim,
    /// Neither: somebody must delete a file, remove a segment, change a setting.
    Hand,
}

impl Kind {
    /// What gives it back.
    #[must_use]
    pub fn freed_by(self) -> FreedBy {
        match self {
            Self::Private | Self::Locked | Self::PageTables | Self::Stacks => FreedBy::Kill,
            Self::Shared | Self::Sockets => FreedBy::LastUser,
            Self::PageCache | Self::SwapCache | Self::SlabReclaimable | Self::KernelReclaimable => {
                FreedBy::Reclaim
            }
            Self::Shmem
            | Self::Tmpfs
            | Self::SysV
            | Self::Pinned
            | Self::SlabUnreclaimable
            | Self::PerCpu
            | Self::Vmalloc
            | Self::HugePages
            | Self::Compressed
            | Self::DmaBuf
            | Self::OtherKernel => FreedBy::Hand,
        }
    }
}

/// One kind with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// The kind.
    pub kind: Kind,
    /// Bytes.
    pub bytes: u64,
}

/// Where the memory in use is. All sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Ledger {
    /// All memory in use; the module's documentation defines it.
    pub used: u64,
    /// The kinds, each at most once, the largest first. A kind that is 0 is left out.
    pub entries: Vec<Entry>,
    /// Kinds whose size the source does not tell: their memory is in [`Self::uncounted`].
    pub untold: Vec<Kind>,
}

impl Ledger {
    /// Puts the kinds in order. `None` is a size that is not told.
    #[must_use]
    pub fn new(used: u64, kinds: impl IntoIterator<Item = (Kind, Option<u64>)>) -> Self {
        let mut ledger = Self {
            used,
            ..Self::default()
        };
        for (kind, bytes) in kinds {
            match bytes {
                Some(0) => {}
                Some(bytes) => ledger.entries.push(Entry { kind, bytes }),
                None => ledger.untold.push(kind),
            }
        }
        ledger.sort();
        ledger
    }

    fn sort(&mut self) {
        self.entries
            .sort_by_key(|entry| (std::cmp::Reverse(entry.bytes), entry.kind));
    }

    /// Size of one kind; 0 if there is none or if it is not told.
    #[must_use]
    pub fn get(&self, kind: Kind) -> u64 {
        let entry = self.entries.iter().find(|entry| entry.kind == kind);
        entry.map_or(0, |entry| entry.bytes)
    }

    /// True if the source tells what these kinds hold, 0 included.
    #[must_use]
    pub fn tells(&self, kinds: &[Kind]) -> bool {
        !kinds.iter().any(|kind| self.untold.contains(kind))
    }

    /// True if a counter that every kernel has is not told: then the rest without a name can be of any kind.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.tells(&[Kind::Private, Kind::Shmem, Kind::PageCache])
    }

    /// Sum of the entries.
    #[must_use]
    pub fn counted(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| entry.bytes);
        sizes.fold(0, u64::saturating_add)
    }

    /// Used memory that no counter names.
    #[must_use]
    pub fn uncounted(&self) -> u64 {
        self.used.saturating_sub(self.counted())
    }

    /// Bytes that two counters name, or that one names too late: the entries exceed used by this.
    #[must_use]
    pub fn excess(&self) -> u64 {
        self.counted().saturating_sub(self.used)
    }

    /// Sum of the entries that are given back so.
    #[must_use]
    pub fn freed_by(&self, how: FreedBy) -> u64 {
        let entries = self.entries.iter();
        let some = entries.filter(|entry| entry.kind.freed_by() == how);
        some.map(|entry| entry.bytes).fold(0, u64::saturating_add)
    }

    /// Takes page tables and stacks of the members out of [`Kind::OtherKernel`] where the source tells neither (v1): they
    /// come free with their processes. Bytes; no more than there is, for a member that was moved in has its page tables
    /// charged elsewhere.
    #[must_use]
    pub fn with_member_kernel(mut self, page_tables: u64, stacks: u64) -> Self {
        let parts = [(Kind::PageTables, page_tables), (Kind::Stacks, stacks)];
        let mut rest = self.get(Kind::OtherKernel);
        if parts.iter().any(|(kind, _)| self.tells(&[*kind])) {
            return self;
        }
        self.entries.retain(|entry| entry.kind != Kind::OtherKernel);
        for (kind, bytes) in parts {
            let bytes = bytes.min(rest);
            rest -= bytes;
            if bytes > 0 {
                self.untold.retain(|untold| *untold != kind);
                self.entries.push(Entry { kind, bytes });
            }
        }
        if rest > 0 {
            let kind = Kind::OtherKernel;
            self.entries.push(Entry { kind, bytes: rest });
        }
        self.sort();
        self
    }

    /// Divides [`Kind::Shmem`] by what the mounts and segments hold; the rest has no name. Both can be larger than what
    /// is resident (swapped out): then they are cut.
    #[must_use]
    pub fn with_shared(mut self, tmpfs: u64, sysv: u64) -> Self {
        let all = self.get(Kind::Shmem);
        let sysv = sysv.min(all);
        let tmpfs = tmpfs.min(all - sysv);
        self.entries.retain(|entry| entry.kind != Kind::Shmem);
        let parts = [
            (Kind::SysV, sysv),
            (Kind::Tmpfs, tmpfs),
            (Kind::Shared, all - sysv - tmpfs),
        ];
        for (kind, bytes) in parts {
            if bytes > 0 {
                self.entries.push(Entry { kind, bytes });
            }
        }
        self.sort();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{FreedBy, Kind, Ledger};

    #[test]
    fn the_entries_and_the_uncounted_rest_are_all_that_is_used() {
        let ledger = Ledger::new(
            100,
            [
                (Kind::Private, Some(30)),
                (Kind::Shmem, Some(50)),
                (Kind::Stacks, Some(0)),
                (Kind::Sockets, None),
            ],
        );
        assert_eq!((ledger.counted(), ledger.uncounted()), (80, 20));
        assert_eq!(ledger.entries.first().map(|e| e.kind), Some(Kind::Shmem));
        assert_eq!(ledger.untold, [Kind::Sockets]);
        assert_eq!(ledger.freed_by(FreedBy::Kill), 30);
        let all = |ledger: &Ledger| [Kind::SysV, Kind::Tmpfs, Kind::Shared].map(|k| ledger.get(k));
        assert_eq!(all(&ledger.clone().with_shared(20, 10)), [10, 20, 20]);
        // What is swapped out counts in the mounts, not in Shmem.
        let swapped = ledger.with_shared(900, 10);
        assert_eq!(all(&swapped), [10, 40, 0]);
        assert_eq!(swapped.counted(), 80);
        let over = Ledger::new(10, [(Kind::Private, Some(30))]);
        assert_eq!((over.uncounted(), over.excess()), (0, 20));
    }
}
