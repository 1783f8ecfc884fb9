//! [`RunReport`]: all that is said of a command that was run under watch.

use std::time::Duration;

use super::advice::{Advice, Seen, advice};
use super::course::{Bound, Course};
use super::growth::{Grown, Growth};
use super::place::LeftUnit;
use crate::model::cgroup::CgroupPath;
use crate::model::process::Pid;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It exited with this status.
    Exit(u8),
    /// This signal ended it.
    Signal(u8),
}

impl Ended {
    /// The status that a shell has for it.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Exit(status) => status,
            Self::Signal(signal) => 128_u8.saturating_add(signal),
        }
    }
}

/// What is known of swap in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SwapLimit {
    /// The group has no limit of oomtop's: it may swap as the host does.
    Free,
    /// So many bytes may be swapped out; 0: a limit on memory is one on all.
    Limited {
        /// Bytes.
        bytes: u64,
    },
    /// The kernel counts no swap of groups (v1 without `swapaccount=1`): what is swapped out is beyond the limit.
    Uncounted,
}

/// Counters of the group at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counters {
    /// The highest usage in bytes, with page cache (`memory.peak`, v1 `memory.max_usage_in_bytes`); null before 5.19 on v2.
    pub peak: Option<u64>,
    /// Processes of the group and of those below it that the kernel's OOM killer has killed (`oom_kill`), whichever limit
    /// ran out; null before 4.13.
    pub kills: Option<u64>,
    /// How often the limit of the group or of a group below it ran out (v2 `oom` of `memory.events`, which counts no OOM of
    /// the host or of a group around it); null on v1.
    pub ooms: Option<u64>,
    /// How often the limit was met (v2 `max`, v1 `memory.failcnt`): reclaim mostly helps then.
    pub at_limit: Option<u64>,
}

/// How long tasks waited for memory while the command ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// The waits are those of the group alone; otherwise those of the whole host (v1 counts none of groups).
    pub of_group: bool,
    /// One task at least waited.
    pub some: Duration,
    /// All tasks waited.
    pub full: Duration,
}

/// A process that the log names as killed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Victim {
    /// Its pid.
    pub pid: Pid,
    /// Short name, as the kernel printed it.
    pub name: String,
    /// Whose memory ran out; null if the log does not tell.
    pub of: Option<Bound>,
    /// How often the kernel counted it: it counts the chosen victim of a group kill twice.
    #[serde(skip)]
    pub counted: u64,
}

/// A process that is still in the group after the command has ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Left {
    /// Its pid.
    pub pid: Pid,
    /// Short name.
    pub name: String,
    /// rss + swap in bytes.
    pub bytes: u64,
}

/// The report.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Its group.
    pub group: CgroupPath,
    /// The unit that oomtop has left to have a place for the group.
    pub left_unit: Option<LeftUnit>,
    /// The limit in bytes that the kernel has kept; `None` without `--limit`.
    pub limit: Option<u64>,
    /// Swap of the group.
    pub swap: SwapLimit,
    /// When the command was started: microseconds since 1970 (UTC).
    pub began_unix_micros: i64,
    /// How long it ran.
    pub took: Duration,
    /// How it ended.
    pub ended: Ended,
    /// The readings.
    pub course: Course,
    /// The shortest and the longest pause between two readings that was wanted.
    pub pauses: (Duration, Duration),
    /// Counters of the group.
    pub counters: Counters,
    /// Those that the log names.
    pub victims: Vec<Victim>,
    /// What is missing in the log, as a sentence; empty if nothing is.
    pub log_missing: String,
    /// Waits for memory; `None` where the kernel does not count them.
    pub waited: Option<Waited>,
    /// The processes.
    pub growth: Growth,
    /// Who is left in the group.
    pub left: Vec<Left>,
    /// Who was left was killed (`--kill-left`).
    pub left_killed: bool,
    /// What was left still has the pipe that oomtop read the output from: the next write to it ends the writer (SIGPIPE).
    pub left_unread: bool,
}

/// The kernel charges so many bytes at once (`MEMCG_CHARGE_BATCH`, 64 pages): a charge fails that far below the limit at most.
const BATCH: u64 = 64 * 4096;

/// Most processes whose growth is told.
pub const GROWN: usize = 10;

impl RunReport {
    /// The limit that would do.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        advice(&Seen {
            readings: self.course.readings,
            held: self.course.most_held,
            usage: self.course.most_usage,
            told: self.course.most_told,
            counted: self.counters.peak,
            was_out: self.is_hit(),
            was_cut_short: self.was_cut_short(),
            may_be_out: self.hit().is_none(),
        })
    }

    /// The highest usage with page cache, and whether the kernel has counted it.
    #[must_use]
    pub fn peak(&self) -> (u64, bool) {
        match self.counters.peak {
            Some(counted) => (counted.max(self.course.most_usage), true),
            None => (self.course.most_usage, false),
        }
    }

    /// The limit of the group, or of a group below it, ran out. What the host or a group around it ran out of is not meant:
    /// the command may have been a bystander. `None` if nobody can tell.
    ///
    /// On v2 the kernel counts just that. On v1 the log tells, and where the log does not name a kill, whether the usage ever
    /// came up to the limit.
    #[must_use]
    pub fn hit(&self) -> Option<bool> {
        if let Some(ooms) = self.counters.ooms {
            return Some(ooms > 0);
        }
        let of_own = |victim: &Victim| victim.of == Some(Bound::Group);
        let may_be_own = self.unnamed() > 0 || self.victims.iter().any(|v| v.of.is_none());
        if self.victims.iter().any(of_own) {
            Some(true)
        } else if may_be_own {
            self.met_limit().then_some(true)
        } else {
            Some(false)
        }
    }

    /// True if [`Self::hit`] is certain.
    #[must_use]
    pub fn is_hit(&self) -> bool {
        self.hit() == Some(true)
    }

    /// The usage came up to the limit. `memory.failcnt` alone does not tell: 6.18 leaves it at 0 when a charge fails.
    fn met_limit(&self) -> bool {
        let counted = self.counters.at_limit.is_some_and(|times| times > 0);
        let peak = self.counters.peak.zip(self.limit);
        counted || peak.is_some_and(|(peak, limit)| peak.saturating_add(BATCH) > limit)
    }

    /// Kills because the host or a group around ran out of memory: how many the log names, the host's first.
    #[must_use]
    pub fn kills_from_outside(&self) -> [(Bound, u64); 2] {
        [Bound::Host, Bound::Around].map(|bound| {
            let of = self
                .victims
                .iter()
                .filter(|victim| victim.of == Some(bound));
            (bound, of.map(|victim| victim.counted).sum())
        })
    }

    /// The kernel killed in the group, and no limit of it was the reason: what the command would have taken nobody knows.
    #[must_use]
    pub fn was_cut_short(&self) -> bool {
        self.hit() == Some(false)
            && (self.counters.kills.unwrap_or(0) > 0 || !self.victims.is_empty())
    }

    /// Kills that the kernel has counted and the log does not name.
    #[must_use]
    pub fn unnamed(&self) -> u64 {
        let named: u64 = self.victims.iter().map(|victim| victim.counted).sum();
        self.counters.kills.unwrap_or(named).saturating_sub(named)
    }

    /// The processes that grew most.
    #[must_use]
    pub fn grown(&self) -> Vec<Grown> {
        self.growth.most(GROWN)
    }
}
