//! The largest slab caches: `/proc/slabinfo` (slabinfo(5)), which only root may read.

use std::os::fd::OwnedFd;

use crate::linux::SysRoot;
use crate::linux::kernel_file::{FileBuffer, MOST_BYTES, lines, number, open_dir};
use crate::model::ledger::{Account, Cache};

/// Caches kept.
const MOST: usize = 16;

/// Fills in the caches, or a gap.
pub(super) fn read(root: &SysRoot, proc: &OwnedFd, buffer: &mut FileBuffer, account: &mut Account) {
    match buffer.read_whole(proc, "slabinfo") {
        Ok(text) => account.caches = parse(text, rustix::param::page_size() as u64),
        Err(errno) => account.gaps.push(format!(
            "the slab caches (/proc/slabinfo: {errno}; root may read it)"
        )),
    }
    let Ok(slabs) = open_dir(&root.base.join("sys/kernel/slab")) else {
        return;
    };
    for cache in &mut account.caches {
        let path = format!("{}/reclaim_account", cache.name);
        let flag = buffer
            .read_whole(&slabs, path.as_str())
            .ok()
            .and_then(number);
        cache.reclaimable = flag.map(|flag| flag != 0);
    }
}

/// `name active total objsize perslab pagesperslab : tunables … : slabdata active slabs shared`.
fn parse(text: &[u8], page: u64) -> Vec<Cache> {
    let cache = |line: &[u8]| {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let name = words.next().filter(|name| !name.starts_with(b"#"))?;
        let pages_of_slab = number(words.nth(4)?)?;
        words.find(|word| *word == b"slabdata")?;
        let slabs = number(words.nth(1)?)?;
        let bytes = slabs.saturating_mul(pages_of_slab).saturating_mul(page);
        Some(Cache {
            name: String::from_utf8_lossy(name).into_owned(),
            bytes: bytes.min(MOST_BYTES),
            reclaimable: None,
        })
    };
    let mut caches: Vec<Cache> = lines(text).filter_map(cache).collect();
    caches.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    caches.truncate(MOST);
    caches
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_size_of_a_cache_is_that_of_its_slabs() {
        let text = b"slabinfo - version: 2.1\n\
            # name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables\n\
            dentry   100 210 192 21 1 : tunables 0 0 0 : slabdata 10 10 0\n\
            kmalloc-4k 8 8 4096 8 8 : tunables 0 0 0 : slabdata 1 2 0\n\
            broken 1 2\n";
        let caches = parse(text, 4096);
        let found: Vec<_> = caches.iter().map(|c| (c.name.as_str(), c.bytes)).collect();
        assert_eq!(found, [("kmalloc-4k", 65_536), ("dentry", 40_960)]);
    }
}
