//! The counters of the host: `/proc/meminfo`, `/proc/zoneinfo`, `/proc/net/sockstat` (proc(5)), and devices.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use super::devices;
use crate::linux::SysRoot;
use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, lines, number};
use crate::oomlog::analysis::ledger::host::HostCounts;

/// Reads them.
///
/// # Errors
/// A sentence without meminfo.
pub(super) fn counts(
    root: &SysRoot,
    proc: &OwnedFd,
    buffer: &mut FileBuffer,
) -> Result<HostCounts, String> {
    let text = buffer
        .read_whole(proc, "meminfo")
        .map_err(|errno| format!("/proc/meminfo cannot be read: {errno}"))?;
    let mut counts = parse(text).ok_or("/proc/meminfo has no MemTotal or no MemFree".to_owned())?;
    let zswap = counts.compressed;
    let page = rustix::param::page_size() as u64;
    let pages = |pages: u64| pages.saturating_mul(page).min(MOST_BYTES);
    let kept = buffer.read_whole(proc, "zoneinfo").ok().map(per_cpu);
    counts.free_per_cpu = kept.map(pages);
    let sockets = buffer.read_whole(proc, "self/net/sockstat").ok();
    counts.sockets = sockets.and_then(tcp).map(pages);
    let zram = devices::zram(root, buffer);
    counts.compressed = [zswap, zram]
        .into_iter()
        .flatten()
        .reduce(u64::saturating_add);
    counts.dma_buf = devices::dma_buf(root, buffer);
    Ok(counts)
}

fn parse(text: &[u8]) -> Option<HostCounts> {
    let mut values = HashMap::new();
    for line in lines(text) {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (key, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let (value, unit) = match value.strip_suffix(b"kB") {
            Some(kb) => (kb, 1024),
            None => (value, 1),
        };
        if let Some(value) = number(value) {
            values.insert(key, value.saturating_mul(unit).min(MOST_BYTES));
        }
    }
    let get = |key: &str| values.get(key.as_bytes()).copied();
    let sum = |keys: &[&str]| {
        let values = keys.iter().filter_map(|key| get(key));
        values.reduce(u64::saturating_add)
    };
    let shmem = get("Shmem");
    let cache = get("Cached").map(|cached| {
        let all = cached.saturating_add(get("Buffers").unwrap_or(0));
        all.saturating_sub(shmem.unwrap_or(0))
    });
    let slab_reclaimable = get("SReclaimable");
    let by_size = || Some(get("HugePages_Total")?.saturating_mul(get("Hugepagesize")?));
    Some(HostCounts {
        total: get("MemTotal")?,
        free: get("MemFree")?,
        anon_lists: sum(&["Active(anon)", "Inactive(anon)"]),
        file_lists: sum(&["Active(file)", "Inactive(file)"]),
        unevictable: get("Unevictable"),
        mlocked: get("Mlocked"),
        anon: get("AnonPages"),
        cache,
        shmem,
        swap_cache: get("SwapCached"),
        slab_reclaimable,
        slab_unreclaimable: get("SUnreclaim"),
        kernel_reclaimable: get("KReclaimable")
            .map(|all| all.saturating_sub(slab_reclaimable.unwrap_or(0))),
        page_tables: sum(&["PageTables", "SecPageTables"]),
        stacks: get("KernelStack"),
        per_cpu: get("Percpu"),
        vmalloc: get("VmallocUsed"),
        // All sizes of huge pages (4.19 and later), or those of the default size.
        huge_pages: get("Hugetlb").or_else(by_size),
        compressed: get("Zswap"),
        ..HostCounts::default()
    })
}

/// Pages on the free lists of all CPUs: the `count:` lines (mm/vmstat.c `zoneinfo_show_print`).
fn per_cpu(text: &[u8]) -> u64 {
    let counts = lines(text).filter_map(|line| line.trim_ascii_start().strip_prefix(b"count:"));
    counts.filter_map(number).fold(0, u64::saturating_add)
}

/// Pages of TCP buffers, of all network namespaces (net/ipv4/proc.c `sockstat_seq_show`).
fn tcp(text: &[u8]) -> Option<u64> {
    let line = lines(text).find_map(|line| line.strip_prefix(b"TCP:"))?;
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    words.find(|word| *word == b"mem")?;
    number(words.next()?)
}

#[cfg(test)]
mod tests {
    use super::{parse, per_cpu, tcp};
    use crate::oomlog::analysis::ledger::Kind;

    #[test]
    fn meminfo_of_6_12_with_a_full_dev_shm() {
        let text = b"MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 10 kB\nCached: 560 kB\nSwapCached: 0 kB\n\
            Active(anon): 60 kB\nInactive(anon): 500 kB\nActive(file): 40 kB\nInactive(file): 30 kB\n\
            Unevictable: 0 kB\nMlocked: 0 kB\nAnonPages: 60 kB\nShmem: 500 kB\nKReclaimable: 25 kB\n\
            SReclaimable: 20 kB\nSUnreclaim: 40 kB\nKernelStack: 16 kB\nPageTables: 8 kB\nSecPageTables: 2 kB\n\
            VmallocUsed: 26 kB\nPercpu: 12 kB\nHugePages_Total: 2\nHugepagesize: 4 kB\nHugetlb: 50 kB\n";
        let ledger = parse(text).expect("its counts").ledger();
        let kb = |kind| ledger.get(kind) / 1024;
        assert_eq!(ledger.used, 900 << 10);
        assert_eq!(kb(Kind::Shmem), 500);
        assert_eq!((kb(Kind::Private), kb(Kind::PageCache)), (60, 70));
        assert_eq!((kb(Kind::Vmalloc), kb(Kind::HugePages)), (10, 50));
        assert_eq!((kb(Kind::PageTables), kb(Kind::KernelReclaimable)), (10, 5));
        let known = 500 + 60 + 70 + 10 + 50 + 10 + 5 + 20 + 40 + 16 + 12;
        assert_eq!(ledger.uncounted() >> 10, 900 - known);
        assert_eq!(parse(b"MemTotal: 5 kB\n"), None);
        assert_eq!(parse(b"\xff:\nMemTotal: 5 kB\nMemFree 3\n"), None);
    }

    #[test]
    fn pages_of_the_cpus_and_of_tcp() {
        let zones = b"Node 0, zone   DMA\n  pagesets\n    cpu: 0\n              count: 7\n              high:  0\n\
            Node 0, zone Normal\n    cpu: 0\n              count:    300\n";
        assert_eq!(per_cpu(zones), 307);
        let text =
            b"sockets: used 9\nTCP: inuse 5 orphan 0 tw 0 alloc 7 mem 42\nUDP: inuse 2 mem 3\n";
        assert_eq!(tcp(text), Some(42));
        assert_eq!(tcp(b"UDP: inuse 2 mem 3\n"), None);
    }
}
