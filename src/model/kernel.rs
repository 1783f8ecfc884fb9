//! What differs between kernels and changes a number on the screen: found out at run time.

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

/// Which file shows the resident size that `oom_badness()` itself reads (mm/oom_kill.c `oom_badness`,
/// fs/proc/array.c `do_task_stat`, fs/proc/task_mmu.c `task_mem` of 6.1, 6.5, 6.12.117, 6.18.2, 6.19.10, 7.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RssSource {
    /// Field 24 of `/proc/PID/stat`: the same counter as badness up to 6.19 (`get_mm_rss`). `status` shows it
    /// too until late 6.12, and exact sums after.
    #[default]
    Stat,
    /// The sum of `RssAnon`, `RssFile`, `RssShmem` in `/proc/PID/status`: 7.x, where badness sums
    /// the per-CPU parts exactly (`get_mm_rss_sum`).
    Status,
}

/// How many live processes have an `oom_score` that only one of the two sizes explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RssEvidence {
    /// Explained by field 24 of `stat` alone.
    pub stat: u32,
    /// Explained by the sum in `status` alone.
    pub status: u32,
}

impl RssEvidence {
    /// What most of them say; `guess` (by version) if that is nothing or a draw.
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
    /// Before 5.9: the first one found keeps its place (strict `>`; 4.x prefers leaders of thread groups).
    Earlier,
}

/// The rules of the running kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct KernelRules {
    /// Scale of `oom_score`.
    pub score: ScoreFormula,
    /// Where the kernel's own resident size can be read.
    pub rss: RssSource,
    /// What live processes told about that at start.
    pub rss_evidence: RssEvidence,
    /// Who dies of two equals.
    pub tie: TieBreak,
    /// Processes with `CAP_SYS_ADMIN` are let off 3 % of their memory: 3.10 to 4.16 (mm/oom_kill.c
    /// `oom_badness`: `points -= (points * 3) / 100`).
    pub root_bonus: bool,
    /// Page size in bytes.
    pub page_size: u64,
    /// How far a process's memory read here can be from what badness reads, in pages: of the rows on the
    /// screen and of the first candidates of each domain.
    ///
    /// Where both read one counter it is the step in which that counter moves: one more page touched can
    /// bring this many to light. 0 where both sum the parts exactly.
    pub rss_error: u64,
    /// As much again for a process that has been swapped out in part, in pages.
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
    /// Pages each CPU keeps to itself, at most, before it adds them to a counter of a process (6.2 and
    /// later, lib/percpu_counter.c `compute_batch_value`).
    #[must_use]
    pub fn percpu_batch(cpus: u64) -> u64 {
        cpus.saturating_mul(2).max(32)
    }

    /// How far one counter read without the parts of the CPUs can be off, in pages: the batch for every
    /// CPU. Badness adds up four counters: file, anonymous, shared and swapped pages.
    #[must_use]
    pub fn percpu_error(cpus: u64) -> u64 {
        cpus.saturating_mul(Self::percpu_batch(cpus))
    }
}

/// A release such as `6.18.44-fc` as numbers, for the few rules that go by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct KernelVersion {
    /// 6 of 6.18.44.
    pub major: u32,
    /// 18 of 6.18.44.
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
