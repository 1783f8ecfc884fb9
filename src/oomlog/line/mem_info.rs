//! The lines of Mem-Info. Counters are read as `key:value` in any order: every version adds some.

use super::leading_number;
use crate::oomlog::line::fact::Body;
use crate::oomlog::report::mem_info::{FreeBlocks, HugePages, MemoryLine, NodeMemory, Slab, Zone};

/// `Mem-Info:` (`Mem-info:` before 2.6.33).
pub(super) fn mem_info(line: &str) -> Option<Body> {
    let line = line.trim();
    (line == "Mem-Info:" || line == "Mem-info:").then_some(Body::MemInfo)
}

/// `active_anon:6392 inactive_anon:95504 …`: counters of the whole machine in pages, on several lines.
pub(super) fn counters(line: &str) -> Option<Body> {
    const STARTS: [&str; 9] = [
        "active_anon:",
        "active_file:",
        "unevictable:",
        "slab_reclaimable:",
        "mapped:",
        "sec_pagetables:",
        "kernel_misc_reclaimable:",
        "free:",
        "Active:",
    ];
    let line = line.trim_start();
    STARTS
        .iter()
        .any(|start| line.starts_with(start))
        .then_some(())?;
    let (mut pairs, _) = pairs(line);
    if line.starts_with("active_anon:") && !line.contains(" isolated_anon:") {
        // More follows in each version: the line was cut, maybe inside its last number.
        pairs.pop();
    }
    Some(Body::Memory(MemoryLine::Counters(pairs)))
}

/// `Node 0 active_anon:25568kB …`, `Node 0 DMA free:1808kB …`, `Node 0 DMA: 2*4kB (U) …`. A kernel without
/// NUMA prints zones without `Node 0 `.
pub(super) fn zone_or_node(line: &str) -> Option<Body> {
    let line = line.trim_start();
    let (node, rest) = match line.strip_prefix("Node ") {
        Some(rest) => leading_number::<u32>(rest)?,
        None => (0, line),
    };
    let rest = rest.trim_start();
    if rest.starts_with("active_anon:") {
        let (kb, all_unreclaimable) = sizes(rest);
        return Some(Body::Memory(MemoryLine::Node(NodeMemory {
            node,
            kb,
            all_unreclaimable,
        })));
    }
    let (name, rest) = rest.split_once(' ')?;
    if let Some(zone) = name.strip_suffix(':') {
        let blocks = blocks(rest)?;
        let zone = zone.to_owned();
        return Some(Body::Memory(MemoryLine::Blocks { node, zone, blocks }));
    }
    if !rest.starts_with("free:") {
        return None;
    }
    let (kb, all_unreclaimable) = sizes(rest);
    Some(Body::Memory(MemoryLine::Zone(Zone {
        node,
        name: name.to_owned(),
        kb,
        all_unreclaimable,
        ..Zone::default()
    })))
}

/// `lowmem_reserve[]: 0 439 439`.
pub(super) fn reserve(line: &str) -> Option<Body> {
    let rest = line.trim_start().strip_prefix("lowmem_reserve[]:")?;
    let pages = rest.split_whitespace().take(16);
    let pages: Option<Vec<u64>> = pages.map(|number| number.parse().ok()).collect();
    Some(Body::Memory(MemoryLine::Reserve(pages?)))
}

/// `Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB`.
pub(super) fn huge_pages(line: &str) -> Option<Body> {
    let (node, rest) = leading_number(line.trim_start().strip_prefix("Node ")?)?;
    let field = |key: &str, unit: &str| {
        let (_, value) = rest.split_once(key)?;
        let (number, behind) = leading_number(value)?;
        behind.starts_with(unit).then_some(number)
    };
    Some(Body::Memory(MemoryLine::Huge(HugePages {
        node,
        total: field("hugepages_total=", " ")?,
        free: field("hugepages_free=", " ")?,
        surplus: field("hugepages_surp=", " ")?,
        size_kb: field("hugepages_size=", "kB")?,
    })))
}

/// `%lu pages RAM` and the other totals in pages.
pub(super) fn pages(line: &str) -> Option<Body> {
    let (number, rest) = leading_number(line)?;
    let line = match rest.trim() {
        "total pagecache pages" => MemoryLine::PageCache(number),
        "pages in swap cache" => MemoryLine::SwapCache(number),
        "pages RAM" => MemoryLine::Ram(number),
        "pages HighMem/MovableOnly" | "pages HighMem" => MemoryLine::Highmem(number),
        "pages reserved" | "reserved pages" => MemoryLine::Reserved(number),
        "pages cma reserved" => MemoryLine::Cma(number),
        "pages hwpoisoned" => MemoryLine::Poisoned(number),
        _ => return None,
    };
    Some(Body::Memory(line))
}

/// `Free swap  = %lukB`, `Total swap = %lukB`.
pub(super) fn swap(line: &str) -> Option<Body> {
    let (name, kb) = line.split_once('=')?;
    let (kb, unit) = leading_number(kb)?;
    unit.trim_start().starts_with("kB").then_some(())?;
    let mut words = name.split_whitespace();
    let line = match (words.next()?, words.next()?) {
        ("Free", "swap") => MemoryLine::FreeSwap(kb),
        ("Total", "swap") => MemoryLine::TotalSwap(kb),
        _ => return None,
    };
    Some(Body::Memory(line))
}

/// `kmalloc-4k               860KB        992KB` under "Unreclaimable slab info:" (4.15 and later).
pub(super) fn slab(line: &str) -> Option<Body> {
    let mut words = line.split_whitespace();
    let (name, used, total) = (words.next()?, words.next()?, words.next()?);
    words.next().is_none().then_some(())?;
    Some(Body::Memory(MemoryLine::Slab(Slab {
        name: name.to_owned(),
        used_kb: used.strip_suffix("KB")?.parse().ok()?,
        total_kb: total.strip_suffix("KB")?.parse().ok()?,
    })))
}

/// The pairs of a line of sizes. A last one without its unit was cut inside the number.
fn sizes(line: &str) -> (Vec<(String, u64)>, Option<bool>) {
    let (mut found, unreclaimable) = pairs(line);
    let last = line
        .split_whitespace()
        .next_back()
        .and_then(|word| word.rsplit_once(':'));
    if last.is_some_and(|(_, value)| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()))
    {
        found.pop();
    }
    (found, unreclaimable)
}

/// All `key:123kB` or `key:123` of a line, and the answer to `all_unreclaimable?`.
fn pairs(line: &str) -> (Vec<(String, u64)>, Option<bool>) {
    let mut found = Vec::new();
    let mut unreclaimable = None;
    let mut words = line.split_whitespace().take(256);
    while let Some(word) = words.next() {
        if word == "all_unreclaimable?" {
            unreclaimable = match words.next() {
                Some("yes") => Some(true),
                Some("no") => Some(false),
                _ => None,
            };
            continue;
        }
        let Some((key, value)) = word.rsplit_once(':') else {
            continue;
        };
        let digits = value.trim_end_matches("kB").trim_end_matches("KB");
        if let Ok(number) = digits.parse() {
            found.push((key.to_owned(), number));
        }
    }
    (found, unreclaimable)
}

/// `2*4kB (U) 3*8kB (UM) 0*16kB = 1808kB`. Without the sum the list was cut.
fn blocks(rest: &str) -> Option<Vec<FreeBlocks>> {
    let (list, _) = rest.split_once('=')?;
    let mut blocks: Vec<FreeBlocks> = Vec::new();
    for word in list.split_whitespace().take(64) {
        if let Some(types) = word.strip_prefix('(') {
            let block = blocks.last_mut()?;
            types.trim_end_matches(')').clone_into(&mut block.types);
            continue;
        }
        let (count, size) = word.split_once('*')?;
        blocks.push(FreeBlocks {
            size_kb: size.strip_suffix("kB")?.parse().ok()?,
            count: count.parse().ok()?,
            types: String::new(),
        });
    }
    (!blocks.is_empty()).then_some(blocks)
}

#[cfg(test)]
mod tests {
    use crate::oomlog::line::body;
    use crate::oomlog::line::fact::Body;
    use crate::oomlog::report::mem_info::MemoryState;

    fn state(lines: &[&str]) -> MemoryState {
        let mut state = MemoryState::default();
        for line in lines {
            match body(line) {
                Some(Body::Memory(line)) => state.take(line),
                other => panic!("{line}: {other:?}"),
            }
        }
        state
    }

    #[test]
    fn counters_zones_and_blocks() {
        let state = state(&[
            "active_anon:6392 inactive_anon:95504 isolated_anon:0",
            " free:703 free_pcp:219 free_cma:0",
            "Node 1 active_anon:25568kB isolated(anon):8kB all_unreclaimable? yes",
            "Node 0 DMA32 free:3960kB boost:5868kB min:8476kB low:9128kB high:9780kB reserved_highatomic:0KB",
            "lowmem_reserve[]: 0 439 439",
            "Normal free:4300kB min:7732kB low:8640kB high:9548kB all_unreclaimable? no",
            "Node 0 DMA32: 94*4kB (UME) 70*8kB 1*512kB (U) 0*1024kB = 3960kB",
            "Node 0 hugepages_total=3 hugepages_free=1 hugepages_surp=0 hugepages_size=2048kB",
        ]);
        assert_eq!(
            (state.pages("active_anon"), state.pages("free")),
            (Some(6392), Some(703))
        );
        assert_eq!(state.nodes[0].get("isolated(anon)"), Some(8));
        assert_eq!(state.nodes[0].all_unreclaimable, Some(true));
        let zone = &state.zones[0];
        assert_eq!(
            (zone.get("free"), zone.get("reserved_highatomic")),
            (Some(3960), Some(0))
        );
        assert_eq!(zone.lowmem_reserve, [0, 439, 439]);
        assert_eq!(
            (zone.blocks[0].count, zone.blocks[0].types.as_str()),
            (94, "UME")
        );
        assert_eq!(
            (zone.blocks[1].types.as_str(), zone.blocks[2].size_kb),
            ("", 512)
        );
        assert_eq!(
            (state.zones[1].name.as_str(), state.zones[1].node),
            ("Normal", 0)
        );
        assert_eq!(
            (state.huge_pages[0].total, state.huge_pages[0].size_kb),
            (3, 2048)
        );
    }

    #[test]
    fn totals_and_slabs() {
        let state = state(&[
            "2681 total pagecache pages",
            "7 pages in swap cache",
            "Free swap  = 12kB",
            "Total swap = 34kB",
            "130936 pages RAM",
            "0 pages HighMem/MovableOnly",
            "14689 pages reserved",
            "0 pages cma reserved",
            "1 pages hwpoisoned",
            "kmalloc-4k               860KB        992KB",
        ]);
        assert_eq!(
            (state.page_cache_pages, state.swap_cache_pages),
            (Some(2681), Some(7))
        );
        assert_eq!(
            (state.free_swap_kb, state.total_swap_kb),
            (Some(12), Some(34))
        );
        assert_eq!(
            (state.ram_pages, state.poisoned_pages),
            (Some(130_936), Some(1))
        );
        assert_eq!(
            (state.slabs[0].used_kb, state.slabs[0].total_kb),
            (860, 992)
        );
    }
}
