//! Parses `/proc/PID/status` (proc_pid_status(5)).

use crate::model::process::MemoryUse;

use crate::linux::kernel_file::{MOST_BYTES, lines, number};

/// The lines of the file that oomtop uses. Sizes are in kB as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Status {
    /// Second number of `Uid`: the effective user.
    pub(crate) uid: Option<u32>,
    rss_total: Option<u64>,
    anon: Option<u64>,
    file: Option<u64>,
    shmem: Option<u64>,
    swap: Option<u64>,
    pte: Option<u64>,
    pmd: Option<u64>,
}

impl Status {
    /// Memory in pages, with the exact resident size of this file; `None` for a process that has no
    /// memory of its own (zombie, kernel thread: no `Vm` lines).
    pub(crate) fn memory(&self, page_size: u64) -> Option<MemoryUse> {
        let total = self.rss_total?;
        let page_kb = (page_size / 1024).max(1);
        let pages = |kb: Option<u64>| kb.unwrap_or(0) / page_kb;
        let rss = if self.anon.is_some() {
            pages(self.anon) + pages(self.file) + pages(self.shmem)
        } else {
            // Kernels before 4.5 do not print the three parts.
            total / page_kb
        };
        Some(MemoryUse {
            rss,
            anon: pages(self.anon),
            file: pages(self.file),
            shmem: pages(self.shmem),
            swap: pages(self.swap),
            // Kernels 4.1 to 4.14 print VmPMD separately; later ones count all levels in VmPTE.
            page_tables: pages(self.pte) + pages(self.pmd),
        })
    }
}

/// Parses the known lines; missing or damaged lines give `None`.
pub(crate) fn parse(bytes: &[u8]) -> Status {
    let mut status = Status::default();
    for line in lines(bytes) {
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (key, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        let slot = match key {
            b"Uid" => {
                status.uid = value
                    .split(u8::is_ascii_whitespace)
                    .filter(|word| !word.is_empty())
                    .nth(1)
                    .and_then(number)
                    .and_then(|uid| u32::try_from(uid).ok());
                continue;
            }
            b"VmRSS" => &mut status.rss_total,
            b"RssAnon" => &mut status.anon,
            b"RssFile" => &mut status.file,
            b"RssShmem" => &mut status.shmem,
            b"VmPTE" => &mut status.pte,
            b"VmPMD" => &mut status.pmd,
            b"VmSwap" => &mut status.swap,
            // No line after `Threads` is needed.
            b"Threads" => break,
            _ => continue,
        };
        *slot = kilobytes(value);
    }
    status
}

/// A mask line such as `CapEff`, printed in hexadecimal.
pub(crate) fn mask(bytes: &[u8], key: &str) -> Option<u64> {
    lines(bytes).find_map(|line| {
        let value = line.strip_prefix(key.as_bytes())?.strip_prefix(b":")?;
        u64::from_str_radix(std::str::from_utf8(value).ok()?.trim(), 16).ok()
    })
}

fn kilobytes(value: &[u8]) -> Option<u64> {
    let value = value.trim_ascii();
    number(value.strip_suffix(b"kB").unwrap_or(value)).map(|kb| kb.min(MOST_BYTES / 1024))
}

#[cfg(test)]
mod tests {
    use super::{mask, parse};

    const TEXT: &[u8] =
        b"Name:\tx\nUid:\t1000\t33\t33\t33\nVmRSS:\t    5000 kB\nRssAnon:\t    4000 kB\n\
        RssFile:\t     900 kB\nRssShmem:\t     100 kB\nVmPTE:\t      64 kB\nVmSwap:\t     800 kB\n\
        Threads:\t1\nCapEff:\t000001fffeffffff\n";

    #[test]
    fn memory_in_pages_of_any_size() {
        let status = parse(TEXT);
        assert_eq!(status.uid, Some(33));
        let m = status.memory(4096).unwrap();
        assert_eq!((m.rss, m.anon, m.file, m.shmem), (1250, 1000, 225, 25));
        assert_eq!((m.swap, m.page_tables), (200, 16));
        assert_eq!(status.memory(65536).unwrap().page_tables, 1);
    }

    #[test]
    fn zombies_have_none_and_old_kernels_one_sum() {
        assert_eq!(parse(b"Name:\tz\nState:\tZ\n").memory(4096), None);
        let old = parse(b"VmRSS:\t400 kB\nVmPTE:\t8 kB\nVmPMD:\t4 kB\n");
        let m = old.memory(4096).unwrap();
        assert_eq!((m.rss, m.page_tables), (100, 3));
    }

    #[test]
    fn capability_masks() {
        assert_eq!(mask(TEXT, "CapEff"), Some(0x1ff_feff_ffff));
        assert_eq!(mask(TEXT, "CapPrm"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = parse(&bytes).memory(4096);
        }
    }
}
