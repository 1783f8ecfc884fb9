//! The latest reports, and which of them a line belongs to.
//!
//! Since 4.x the kernel prints one report at a time (`oom_lock`), but lines of other messages come in between,
//! older kernels let memory cgroups report at the same time, and the reaper prints whenever it is done. So a
//! line goes to a report of the same caller where the log has callers, and to the newest one it can belong to.

use std::collections::VecDeque;

use crate::oomlog::assembler::draft::{Draft, is_printed_again};
use crate::oomlog::assembler::together::are_together;
use crate::oomlog::line::fact::{KilledLine, Verdict};
use crate::oomlog::report::tasks::MAX_TASKS;
use crate::oomlog::{Constraint, LogRecord, OomEvent, Outcome, Pid, ReportKey};

/// Reports kept, finished ones included: late lines (reaper, group, panic) look for theirs here.
const MAX_REPORTS: usize = 8;
/// How long a pending report waits for its verdict, in seconds since its last line. A slow serial console needs
/// long for a big table; a report that lost its end must not swallow a later kill.
const VERDICT_WITHIN: u64 = 120;
/// How far apart the lines of one group kill can be, in seconds.
const BURST: u64 = 5;
/// How far apart the choice and the kill can be, in seconds.
const CHOSEN_WITHIN: u64 = 5;
/// How long after the kill the reaper may print, in seconds.
const REAP_WITHIN: u64 = 600;
/// The kernel prints the body of so many reports ([`RATE_BURST`]) in so many seconds (mm/oom_kill.c `oom_rs`).
const RATE_INTERVAL: u64 = 5;
/// See [`RATE_INTERVAL`].
const RATE_BURST: usize = 10;
/// A report of the same cgroup within this many seconds repeats the earlier one, if neither found a victim.
const REPEAT_WITHIN: u64 = 60;

/// The latest reports, oldest first.
#[derive(Debug, Default)]
pub(crate) struct OpenReports {
    kept: VecDeque<Draft>,
    /// The last key given to a report or to a kill by a program.
    pub(crate) last_key: u64,
}

/// Where a verdict belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// To this report.
    Known(usize),
    /// To a new report. `held_back`: it may repeat an earlier one, so it is not emitted yet.
    New { held_back: bool },
    /// To a report that the log does not have. Without that report the line says nothing.
    Nowhere,
}

impl Place {
    /// A kill or an outcome is worth a report of its own.
    pub(crate) fn or_new(index: Option<usize>) -> Self {
        index.map_or(Self::New { held_back: false }, Self::Known)
    }

    /// A detail is not.
    fn or_nowhere(index: Option<usize>) -> Self {
        index.map_or(Self::Nowhere, Self::Known)
    }
}

impl OpenReports {
    /// Starts a report. If there are too many, the oldest finished one is forgotten.
    pub(crate) fn begin(
        &mut self,
        record: &LogRecord,
        held_back: bool,
        out: &mut Vec<OomEvent>,
    ) -> usize {
        // The end of an open report may be lost: emit what there is of it.
        let open = self.kept.iter_mut().filter(|draft| draft.is_pending());
        out.extend(open.filter(|d| d.changed && !d.held_back).map(Draft::emit));
        if self.kept.len() >= MAX_REPORTS {
            // One held back has lost its end: a repeat of which nothing more is known. It counts as one, so that the
            // report it repeats is not the one that is forgotten.
            let unproven = self
                .kept
                .iter()
                .position(|d| d.held_back && self.repeated_by(d).is_some());
            let finished = || self.kept.iter().position(|draft| !draft.is_pending());
            let index = unproven.or_else(finished).unwrap_or(0);
            let repeated = self
                .kept
                .get(index)
                .filter(|d| d.held_back)
                .and_then(|d| self.repeated_by(d));
            if let Some(earlier) = repeated.and_then(|at| self.kept.get_mut(at)) {
                earlier.edit().repeats += 1;
                out.push(earlier.emit());
                self.kept.remove(index);
            } else {
                let forgotten = self.kept.remove(index).filter(|draft| draft.changed);
                out.extend(forgotten.map(|mut draft| draft.emit()));
            }
        }
        self.last_key += 1;
        let draft = Draft::new(ReportKey(self.last_key), record, held_back);
        self.kept.push_back(draft);
        self.kept.len() - 1
    }

    /// Starts a report whose first lines are known already.
    pub(crate) fn adopt(&mut self, mut body: Draft, out: &mut Vec<OomEvent>) -> usize {
        let index = self.begin(&LogRecord::default(), false, out);
        if let Some(place) = self.kept.get_mut(index) {
            body.edit().key = place.report.key;
            *place = body;
        }
        index
    }

    /// True if a report waits for more lines.
    pub(crate) fn any_open(&self) -> bool {
        self.kept.iter().any(Draft::is_open)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Draft> {
        self.kept.get_mut(index)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Draft> {
        self.kept.get(index)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Draft> {
        self.kept.iter_mut()
    }

    pub(crate) fn remove(&mut self, index: usize) {
        self.kept.remove(index);
    }

    /// Where a verdict belongs.
    pub(crate) fn place(&self, record: &LogRecord, verdict: &Verdict) -> Place {
        match verdict {
            Verdict::Invoked(_) => Place::New {
                held_back: self.may_repeat(record),
            },
            Verdict::Killed(killed) => Place::or_new(self.of_victim(record, killed)),
            Verdict::Chosen(_) => {
                Place::or_new(self.undecided(record, |draft| draft.report.chosen.is_none()))
            }
            Verdict::NobodyKillable => {
                match self.undecided(record, |draft| draft.report.chosen.is_none()) {
                    Some(index) => Place::Known(index),
                    // In a flood the head of a report is lost: its end can be that of a repeat.
                    None => Place::New {
                        held_back: self.may_repeat(record),
                    },
                }
            }
            Verdict::Selected { pid, .. } => Place::or_new(self.undecided(record, |draft| {
                let chosen = draft.report.chosen.as_ref();
                chosen.is_none_or(|chosen| chosen.pid == *pid)
            })),
            Verdict::Panic { .. } | Verdict::Ignored => Place::or_new(self.newest(|draft| {
                draft.report.outcome != Outcome::Killed && draft.is_fresh(record.at, VERDICT_WITHIN)
            })),
            Verdict::GroupKill { path } => Place::or_new(self.of_group(record, path)),
            Verdict::Reaped { pid } => Place::or_nowhere(self.of_reaped(record, *pid)),
            Verdict::ChosenTail { .. } => Place::or_nowhere(self.newest(|draft| draft.cut)),
            Verdict::SameMemory { .. } => Place::or_new(self.of_sharer(record)),
            Verdict::AlreadyExiting { pid } => Place::or_nowhere(self.of_exiting(record, *pid)),
        }
    }

    /// True if a report that begins now can be a repeat of one that found nobody to kill.
    fn may_repeat(&self, record: &LogRecord) -> bool {
        self.newest(|draft| {
            draft.report.outcome == Outcome::NobodyKillable
                && draft.report.oom_memcg.is_some()
                && draft.is_fresh(record.at, REPEAT_WITHIN)
        })
        .is_some()
    }

    /// The earlier report that this one repeats: same memory cgroup, nobody to kill.
    pub(crate) fn repeated_by(&self, draft: &Draft) -> Option<usize> {
        let memcg = draft.report.oom_memcg.as_ref();
        self.newest(|earlier| {
            earlier.report.key != draft.report.key
                && earlier.report.outcome == Outcome::NobodyKillable
                && earlier.report.oom_memcg.is_some()
                // A flood swallows the lines that name the group: nobody else is known to have none to kill.
                && memcg.is_none_or(|memcg| earlier.report.oom_memcg.as_ref() == Some(memcg))
                && draft.report.constraint.is_none_or(|constraint| constraint == Constraint::Memcg)
                && draft.report.memory.is_none()
                && earlier.is_fresh(draft.last, REPEAT_WITHIN)
        })
    }

    /// The newest open report of the record's caller: the one that a line of the body belongs to.
    pub(crate) fn open(&self, record: &LogRecord) -> Option<usize> {
        self.undecided(record, |_| true)
    }

    fn newest(&self, fits: impl Fn(&Draft) -> bool) -> Option<usize> {
        self.kept.iter().rposition(fits)
    }

    /// The newest open report of the record's caller for which `fits` holds.
    fn undecided(&self, record: &LogRecord, fits: impl Fn(&Draft) -> bool) -> Option<usize> {
        self.newest(|draft| waits(draft, record) && fits(draft))
    }

    /// The report of a group kill.
    fn of_group(&self, record: &LogRecord, path: &str) -> Option<usize> {
        self.newest(|draft| {
            // A log that was pasted twice has the line twice.
            let group = draft.report.oom_group.as_ref();
            let victims = draft.report.task_memcg.as_ref();
            group.is_none_or(|group| group == path)
                && victims.is_none_or(|memcg| is_inside(memcg, path))
                && !draft.report.kills.is_empty()
                && draft.caller == record.caller
                && draft.is_fresh(record.at, BURST)
        })
    }

    /// The report of a process that shares the victim's memory: that of the victim, or an open one that has lost the
    /// line about its victim.
    fn of_sharer(&self, record: &LogRecord) -> Option<usize> {
        let fits =
            |draft: &Draft| draft.caller == record.caller && draft.is_fresh(record.at, BURST);
        self.newest(|draft| fits(draft) && !draft.report.kills.is_empty())
            .or_else(|| self.newest(|draft| fits(draft) && draft.is_open()))
    }

    /// The report of a victim that was already exiting: one that names it, else the newest.
    fn of_exiting(&self, record: &LogRecord, pid: Pid) -> Option<usize> {
        let fresh = |draft: &Draft| draft.is_fresh(record.at, BURST);
        self.newest(|draft| fresh(draft) && (is_dead(draft, pid) || is_listed(draft, pid)))
            .or_else(|| self.newest(fresh))
    }

    /// The report of a reaped process: its own, else the newest with a kill.
    fn of_reaped(&self, record: &LogRecord, pid: Pid) -> Option<usize> {
        let fresh = |draft: &Draft| draft.is_fresh(record.at, REAP_WITHIN);
        self.newest(|draft| is_dead(draft, pid) && fresh(draft))
            .or_else(|| self.newest(|draft| !draft.report.kills.is_empty() && fresh(draft)))
    }

    /// The report of a victim; `None` if the kernel printed none.
    fn of_victim(&self, record: &LogRecord, victim: &KilledLine) -> Option<usize> {
        let pid = victim.pid;
        let chosen = |draft: &Draft| draft.report.chosen.as_ref().map(|chosen| chosen.pid);
        let fits = |draft: &Draft| waits(draft, record) && agrees(draft, victim);
        let moment =
            |draft: &Draft| draft.caller == record.caller && draft.is_fresh(record.at, BURST);
        let group = |draft: &Draft| {
            draft.report.oom_group.is_some()
                && draft.report.kills.len() < MAX_TASKS
                && moment(draft)
                && agrees(draft, victim)
        };
        // No other kill of the report has this pid.
        let joins = |draft: &Draft| group(draft) && !is_dead(draft, pid);
        self.newest(|draft| fits(draft) && chosen(draft) == Some(pid))
            .or_else(|| self.newest(|draft| moment(draft) && draft.is_refuted_by(pid)))
            .or_else(|| self.newest(|draft| fits(draft) && is_thread(draft, victim) == Some(true)))
            // A group kill prints its first victim again, and no pid dies twice in a moment.
            .or_else(|| {
                self.newest(|draft| {
                    let same_moment = record.at.is_some() && moment(draft);
                    (group(draft) || same_moment) && has_printed(draft, victim)
                })
            })
            .or_else(|| {
                self.newest(|draft| fits(draft) && may_be_child(draft) && is_listed(draft, pid))
            })
            .or_else(|| self.newest(|draft| joins(draft) && is_listed(draft, pid)))
            .or_else(|| self.newest(|draft| fits(draft) && may_be_thread(draft, victim, record)))
            .or_else(|| self.newest(|draft| joins(draft) && draft.report.tasks.is_none()))
            .or_else(|| self.newest(|draft| fits(draft) && may_be_child(draft)))
    }
}

impl OpenReports {
    /// The report that a kill line without one belongs to where the log has lost the line that announces a group kill
    /// (`dmesg -l warn,err` has no such lines): the newest, whose first line is there. The kernel prints that line for
    /// every OOM, unless it printed [`RATE_BURST`] of them within [`RATE_INTERVAL`].
    pub(crate) fn of_nameless_group(
        &self,
        record: &LogRecord,
        victim: &KilledLine,
    ) -> Option<usize> {
        record.at?;
        let headers = self.kept.iter().filter(|draft| draft.report.has_header);
        let printed = headers.filter(|draft| draft.is_fresh(record.at, RATE_INTERVAL));
        let index = self.newest(|draft| draft.caller == record.caller)?;
        let draft = self.kept.get(index)?;
        let report = &draft.report;
        let table = report.tasks.as_ref();
        let joins = report.has_header
            && !report.kills.is_empty()
            && report.kills.len() < MAX_TASKS
            && !report.gap
            && report.message == victim.message
            // Kernels with groups print it.
            && victim.adj.is_some_and(|adj| adj != -1000)
            // Where the log has the line about the choice, it would have that about the group as well, of the same level.
            && table.map_or(report.constraint_text.is_none() && report.chosen.is_none(), |table| {
                table.row(victim.pid).is_some()
            })
            && !is_dead(draft, victim.pid)
            && draft.is_fresh(record.at, BURST)
            && are_together(draft, record, victim);
        (joins && printed.count() < RATE_BURST.min(MAX_REPORTS)).then_some(index)
    }
}

/// The report is open, of the record's caller, and not too old.
fn waits(draft: &Draft, record: &LogRecord) -> bool {
    draft.is_open() && draft.caller == record.caller && draft.is_fresh(record.at, VERDICT_WITHIN)
}

/// Whether the victim is a thread of the chosen process, whose main thread has ended; `None` if the report's table
/// does not tell.
fn is_thread(draft: &Draft, victim: &KilledLine) -> Option<bool> {
    let report = &draft.report;
    let row = report.tasks.as_ref()?.row(victim.pid)?;
    let chosen = report.chosen.as_ref().filter(|c| c.score.is_none());
    Some(chosen.is_some_and(|chosen| chosen.pid == row.process()))
}

/// The victim may be such a thread: the line follows the choice, and nothing speaks against it.
fn may_be_thread(draft: &Draft, victim: &KilledLine, record: &LogRecord) -> bool {
    let report = &draft.report;
    let Some(chosen) = report.chosen.as_ref().filter(|c| c.score.is_none()) else {
        return false;
    };
    // Without a table the thread may have a name of its own.
    let agrees = report.tasks.is_none() || chosen.comm == victim.comm;
    is_thread(draft, victim).is_none()
        && draft.has_just_chosen
        && !report.gap
        && agrees
        && draft.is_fresh(record.at, CHOSEN_WITHIN)
}

/// The report has this very kill.
fn has_printed(draft: &Draft, victim: &KilledLine) -> bool {
    let group = draft.report.oom_group.is_some();
    let mut kills = draft.report.kills.iter();
    kills.any(|kill| is_printed_again(kill, victim, group))
}

/// The cgroup is this one or below.
fn is_inside(cgroup: &str, parent: &str) -> bool {
    cgroup
        .strip_prefix(parent.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The report has a kill of this pid, or of the process whose thread has it.
fn is_dead(draft: &Draft, pid: Pid) -> bool {
    let mut kills = draft.report.kills.iter();
    kills.any(|kill| kill.pid == pid || kill.thread == Some(pid))
}

/// The report's table has this pid.
fn is_listed(draft: &Draft, pid: Pid) -> bool {
    let table = draft.report.tasks.as_ref();
    table.is_some_and(|table| table.row(pid).is_some())
}

/// The victim need not be the chosen process: up to 5.0, which print scores, a child can die instead.
fn may_be_child(draft: &Draft) -> bool {
    let chosen = draft.report.chosen.as_ref();
    chosen.is_none_or(|chosen| chosen.score.is_some())
}

/// The victim's message does not contradict the report's constraint.
fn agrees(draft: &Draft, victim: &KilledLine) -> bool {
    let memcg = victim
        .message
        .as_ref()
        .map(|message| message.starts_with("Memory cgroup"));
    match (memcg, draft.report.constraint) {
        (Some(memcg), Some(Constraint::Memcg)) => memcg,
        (Some(_), Some(Constraint::Other)) | (None, _) | (_, None) => true,
        (Some(memcg), Some(Constraint::None | Constraint::Cpuset | Constraint::MemoryPolicy)) => {
            !memcg
        }
    }
}
