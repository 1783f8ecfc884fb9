//! The reports at hand, and which of them a line belongs to.
//!
//! The kernel prints reports one at a time (`oom_lock`) since 4.x, but other messages come in
//! between, older kernels let memory cgroups report at once, and the reaper speaks whenever it is
//! done. So a line goes to the report of the same caller where the log has callers, else to the
//! newest one that it can belong to.

use std::collections::VecDeque;

use crate::oomlog::line::fact::{Fact, Invoked, KilledLine};
use crate::oomlog::record::LogRecord;
use crate::oomlog::report::draft::Draft;
use crate::oomlog::report::tasks::MAX_TASKS;
use crate::oomlog::{Constraint, OomEvent, Outcome, ReportKey};

/// Reports remembered, finished ones included: late lines (reaper, group, panic) find theirs here.
const MAX_DRAFTS: usize = 8;
/// How long a pending report waits for its verdict, in seconds since its last line: a slow serial
/// console needs long for a big table, and a lost end must not swallow a later kill.
const VERDICT_WITHIN: u64 = 120;
/// How far apart the lines of one group kill can be, in seconds.
const BURST: u64 = 5;
/// How long after the kill the reaper may speak, in seconds.
const REAP_WITHIN: u64 = 600;
/// Reports of the same cgroup without a victim in between that are at most this far apart, in
/// seconds, are one that repeats.
const REPEAT_WITHIN: u64 = 60;

/// The newest reports, oldest first.
#[derive(Debug, Default)]
pub(in crate::oomlog) struct Drafts {
    kept: VecDeque<Draft>,
    /// The last key given away.
    pub(in crate::oomlog) next_key: u64,
}

impl Drafts {
    /// Starts a report. The oldest finished one is forgotten if there are too many.
    pub(in crate::oomlog) fn begin(
        &mut self,
        record: &LogRecord,
        head: Option<Invoked>,
        out: &mut Vec<OomEvent>,
    ) -> usize {
        // Whatever is still open and changed is shown as far as it came: its end may be lost.
        let open = self.kept.iter_mut().filter(|draft| draft.is_pending());
        out.extend(open.filter(|d| d.changed && !d.quiet).map(Draft::show));
        if self.kept.len() >= MAX_DRAFTS {
            let oldest = self.kept.iter().position(|draft| !draft.is_pending());
            let forgotten = self.kept.remove(oldest.unwrap_or(0));
            out.extend(
                forgotten
                    .filter(|d| d.changed)
                    .map(|mut draft| draft.show()),
            );
        }
        self.next_key += 1;
        self.kept
            .push_back(Draft::new(ReportKey(self.next_key), record, head));
        self.kept.len() - 1
    }

    /// True if a report waits for more lines.
    pub(in crate::oomlog) fn any_open(&self) -> bool {
        self.kept.iter().any(Draft::is_open)
    }

    pub(in crate::oomlog) fn get_mut(&mut self, index: usize) -> Option<&mut Draft> {
        self.kept.get_mut(index)
    }

    pub(in crate::oomlog) fn get(&self, index: usize) -> Option<&Draft> {
        self.kept.get(index)
    }

    pub(in crate::oomlog) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Draft> {
        self.kept.iter_mut()
    }

    pub(in crate::oomlog) fn remove(&mut self, index: usize) {
        self.kept.remove(index);
    }

    /// The report that a verdict belongs to; `None` if the log does not hold it.
    pub(in crate::oomlog) fn of_fact(&self, record: &LogRecord, fact: &Fact) -> Option<usize> {
        match fact {
            Fact::Killed(killed) => self.of_victim(record, killed),
            Fact::Chosen(_) => self.undecided(record, |draft| draft.report.chosen.is_none()),
            Fact::Selected { pid, .. } => self.undecided(record, |draft| {
                let chosen = draft.report.chosen.as_ref();
                chosen.is_none_or(|chosen| chosen.pid == *pid)
            }),
            Fact::NobodyKillable => self.undecided(record, |draft| draft.report.chosen.is_none()),
            Fact::Panic { .. } | Fact::Ignored => self.newest(|draft| {
                draft.report.outcome != Outcome::Killed && draft.is_fresh(record.at, VERDICT_WITHIN)
            }),
            Fact::GroupKill { path } => self.newest(|draft| {
                // A log pasted twice has the line twice.
                let group = draft.report.oom_group.as_ref();
                let victims = draft.report.task_memcg.as_ref();
                group.is_none_or(|group| group == path)
                    && victims.is_none_or(|memcg| memcg.starts_with(path.as_str()))
                    && !draft.report.kills.is_empty()
                    && draft.is_fresh(record.at, BURST)
            }),
            Fact::Reaped { pid } => self.of_reaped(record, *pid),
            Fact::ChosenTail { .. } => self.newest(|draft| draft.cut),
            Fact::SameMemory { .. } | Fact::AlreadyExiting { .. } => {
                self.newest(|draft| draft.is_fresh(record.at, BURST))
            }
            _ => None,
        }
    }

    /// True if a report that begins now can be a repeat of one that found nobody to kill.
    pub(in crate::oomlog) fn may_repeat(&self, record: &LogRecord) -> bool {
        self.newest(|draft| {
            draft.report.outcome == Outcome::NobodyKillable
                && draft.report.oom_memcg.is_some()
                && draft.is_fresh(record.at, REPEAT_WITHIN)
        })
        .is_some()
    }

    /// The earlier report that this one repeats: same memory cgroup, nobody to kill.
    pub(in crate::oomlog) fn repeated_by(&self, draft: &Draft) -> Option<usize> {
        let memcg = draft.report.oom_memcg.as_ref()?;
        self.newest(|earlier| {
            earlier.report.key != draft.report.key
                && earlier.report.outcome == Outcome::NobodyKillable
                && earlier.report.oom_memcg.as_ref() == Some(memcg)
                && earlier.is_fresh(draft.last, REPEAT_WITHIN)
        })
    }

    fn newest(&self, fits: impl Fn(&Draft) -> bool) -> Option<usize> {
        self.kept.iter().rposition(fits)
    }

    /// The report that a line without a meaning of its own belongs to.
    pub(in crate::oomlog) fn open(&self, record: &LogRecord) -> Option<usize> {
        self.newest(|draft| {
            draft.is_open()
                && draft.caller == record.caller
                && draft.is_fresh(record.at, VERDICT_WITHIN)
        })
    }

    /// The newest pending report for which `fits` holds, printed by the same caller.
    fn undecided(&self, record: &LogRecord, fits: impl Fn(&Draft) -> bool) -> Option<usize> {
        self.newest(|draft| {
            draft.is_open()
                && draft.caller == record.caller
                && draft.is_fresh(record.at, VERDICT_WITHIN)
                && fits(draft)
        })
    }

    fn of_reaped(&self, record: &LogRecord, pid: u32) -> Option<usize> {
        let dead = |draft: &Draft| draft.report.kills.iter().any(|kill| kill.pid == pid);
        self.newest(|draft| dead(draft) && draft.is_fresh(record.at, REAP_WITHIN))
            .or_else(|| {
                self.newest(|draft| {
                    !draft.report.kills.is_empty() && draft.is_fresh(record.at, REAP_WITHIN)
                })
            })
    }

    /// The report a victim belongs to; none if its report was never printed.
    fn of_victim(&self, record: &LogRecord, victim: &KilledLine) -> Option<usize> {
        let pid = victim.pid;
        let waits = |draft: &Draft| {
            draft.is_open()
                && draft.caller == record.caller
                && draft.is_fresh(record.at, VERDICT_WITHIN)
                && agrees(draft, victim)
        };
        let chosen = |draft: &Draft| draft.report.chosen.as_ref().map(|chosen| chosen.pid);
        let listed = |draft: &Draft| {
            draft
                .report
                .tasks
                .as_ref()
                .is_some_and(|table| table.row(pid).is_some())
        };
        // Up to 5.0 a child can die instead of the chosen one.
        let child = |draft: &Draft| {
            chosen(draft).is_none()
                || draft
                    .report
                    .chosen
                    .as_ref()
                    .is_some_and(|chosen| chosen.score.is_some())
        };
        let group = |draft: &Draft| {
            draft.report.oom_group.is_some()
                && draft.report.kills.len() < MAX_TASKS
                && draft.is_fresh(record.at, BURST)
                && agrees(draft, victim)
        };
        let dead = |draft: &Draft| draft.report.kills.iter().any(|kill| kill.pid == pid);
        let at_once = |draft: &Draft| record.at.is_some() && draft.is_fresh(record.at, BURST);
        self.newest(|draft| waits(draft) && chosen(draft) == Some(pid))
            // A group kill prints its first victim again; nobody dies twice in a moment.
            .or_else(|| self.newest(|draft| dead(draft) && (group(draft) || at_once(draft))))
            .or_else(|| self.newest(|draft| waits(draft) && child(draft) && listed(draft)))
            .or_else(|| {
                self.newest(|draft| group(draft) && (draft.report.tasks.is_none() || listed(draft)))
            })
            .or_else(|| self.newest(|draft| waits(draft) && child(draft)))
    }
}

/// The victim's message does not contradict what the report says about the constraint.
fn agrees(draft: &Draft, victim: &KilledLine) -> bool {
    let memcg = victim
        .message
        .as_ref()
        .map(|message| message.starts_with("Memory cgroup"));
    match (memcg, draft.report.constraint) {
        (Some(memcg), Some(Constraint::Memcg)) => memcg,
        (Some(memcg), Some(constraint)) if constraint != Constraint::Other => !memcg,
        _ => true,
    }
}
