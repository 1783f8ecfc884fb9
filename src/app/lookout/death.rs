//! [`Death`]: a kill, whoever did it, and the [`Toll`] of all of them.

use std::collections::BTreeMap;

use crate::model::process::Pid;
use crate::model::time::Monotonic;
use crate::model::traced::TracedKill;
use crate::oomlog::analysis::verdict::{RanOut, what_ran_out};
use crate::oomlog::{Kill, Killer, OomReport, UserspaceKill};

/// What ran out before the kernel killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhatRanOut {
    /// The host's memory.
    Host,
    /// The limit of a memory cgroup.
    Memcg,
    /// The memory nodes of a cpuset or of a policy.
    Nodes,
    /// Nothing: somebody asked for a kill (SysRq-f).
    Request,
    /// Nobody told.
    Unknown,
}

impl WhatRanOut {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Host,
        Self::Memcg,
        Self::Nodes,
        Self::Request,
        Self::Unknown,
    ];

    /// The word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Memcg => "memcg",
            Self::Nodes => "nodes",
            Self::Request => "request",
            Self::Unknown => "unknown",
        }
    }

    fn of(report: &OomReport) -> Self {
        match what_ran_out(report) {
            RanOut::Host { .. } | RanOut::Blocks | RanOut::Zones => Self::Host,
            RanOut::Limit { .. } | RanOut::HiddenLimit { .. } => Self::Memcg,
            RanOut::CpusetNodes | RanOut::PolicyNodes | RanOut::Nodes => Self::Nodes,
            RanOut::ByRequest => Self::Request,
            RanOut::NothingShown | RanOut::Other | RanOut::Unknown => Self::Unknown,
        }
    }
}

/// Who killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The kernel's OOM killer.
    Kernel(WhatRanOut),
    /// A program.
    Program(Killer),
}

impl By {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let kernel = WhatRanOut::ALL.into_iter().map(Self::Kernel);
        kernel.chain(Killer::ALL.into_iter().map(Self::Program))
    }

    /// Who, for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Kernel(_) => "kernel",
            Self::Program(killer) => killer.name(),
        }
    }

    /// What ran out; `userspace` if a program killed before the kernel had to.
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::Kernel(what) => what.word(),
            Self::Program(_) => "userspace",
        }
    }
}

/// A kill, or several of which only the number is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// Who killed.
    pub by: By,
    /// How many processes.
    pub processes: u64,
    /// When, by this boot's clock; `None` if the log does not say.
    pub at: Option<Monotonic>,
    /// The process; `None` if only a counter rose or a whole group was killed.
    pub pid: Option<Pid>,
    /// Its name.
    pub comm: Option<String>,
    /// The victim's memory cgroup.
    pub cgroup: Option<String>,
    /// The memory cgroup whose limit ran out.
    pub limit_of: Option<String>,
    /// Private memory of the victim in bytes.
    pub anon: Option<u64>,
    /// The reason in the words of the program that killed.
    pub reason: Option<String>,
}

impl Death {
    fn new(by: By) -> Self {
        Self {
            by,
            processes: 1,
            at: None,
            pid: None,
            comm: None,
            cgroup: None,
            limit_of: None,
            anon: None,
            reason: None,
        }
    }

    /// A kill in the kernel's report.
    pub(super) fn by_kernel(kill: &Kill, report: &OomReport) -> Self {
        Self {
            at: kill.at.or(report.at),
            pid: Some(kill.pid),
            comm: Some(kill.comm.clone()),
            cgroup: report.task_memcg.clone(),
            limit_of: report.oom_memcg.clone(),
            anon: kill.anon_rss_kb.map(|kb| kb.saturating_mul(1024)),
            ..Self::new(By::Kernel(WhatRanOut::of(report)))
        }
    }

    /// A kill that a tracepoint told of.
    pub(super) fn traced(kill: &TracedKill) -> Self {
        let anon = kill.memory.map(|memory| memory.anon);
        Self {
            at: Some(kill.at),
            pid: Some(kill.pid),
            comm: Some(kill.comm.to_string()),
            cgroup: kill.cgroup.as_ref().map(ToString::to_string),
            anon: anon.map(|pages| pages.saturating_mul(kill.page_size)),
            ..Self::new(By::Kernel(WhatRanOut::Unknown))
        }
    }

    /// Kills that only the kernel's counter shows.
    pub(super) fn unlogged(processes: u64, at: Monotonic) -> Self {
        Self {
            processes,
            at: Some(at),
            ..Self::new(By::Kernel(WhatRanOut::Unknown))
        }
    }

    /// A kill by a program.
    pub(super) fn by_program(kill: &UserspaceKill) -> Self {
        Self {
            processes: kill.processes.unwrap_or(1),
            at: kill.at,
            pid: kill.pid,
            comm: kill.comm.clone(),
            cgroup: kill.cgroup.clone(),
            reason: kill.reason.clone(),
            ..Self::new(By::Program(kill.killer))
        }
    }
}

/// How many were killed since the start, and the last time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toll {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    /// The newest death.
    pub last: Option<Monotonic>,
}

impl Toll {
    pub(super) fn add(&mut self, death: &Death) {
        let count = self
            .counts
            .entry((death.by.word(), death.by.scope()))
            .or_default();
        *count = count.saturating_add(death.processes);
        self.last = self.last.max(death.at);
    }

    /// How many of them.
    #[must_use]
    pub fn of(&self, by: By) -> u64 {
        let count = self.counts.get(&(by.word(), by.scope()));
        count.copied().unwrap_or(0)
    }
}
