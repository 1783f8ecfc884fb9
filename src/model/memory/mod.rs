//! Memory, swap and pressure of the host: the numbers of the gauge.

pub mod band;
pub mod nodes;

/// `/proc/meminfo` in bytes, as far as the gauge and the rules need it (`proc_meminfo(5)`).
///
/// A field the kernel does not print is `None`, never a silent 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Memory {
    /// `MemTotal`.
    pub total: u64,
    /// `MemFree`.
    pub free: u64,
    /// `MemAvailable` (3.14 and later): memory obtainable without swapping.
    pub available: Option<u64>,
    /// `Buffers` + `Cached` - `Shmem`: page cache that is not tmpfs.
    pub cache: u64,
    /// `Inactive(file)`: file pages that were not used lately.
    pub inactive_file: Option<u64>,
    /// `Shmem`: tmpfs and shared memory; not reclaimable without swap.
    pub shmem: Option<u64>,
    /// `Slab`.
    pub slab: Option<u64>,
    /// `AnonPages`.
    pub anon: Option<u64>,
    /// `Dirty`.
    pub dirty: Option<u64>,
    /// `HugePages_Total` * `Hugepagesize`: part of the used memory, and reserved for huge pages.
    pub huge_pages: u64,
    /// `HugePages_Free` * `Hugepagesize`: the unused part of them. Nobody else can have it.
    pub huge_free: u64,
    /// `SReclaimable`: kernel caches that can shrink.
    pub slab_reclaimable: Option<u64>,
    /// RAM that the free part of zram swap devices would take, if it were used; 0 without zram. What is swapped there
    /// stays in RAM, compressed ([`super::vm_settings::VmSettings::zram_cost`]).
    pub zram_cost: u64,
    /// `SwapTotal`.
    pub swap_total: u64,
    /// `SwapFree`.
    pub swap_free: u64,
    /// `vm.swappiness` (proc_sys_vm(5)), 0 ..= 200; read only where there is swap, and not serialized:
    /// [`super::vm_settings::VmSettings::swappiness`] is always read.
    #[serde(skip)]
    pub swappiness: Option<u64>,
    /// `Committed_AS`.
    pub committed: Option<u64>,
    /// `CommitLimit`; it binds only with `vm.overcommit_memory` = 2.
    pub commit_limit: Option<u64>,
}

impl Memory {
    /// Memory still obtainable: `MemAvailable`, or free + cache on kernels without it.
    #[must_use]
    pub fn obtainable(&self) -> u64 {
        self.available
            .unwrap_or(self.free + self.cache)
            .min(self.total)
    }

    /// What kubelet calls available on a cgroup v2 host: memory in use, without the file pages that were not used
    /// lately, counts as its working set.
    #[must_use]
    pub fn evictable(&self) -> Option<u64> {
        Some(
            self.free
                .saturating_add(self.inactive_file?)
                .min(self.total),
        )
    }

    /// Used memory: total - obtainable.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.total - self.obtainable()
    }

    /// Used share of RAM in percent, 0 ..= 100.
    #[must_use]
    pub fn used_percent(&self) -> f64 {
        percent(self.used(), self.total)
    }

    /// Swap in use.
    #[must_use]
    pub fn swap_used(&self) -> u64 {
        self.swap_total.saturating_sub(self.swap_free)
    }

    /// Room that free swap is worth: zram gives only what compression saves.
    #[must_use]
    pub fn swap_room(&self) -> u64 {
        self.swap_free.saturating_sub(self.zram_cost)
    }

    /// The reclaimable part of an amount of kernel memory, where only the sum is known: by the host's own mix.
    #[must_use]
    pub fn reclaimable_part(&self, kernel: u64) -> u64 {
        let (Some(part), Some(whole)) = (self.slab_reclaimable, self.slab.filter(|slab| *slab > 0))
        else {
            return 0;
        };
        let share = u128::from(kernel) * u128::from(part.min(whole)) / u128::from(whole);
        u64::try_from(share).unwrap_or(kernel)
    }

    /// RAM + swap in pages: the total of the host's OOM domain (mm/oom_kill.c
    /// `constrained_alloc`: `totalram_pages() + total_swap_pages`; 3.6 to 7.3).
    #[must_use]
    pub fn host_total_pages(&self, page_size: u64) -> u64 {
        (self.total + self.swap_total) / page_size.max(1)
    }
}

/// `part` of `whole` in percent; 0 when there is no whole.
#[must_use]
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

/// `/proc/pressure/memory`: share of time tasks waited for memory (Documentation/accounting/psi.rst).
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Pressure {
    /// At least one task waited.
    pub some: Stall,
    /// All non-idle tasks waited.
    pub full: Stall,
}

/// One line of a pressure file.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Stall {
    /// Percent over the last 10 s.
    pub avg10: f32,
    /// Percent over the last 60 s.
    pub avg60: f32,
    /// Percent over the last 300 s.
    pub avg300: f32,
    /// Microseconds since boot.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn used_is_what_is_not_available() {
        let m = Memory {
            total: 1000,
            free: 100,
            available: Some(300),
            cache: 250,
            ..Memory::default()
        };
        assert_eq!(m.used(), 700);
        assert!((m.used_percent() - 70.0).abs() < 1e-9);
        // An old kernel without MemAvailable, and an invalid file with more available than total.
        assert_eq!(
            Memory {
                available: None,
                ..m
            }
            .used(),
            650
        );
        assert_eq!(
            Memory {
                available: Some(2000),
                ..m
            }
            .used(),
            0
        );
        assert!(Memory::default().used_percent().abs() < 1e-9);
    }
}
