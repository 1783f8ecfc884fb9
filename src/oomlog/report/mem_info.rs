//! What a report's Mem-Info says about the machine's memory (`show_mem`, mm/show_mem.c; before 6.5
//! mm/page_alloc.c and lib/show_mem.c).

/// Most entries kept of each list. Real machines have fewer.
const MAX_ENTRIES: usize = 4096;

/// The machine's memory at the time of the OOM. What the kernel did not print is empty or `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct MemoryState {
    /// Counters of the whole machine in pages: `active_anon`, `slab_unreclaimable`, `free`, …
    pub counters: Vec<(String, u64)>,
    /// Counters of each node (4.8 and later).
    pub nodes: Vec<NodeMemory>,
    /// The zones.
    pub zones: Vec<Zone>,
    /// Huge page pools.
    pub huge_pages: Vec<HugePages>,
    /// Page cache in pages, shmem and swap cache included.
    pub page_cache_pages: Option<u64>,
    /// Swap cache in pages.
    pub swap_cache_pages: Option<u64>,
    /// Free swap in kB.
    pub free_swap_kb: Option<u64>,
    /// Swap in kB.
    pub total_swap_kb: Option<u64>,
    /// RAM in pages.
    pub ram_pages: Option<u64>,
    /// Pages of high or movable-only memory.
    pub highmem_pages: Option<u64>,
    /// Pages that are reserved for the kernel.
    pub reserved_pages: Option<u64>,
    /// Pages reserved for contiguous allocations.
    pub cma_pages: Option<u64>,
    /// Pages taken out because of hardware errors.
    pub poisoned_pages: Option<u64>,
    /// Unreclaimable slab caches. The kernel prints them if they are larger than the page lists (4.15 and later).
    pub slabs: Vec<Slab>,
}

/// One NUMA node.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct NodeMemory {
    /// Its number.
    pub node: u32,
    /// Counters in kB.
    pub kb: Vec<(String, u64)>,
    /// The kernel gave up reclaim on this node.
    pub all_unreclaimable: Option<bool>,
}

/// One zone of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Zone {
    /// Number of its node; 0 where the kernel has no NUMA.
    pub node: u32,
    /// `DMA`, `DMA32`, `Normal`, `HighMem`, `Movable`, `Device`.
    pub name: String,
    /// Counters and watermarks in kB: `free`, `min`, `low`, `high`, `managed`, …
    pub kb: Vec<(String, u64)>,
    /// The kernel gave up reclaim in this zone (before 4.8).
    pub all_unreclaimable: Option<bool>,
    /// Pages held back from allocations that may use a higher zone, by zone index.
    pub lowmem_reserve: Vec<u64>,
    /// Free blocks by size, smallest first.
    pub blocks: Vec<FreeBlocks>,
}

/// Free blocks of one size.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct FreeBlocks {
    /// Size of a block in kB.
    pub size_kb: u64,
    /// How many.
    pub count: u64,
    /// Migration types that have some: `U`nmovable, `M`ovable, r`E`claimable, `H`ighatomic, `C`MA,
    /// `I`solate.
    pub types: String,
}

/// A pool of huge pages.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct HugePages {
    /// Number of its node.
    pub node: u32,
    /// Pages of the pool.
    pub total: u64,
    /// Free pages.
    pub free: u64,
    /// Pages above the configured number.
    pub surplus: u64,
    /// Size of a page in kB.
    pub size_kb: u64,
}

/// A slab cache.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Slab {
    /// Its name.
    pub name: String,
    /// In use, in kB.
    pub used_kb: u64,
    /// Held, in kB.
    pub total_kb: u64,
}

/// One line of Mem-Info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemoryLine {
    Counters(Vec<(String, u64)>),
    Node(NodeMemory),
    Zone(Zone),
    Reserve(Vec<u64>),
    Blocks {
        node: u32,
        zone: String,
        blocks: Vec<FreeBlocks>,
    },
    Huge(HugePages),
    PageCache(u64),
    SwapCache(u64),
    FreeSwap(u64),
    TotalSwap(u64),
    Ram(u64),
    Highmem(u64),
    Reserved(u64),
    Cma(u64),
    Poisoned(u64),
    Slab(Slab),
}

impl Zone {
    /// A counter or watermark in kB.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<u64> {
        value(&self.kb, key)
    }
}

impl NodeMemory {
    /// A counter in kB.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<u64> {
        value(&self.kb, key)
    }
}

impl MemoryState {
    /// A counter of the whole machine in pages.
    #[must_use]
    pub fn pages(&self, key: &str) -> Option<u64> {
        value(&self.counters, key)
    }

    /// True if the log has lost the counters of a zone of such a node: only the line of its free blocks is there.
    pub(crate) fn lacks_zone(&self, of: impl Fn(u32) -> bool) -> bool {
        let mut zones = self.zones.iter();
        zones.any(|zone| zone.get("free").is_none() && of(zone.node))
    }

    /// Takes a line. The first value counts: a second Mem-Info inside a report belongs to another message.
    pub(crate) fn take(&mut self, line: MemoryLine) {
        match line {
            MemoryLine::Counters(pairs) => {
                for (key, number) in pairs {
                    if value(&self.counters, &key).is_none() {
                        push(&mut self.counters, (key, number));
                    }
                }
            }
            MemoryLine::Node(node) => {
                if !self.nodes.iter().any(|known| known.node == node.node) {
                    push(&mut self.nodes, node);
                }
            }
            MemoryLine::Zone(zone) => {
                if self.zone(zone.node, &zone.name).is_none() {
                    push(&mut self.zones, zone);
                }
            }
            MemoryLine::Reserve(pages) => {
                if let Some(zone) = self.zones.last_mut()
                    && zone.lowmem_reserve.is_empty()
                {
                    zone.lowmem_reserve = pages;
                }
            }
            MemoryLine::Blocks { node, zone, blocks } => {
                match self.zone(node, &zone) {
                    Some(known) if known.blocks.is_empty() => known.blocks = blocks,
                    Some(_) => {}
                    // The kernel prints both lines of every zone (`show_free_areas`).
                    None => push(
                        &mut self.zones,
                        Zone {
                            node,
                            name: zone,
                            blocks,
                            ..Zone::default()
                        },
                    ),
                }
            }
            MemoryLine::Huge(pool) => {
                let same =
                    |known: &HugePages| (known.node, known.size_kb) == (pool.node, pool.size_kb);
                if !self.huge_pages.iter().any(same) {
                    push(&mut self.huge_pages, pool);
                }
            }
            MemoryLine::Slab(slab) => push(&mut self.slabs, slab),
            MemoryLine::PageCache(pages) => first(&mut self.page_cache_pages, pages),
            MemoryLine::SwapCache(pages) => first(&mut self.swap_cache_pages, pages),
            MemoryLine::FreeSwap(kb) => first(&mut self.free_swap_kb, kb),
            MemoryLine::TotalSwap(kb) => first(&mut self.total_swap_kb, kb),
            MemoryLine::Ram(pages) => first(&mut self.ram_pages, pages),
            MemoryLine::Highmem(pages) => first(&mut self.highmem_pages, pages),
            MemoryLine::Reserved(pages) => first(&mut self.reserved_pages, pages),
            MemoryLine::Cma(pages) => first(&mut self.cma_pages, pages),
            MemoryLine::Poisoned(pages) => first(&mut self.poisoned_pages, pages),
        }
    }

    fn zone(&mut self, node: u32, name: &str) -> Option<&mut Zone> {
        self.zones
            .iter_mut()
            .find(|zone| zone.node == node && zone.name == name)
    }
}

fn value(pairs: &[(String, u64)], key: &str) -> Option<u64> {
    let pair = pairs.iter().find(|(name, _)| name == key)?;
    Some(pair.1)
}

fn first(place: &mut Option<u64>, number: u64) {
    place.get_or_insert(number);
}

fn push<T>(list: &mut Vec<T>, entry: T) {
    if list.len() < MAX_ENTRIES {
        list.push(entry);
    }
}
