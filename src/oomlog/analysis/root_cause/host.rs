//! What filled the host, or the zones and nodes that the request may use.

use super::kernel::{plain, sorted};
use super::{KernelPart, KernelShare, KernelUse, RootCause, is_request_known, largest, nodes};
use crate::oomlog::analysis::ranking::in_list;
use crate::oomlog::analysis::share::reaches;
use crate::oomlog::analysis::zones::{ZoneState, ZoneVerdict, is_fragmentation, zones};
use crate::oomlog::analysis::{page_kb, trace};
use crate::oomlog::{MemoryState, OomReport};

/// Zones or nodes are the cause if at least this much of the host's RAM is free elsewhere, in percent.
const ROOM: u64 = 5;

/// The cause on a host; `None` without Mem-Info, or if the numbers show no clear cause.
pub(super) fn cause(report: &OomReport) -> Option<RootCause> {
    let memory = report.memory.as_ref()?;
    let states = zones(report);
    // Without the first line it is not known what was asked for, nor whether anything was: SysRq-f asks for a kill.
    let asked = is_request_known(report);
    failed_fault(report, memory, &states)
        .or_else(|| fragmented(report, &states))
        .or_else(|| {
            nodes_exhausted(report, memory, &states).filter(|_| asked || nodes(report).is_some())
        })
        .or_else(|| zones_exhausted(report, memory, &states).filter(|_| asked))
        .or_else(|| free_again(report, memory, &states))
        .or_else(|| filled(report, memory))
}

/// `pagefault_out_of_memory` (mm/oom_kill.c, before 5.16) has no request: its mask is 0.
fn failed_fault(
    report: &OomReport,
    memory: &MemoryState,
    states: &[ZoneState],
) -> Option<RootCause> {
    let no_request = report.trigger.as_ref()?.gfp_mask == Some(0);
    let fault = no_request || trace::functions(report).any(|f| f == "pagefault_out_of_memory");
    let free_kb = free_kb(report, memory, states).filter(|_| fault)?;
    Some(RootCause::NoShortage {
        free_kb,
        page_fault: true,
        cgroup: cpuset(report),
    })
}

/// A request that the printed numbers would have served, with much to spare.
fn free_again(report: &OomReport, memory: &MemoryState, states: &[ZoneState]) -> Option<RootCause> {
    // Without the request there is no verdict on zones: then the host's counter tells.
    let usable = states.iter().any(|z| z.verdict == ZoneVerdict::Usable)
        || (states.is_empty() && !is_request_known(report));
    let free_kb = free_kb(report, memory, states).filter(|_| usable)?;
    let ram_kb = memory.ram_pages?.saturating_mul(page_kb(report)?);
    reaches(free_kb, ram_kb, ROOM).then_some(RootCause::NoShortage {
        free_kb,
        page_fault: false,
        cgroup: None,
    })
}

/// Free memory in zones above their `low` watermark, which could have served the request; `None` if there is none.
/// Without zones in the log the host's counter decides, if it is far above any watermark.
fn free_kb(report: &OomReport, memory: &MemoryState, states: &[ZoneState]) -> Option<u64> {
    let usable = states.iter().filter(|z| z.verdict == ZoneVerdict::Usable);
    let spare = |z: &&ZoneState| {
        let usable = z.free_kb.saturating_sub(z.kept_for_others_kb);
        z.low_kb.is_some_and(|low| usable > low)
    };
    let free: u64 = usable.filter(spare).map(|zone| zone.free_kb).sum();
    if !states.is_empty() {
        return Some(free).filter(|free| *free > 0);
    }
    let ram = memory.ram_pages?.saturating_mul(page_kb(report)?);
    reaches(all_free_kb(report, memory)?, ram, ROOM).then(|| all_free_kb(report, memory))?
}

/// Free memory of the host in kB, by its counter or, where that is lost, by the zones above their `low` watermark.
fn all_free_kb(report: &OomReport, memory: &MemoryState) -> Option<u64> {
    if let Some(pages) = memory.pages("free") {
        return Some(pages.saturating_mul(page_kb(report)?));
    }
    let zones = memory.zones.iter();
    let free = zones.filter_map(|zone| {
        let (free, low) = (zone.get("free")?, zone.get("low")?);
        (free > low).then_some(free)
    });
    free.reduce(u64::saturating_add)
}

/// The name of the asker's cpuset, which is that of its cgroup where a runtime made both.
fn cpuset(report: &OomReport) -> Option<String> {
    let name = report.cpuset.as_deref()?.trim();
    (!name.is_empty() && name != "/").then(|| name.to_owned())
}

fn fragmented(report: &OomReport, states: &[ZoneState]) -> Option<RootCause> {
    let order = u32::try_from(report.trigger.as_ref()?.order?).ok()?;
    let allowed = states
        .iter()
        .filter(|z| z.verdict != ZoneVerdict::NotAllowed);
    (is_fragmentation(report)? && order > 0).then(|| RootCause::Fragmented {
        order,
        free_kb: allowed.map(|zone| zone.free_kb).sum(),
    })
}

/// `constrained_alloc` (mm/oom_kill.c) names a cpuset or policy only if the request may not use every node.
///
/// Kernels before 5.0 do not print the name. There the signs are an empty node beside one with room, or that the
/// printed zones (`show_free_areas`: the allowed nodes) have much less free memory than the whole host.
fn nodes_exhausted(
    report: &OomReport,
    memory: &MemoryState,
    states: &[ZoneState],
) -> Option<RootCause> {
    let page_kb = page_kb(report)?;
    let list = match nodes(report) {
        Some(list) => list.to_owned(),
        None => empty_nodes(memory, states, page_kb)?,
    };
    let free = |usable: bool| {
        let inside = states.iter().filter(|z| in_list(&list, z.node));
        let kind = inside.filter(|z| (z.verdict != ZoneVerdict::NotAllowed) == usable);
        kind.map(|zone| zone.free_kb).sum::<u64>()
    };
    // A zone whose line is lost, with or without that of its blocks, is no zone that is empty.
    let listed = states.iter().any(|z| in_list(&list, z.node));
    let known = listed && !memory.lacks_zone(|node| in_list(&list, node));
    let free_kb = known.then(|| free(true));
    let unusable_kb = if known { free(false) } else { 0 };
    let all = memory
        .pages("free")
        .map(|pages| pages.saturating_mul(page_kb));
    Some(RootCause::NodesExhausted {
        free_elsewhere_kb: all
            .zip(free_kb)
            .map(|(all, free)| all.saturating_sub(free.saturating_add(unusable_kb))),
        nodes: list,
        free_kb,
        unusable_kb,
    })
}

/// Nodes without room while others have some.
fn empty_nodes(memory: &MemoryState, states: &[ZoneState], page_kb: u64) -> Option<String> {
    // What a lost zone had would look hidden.
    (!memory.lacks_zone(|_| true)).then_some(())?;
    let ram_kb = memory.ram_pages?.saturating_mul(page_kb);
    let mut shown: Vec<u32> = states.iter().map(|zone| zone.node).collect();
    shown.dedup();
    let has_room = |node: u32| {
        let zones = states.iter().filter(|z| z.node == node);
        let usable = zones.filter(|z| z.verdict == ZoneVerdict::Usable);
        reaches(usable.map(|zone| zone.free_kb).sum(), ram_kb, ROOM)
    };
    let empty: Vec<u32> = shown.iter().copied().filter(|n| !has_room(*n)).collect();
    let free: u64 = states.iter().map(|zone| zone.free_kb).sum();
    // A small difference is normal: free lists of the CPUs, pages in flight.
    let all_kb = memory
        .pages("free")
        .map(|pages| pages.saturating_mul(page_kb));
    let hidden = all_kb.is_some_and(|all| reaches(all.saturating_sub(free), ram_kb, ROOM));
    let beside = empty.len() < shown.len();
    (!empty.is_empty() && (beside || hidden)).then(|| {
        let numbers: Vec<String> = empty.iter().map(ToString::to_string).collect();
        numbers.join(",")
    })
}

fn zones_exhausted(
    report: &OomReport,
    memory: &MemoryState,
    states: &[ZoneState],
) -> Option<RootCause> {
    let page_kb = page_kb(report)?;
    let (others, allowed): (Vec<&ZoneState>, Vec<&ZoneState>) = states
        .iter()
        .partition(|z| z.verdict == ZoneVerdict::NotAllowed);
    let is_short = |z: &&ZoneState| {
        matches!(
            z.verdict,
            ZoneVerdict::BelowMin | ZoneVerdict::HeldBack | ZoneVerdict::Reserved
        )
    };
    let free_elsewhere_kb = others.iter().map(|zone| zone.free_kb).sum();
    let ram_kb = memory.ram_pages?.saturating_mul(page_kb);
    // A zone whose line is lost may have had room.
    let whole = !memory.lacks_zone(|_| true);
    let all_short = whole && !allowed.is_empty() && allowed.iter().all(is_short);
    (all_short && reaches(free_elsewhere_kb, ram_kb, ROOM)).then(|| RootCause::ZonesExhausted {
        zones: allowed
            .iter()
            .map(|zone| format!("node {} {}", zone.node, zone.name))
            .collect(),
        free_elsewhere_kb,
        high_memory: others.iter().any(|zone| zone.name == "HighMem"),
    })
}

/// One counter of each line of Mem-Info whose memory would otherwise seem to be counted nowhere.
const OF_EACH_LINE: [&str; 5] = [
    "active_file",
    "unevictable",
    "slab_unreclaimable",
    "shmem",
    "free",
];

/// The largest kind of memory on the whole host.
fn filled(report: &OomReport, memory: &MemoryState) -> Option<RootCause> {
    let page_kb = page_kb(report)?;
    let kb = |pages: u64| pages.saturating_mul(page_kb);
    let sum = |keys: &[&str]| -> u64 {
        let pages = keys.iter().filter_map(|key| memory.pages(key));
        kb(pages.fold(0, u64::saturating_add))
    };
    let of_kb = kb(memory.ram_pages?.checked_sub(memory.reserved_pages?)?);
    // Without these counters the share of programs is unknown.
    memory
        .pages("active_anon")
        .zip(memory.pages("inactive_anon"))?;
    let shmem = sum(&["shmem"]);
    // Shared memory is on the lists of anonymous pages, locked memory of programs on the unevictable list.
    let anon = sum(&[
        "active_anon",
        "inactive_anon",
        "isolated_anon",
        "unevictable",
    ]);
    let parts = parts(memory, &sum);
    let kernel = parts
        .iter()
        .map(|part| part.kb)
        .fold(0, u64::saturating_add);
    let huge: u64 = memory
        .huge_pages
        .iter()
        .map(|pool| pool.total.saturating_mul(pool.size_kb))
        .fold(0, u64::saturating_add);
    let files = sum(&["active_file", "inactive_file", "isolated_file"]);
    let rest = sum(&["free", "free_pcp", "kernel_misc_reclaimable"]);
    let counted = [anon, kernel, huge, files, rest]
        .into_iter()
        .fold(0, u64::saturating_add);
    let by_kernel = |share| {
        RootCause::HostByKernel(KernelShare {
            share,
            parts: parts.clone(),
            caches: caches(memory),
        })
    };
    let uncounted = of_kb.saturating_sub(counted);
    // What a lost line counted looks as if nothing did. Each of these is in the report of every kernel that has the lists
    // of anonymous pages, at least one of them on each line (`show_free_areas`).
    let lost = OF_EACH_LINE.iter().any(|key| memory.pages(key).is_none());
    if lost {
        let shared = memory.pages("shmem")?;
        let own = anon.saturating_sub(kb(shared));
        let known = [huge, kernel, kb(shared), own];
        // It may be larger than all that is known.
        known.into_iter().find(|kb| *kb >= uncounted)?;
    }
    let uncounted = if lost { 0 } else { uncounted };
    largest(
        of_kb,
        &[
            (uncounted, &RootCause::HostByUncounted),
            (huge, &RootCause::HostByHugePages),
            (kernel, &by_kernel),
            (shmem, &RootCause::HostByTmpfs),
            (anon.saturating_sub(shmem), &RootCause::HostByProcesses),
        ],
    )
}

/// The parts of kernel memory in Mem-Info. Reclaimable slab counts: reclaim had failed to get it back.
fn parts(memory: &MemoryState, sum: &dyn Fn(&[&str]) -> u64) -> Vec<KernelUse> {
    let reclaimable_kb = sum(&["slab_reclaimable"]);
    sorted(vec![
        KernelUse {
            part: KernelPart::Slab,
            kb: reclaimable_kb.saturating_add(sum(&["slab_unreclaimable"])),
            reclaimable_kb,
        },
        plain(
            KernelPart::PageTables,
            sum(&["pagetables", "sec_pagetables"]),
        ),
        plain(KernelPart::Stacks, node_kb(memory, "kernel_stack")),
    ])
}

/// The largest caches of "Unreclaimable slab info", at most three.
fn caches(memory: &MemoryState) -> Vec<(String, u64)> {
    let mut slabs: Vec<_> = memory.slabs.iter().collect();
    slabs.sort_by_key(|slab| std::cmp::Reverse(slab.total_kb));
    let first = slabs.iter().take(3);
    first
        .map(|slab| (slab.name.clone(), slab.total_kb))
        .collect()
}

/// A counter that only nodes have, in kB.
fn node_kb(memory: &MemoryState, key: &str) -> u64 {
    let nodes = memory.nodes.iter().filter_map(|node| node.get(key));
    nodes.fold(0, u64::saturating_add)
}
