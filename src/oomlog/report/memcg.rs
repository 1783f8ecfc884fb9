//! What a report says about the memory cgroup that ran out.

/// Most statistics kept. Before 5.3 the kernel prints a set for each cgroup of the subtree.
const MAX_STATS: usize = 4096;

/// Which counter of a memory cgroup a usage line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageKind {
    /// `memory:`.
    Memory,
    /// `memory+swap:` (v1).
    MemorySwap,
    /// `swap:` (v2).
    Swap,
    /// `kmem:` (v1).
    Kernel,
}

/// One usage line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// Which counter.
    pub kind: UsageKind,
    /// Usage in kB.
    pub usage_kb: u64,
    /// Limit in kB; see [`Usage::is_unlimited`].
    pub limit_kb: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

impl Usage {
    /// True if there is no limit: the kernel then prints `PAGE_COUNTER_MAX` pages in kB (`LLONG_MAX` bytes
    /// before 3.19), for any page size.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.limit_kb >= (1 << 53) - (1 << 12)
    }
}

/// The statistics of one cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct MemcgStats {
    /// Its path, if printed.
    pub path: Option<String>,
    /// `key value` as in `memory.stat`: bytes, or events for `pg*`, `workingset_*` and the like.
    pub values: Vec<(String, u64)>,
}

impl MemcgStats {
    /// One value by its key. Where v1 prints the cgroup alone (`rss`) and with all below it (`total_rss`), the answer
    /// is the latter: the limit counts that (mm/memcontrol-v1.c `memcg1_stat_format`, printed since 6.5).
    #[must_use]
    pub fn get(&self, key: &str) -> Option<u64> {
        let is_total = |name: &str| name.strip_prefix("total_") == Some(key);
        let value = |is: &dyn Fn(&str) -> bool| {
            let pair = self.values.iter().find(|(name, _)| is(name))?;
            Some(pair.1)
        };
        value(&is_total).or_else(|| value(&|name| name == key))
    }
}

/// Usage, limits and statistics of the memory cgroup that ran out.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct MemcgUse {
    /// The usage lines, each kind once.
    pub usage: Vec<Usage>,
    /// The statistics: of the whole subtree (5.3 and later), or of each cgroup in it.
    pub stats: Vec<MemcgStats>,
    /// How many values were left out because there were too many.
    pub dropped: u64,
}

impl MemcgUse {
    /// The usage line of one counter.
    #[must_use]
    pub fn usage(&self, kind: UsageKind) -> Option<&Usage> {
        self.usage.iter().find(|usage| usage.kind == kind)
    }

    /// Starts the statistics of another cgroup.
    pub(crate) fn push_set(&mut self, path: Option<String>) {
        if self.stats.len() < MAX_STATS {
            self.stats.push(MemcgStats {
                path,
                values: Vec::new(),
            });
        } else {
            self.dropped += 1;
        }
    }

    /// Adds a statistic to the last cgroup.
    pub(crate) fn push_stat(&mut self, key: String, value: u64) {
        let kept: usize = self.stats.iter().map(|stats| stats.values.len()).sum();
        match self.stats.last_mut() {
            Some(stats) if kept < MAX_STATS => stats.values.push((key, value)),
            _ => self.dropped += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MemcgStats, Usage, UsageKind};

    #[test]
    fn of_v1_the_whole_subtree_counts() {
        let values = [("rss", 1), ("cache", 2), ("total_rss", 30), ("swap", 4)];
        let stats = MemcgStats {
            path: None,
            values: values.map(|(key, value)| (key.to_owned(), value)).to_vec(),
        };
        let read = ["rss", "cache", "swap", "shmem"].map(|key| stats.get(key));
        assert_eq!(read, [Some(30), Some(2), Some(4), None]);
    }

    #[test]
    fn the_kernels_no_limit() {
        let usage = |limit_kb| Usage {
            kind: UsageKind::Memory,
            usage_kb: 0,
            limit_kb,
            failcnt: 0,
        };
        assert!(usage(9_007_199_254_740_988).is_unlimited());
        assert!(usage(9_007_199_254_740_928).is_unlimited(), "64 kB pages");
        assert!(usage(18_014_398_509_481_983).is_unlimited());
        assert!(!usage(1 << 40).is_unlimited());
    }
}
