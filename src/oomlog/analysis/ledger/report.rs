//! The ledger and the prospect of a report: what the log has, and what it lacks.

use super::group::GroupCounts;
use super::host::HostCounts;
use super::{Kind, Ledger, Prospect};
use crate::oomlog::analysis::page_kb;
use crate::oomlog::{MemoryState, OomReport, UsageKind};

/// Where the memory was; `None` if the log does not tell.
#[must_use]
pub fn ledger(report: &OomReport) -> Option<Ledger> {
    if report.is_memcg() {
        group(report)
    } else {
        Some(host(report)?.ledger())
    }
}

/// Private memory that no row of the table holds is a lost row from this part of the memory in use on: a tenth.
const LOST: u64 = 10;

/// What kills could free at most; `None` without the numbers or without the table of tasks.
#[must_use]
pub fn prospect(report: &OomReport) -> Option<Prospect> {
    // With a counter lost nobody knows what would be left.
    let ledger = ledger(report).filter(|ledger| !ledger.is_partial())?;
    let limit = match report.memcg.as_ref().filter(|_| report.is_memcg()) {
        Some(memcg) => {
            let usage = memcg.usage(UsageKind::Memory)?;
            // Without a limit of its own, that of memory and swap ran out.
            if usage.is_unlimited() {
                ledger.used
            } else {
                usage.limit_kb.saturating_mul(1024)
            }
        }
        None => host(report)?.total,
    };
    let table = report.tasks.as_ref().filter(|table| {
        let chosen = report.chosen.as_ref().map(|chosen| chosen.pid);
        let victim = report.kills.first().map(|kill| kill.pid);
        let mut named = chosen.into_iter().chain(victim);
        table.dropped == 0 && !report.gap && named.all(|pid| table.row(pid).is_some())
    })?;
    let page = page_kb(report)?.saturating_mul(1024);
    let killable = || table.rows.iter().filter(|row| row.adj != Some(-1000));
    // Before 6.8 the table has only the sum: files and shared memory are in it.
    let pages = killable().filter_map(|row| row.rss_anon.or(row.rss));
    let mapped = killable().filter_map(|row| row.rss_shmem);
    let tables = killable().filter_map(|row| row.pgtables_bytes);
    let bytes = |pages: u64| pages.saturating_mul(page);
    let sum = |values: &mut dyn Iterator<Item = u64>| values.fold(0, u64::saturating_add);
    let private = bytes(sum(&mut pages.into_iter()));
    let shared = bytes(sum(&mut mapped.into_iter())).min(ledger.get(Kind::Shmem));
    let tables = sum(&mut tables.into_iter()).min(ledger.get(Kind::PageTables));
    let anon = ledger
        .get(Kind::Private)
        .saturating_add(ledger.get(Kind::Locked));
    // What nobody in the table holds was held by somebody whose row is lost.
    let rows = table.rows.iter().filter_map(|row| row.rss_anon.or(row.rss));
    let held = bytes(sum(&mut rows.into_iter()));
    let nobodys = anon.saturating_sub(held);
    (nobodys.saturating_mul(LOST) <= ledger.used).then_some(())?;
    let by_kill = private
        .min(anon)
        .saturating_add(shared)
        .saturating_add(tables);
    Some(Prospect {
        limit,
        used: ledger.used,
        by_kill: by_kill.min(ledger.used),
        by_reclaim: ledger
            .freed_by(super::FreedBy::Reclaim)
            .saturating_add((ledger.get(Kind::Shmem) - shared).min(free_swap(report))),
        killable: killable().count() as u64,
        members: table.listed(),
    })
}

/// Swap of the host that shared memory could still go to. A cgroup may have less, which its lines do not tell.
fn free_swap(report: &OomReport) -> u64 {
    let memory = report.memory.as_ref().filter(|_| !report.is_memcg());
    let kb = memory.and_then(|memory| memory.free_swap_kb);
    kb.unwrap_or(0).saturating_mul(1024)
}

fn group(report: &OomReport) -> Option<Ledger> {
    let memcg = report.memcg.as_ref()?;
    let usage = memcg.usage(UsageKind::Memory)?;
    let kmem = memcg.usage(UsageKind::Kernel);
    let counts = GroupCounts {
        usage: usage.usage_kb.saturating_mul(1024),
        kmem: kmem.map(|usage| usage.usage_kb.saturating_mul(1024)),
    };
    // Before 5.3 each cgroup of the subtree has lines of its own.
    Some(counts.ledger(|key| {
        let values = memcg.stats.iter().filter_map(|stats| stats.get(key));
        values.reduce(u64::saturating_add)
    }))
}

fn host(report: &OomReport) -> Option<HostCounts> {
    let memory = report.memory.as_ref()?;
    let page = page_kb(report)?.saturating_mul(1024);
    let bytes = |pages: u64| pages.saturating_mul(page);
    let of = |key: &str| memory.pages(key).map(bytes);
    let sum = |keys: &[&str]| {
        let values = keys.iter().filter_map(|key| of(key));
        values.reduce(u64::saturating_add)
    };
    // Without these lines nothing is told of the memory of programs.
    memory.pages("active_anon")?;
    Some(HostCounts {
        total: bytes(memory.ram_pages?.checked_sub(memory.reserved_pages?)?),
        free: of("free")?,
        free_per_cpu: of("free_pcp"),
        anon_lists: sum(&["active_anon", "inactive_anon", "isolated_anon"]),
        file_lists: sum(&["active_file", "inactive_file", "isolated_file"]),
        unevictable: of("unevictable"),
        mlocked: zones_kb(memory, "mlocked").map(|kb| kb.saturating_mul(1024)),
        shmem: of("shmem"),
        slab_reclaimable: of("slab_reclaimable"),
        slab_unreclaimable: of("slab_unreclaimable"),
        kernel_reclaimable: of("kernel_misc_reclaimable"),
        page_tables: sum(&["pagetables", "sec_pagetables"]),
        stacks: nodes_kb(memory, "kernel_stack").map(|kb| kb.saturating_mul(1024)),
        huge_pages: Some(huge_kb(memory).saturating_mul(1024)),
        ..HostCounts::default()
    })
}

fn huge_kb(memory: &MemoryState) -> u64 {
    let pools = memory.huge_pages.iter();
    pools
        .map(|pool| pool.total.saturating_mul(pool.size_kb))
        .fold(0, u64::saturating_add)
}

/// Sum over the zones; `None` if no zone has the counter.
fn zones_kb(memory: &MemoryState, key: &str) -> Option<u64> {
    let zones = memory.zones.iter().filter_map(|zone| zone.get(key));
    zones.reduce(u64::saturating_add)
}

/// Sum over the nodes, or over the zones before 4.8.
fn nodes_kb(memory: &MemoryState, key: &str) -> Option<u64> {
    let nodes = memory.nodes.iter().filter_map(|node| node.get(key));
    nodes
        .reduce(u64::saturating_add)
        .or_else(|| zones_kb(memory, key))
}
