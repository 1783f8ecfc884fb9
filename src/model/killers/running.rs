//! [`RunningKiller`]: a running program that kills before the kernel does, and its known settings.

use super::rule::Rule;
use crate::model::cgroup::CgroupPath;
use crate::model::memory::Memory;
use crate::model::process::ProcessId;
use crate::oomlog::Killer;

/// How a program chooses its victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The largest `oom_score`, as the host's ranking shows it.
    HighestScore,
    /// The largest resident memory.
    LargestRss,
    /// The largest `oom_score`, modified by name patterns, which are not evaluated here.
    ScoreAndPatterns,
    /// Among the leaves below the monitored groups: the group with the most swap (swap rule), or the group
    /// with the most reclaim activity (pressure rule).
    Group,
    /// A pod: those first that use more than they asked for, the lowest priority first among them.
    Pod,
    /// The group that the expression of its rule ranks highest.
    Ranking,
    /// The kernel's choice: it only asks for it.
    Kernel,
    /// Configured in a file that is not read here.
    Unknown,
}

/// `ManagedOOMPreference=` of a group (systemd.resource-control(5)); systemd writes it as an extended attribute of the
/// group's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// It is killed only where nobody else is left.
    Avoid,
    /// It is never killed.
    Omit,
}

/// One running program.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RunningKiller {
    /// Which program it is.
    pub killer: Killer,
    /// Its process.
    pub id: ProcessId,
    /// Its rules; it acts if any of them holds.
    pub rules: Vec<Rule>,
    /// How it chooses its victim.
    pub choice: Choice,
    /// True if some of its rules are unknown: its settings could not be read, or are not read here.
    pub unread: bool,
    /// True if the program only logs what it would do.
    pub dry_run: bool,
    /// Where its settings come from, in words.
    pub source: String,
    /// What is missing or surprising, one sentence each.
    pub notes: Vec<String>,
    /// systemd-oomd: the groups monitored for swap; it kills below them.
    pub watched: Vec<CgroupPath>,
    /// systemd-oomd: the groups that it takes last or never, by path.
    pub spared: Vec<(CgroupPath, Preference)>,
    /// systemd-oomd: those of them that belong to a user. They are spared by rules of pressure alone: for swap only root's
    /// word counts (src/oom/oomd-util.c `oomd_select_by_swap_usage`).
    #[serde(skip)]
    pub not_for_swap: Vec<CgroupPath>,
}

impl RunningKiller {
    /// A program whose settings are unknown; `note` says why.
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
            spared: Vec::new(),
            not_for_swap: Vec::new(),
        }
    }

    /// A program that runs but kills nobody; `note` says why.
    #[must_use]
    pub fn idle(killer: Killer, id: ProcessId, note: &str) -> Self {
        Self {
            unread: false,
            ..Self::unread(killer, id, note)
        }
    }

    /// Approximate number of bytes that must be used up before the first of its memory rules holds; `None` if
    /// no rule depends on the amount of memory. Computed for a dry run too.
    #[must_use]
    pub fn room(&self, host: &Memory) -> Option<u64> {
        let rooms = self.rules.iter().filter_map(|rule| rule.when.room(host));
        rooms.min()
    }

    /// True if it can also kill because of pressure, zram or an expression, not only because of the amount of memory left.
    #[must_use]
    pub fn goes_by_pressure(&self) -> bool {
        !self.dry_run && self.rules.iter().any(|rule| rule.when.is_by_pressure())
    }
}
