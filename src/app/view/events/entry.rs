//! [`Entry`]: one thing that happened, and its rows in the pane.

use std::sync::Arc;

use crate::app::view::list::ListRow;
use crate::model::cgroup::CgroupPath;
use crate::model::process::Pid;
use crate::model::recall::Remembered;
use crate::model::time::{Monotonic, Now, Wall};
use crate::model::traced::{Sigkill, TracedKill};
use crate::oomlog::{Kill, OomReport, Outcome, UserspaceKill};

/// Bytes of an `Arc` besides its value: two counters, and what the allocator adds.
const ARC: usize = 32;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A report and what was known of its victims before they died, by pid.
    Report {
        /// The report as far as the log has it.
        report: Arc<OomReport>,
        /// What ran out, judged when the report came: each frame shows it, and what is shed later is not missed.
        scope: &'static str,
        /// Known victims.
        remembered: Vec<(Pid, Remembered)>,
        /// What tracepoints told of its victims, by the pid of its line.
        traced: Vec<(Pid, Arc<TracedKill>)>,
        /// 0 is this boot, -1 the one before. Each boot has a monotonic clock of its own.
        boot: i32,
    },
    /// A kill that only a tracepoint has told so far; the report takes its place.
    Traced {
        /// The kill in the words of the log.
        kill: Kill,
        /// All that was told.
        traced: Arc<TracedKill>,
        /// What was known of the victim.
        remembered: Option<Box<Remembered>>,
    },
    /// Somebody sent SIGKILL to a process with a large part of the memory.
    Sigkill(Arc<Sigkill>),
    /// A program killed before the kernel had to.
    Userspace(Arc<UserspaceKill>),
    /// A kill counter rose without a line in the log.
    Unlogged {
        /// When the counter was read.
        at: Monotonic,
        /// How many kills.
        kills: u64,
        /// The groups whose own counters rose.
        groups: Vec<CgroupPath>,
    },
    /// Records were lost.
    Gap {
        /// First stamp after the gap.
        at: Option<Monotonic>,
        /// How many records; 0 if not known.
        lost: u64,
    },
}

/// One row of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRow<'a> {
    /// Its entry.
    pub entry: &'a Entry,
    /// Which of the report's kills; `None` for a report without one (yet).
    pub kill: Option<&'a Kill>,
}

impl EventRow<'_> {
    /// The time of day: from this boot's clock, or from the journal's stamp.
    pub fn wall(self, now: Now) -> Option<Wall> {
        let (at, stamp) = match self.entry {
            Entry::Report {
                report, boot: 0, ..
            } => (
                self.kill.and_then(|kill| kill.at).or(report.at),
                report.stamp.as_deref(),
            ),
            Entry::Report { report, .. } => (None, report.stamp.as_deref()),
            Entry::Userspace(kill) => (kill.at, kill.stamp.as_deref()),
            Entry::Traced { traced, .. } => (Some(traced.at), None),
            Entry::Sigkill(sigkill) => (Some(sigkill.at), None),
            Entry::Unlogged { at, .. } => (Some(*at), None),
            Entry::Gap { at, .. } => (*at, None),
        };
        let by_stamp = || {
            let unix_micros = stamp?.parse().ok()?;
            Some(Wall {
                unix_micros,
                ..now.wall
            })
        };
        at.map(|at| now.wall_of(at)).or_else(by_stamp)
    }
}

impl Entry {
    /// When it began by this boot's clock, where that is known.
    pub(super) fn at(&self) -> Option<Monotonic> {
        match self {
            Self::Report {
                report, boot: 0, ..
            } => report.at,
            Self::Report { .. } => None,
            Self::Userspace(kill) => kill.at,
            Self::Traced { traced, .. } => Some(traced.at),
            Self::Sigkill(sigkill) => Some(sigkill.at),
            Self::Unlogged { at, .. } => Some(*at),
            Self::Gap { at, .. } => *at,
        }
    }

    /// The kills it tells of one by one, in the order of the log.
    pub(super) fn kills(&self) -> &[Kill] {
        match self {
            Self::Report { report, .. } => &report.kills,
            Self::Traced { kill, .. } => std::slice::from_ref(kill),
            Self::Userspace(_) | Self::Sigkill(_) | Self::Unlogged { .. } | Self::Gap { .. } => &[],
        }
    }

    /// When its kills were, by this boot's clock.
    pub(super) fn killed_at(&self) -> impl Iterator<Item = Monotonic> {
        let began = self.at();
        let killed = self.kills().iter();
        let one = match self {
            Self::Userspace(_) | Self::Unlogged { .. } => began,
            Self::Report { .. } | Self::Traced { .. } | Self::Sigkill(_) | Self::Gap { .. } => None,
        };
        let of_older_boot = matches!(self, Self::Report { boot, .. } if *boot != 0);
        killed
            .filter(move |_| !of_older_boot)
            .filter_map(move |kill| kill.at.or(began))
            .chain(one)
    }

    /// How many bytes of memory it takes, without what [`OomReport::shed`] drops.
    pub(super) fn remainder(&self) -> usize {
        let beside = match self {
            Self::Report {
                report,
                remembered,
                traced,
                ..
            } => {
                let known: usize = remembered.iter().map(|(_, known)| known.weight()).sum();
                let traced_weight: usize = traced.iter().map(|(_, kill)| weight(kill)).sum();
                report.remainder()
                    + known
                    + remembered.capacity() * size_of::<(Pid, Remembered)>()
                    + traced_weight
                    + traced.capacity() * size_of::<(Pid, Arc<TracedKill>)>()
            }
            Self::Traced {
                kill,
                traced,
                remembered,
            } => {
                let known = remembered.as_ref();
                let known = known.map_or(0, |known| known.weight() + size_of::<Remembered>());
                kill.comm.capacity() + weight(traced) + known
            }
            Self::Sigkill(_) => size_of::<Sigkill>() + ARC,
            Self::Userspace(kill) => kill.weight(),
            Self::Unlogged { groups, .. } => {
                let paths: usize = groups.iter().map(|group| group.as_str().len()).sum();
                paths + groups.capacity() * (size_of::<CgroupPath>() + ARC)
            }
            Self::Gap { .. } => 0,
        };
        size_of::<Kept>() + beside
    }

    /// True if it tells of somebody's death.
    pub(super) fn has_killed(&self) -> bool {
        match self {
            Self::Report { report, .. } => !report.kills.is_empty(),
            Self::Traced { .. } | Self::Userspace(_) | Self::Unlogged { .. } => true,
            Self::Sigkill(_) | Self::Gap { .. } => false,
        }
    }

    /// Rows it takes: one for each kill, and one if there is none.
    pub(super) fn row_count(&self) -> usize {
        self.kills().len().max(1)
    }

    /// One of its rows, counted from the oldest.
    pub(super) fn row(&self, kill: usize) -> EventRow<'_> {
        EventRow {
            entry: self,
            kill: self.kills().get(kill),
        }
    }
}

/// Bytes of a traced kill.
fn weight(kill: &TracedKill) -> usize {
    let group = kill.cgroup.as_ref().map_or(0, |path| path.as_str().len());
    size_of::<TracedKill>() + group + 2 * ARC
}

/// An entry as the log keeps it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Number of the entry, unique in this run. The entry grows, but its number stays.
    pub(super) number: u64,
    pub(super) entry: Entry,
}

/// Identifies a row of the pane, wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    /// The entry's number.
    pub(super) entry: u64,
    /// Which of the entry's kills, in the order of the log. 0 as well for a report without a kill: its row
    /// becomes that of the first kill.
    pub(super) kill: usize,
}

/// A row of the list: its identity, and the index of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) id: EventId,
    /// Index of the entry, 0 = oldest.
    pub(super) index: usize,
}

impl ListRow for Place {
    type Id = EventId;

    fn id(&self) -> EventId {
        self.id
    }
}

/// True if the report is still being written.
pub fn is_pending(report: &OomReport) -> bool {
    report.outcome == Outcome::Pending
}
