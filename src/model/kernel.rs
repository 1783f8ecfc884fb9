//! The differences between kernels that change a number on the screen, determined at run time.

/// How `/proc/PID/oom_score` is scaled (fs/proc/base.c `proc_oom_score`, read in 3.6 to 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreFormula {
    /// 5.9 and later, and late 5.4: `(1000 + badness * 1000 / total) * 2 / 3`, 0 ..= 2000.
    #[default]
    Scaled,
    /// Earlier: `badness * 1000 / total`.
    Permille,
}

/// The file that shows the resident size that `oom_badness()` reads (mm/oom_kill.c `oom_badness`,
/// fs/proc/array.c `do_task_stat`, fs/proc/task_mmu.c `task_mem` of 6.1, 6.5, 6.12.117, 6.18.2, 6.19.10,
/// 7.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RssSource {
    /// Field 24 of `/proc/PID/stat`: the same counter as badness up to 6.19 (`get_mm_rss`). `status` shows
    /// the same counter until late 6.12, and exact sums since.
    #[default]
    Stat,
    /// The sum of `RssAnon`, `RssFile`, `RssShmem` in `/proc/PID/status`: 7.x, where badness sums
    /// the per-CPU parts exactly (`get_mm_rss_sum`).
    Status,
}

/// The number of live processes whose `oom_score` matches only one of the two sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RssEvidence {
    /// Scores that match only field 24 of `stat`.
    pub stat: u32,
    /// Scores that match only the sum in `status`.
    pub status: u32,
}

impl RssEvidence {
    /// The source with more matches; `guess` (by version) if there are none or it is a draw.
    #[must_use]
    pub fn source(self, guess: RssSource) -> RssSource {
        match self.stat.cmp(&self.status) {
            std::cmp::Ordering::Greater => RssSource::Stat,
            std::cmp::Ordering::Less => RssSource::Status,
            std::cmp::Ordering::Equal => guess,
        }
    }
}

/// Which of two equal candidates dies (mm/oom_kill.c `oom_evaluate_task`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TieBreak {
    /// 5.9 and later: `points < chosen_points` skips, so the later one wins.
    #[default]
    Later,
    /// Before 5.9: a later candidate needs more points (strict `>`), so the earlier one dies; 4.x prefers
    /// leaders of thread groups.
    Earlier,
}

/// The rules of the running kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct KernelRules {
    /// Scale of `oom_score`.
    pub score: ScoreFormula,
    /// Which file shows the resident size that badness reads.
    pub rss: RssSource,
    /// The evidence for `rss` from live processes, collected at start.
    pub rss_evidence: RssEvidence,
    /// Which of two equal candidates dies.
    pub tie: TieBreak,
    /// The kernel subtracts 3 % from the badness of processes with `CAP_SYS_ADMIN`: 3.10 to 4.16
    /// (mm/oom_kill.c `oom_badness`: `points -= (points * 3) / 100`).
    pub root_bonus: bool,
    /// Page size in bytes.
    pub page_size: u64,
    /// Largest difference between a process's memory as read here and as badness reads it, in pages. Holds
    /// for the rows on the screen and for the first candidates of each domain.
    ///
    /// If both read the same counter, this is the batch size of the counter: the next page fault can change
    /// the counter by this much. 0 if both add up the per-CPU parts.
    pub rss_error: u64,
    /// Additional error for a process that is partly swapped out, in pages.
    pub swap_error: u64,
}

impl Default for KernelRules {
    fn default() -> Self {
        Self {
            score: ScoreFormula::default(),
            rss: RssSource::default(),
            rss_evidence: RssEvidence::default(),
            tie: TieBreak::default(),
            root_bonus: false,
            page_size: 4096,
            rss_error: 0,
            swap_error: 0,
        }
    }
}

impl KernelRules {
    /// Most pages that a CPU counts locally before it updates the counter of a process (6.2 and later,
    /// lib/percpu_counter.c `compute_batch_value`).
    #[must_use]
    pub fn percpu_batch(cpus: u64) -> u64 {
        cpus.saturating_mul(2).max(32)
    }

    /// Largest error of one counter read without its per-CPU parts, in pages: one batch per CPU. Badness adds
    /// up four counters: file, anonymous, shared and swapped pages.
    #[must_use]
    pub fn percpu_error(cpus: u64) -> u64 {
        cpus.saturating_mul(Self::percpu_batch(cpus))
    }
}

/// A release such as `6.18.44-fc` as numbers, for the few rules that depend on the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct KernelVersion {
    /// The major version: 6 in 6.18.44.
    pub major: u32,
    /// The minor version: 18 in 6.18.44.
    pub minor: u32,
}

impl KernelVersion {
    /// Reads the first two numbers of a release text (`/proc/sys/kernel/osrelease`).
    #[must_use]
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.trim().split(|c: char| !c.is_ascii_digit());
        Some(Self {
            major: numbers.next()?.parse().ok()?,
            minor: numbers.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{KernelRules, KernelVersion};

    #[test]
    fn versions() {
        let v = |t| KernelVersion::parse(t).map(|v| (v.major, v.minor));
        assert_eq!(v("6.18.44-fc-v669"), Some((6, 18)));
        assert_eq!(v("7.2-rc1"), Some((7, 2)));
        assert_eq!(v("custom"), None);
        assert_eq!(v(""), None);
    }

    #[test]
    fn counter_error_grows_with_the_square_of_large_machines() {
        assert_eq!(KernelRules::percpu_error(2), 64);
        assert_eq!(KernelRules::percpu_error(128), 128 * 256);
    }
}
