//! [`VmSettings`]: the kernel settings that change what the next OOM does.

use crate::model::oom_domain::victim::Scope;

/// Settings in `/proc/sys/vm` and related files. A file that cannot be read is `None`, never a default.
///
/// Sources: Documentation/admin-guide/sysctl/vm.rst, mm/oom_kill.c and mm/page_alloc.c (6.18).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct VmSettings {
    /// `panic_on_oom`: 0 kills; 1 panics when the whole machine is out (`CONSTRAINT_NONE`); 2 always, in a
    /// memory cgroup too; never when SysRq-f asks (mm/oom_kill.c `check_panic_on_oom`, 6.18).
    pub panic_on_oom: Option<u64>,
    /// `kernel.panic`: seconds after which a panicked machine reboots; 0 never, negative at once.
    pub panic_reboot: Option<i64>,
    /// `oom_kill_allocating_task`: if not 0, the kernel kills the process that allocates memory
    /// (mm/oom_kill.c `out_of_memory`, 6.18; not in a memory cgroup, and not if that process is immune).
    pub kill_allocating_task: Option<u64>,
    /// `oom_dump_tasks`: if not 0, the report contains the table of all candidates.
    pub dump_tasks: Option<u64>,
    /// `overcommit_memory`: 0 guesses, 1 never refuses, 2 refuses beyond `CommitLimit`.
    pub overcommit_memory: Option<u64>,
    /// `overcommit_ratio` in percent of RAM; used in mode 2, unless `overcommit_kbytes` is set.
    pub overcommit_ratio: Option<u64>,
    /// `overcommit_kbytes`; 0 if the ratio is used.
    pub overcommit_kbytes: Option<u64>,
    /// `swappiness`, 0 ..= 200 (0 ..= 100 before 5.8).
    pub swappiness: Option<u64>,
    /// `min_free_kbytes`: the memory that the kernel reserves for itself.
    pub min_free_kbytes: Option<u64>,
    /// `watermark_scale_factor` in 1/10000 of RAM: the distance of the watermarks.
    pub watermark_scale_factor: Option<u64>,
    /// `/sys/kernel/mm/lru_gen/min_ttl_ms` (6.1 and later): if not 0, kswapd calls the OOM killer when it cannot keep the
    /// pages of so many milliseconds, with swap free or not (mm/vmscan.c `lru_gen_age_node`); `None` without the
    /// multi-gen LRU.
    pub lru_min_ttl_ms: Option<u64>,
    /// True if the kernel has `bpf_oom_ops` (`/sys/kernel/btf/vmlinux`): a BPF program may decide who dies. Whether one is
    /// attached is not read. `None` if it could not be read, or not yet.
    pub bpf_oom_policy: Option<bool>,
    /// Lines of `/proc/swaps`; `None` if it cannot be read.
    pub swaps: Option<Vec<SwapDevice>>,
    /// `/sys/module/zswap/parameters/enabled`.
    pub zswap: Option<bool>,
    /// v1: true if `memory.memsw.limit_in_bytes` exists, so that memory + swap can be limited; `None` on v2.
    pub swap_accounting: Option<bool>,
}

/// One line of `/proc/swaps` (`proc_swaps(5)`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SwapDevice {
    /// The device or file; blanks are escaped as in the file (`\040`).
    pub name: String,
    /// The kind of device.
    pub kind: SwapKind,
    /// Size in bytes.
    pub size: u64,
    /// Used size in bytes.
    pub used: u64,
    /// zram: what it holds and what that takes; `None` for other kinds, and if it cannot be read.
    pub zram: Option<ZramUse>,
}

/// `/sys/block/zramN/mm_stat` (Documentation/admin-guide/blockdev/zram.rst).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ZramUse {
    /// `orig_data_size`: bytes stored.
    pub stored: u64,
    /// `mem_used_total`: RAM they take, compressed, with the allocator's losses.
    pub takes: u64,
}

impl ZramUse {
    /// Reads the first three numbers of the file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        let stored = numbers.next()??;
        let _compressed: u64 = numbers.next()??;
        Some(Self {
            stored,
            takes: numbers.next()??,
        })
    }
}

impl SwapDevice {
    /// RAM that its free part would take. Only zram takes any: by the ratio of what it holds now, or as much as it would
    /// hold where nothing shows a ratio.
    fn free_costs(&self) -> u64 {
        let free = self.size.saturating_sub(self.used);
        if self.kind != SwapKind::Zram {
            return 0;
        }
        match self.zram.filter(|zram| zram.stored >= ENOUGH_STORED) {
            Some(zram) => {
                let cost = u128::from(free) * u128::from(zram.takes) / u128::from(zram.stored);
                u64::try_from(cost).unwrap_or(free).min(free)
            }
            None => free,
        }
    }
}

/// Bytes in a zram device from which on their ratio says something about what will come.
const ENOUGH_STORED: u64 = 4 << 20;

/// The kind of a swap device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SwapKind {
    /// Compressed RAM: freeing memory into it needs memory.
    Zram,
    /// A disk or partition.
    Partition,
    /// A file.
    File,
}

impl SwapKind {
    /// The word for the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zram => "zram",
            Self::Partition => "partition",
            Self::File => "file",
        }
    }
}

/// What the kernel does when a domain is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OomAction {
    /// Kills the process with the highest badness.
    #[default]
    KillWorst,
    /// Kills the process that asked for memory.
    KillAsker,
    /// Panics: the machine goes down and nobody is killed.
    Panic,
}

impl VmSettings {
    /// What the kernel would do in this domain. `out_of_memory` checks `panic_on_oom` first, then
    /// `oom_kill_allocating_task` (mm/oom_kill.c, 2.6.32 to 7.3). A setting that cannot be read counts as 0,
    /// the default.
    #[must_use]
    pub fn action(&self, scope: Scope) -> OomAction {
        let panics = match self.panic_on_oom.unwrap_or(0) {
            0 => false,
            2 => true,
            _ => scope == Scope::Host,
        };
        match scope {
            Scope::Memcg(_) => self.action_in_groups(),
            Scope::Host | Scope::Nodes(_) if panics => OomAction::Panic,
            Scope::Host | Scope::Nodes(_) if self.kill_allocating_task.unwrap_or(0) != 0 => {
                OomAction::KillAsker
            }
            Scope::Host | Scope::Nodes(_) => OomAction::KillWorst,
        }
    }

    /// What the kernel would do at the limit of any memory cgroup, even of one that does not exist yet: only
    /// `panic_on_oom` 2 has an effect there.
    #[must_use]
    pub fn action_in_groups(&self) -> OomAction {
        if self.panic_on_oom == Some(2) {
            OomAction::Panic
        } else {
            OomAction::KillWorst
        }
    }

    /// RAM that the free part of the zram devices would take if it were used, in bytes.
    #[must_use]
    pub fn zram_cost(&self) -> u64 {
        let devices = self.swaps.iter().flatten();
        devices
            .map(SwapDevice::free_costs)
            .fold(0, u64::saturating_add)
    }

    /// Nominal size of the zram swap devices, in bytes.
    #[must_use]
    pub fn zram(&self) -> u64 {
        let devices = self.swaps.iter().flatten();
        devices
            .filter(|device| device.kind == SwapKind::Zram)
            .map(|device| device.size)
            .fold(0, u64::saturating_add)
    }
}

/// Parses `/proc/swaps`; skips invalid lines.
#[must_use]
pub fn parse_swaps(text: &str) -> Vec<SwapDevice> {
    let device = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, kind) = (words.next()?, words.next()?);
        let mut kib = || words.next()?.parse::<u64>().ok()?.checked_mul(1024);
        let (size, used) = (kib()?, kib()?);
        let kind = match kind {
            _ if name.contains("/zram") => SwapKind::Zram,
            "file" => SwapKind::File,
            _ => SwapKind::Partition,
        };
        Some(SwapDevice {
            name: name.to_owned(),
            kind,
            size,
            used,
            zram: None,
        })
    };
    text.lines().skip(1).filter_map(device).collect()
}

#[cfg(test)]
mod tests {
    use super::OomAction::{KillAsker, KillWorst, Panic};
    use super::{SwapDevice, SwapKind, VmSettings, ZramUse, parse_swaps};
    use crate::model::cgroup::CgroupKey;
    use crate::model::oom_domain::victim::Scope;

    #[test]
    fn what_is_done_by_setting_and_domain() {
        let act = |panic, asker| {
            let settings = VmSettings {
                panic_on_oom: panic,
                kill_allocating_task: asker,
                ..VmSettings::default()
            };
            let group = Scope::Memcg(CgroupKey(1));
            assert_eq!(settings.action(group), settings.action_in_groups());
            (settings.action(Scope::Host), settings.action(group))
        };
        assert_eq!(act(None, None), (KillWorst, KillWorst));
        assert_eq!(act(Some(0), Some(1)), (KillAsker, KillWorst));
        assert_eq!(act(Some(1), Some(0)), (Panic, KillWorst));
        // The panic takes precedence.
        assert_eq!(act(Some(1), Some(1)), (Panic, KillWorst));
        assert_eq!(act(Some(2), Some(1)), (Panic, Panic));
    }

    #[test]
    fn swaps_by_kind_and_damaged_lines() {
        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n\
                    /dev/zram0                              partition\t1024\t\t4\t\t100\n\
                    /dev/vda2 partition 2048 0 -2\n/swap\\040file file 10 5 -3\n\
                    /dev/x partition many 0 -2\nhalf\n\n/y file 18446744073709551615 0 1\n";
        let devices = parse_swaps(text);
        let kinds: Vec<_> = devices.iter().map(|d| (d.kind, d.size, d.used)).collect();
        assert_eq!(
            kinds,
            [
                (SwapKind::Zram, 1 << 20, 4096),
                (SwapKind::Partition, 2 << 20, 0),
                (SwapKind::File, 10 << 10, 5 << 10)
            ]
        );
        assert!(parse_swaps("").is_empty());
        let settings = VmSettings {
            swaps: Some(devices),
            ..VmSettings::default()
        };
        assert_eq!(settings.zram(), 1 << 20);
    }

    #[test]
    fn zram_is_worth_what_compression_saves() {
        let device = |kind, zram| SwapDevice {
            name: "/dev/zram0".to_owned(),
            kind,
            size: 1000 << 20,
            used: 200 << 20,
            zram,
        };
        let cost = |device| {
            let settings = VmSettings {
                swaps: Some(vec![device]),
                ..VmSettings::default()
            };
            settings.zram_cost()
        };
        // 200 MiB take 50: the other 800 will take 200.
        let stat = ZramUse::parse(" 209715200 40000000 52428800 0 60000000 1 2 3 4\n");
        assert_eq!(stat.map(|zram| zram.takes), Some(50 << 20));
        assert_eq!(cost(device(SwapKind::Zram, stat)), 200 << 20);
        assert_eq!(cost(device(SwapKind::Zram, None)), 800 << 20, "no credit");
        let empty = ZramUse {
            stored: 4096,
            takes: 1,
        };
        assert_eq!(cost(device(SwapKind::Zram, Some(empty))), 800 << 20);
        let worse = ZramUse {
            stored: 200 << 20,
            takes: 300 << 20,
        };
        assert_eq!(cost(device(SwapKind::Zram, Some(worse))), 800 << 20);
        assert_eq!(cost(device(SwapKind::File, None)), 0);
        assert_eq!(ZramUse::parse("1 2"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse_swaps(&text);
            let _ = ZramUse::parse(&text);
        }
    }
}
