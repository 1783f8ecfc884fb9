//! What differs between kernels and changes a number on the screen: found out at run time.

/// How `/proc/PID/oom_score` is scaled (fs/proc/base.c `proc_oom_score`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreFormula {
    /// 5.9 and later, and late 5.4: `(1000 + badness * 1000 / total) * 2 / 3`, 0 ..= 2000.
    #[default]
    Scaled,
    /// Earlier: `badness * 1000 / total`.
    Permille,
}

/// Which file shows the resident size that `oom_badness()` itself reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RssSource {
    /// Field 24 of `/proc/PID/stat`: the same counter as badness up to 6.19.
    #[default]
    Stat,
    /// The sum of `RssAnon`, `RssFile`, `RssShmem` in `/proc/PID/status`: 7.x, where badness sums
    /// the per-CPU parts exactly.
    Status,
}

/// Which of two equal candidates dies (`mm/oom_kill.c` `oom_evaluate_task`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TieBreak {
    /// 5.9 and later: `points < chosen_points` skips, so the later one wins.
    #[default]
    Later,
    /// Before: the first one found keeps its place.
    Earlier,
}

/// The rules of the running kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct KernelRules {
    /// Scale of `oom_score`.
    pub score: ScoreFormula,
    /// Where the kernel's own resident size can be read.
    pub rss: RssSource,
    /// Who dies of two equals.
    pub tie: TieBreak,
    /// Page size in bytes.
    pub page_size: u64,
    /// How far a process's resident size read here can be from the one badness reads, in pages: of
    /// the rows on the screen and of the first candidates of each domain.
    pub rss_error: u64,
}

impl Default for KernelRules {
    fn default() -> Self {
        Self {
            score: ScoreFormula::default(),
            rss: RssSource::default(),
            tie: TieBreak::default(),
            page_size: 4096,
            rss_error: 0,
        }
    }
}

impl KernelRules {
    /// The per-counter batch of the kernel's `percpu_counter` for this many CPUs, times the CPUs:
    /// how far one approximate read can be off, in pages (`lib/percpu_counter.c`, 6.2 and later).
    #[must_use]
    pub fn percpu_error(cpus: u64) -> u64 {
        cpus * (2 * cpus).max(32)
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
