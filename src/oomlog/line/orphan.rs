//! Lines of a report that say what they are without the line that introduces them.

/// `[    309]     0   309      690 …`: a row of the table of tasks.
pub(crate) fn is_row(line: &str) -> bool {
    let Some((pid, cells)) = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let signed = |text: &str| number(text.strip_prefix('-').unwrap_or(text));
    if pid.len() > 12 || !number(pid.trim()) || !cells.starts_with(' ') {
        return false;
    }
    let numbers = cells
        .split_whitespace()
        .take(12)
        .take_while(|cell| signed(cell));
    // uid, tgid, total_vm, rss and at least the score: every layout has these.
    numbers.count() >= 5
}

/// `anon 61865984`: a line of a memory cgroup's statistics (`memory.stat`).
pub(crate) fn is_stat(line: &str) -> bool {
    const KEYS: [&str; 28] = [
        "anon",
        "file",
        "kernel",
        "kernel_stack",
        "pagetables",
        "sec_pagetables",
        "percpu",
        "sock",
        "vmalloc",
        "shmem",
        "zswap",
        "zswapped",
        "file_mapped",
        "file_dirty",
        "file_writeback",
        "swapcached",
        "anon_thp",
        "file_thp",
        "shmem_thp",
        "unevictable",
        "slab",
        "hugetlb",
        "cache",
        "rss",
        "rss_huge",
        "mapped_file",
        "writeback",
        "swap",
    ];
    const STARTS: [&str; 9] = [
        "workingset_",
        "pg",
        "thp_",
        "total_",
        "inactive_",
        "active_",
        "slab_",
        "zswp",
        "numa_",
    ];
    let mut words = line.split_whitespace();
    let (Some(key), Some(value), None) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    value.bytes().all(|b| b.is_ascii_digit())
        && (KEYS.contains(&key) || STARTS.iter().any(|start| key.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::{is_row, is_stat};

    #[test]
    fn rows_and_statistics() {
        assert!(is_row(
            "[    309]     0   309      690      220    45056        0             0 sh"
        ));
        assert!(is_row(
            "[ 1234]    27  1234    10  5   1     -17         -1000 x"
        ));
        assert!(!is_row("[   12.5] 1 2 3 4 5 6") && !is_row("[12] 1 2 a"));
        assert!(is_stat("anon 5") && is_stat(" pgfault 12"));
        assert!(!is_stat("port 80") && !is_stat("anon 5 6") && !is_stat("anon"));
    }
}
