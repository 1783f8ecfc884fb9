//! Why the allocation failed in each zone: watermarks, reserves, fragmentation.
//!
//! `__zone_watermark_ok` in mm/page_alloc.c: a zone serves an order-0 request if its free pages stay above the
//! watermark plus its reserve (`lowmem_reserve`: pages that are held back from requests that may use a higher zone).
//! A higher order also needs a free block of that size.

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
    let highest = highest_zone(trigger.gfp_mask, trigger.gfp_flags.as_deref());
    memory
        .zones
        .iter()
        .filter_map(|zone| judge(memory, zone, page_kb, order.unwrap_or(0), highest))
        .collect()
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

fn judge(
    memory: &MemoryState,
    zone: &Zone,
    page_kb: u64,
    order: u32,
    highest: usize,
) -> Option<ZoneState> {
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
        .filter(|block| block.count > 0 && block.types != "I")
        .map(|block| (block.size_kb / page_kb).max(1).ilog2())
        .max();
    let verdict = if index > highest {
        ZoneVerdict::NotAllowed
    } else if free_kb <= min_kb {
        ZoneVerdict::BelowMin
    } else if free_kb <= min_kb.saturating_add(held_back_kb) {
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
        largest_order,
        verdict,
    })
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
    fn zones_a_request_may_use() {
        assert_eq!(highest_zone(Some(0xcc0), None), 2);
        assert_eq!(highest_zone(Some(0x280da), None), 4);
        assert_eq!(highest_zone(Some(0xcc1), None), 0);
        assert_eq!(highest_zone(None, Some("GFP_KERNEL|__GFP_DMA32")), 1);
    }
}
