//! Memory of the host, kernel settings, times.

use crate::model::memory::Memory;
use crate::model::memory::Pressure;
use crate::model::memory::Stall;
use crate::model::memory::nodes::NodeMemory;
use crate::model::snapshot::KillCounters;
use crate::model::snapshot::ReclaimCounters;
use crate::model::time::Now;
use crate::model::time::Wall;
use crate::model::vm_settings::SwapDevice;
use crate::model::vm_settings::SwapKind;
use crate::model::vm_settings::VmSettings;
use crate::model::vm_settings::ZramUse;
use crate::oomlog::Monotonic;
use crate::recording::codec::{choice, record, single};

record!(Memory {
    total,
    free,
    available,
    cache,
    inactive_file,
    shmem,
    slab,
    anon,
    dirty,
    huge_pages,
    huge_free,
    slab_reclaimable,
    zram_cost,
    swap_total,
    swap_free,
    swappiness,
    committed,
    commit_limit
});
record!(Pressure { some, full });
record!(Stall {
    avg10,
    avg60,
    avg300,
    total
});
record!(NodeMemory {
    node,
    present,
    managed,
    free,
    cache
});
record!(KillCounters { host });
record!(ReclaimCounters {
    swapped_in,
    refaults
});
record!(VmSettings {
    panic_on_oom,
    panic_reboot,
    kill_allocating_task,
    dump_tasks,
    overcommit_memory,
    overcommit_ratio,
    overcommit_kbytes,
    swappiness,
    min_free_kbytes,
    watermark_scale_factor,
    lru_min_ttl_ms,
    bpf_oom_policy,
    swaps,
    zswap,
    swap_accounting
});
record!(SwapDevice {
    name,
    kind,
    size,
    used,
    zram
});
choice!(SwapKind { 0 => Zram, 1 => Partition, 2 => File });
record!(ZramUse { stored, takes });
record!(Now {
    monotonic,
    wall,
    asleep
});
record!(Wall {
    unix_micros,
    utc_offset
});
single!(Monotonic);
