//! [`RunningKiller`]: one program that kills before the kernel does, and what is known of it.

use super::rule::{Rule, Trigger};
use crate::model::cgroup::CgroupPath;
use crate::model::memory::Memory;
use crate::model::process::ProcessId;
use crate::oomlog::Killer;

/// How a program chooses whom to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The largest `oom_score`, as the host's ranking shows it.
    HighestScore,
    /// The largest resident memory.
    LargestRss,
    /// The largest `oom_score`, changed by patterns of names that are not evaluated here.
    ScoreAndPatterns,
    /// Of the monitored groups' leaves the one with the most swap (for swap), or the one that reclaims
    /// most (for pressure).
    Group,
    /// Set in a file that is not read here.
    Unknown,
}

/// One such program, as it runs now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RunningKiller {
    /// Which.
    pub killer: Killer,
    /// Its process.
    pub id: ProcessId,
    /// Any of these is enough.
    pub rules: Vec<Rule>,
    /// Whom it chooses.
    pub choice: Choice,
    /// Some of what makes it act is not known: its settings could not be read, or are not read here.
    pub unread: bool,
    /// It only says what it would do.
    pub dry_run: bool,
    /// Where its settings are from, in words.
    pub source: String,
    /// What is missing or surprising, a sentence each.
    pub notes: Vec<String>,
    /// systemd-oomd: the groups below which it kills for swap.
    pub watched: Vec<CgroupPath>,
}

impl RunningKiller {
    /// A program whose settings are not read, and why.
    #[must_use]
    pub fn unread(killer: Killer, id: ProcessId, note: &str) -> Self {
        Self {
            killer,
            id,
            rules: Vec::new(),
            choice: Choice::Unknown,
            unread: true,
            dry_run: false,
            source: String::new(),
            notes: vec![note.to_owned()],
            watched: Vec::new(),
        }
    }

    /// A program that runs and kills nobody, and why.
    #[must_use]
    pub fn idle(killer: Killer, id: ProcessId, note: &str) -> Self {
        Self {
            unread: false,
            ..Self::unread(killer, id, note)
        }
    }

    /// About how many bytes must be used up before the first of its rules about memory holds; `None` if no
    /// rule goes by memory. Also of a dry run.
    #[must_use]
    pub fn room(&self, host: &Memory) -> Option<u64> {
        let rooms = self.rules.iter().filter_map(|rule| rule.when.room(host));
        rooms.min()
    }

    /// Something other than the amount of memory left can make it kill: pressure, or zram.
    #[must_use]
    pub fn goes_by_pressure(&self) -> bool {
        let by_pressure =
            |rule: &Rule| matches!(rule.when, Trigger::Pressure { .. } | Trigger::Zram { .. });
        !self.dry_run && self.rules.iter().any(by_pressure)
    }
}
