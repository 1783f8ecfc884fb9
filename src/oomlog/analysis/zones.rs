//! Why the allocation failed in each zone: watermarks, reserves, fragmentation.
//!
//! `__zone_watermark_ok` in mm/page_alloc.c: a zone serves an order-0 request if its free pages stay above the
//! watermark plus its reserve (`lowmem_reserve`: pages that are held back from requests that may use a higher zone).
//! A higher order also needs a free block of that size. Free pages that the request may not have do not count
//! (`__zone_watermark_unusable_free`, 5.10 to 7.3): those kept for atomic requests of higher orders, and those of
//! contiguous areas (CMA) unless the request is for movable memory.

use super::page_kb;
use crate::oomlog::report::mem_info::Zone;
use crate::oomlog::{MemoryState, OomReport};

/// What kept a zone from serving the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneVerdict {
    /// Free memory is below the zone's `min` watermark.
    BelowMin,
    /// Free memory is above `min`, but the rest is reserved for requests that can use no other zone
    /// (`lowmem_reserve`).
    HeldBack,
    /// Free memory is above `min`, but without what is kept for others (`reserved_highatomic`, CMA) it is not.
    Reserved,
    /// There is memory, but no free block of the order of the request.
    Fragmented,
    /// The request could have been served from here when the report was printed.
    Usable,
    /// The request may not use this zone.
    NotAllowed,
}

/// One zone and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ZoneState {
    /// Node number.
    pub node: u32,
    /// Zone name.
    pub name: String,
    /// Free memory in kB.
    pub free_kb: u64,
    /// `min` watermark in kB.
    pub min_kb: u64,
    /// `low` watermark in kB.
    pub low_kb: Option<u64>,
    /// Reserve that this request may not use, in kB.
    pub held_back_kb: u64,
    /// Free memory that only other kinds of requests may have, in kB: kept for atomic requests of higher orders, or
    /// in contiguous areas.
    pub kept_for_others_kb: u64,
    /// Largest order with a free block; `None` if there is no free block or no list.
    pub largest_order: Option<u32>,
    /// The verdict.
    pub verdict: ZoneVerdict,
}

/// Order of zones in the kernel (`enum zone_type`).
const ZONES: [&str; 6] = ["DMA", "DMA32", "Normal", "HighMem", "Movable", "Device"];

/// Judges every zone of a report that has Mem-Info.
#[must_use]
pub fn zones(report: &OomReport) -> Vec<ZoneState> {
    let (Some(memory), Some(trigger)) = (report.memory.as_ref(), report.trigger.as_ref()) else {
        return Vec::new();
    };
    let page_kb = page_kb(report).unwrap_or(4);
    let order = trigger.order.and_then(|order| u32::try_from(order).ok());
    let request = Request {
        order: order.unwrap_or(0),
        highest: highest_zone(trigger.gfp_mask, trigger.gfp_flags.as_deref()),
        movable: is_movable(trigger.gfp_mask, trigger.gfp_flags.as_deref()),
    };
    memory
        .zones
        .iter()
        .filter_map(|zone| judge(memory, zone, page_kb, request))
        .collect()
}

/// What of the request decides which free pages it may have.
#[derive(Debug, Clone, Copy)]
struct Request {
    order: u32,
    /// Index into [`ZONES`].
    highest: usize,
    /// May use contiguous areas (`gfp_migratetype`, include/linux/gfp.h; mm/page_alloc.c `gfp_to_alloc_flags_cma`).
    movable: bool,
}

/// True with `__GFP_MOVABLE`, whose bit is the same in all versions.
fn is_movable(mask: Option<u64>, flags: Option<&str>) -> bool {
    let named = |flag: &str| matches!(flag, "__GFP_MOVABLE" | "GFP_HIGHUSER_MOVABLE");
    mask.is_some_and(|mask| mask & 8 != 0) || flags.is_some_and(|flags| flags.split('|').any(named))
}

/// Free memory of a zone that this request may not have, in kB. 6.13 and later print what is free of the atomic
/// reserve; before, the whole reserve counts (mm/page_alloc.c).
fn kept_for_others(zone: &Zone, movable: bool) -> u64 {
    let atomic = zone
        .get("free_highatomic")
        .or_else(|| zone.get("reserved_highatomic"));
    let contiguous = zone.get("free_cma").filter(|_| !movable);
    let both = atomic.unwrap_or(0).saturating_add(contiguous.unwrap_or(0));
    both.min(zone.get("free").unwrap_or(0))
}

/// Index into [`ZONES`] of the highest zone a request may use (`gfp_zone`, include/linux/gfp.h). The four zone bits
/// are the same in all versions.
fn highest_zone(mask: Option<u64>, flags: Option<&str>) -> usize {
    let bit = |bit: u64, name: &str| {
        mask.is_some_and(|mask| mask & bit != 0)
            || flags.is_some_and(|flags| flags.split('|').any(|flag| flag == name))
    };
    let (dma, highmem) = (bit(1, "__GFP_DMA"), bit(2, "__GFP_HIGHMEM"));
    let (dma32, movable) = (bit(4, "__GFP_DMA32"), bit(8, "__GFP_MOVABLE"));
    match () {
        () if dma => 0,
        () if dma32 => 1,
        () if highmem && movable => 4,
        () if highmem => 3,
        () => 2,
    }
}

fn judge(memory: &MemoryState, zone: &Zone, page_kb: u64, request: Request) -> Option<ZoneState> {
    let Request {
        order,
        highest,
        movable,
    } = request;
    let (free_kb, min_kb) = (zone.get("free")?, zone.get("min")?);
    let index = ZONES.iter().position(|&name| name == zone.name)?;
    // The kernel lists the reserves by the zones that it is built with, which it does not print.
    // Only 32-bit kernels have HighMem, only 64-bit kernels have DMA32.
    let exists = |name: &str| memory.zones.iter().any(|zone| zone.name == name);
    let highmem = exists("HighMem");
    let built_in = ZONES.iter().enumerate().filter(|&(_, &name)| match name {
        "HighMem" => highmem,
        "DMA32" => !highmem,
        _ => true,
    });
    let column = built_in.take_while(|&(index, _)| index <= highest).count();
    let held_back = zone
        .lowmem_reserve
        .get(column.saturating_sub(1))
        .or_else(|| zone.lowmem_reserve.last())
        .filter(|_| index < highest);
    let held_back_kb = held_back.map_or(0, |pages| pages.saturating_mul(page_kb));
    let largest_order = zone
        .blocks
        .iter()
        .filter(|block| block.count > 0 && may_have(&block.types, movable))
        .map(|block| (block.size_kb / page_kb).max(1).ilog2())
        .max();
    let kept_for_others_kb = kept_for_others(zone, movable);
    let usable_kb = free_kb.saturating_sub(kept_for_others_kb);
    let verdict = if index > highest {
        ZoneVerdict::NotAllowed
    } else if free_kb <= min_kb {
        ZoneVerdict::BelowMin
    } else if usable_kb <= min_kb {
        ZoneVerdict::Reserved
    } else if usable_kb <= min_kb.saturating_add(held_back_kb) {
        ZoneVerdict::HeldBack
    } else if order > 0 && !zone.blocks.is_empty() && largest_order.is_none_or(|l| l < order) {
        ZoneVerdict::Fragmented
    } else {
        ZoneVerdict::Usable
    };
    Some(ZoneState {
        node: zone.node,
        name: zone.name.clone(),
        free_kb,
        min_kb,
        low_kb: zone.get("low"),
        held_back_kb,
        kept_for_others_kb,
        largest_order,
        verdict,
    })
}

/// True if a request may take blocks of one of these migration types (letters of `show_migration_types`,
/// mm/show_mem.c): not isolated ones, not the atomic reserve, and contiguous areas only if it is movable. Kernels
/// before 3.9 print no types.
fn may_have(types: &str, movable: bool) -> bool {
    types.is_empty()
        || types
            .chars()
            .any(|kind| !matches!(kind, 'I' | 'H') && (kind != 'C' || movable))
}

/// True if a zone has enough memory but no block of the size, and no zone could serve the request: memory was
/// fragmented, not full. `None` without Mem-Info.
#[must_use]
pub fn is_fragmentation(report: &OomReport) -> Option<bool> {
    let states = zones(report);
    let allowed = || {
        states
            .iter()
            .filter(|s| s.verdict != ZoneVerdict::NotAllowed)
    };
    allowed().next()?;
    let fragmented = allowed().any(|s| s.verdict == ZoneVerdict::Fragmented);
    // A zone whose line is lost may have had a block.
    let memory = report.memory.as_ref();
    let lost = memory.is_some_and(|memory| memory.lacks_zone(|_| true));
    if fragmented && lost {
        return None;
    }
    Some(fragmented && allowed().all(|s| s.verdict != ZoneVerdict::Usable))
}

#[cfg(test)]
mod tests {
    use super::{ZoneVerdict, highest_zone, is_fragmentation, zones};
    use crate::oomlog::OomReport;
    use crate::oomlog::on_paper;
    use std::sync::Arc;

    fn report(head: &str, lines: &[&str]) -> Arc<OomReport> {
        on_paper::report([head, "Mem-Info:"].into_iter().chain(lines.iter().copied()))
    }

    #[test]
    fn each_zone_has_its_reason() {
        let report = report(
            "x invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0",
            &[
                "Node 0 DMA free:1808kB boost:0kB min:88kB low:108kB high:128kB",
                "lowmem_reserve[]: 0 439 439 439 439",
                "Node 0 DMA32 free:3960kB boost:0kB min:8476kB low:9128kB high:9780kB",
                "lowmem_reserve[]: 0 0 0 0 0",
                "Node 0 DMA: 2*4kB (U) 1*8kB (M) 0*16kB = 16kB",
            ],
        );
        let states = zones(&report);
        assert_eq!(states[0].verdict, ZoneVerdict::HeldBack);
        assert_eq!(
            (states[0].held_back_kb, states[0].largest_order),
            (1756, Some(1))
        );
        assert_eq!(states[1].verdict, ZoneVerdict::BelowMin);
        assert_eq!(is_fragmentation(&report), Some(false));
    }

    #[test]
    fn memory_enough_but_in_pieces() {
        let report = report(
            "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=3, oom_score_adj=0",
            &[
                "Node 0 Normal free:50000kB min:1000kB low:1250kB high:1500kB",
                "lowmem_reserve[]: 0 0 0",
                "Node 0 HighMem free:90000kB min:512kB low:700kB high:900kB",
                "Node 0 Normal: 9000*4kB (UM) 1750*8kB (U) 0*16kB 0*32kB = 50000kB",
            ],
        );
        let states = zones(&report);
        assert_eq!(states[0].verdict, ZoneVerdict::Fragmented);
        assert_eq!(states[1].verdict, ZoneVerdict::NotAllowed);
        assert_eq!(is_fragmentation(&report), Some(true));
    }

    #[test]
    fn what_is_kept_for_others_is_not_free_for_this_request() {
        // As in a report of 2024: most of the free pages are kept for atomic requests.
        let atomic = "Node 0 Normal free:1482936kB boost:0kB min:410416kB low:739404kB high:1068392kB reserved_highatomic:1073152KB free_cma:0kB";
        let kernel = "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
        let state = zones(&report(kernel, &[atomic]));
        assert_eq!(state[0].verdict, ZoneVerdict::Reserved);
        assert_eq!(state[0].kept_for_others_kb, 1_073_152);
        // What is free of the reserve is less than the reserve since 6.13.
        let newer = format!("{atomic} free_highatomic:1000kB");
        let state = zones(&report(kernel, &[&newer]));
        assert_eq!(state[0].verdict, ZoneVerdict::Usable);

        let cma = "Node 0 DMA32 free:90000kB min:4000kB low:5000kB high:6000kB reserved_highatomic:0KB free_cma:88000kB";
        let state = zones(&report(kernel, &[cma]));
        assert_eq!(state[0].verdict, ZoneVerdict::Reserved);
        let movable = "x invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0";
        let state = zones(&report(movable, &[cma]));
        assert_eq!(
            state[0].verdict,
            ZoneVerdict::Usable,
            "CMA serves movable pages"
        );
    }

    #[test]
    fn blocks_of_other_kinds_do_not_make_a_large_order_possible() {
        let large = |types: &str| {
            let blocks = format!("Node 0 Normal: 900*4kB (UM) 5*32kB ({types}) = 50000kB");
            let report = report(
                "x invoked oom-killer: gfp_mask=0x40cc0(GFP_KERNEL|__GFP_COMP), order=3, oom_score_adj=0",
                &[
                    "Node 0 Normal free:50000kB min:1000kB low:1250kB high:1500kB",
                    &blocks,
                ],
            );
            zones(&report)[0].verdict
        };
        assert_eq!(large("H"), ZoneVerdict::Fragmented);
        assert_eq!(large("C"), ZoneVerdict::Fragmented);
        assert_eq!(large("MH"), ZoneVerdict::Usable);
    }

    #[test]
    fn zones_a_request_may_use() {
        assert_eq!(highest_zone(Some(0xcc0), None), 2);
        assert_eq!(highest_zone(Some(0x280da), None), 4);
        assert_eq!(highest_zone(Some(0xcc1), None), 0);
        assert_eq!(highest_zone(None, Some("GFP_KERNEL|__GFP_DMA32")), 1);
    }
}
