//! Badness: the number the kernel compares when it chooses a victim.

use crate::model::kernel::KernelRules;
use crate::model::memory::Memory;
use crate::model::process::Process;
use crate::model::process::score::{OomScoreAdj, oom_score};

/// Why the kernel will not choose a process (mm/oom_kill.c `oom_unkillable_task` and `oom_badness`, read in
/// 6.18.2; kernel threads and pid 1 have a score of 0 in 4.4 to 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Immunity {
    /// `oom_score_adj` is -1000.
    Adj,
    /// The host's pid 1.
    Init,
    /// A kernel thread.
    KernelThread,
    /// The process has no memory left: a zombie.
    NoMemory,
    /// The kernel shows an `oom_score` of 0 for a reason that `/proc` does not show: the OOM reaper has taken
    /// the memory (`MMF_OOM_SKIP`, 4.7 and later), or the process is between `vfork` and `exec` (`in_vfork`,
    /// 4.9 and later).
    SkippedByKernel,
}

impl Immunity {
    /// The reason as words for the screen.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Adj => "oom_score_adj is -1000",
            Self::Init => "the host's init is never killed",
            Self::KernelThread => "a kernel thread has no memory of its own",
            Self::NoMemory => "it has no memory left (zombie or dying)",
            Self::SkippedByKernel => {
                "the kernel passes it over (already killed, or between vfork and exec)"
            }
        }
    }
}

/// The badness of one process in one OOM domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Badness {
    /// A candidate with this many points, in pages. Can be negative with a negative adj.
    Points(i64),
    /// Never chosen, and why.
    Immune(Immunity),
    /// The memory could not be read, so the badness is unknown.
    Unknown,
}

impl Badness {
    /// The points of a candidate.
    #[must_use]
    pub fn points(self) -> Option<i64> {
        match self {
            Self::Points(points) => Some(points),
            Self::Immune(_) | Self::Unknown => None,
        }
    }

    /// Points in per mille of the domain's total, adj included; `None` if it is not a candidate.
    #[must_use]
    pub fn permille(self, total: u64) -> Option<i64> {
        let total = i64::try_from(total).ok().filter(|t| *t > 0)?;
        Some(self.points()?.saturating_mul(1000) / total)
    }
}

/// Badness of `process` in a domain of `total` pages.
///
/// `rss + swap + page tables + adj * (total / 1000)`, all in pages, signed (`mm/oom_kill.c` `oom_badness`,
/// 3.6 to 7.3); 3.10 to 4.16 subtract 3 % of the first three terms for a process with `CAP_SYS_ADMIN`.
///
/// Two more facts decide in the kernel but are not visible in user space (read in 6.18.2): `oom_task_origin`
/// (the kernel chooses a process in swapoff or in a KSM unmerge before all others), and a victim whose memory
/// is not free yet (`oom_evaluate_task`: then the kernel chooses nobody else). An exiting process that still
/// has its memory is a candidate like any other. Processes that share an address space have the same badness
/// and die together (`__oom_kill_process`); their adjs can differ only until somebody writes one of them
/// (fs/proc/base.c `__set_oom_adj`, 4.9 and later).
#[must_use]
pub fn badness(process: &Process, total: u64) -> Badness {
    badness_with(process, process.adj.unwrap_or(OomScoreAdj::ZERO), total)
}

/// [`badness`] with another adj, for the preview of a write.
#[must_use]
pub fn badness_with(process: &Process, adj: OomScoreAdj, total: u64) -> Badness {
    if process.kernel_thread {
        return Badness::Immune(Immunity::KernelThread);
    }
    if process.global_init {
        return Badness::Immune(Immunity::Init);
    }
    if process.state.is_dead() {
        // A process with a dead leader and living threads is still a candidate (`find_lock_task_mm` finds the
        // memory of a thread), but its own files do not show the memory any more.
        return if process.threads > 1 {
            Badness::Unknown
        } else {
            Badness::Immune(Immunity::NoMemory)
        };
    }
    if adj == OomScoreAdj::IMMUNE {
        return Badness::Immune(Immunity::Adj);
    }
    if process.skipped_by_kernel {
        return Badness::Immune(Immunity::SkippedByKernel);
    }
    match &process.memory {
        Some(memory) => {
            let charged = memory.charged();
            let bonus = if process.root_bonus {
                charged.saturating_mul(3) / 100
            } else {
                0
            };
            let used = i64::try_from(charged - bonus).unwrap_or(i64::MAX / 2);
            Badness::Points(used.saturating_add(adj.pages(total)))
        }
        None if process.unreadable => Badness::Unknown,
        None => Badness::Immune(Immunity::NoMemory),
    }
}

/// `/proc/PID/oom_score` of a process, computed: reading the file of every process would cost more than the
/// scan. `None` if the process cannot be read.
///
/// The file always measures against RAM + swap, even inside a memory cgroup (fs/proc/base.c `proc_oom_score`).
#[must_use]
pub fn score(process: &Process, memory: &Memory, rules: &KernelRules) -> Option<u32> {
    if process.unreadable {
        return None;
    }
    let total = memory.host_total_pages(rules.page_size);
    Some(oom_score(
        badness(process, total).points(),
        total,
        rules.score,
    ))
}

#[cfg(test)]
mod tests {
    use super::{Badness, Immunity, badness, score};
    use crate::model::kernel::KernelRules;
    use crate::model::memory::Memory;
    use crate::model::on_paper;

    use crate::model::process::{Process, TaskState};

    fn process(rss: u64, adj: i64) -> Process {
        let mut process = on_paper::process(1, rss, adj);
        if let Some(memory) = &mut process.memory {
            (memory.swap, memory.page_tables) = (20, 3);
        }
        process
    }

    #[test]
    fn adds_memory_and_a_share_of_the_domain() {
        assert_eq!(badness(&process(1000, 0), 500_000), Badness::Points(1023));
        assert_eq!(
            badness(&process(1000, -300), 500_000),
            Badness::Points(1023 - 150_000)
        );
        // The total is divided by 1000 before it is multiplied: 1999 / 1000 = 1.
        assert_eq!(
            badness(&process(1000, 300), 1999),
            Badness::Points(1023 + 300)
        );
        assert_eq!(
            badness(&process(1000, 0), 500_000).permille(500_000),
            Some(2)
        );
    }

    #[test]
    fn says_why_a_process_is_immune() {
        assert_eq!(
            badness(&process(1, -1000), 1000),
            Badness::Immune(Immunity::Adj)
        );
        let init = Process {
            global_init: true,
            ..process(1, 0)
        };
        assert_eq!(badness(&init, 1000), Badness::Immune(Immunity::Init));
        let zombie = Process {
            state: TaskState('Z'),
            ..process(1, 0)
        };
        assert_eq!(badness(&zombie, 1000), Badness::Immune(Immunity::NoMemory));
        let leader = Process {
            state: TaskState('Z'),
            threads: 3,
            ..process(1, 0)
        };
        assert_eq!(badness(&leader, 1000), Badness::Unknown);
        let hidden = Process {
            memory: None,
            unreadable: true,
            ..process(1, 0)
        };
        assert_eq!(badness(&hidden, 1000), Badness::Unknown);
    }

    #[test]
    fn the_score_is_measured_against_the_host() {
        let page = KernelRules::default().page_size;
        let memory = Memory {
            total: 1_000_000 * page,
            ..Memory::default()
        };
        let shown = |process| score(&process, &memory, &KernelRules::default());
        // Half of memory and half of the adj range: (1000 + 500 + 500) * 2 / 3.
        assert_eq!(shown(process(499_977, 500)), Some(1333));
        assert_eq!(shown(process(499_977, -1000)), Some(0), "immune");
        let hidden = Process {
            unreadable: true,
            ..process(1, 0)
        };
        assert_eq!(shown(hidden), None);
    }
}
