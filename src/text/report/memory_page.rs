//! The Memory page: what was left, where, and in which blocks.

use crate::oomlog::analysis::ledger::report::{ledger as ledger_of, prospect};
use crate::oomlog::analysis::zones::{ZoneState, ZoneVerdict, zones};
use crate::oomlog::{MemcgUse, MemoryState, OomReport, UsageKind, Zone};
use crate::text::format;
use crate::text::format::number_of;
use crate::text::ledger;
use crate::text::tone::{Line, Tone};

/// Counters worth a line, with what they mean.
const COUNTERS: &[(&str, &str)] = &[
    ("active_anon", "program memory, used lately"),
    ("inactive_anon", "program memory, not used lately"),
    ("active_file", "page cache, used lately"),
    ("inactive_file", "page cache, first to be reclaimed"),
    ("unevictable", "locked: cannot be reclaimed"),
    ("dirty", "waits to be written"),
    ("shmem", "tmpfs and shared memory: goes only to swap"),
    ("slab_reclaimable", "kernel caches that can shrink"),
    ("slab_unreclaimable", "kernel memory that cannot"),
    ("pagetables", "page tables"),
    ("free", "free"),
    ("free_cma", "of it only for contiguous allocations"),
];

/// `memory.stat` values worth a line.
const STATS: &[&str] = &[
    "anon",
    "file",
    "shmem",
    "kernel",
    "slab",
    "slab_reclaimable",
    "slab_unreclaimable",
    "sock",
    "pagetables",
    "sec_pagetables",
    "kernel_stack",
    "percpu",
    "vmalloc",
    "zswap",
    "zswapped",
    "cache",
    "rss",
    "mapped_file",
    "swap",
];

/// All lines of the page. `page_kb` is the page size in kB.
pub fn lines(report: &OomReport, page_kb: u64) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(memcg) = &report.memcg {
        cgroup(memcg, &mut lines);
    }
    if let Some(memory) = &report.memory {
        machine(memory, &zones(report), page_kb, &mut lines);
    }
    lines.extend(who_has_it(report));
    if lines.is_empty() {
        lines.push(Line::of(Tone::Dim, "The report holds no memory state: the kernel did not print it, or the log has lost it."));
    }
    lines
}

/// The ledger: each byte in use once, and what would have freed it.
fn who_has_it(report: &OomReport) -> Vec<Line> {
    let Some(known) = ledger_of(report) else {
        return Vec::new();
    };
    let mut lines = vec![
        Line::new(),
        Line::of(Tone::Accent, "What held it, and what frees that")
            .add(Tone::Dim, format!("  used {}", format::size(known.used))),
    ];
    if let Some(prospect) = prospect(report) {
        lines.push(ledger::verdict(&prospect, !report.is_memcg()));
    }
    lines.extend(ledger::rows(&known, |_| Vec::new()));
    if !known.untold.is_empty() {
        let names: Vec<&str> = known
            .untold
            .iter()
            .map(|kind| ledger::name(*kind))
            .collect();
        lines.push(Line::of(
            Tone::Dim,
            format!("Not in this log: {}.", names.join(", ")),
        ));
    }
    lines
}

fn kb(value: u64) -> String {
    format::size(value.saturating_mul(1024))
}

fn cgroup(memcg: &MemcgUse, lines: &mut Vec<Line>) {
    lines.push(Line::of(Tone::Accent, "The cgroup that ran out"));
    for usage in &memcg.usage {
        let limit = if usage.is_unlimited() {
            "no limit".to_owned()
        } else {
            format!("of {}", kb(usage.limit_kb))
        };
        let full = !usage.is_unlimited() && usage.usage_kb >= usage.limit_kb / 100 * 99;
        let tone = if full { Tone::Critical } else { Tone::Normal };
        lines.push(
            Line::of(Tone::Dim, format!("  {:<14}", counter_name(usage.kind)))
                .add(tone, format!("{:>8} {limit}", kb(usage.usage_kb)))
                .add(
                    Tone::Dim,
                    format!("   limit hit {}", number_of(usage.failcnt, "time", "times")),
                ),
        );
    }
    for stats in &memcg.stats {
        if let Some(path) = &stats.path {
            lines.push(Line::of(Tone::Dim, format!("  {path}")));
        }
        for key in STATS {
            if let Some(bytes) = stats.get(key).filter(|bytes| *bytes > 0) {
                lines.push(
                    Line::of(Tone::Dim, format!("    {key:<20}"))
                        .add(Tone::Normal, format!("{:>8}", format::size(bytes))),
                );
            }
        }
    }
    lines.push(Line::new());
}

/// The name that the kernel prints.
fn counter_name(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Memory => "memory",
        UsageKind::MemorySwap => "memory+swap",
        UsageKind::Swap => "swap",
        UsageKind::Kernel => "kmem",
    }
}

fn machine(memory: &MemoryState, states: &[ZoneState], page_kb: u64, lines: &mut Vec<Line>) {
    lines.push(Line::of(Tone::Accent, "The machine"));
    let pages = |pages: u64| kb(pages.saturating_mul(page_kb));
    if let Some(ram) = memory.ram_pages {
        lines.push(Line::of(Tone::Dim, "  RAM           ").add(Tone::Normal, pages(ram)));
    }
    if let (Some(total), Some(free)) = (memory.total_swap_kb, memory.free_swap_kb) {
        let text = if total == 0 {
            "none".to_owned()
        } else {
            format!("{} free of {}", kb(free), kb(total))
        };
        let tone = if total > 0 && free < total / 50 {
            Tone::Critical
        } else {
            Tone::Normal
        };
        lines.push(Line::of(Tone::Dim, "  swap          ").add(tone, text));
    }
    for (key, meaning) in COUNTERS {
        if let Some((_, value)) = memory.counters.iter().find(|(name, _)| name == key) {
            lines.push(
                Line::of(Tone::Dim, format!("  {key:<20}"))
                    .add(Tone::Normal, format!("{:>8}  ", pages(*value)))
                    .add(Tone::Dim, *meaning),
            );
        }
    }
    if !memory.zones.is_empty() {
        lines.push(Line::new());
        lines.push(Line::of(Tone::Accent, "Zones: free against the watermarks"));
        lines.extend(memory.zones.iter().map(|row| {
            let same = |state: &&ZoneState| state.node == row.node && state.name == row.name;
            zone(row, states.iter().find(same))
        }));
        lines.push(Line::new());
        lines.push(Line::of(Tone::Accent, "Free blocks by size"));
        lines.extend(memory.zones.iter().map(blocks));
    }
    if !memory.slabs.is_empty() {
        lines.push(Line::new());
        lines.push(Line::of(Tone::Accent, "Kernel caches that cannot shrink"));
        let mut slabs: Vec<_> = memory.slabs.iter().collect();
        slabs.sort_by_key(|slab| std::cmp::Reverse(slab.total_kb));
        lines.extend(slabs.iter().take(10).map(|s| {
            Line::of(Tone::Dim, format!("  {:<28}", s.name))
                .add(Tone::Normal, format!("{:>8}", kb(s.total_kb)))
        }));
    }
}

/// One zone. `state` is its verdict for the request of the report, if there is one.
fn zone(zone: &Zone, state: Option<&ZoneState>) -> Line {
    let value = |key| zone.get(key).map_or_else(|| "n/a".to_owned(), kb);
    let (tone, verdict) = verdict(zone, state);
    Line::of(
        Tone::Normal,
        format!("  node {} {:<8}", zone.node, zone.name),
    )
    .add(tone, format!("free {:>7}", value("free")))
    .add(
        Tone::Dim,
        format!(
            "  min {:>6} low {:>6} high {:>6} of {:>7}  ",
            value("min"),
            value("low"),
            value("high"),
            value("managed")
        ),
    )
    .add(tone, verdict)
}

/// What the zone was to the request (`__zone_watermark_ok`, mm/page_alloc.c).
fn verdict(zone: &Zone, state: Option<&ZoneState>) -> (Tone, String) {
    let fixed = match state.map(|state| (state.verdict, state)) {
        Some((ZoneVerdict::NotAllowed, _)) => (Tone::Dim, "not for this request"),
        Some((ZoneVerdict::BelowMin, _)) => (
            Tone::Critical,
            "below min: only the kernel's own reserve is left",
        ),
        Some((ZoneVerdict::Reserved, state)) => {
            let kept = kb(state.kept_for_others_kb.min(state.free_kb));
            let text = format!(
                "{kept} of it is kept for others (atomic requests, CMA): the rest is below min"
            );
            return (Tone::Critical, text);
        }
        Some((ZoneVerdict::HeldBack, state)) => {
            let held = kb(state.held_back_kb);
            // The reserve is a share of the higher zones: it may exceed what this zone has free.
            let text = if state.held_back_kb < state.free_kb {
                format!("{held} of it is held back from this request (lowmem_reserve)")
            } else {
                format!("all of it is held back from this request (lowmem_reserve {held})")
            };
            return (Tone::Critical, text);
        }
        Some((ZoneVerdict::Fragmented, _)) => (Tone::Danger, "no block large enough"),
        Some((ZoneVerdict::Usable, state)) => {
            let usable = state.free_kb.saturating_sub(state.kept_for_others_kb);
            if state.low_kb.is_some_and(|low| usable < low) {
                (Tone::Watch, "below low")
            } else {
                (Tone::Good, "above low")
            }
        }
        None => {
            if zone.get("free").is_none() {
                return (Tone::Dim, "its counters are not in this log".to_owned());
            }
            let below = |key| matches!((zone.get("free"), zone.get(key)), (Some(free), Some(mark)) if free < mark);
            match (below("min"), below("low")) {
                (true, _) => (Tone::Critical, "below min"),
                (_, true) => (Tone::Watch, "below low"),
                _ => (Tone::Good, "above low"),
            }
        }
    };
    (fixed.0, fixed.1.to_owned())
}

fn blocks(zone: &Zone) -> Line {
    let mut line = Line::of(
        Tone::Normal,
        format!("  node {} {:<8}", zone.node, zone.name),
    );
    for block in &zone.blocks {
        let tone = if block.count == 0 {
            Tone::Dim
        } else {
            Tone::Normal
        };
        line.push(tone, format!("{}×{} ", block.count, kb(block.size_kb)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::text::on_paper::report;

    fn page(of: &[&str]) -> String {
        let report = report(of.iter().copied());
        let lines = lines(&report, 4);
        lines.iter().map(|line| line.plain() + "\n").collect()
    }

    #[test]
    fn no_more_is_held_back_than_is_free() {
        let zone = |free: u32| {
            page(&[
                "a invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0",
                "Mem-Info:",
                &format!("Node 0 DMA free:{free}kB min:28kB low:32kB high:40kB managed:15000kB"),
                "lowmem_reserve[]: 0 2000 2000 2000",
                &format!("Node 0 DMA: {}*4kB (U) = {free}kB", free / 4),
                "Node 0 Normal free:4kB min:28kB low:32kB high:40kB managed:15000kB",
                "lowmem_reserve[]: 0 0 0 0",
                "Node 0 Normal: 1*4kB (U) = 4kB",
                "50000 pages RAM",
            ])
        };
        let less = zone(4000);
        assert!(
            less.contains("all of it is held back from this request (lowmem_reserve 7.8M)"),
            "{less}"
        );
        let more = zone(8016);
        assert!(more.contains("7.8M of it is held back"), "{more}");
    }

    #[test]
    fn of_v1_each_value_is_shown_once_and_for_the_whole_subtree() {
        let text = page(&[
            "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "memory: usage 65536kB, limit 65536kB, failcnt 9",
            "Memory cgroup stats for /outer:",
            "cache 0",
            "rss 4096",
            "hierarchical_memory_limit 67108864",
            "total_cache 1048576",
            "total_rss 62914560",
        ]);
        assert!(text.contains("rss                      60M"), "{text}");
        assert!(text.contains("cache                   1.0M"), "{text}");
        assert_eq!(text.matches("rss").count(), 1, "{text}");
        assert!(!text.contains("total_"), "{text}");
    }
}
