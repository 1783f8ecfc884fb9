//! Host memory, pressure and the kill counter.
//!
//! This does not use the parsers of the procfs crate: its meminfo parser fails if one of two dozen lines is
//! missing (old kernels, lxcfs), and its pressure parser panics on a truncated line.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use crate::model::memory::{Memory, Pressure, Stall};
use crate::model::snapshot::ReclaimCounters;

use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, keyed, lines, number};
use crate::linux::{ReadError, SysRoot};

/// As [`meminfo`], with an error that names the file and a remedy.
pub(crate) fn read(
    root: &SysRoot,
    proc: &OwnedFd,
    buffer: &mut FileBuffer,
) -> Result<Memory, ReadError> {
    meminfo(proc, buffer).map_err(|errno| {
        ReadError::new(
            &root.proc.join("meminfo"),
            "the memory of the host",
            errno,
            "check that procfs is mounted there, or give another place with --proc",
        )
    })
}

/// Reads `/proc/meminfo`, and `vm.swappiness` if there is swap. `dir` is the procfs mount.
///
/// # Errors
/// The error of the read; `ENODATA` if there is no `MemTotal` or `MemFree` line.
fn meminfo(dir: impl AsFd, buffer: &mut FileBuffer) -> Result<Memory, Errno> {
    let text = buffer.read_whole(&dir, "meminfo")?;
    let mut memory = parse_meminfo(text).ok_or(Errno::NODATA)?;
    if memory.swap_total > 0 {
        let swappiness = buffer.read_setting(&dir, "sys/vm/swappiness");
        memory.swappiness = swappiness.ok().and_then(number);
    }
    Ok(memory)
}

/// `/proc/pressure/memory`; `None` without PSI (before 4.20, or `psi=0`, which gives EOPNOTSUPP).
pub(crate) fn pressure(dir: impl AsFd, buffer: &mut FileBuffer) -> Option<Pressure> {
    parse_pressure(buffer.read_whole(dir, "pressure/memory").ok()?)
}

/// `oom_kill` of `/proc/vmstat` (4.13 and later), and how reclaim fares.
pub(crate) fn vmstat(dir: impl AsFd, buffer: &mut FileBuffer) -> (Option<u64>, ReclaimCounters) {
    match buffer.read_whole(dir, "vmstat") {
        Ok(text) => (keyed(text, "oom_kill"), reclaim(text)),
        Err(_) => (None, ReclaimCounters::default()),
    }
}

fn reclaim(text: &[u8]) -> ReclaimCounters {
    let kinds = ["", "_anon", "_file"].map(|kind| format!("workingset_refault{kind}"));
    let refaults = kinds.iter().filter_map(|key| keyed(text, key));
    ReclaimCounters {
        swapped_in: keyed(text, "pswpin"),
        refaults: refaults.reduce(u64::saturating_add),
    }
}

fn parse_meminfo(bytes: &[u8]) -> Option<Memory> {
    let mut memory = Memory::default();
    let (mut total, mut free, mut buffers, mut cached) = (None, None, 0, 0);
    let (mut huge_count, mut huge_free, mut huge_size) = (0_u64, 0_u64, 0);
    for line in lines(bytes) {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (key, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let amount = match value.strip_suffix(b"kB") {
            Some(kb) => number(kb).map(|kb| kb.saturating_mul(1024)),
            None => number(value),
        };
        let amount = amount.map(|amount| amount.min(MOST_BYTES));
        match key {
            b"MemTotal" => total = amount,
            b"MemFree" => free = amount,
            b"MemAvailable" => memory.available = amount,
            b"Buffers" => buffers = amount.unwrap_or(0),
            b"Cached" => cached = amount.unwrap_or(0),
            b"Shmem" => memory.shmem = amount,
            b"Slab" => memory.slab = amount,
            b"AnonPages" => memory.anon = amount,
            b"Dirty" => memory.dirty = amount,
            b"SwapTotal" => memory.swap_total = amount.unwrap_or(0),
            b"SwapFree" => memory.swap_free = amount.unwrap_or(0),
            b"Committed_AS" => memory.committed = amount,
            b"CommitLimit" => memory.commit_limit = amount,
            b"Inactive(file)" => memory.inactive_file = amount,
            b"SReclaimable" => memory.slab_reclaimable = amount,
            b"HugePages_Total" => huge_count = amount.unwrap_or(0),
            b"HugePages_Free" => huge_free = amount.unwrap_or(0),
            b"Hugepagesize" => huge_size = amount.unwrap_or(0),
            _ => {}
        }
    }
    memory.total = total?;
    memory.free = free?;
    memory.cache = u64::saturating_add(buffers, cached).saturating_sub(memory.shmem.unwrap_or(0));
    memory.huge_pages = huge_count.saturating_mul(huge_size);
    memory.huge_free = huge_free.saturating_mul(huge_size);
    Some(memory)
}

/// Both lines of a pressure file; `None` if there is no `some` line.
pub(crate) fn parse_pressure(bytes: &[u8]) -> Option<Pressure> {
    let line = |name: &[u8]| {
        lines(bytes)
            .find_map(|line| line.strip_prefix(name))
            .and_then(parse_stall)
    };
    Some(Pressure {
        some: line(b"some ")?,
        full: line(b"full ").unwrap_or_default(),
    })
}

fn parse_stall(values: &[u8]) -> Option<Stall> {
    let mut stall = Stall::default();
    let mut seen = false;
    for pair in std::str::from_utf8(values).ok()?.split_ascii_whitespace() {
        let (key, value) = pair.split_once('=')?;
        if key == "total" {
            stall.total = value.parse().ok()?;
            continue;
        }
        let percent: f32 = value.parse().ok().filter(|p: &f32| p.is_finite())?;
        match key {
            "avg10" => stall.avg10 = percent,
            "avg60" => stall.avg60 = percent,
            "avg300" => stall.avg300 = percent,
            _ => continue,
        }
        seen = true;
    }
    seen.then_some(stall)
}

/// Memory of the host that reclaim cannot just drop, in bytes: anonymous pages, tmpfs, the kernel's own.
pub(crate) fn held(memory: &Memory) -> u64 {
    let kernel = memory.slab.unwrap_or(0);
    let kernel = kernel.saturating_sub(memory.slab_reclaimable.unwrap_or(0));
    memory.anon.unwrap_or(0) + memory.shmem.unwrap_or(0) + kernel + memory.swap_used()
}

#[cfg(test)]
mod tests {
    use super::{parse_meminfo, parse_pressure, reclaim};

    #[test]
    fn refaults_are_counted_by_kind_or_as_one() {
        let new = reclaim(b"pswpin 7\nworkingset_refault_anon 2\nworkingset_refault_file 3\n");
        assert_eq!((new.swapped_in, new.refaults), (Some(7), Some(5)));
        let old = reclaim(b"workingset_refault 9\nworkingset_restore 1\n");
        assert_eq!((old.swapped_in, old.refaults), (None, Some(9)));
        assert_eq!(reclaim(b"").refaults, None);
    }

    #[test]
    fn meminfo_with_and_without_the_newer_lines() {
        let m = parse_meminfo(
            b"MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 300 kB\nBuffers: 10 kB\n\
              Cached: 250 kB\nShmem: 60 kB\nSwapTotal: 500 kB\nSwapFree: 400 kB\n\
              HugePages_Total: 4\nHugePages_Free: 3\nHugepagesize: 2048 kB\n",
        )
        .unwrap();
        assert_eq!(m.total, 1000 << 10);
        assert_eq!(m.available, Some(300 << 10));
        assert_eq!(m.cache, 200 << 10);
        assert_eq!(m.swap_used(), 100 << 10);
        assert_eq!((m.huge_pages, m.huge_free), (8 << 20, 6 << 20));
        assert_eq!(m.committed, None);
        let old = parse_meminfo(b"MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 50 kB\n").unwrap();
        assert_eq!((old.available, old.shmem), (None, None));
        assert_eq!(parse_meminfo(b"MemTotal: x kB\n"), None);
        assert_eq!(parse_meminfo(b""), None);
    }

    #[test]
    fn pressure_lines() {
        let text = b"some avg10=1.50 avg60=0.20 avg300=0.01 total=123\n\
                     full avg10=0.50 avg60=0.00 avg300=0.00 total=45\n";
        let p = parse_pressure(text).unwrap();
        assert!((p.some.avg10 - 1.5).abs() < 1e-6);
        assert_eq!((p.some.total, p.full.total), (123, 45));
        for bad in [&b""[..], b"some", b"some ", b"some avg10=nan", b"\xff"] {
            assert_eq!(parse_pressure(bad), None, "{bad:?}");
        }
    }
}
