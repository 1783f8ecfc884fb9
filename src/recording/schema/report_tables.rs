//! What reports hold besides: tables of tasks, groups and zones.

use crate::oomlog::Columns;
use crate::oomlog::FreeBlocks;
use crate::oomlog::HugePages;
use crate::oomlog::MemcgStats;
use crate::oomlog::MemcgUse;
use crate::oomlog::MemoryState;
use crate::oomlog::NodeMemory;
use crate::oomlog::Slab;
use crate::oomlog::TaskRow;
use crate::oomlog::TaskTable;
use crate::oomlog::Usage;
use crate::oomlog::UsageKind;
use crate::oomlog::Zone;
use crate::recording::codec::{choice, record, single};

record!(TaskTable {
    columns,
    rows,
    dropped
});
single!(Columns);
record!(TaskRow {
    pid,
    uid,
    tgid,
    total_vm,
    rss,
    rss_anon,
    rss_file,
    rss_shmem,
    nr_ptes,
    nr_pmds,
    pgtables_bytes,
    swapents,
    adj,
    comm
});
record!(MemcgUse {
    usage,
    stats,
    dropped
});
record!(Usage {
    kind,
    usage_kb,
    limit_kb,
    failcnt
});
choice!(UsageKind { 0 => Memory, 1 => MemorySwap, 2 => Swap, 3 => Kernel });
record!(MemcgStats { path, values });
record!(MemoryState {
    counters,
    nodes,
    zones,
    huge_pages,
    page_cache_pages,
    swap_cache_pages,
    free_swap_kb,
    total_swap_kb,
    ram_pages,
    highmem_pages,
    reserved_pages,
    cma_pages,
    poisoned_pages,
    slabs
});
record!(NodeMemory {
    node,
    kb,
    all_unreclaimable
});
record!(Zone {
    node,
    name,
    kb,
    all_unreclaimable,
    lowmem_reserve,
    blocks
});
record!(FreeBlocks {
    size_kb,
    count,
    types
});
record!(HugePages {
    node,
    total,
    free,
    surplus,
    size_kb
});
record!(Slab {
    name,
    used_kb,
    total_kb
});
