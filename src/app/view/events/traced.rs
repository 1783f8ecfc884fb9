//! Kills that tracepoints tell: a row at once, until the kernel's report of the same kill takes its place.

use std::sync::Arc;
use std::time::Duration;

use super::EventLog;
use super::entry::{Entry, EventId};
use crate::model::cgroup::CgroupPath;
use crate::model::event_source::{EventSource, Tracing};
use crate::model::process::score::OomScoreAdj;
use crate::model::recall::{Remembered, recall_process};
use crate::model::snapshot::Snapshot;
use crate::model::time::Monotonic;
use crate::model::traced::{Sender, Sigkill, TracedKill};
use crate::oomlog::{Kill, Killer};

/// A line of the log and a tracepoint tell of the same kill if they name the same pid within this time. The clock of
/// the log drifts from that of the tracepoints, and pids are not reused that soon.
const SAME: Duration = Duration::from_mins(1);

/// A SIGKILL gets a row if its target held at least one part in so many of the machine's memory.
const LARGE: u64 = 100;

impl EventLog {
    /// Takes what is known of the sources now, at `now`.
    pub fn set_source(&mut self, source: EventSource, now: Monotonic) {
        let was_traced = self.source.is_traced();
        let untold = source.untold_signals();
        let is_whole = untold.is_some() && untold == self.source.untold_signals();
        // What was lost until now says nothing about what comes.
        self.whole_since = self
            .whole_since
            .filter(|_| is_whole)
            .or(untold.map(|_| now));
        self.source = source;
        match self.source.is_traced() {
            true if !was_traced => self.traced_since = Some(now),
            true => {}
            false => self.traced_since = None,
        }
    }

    /// Instructions of the programs at the tracepoints, as the kernel's verifier counted them.
    pub fn traced_instructions(&self) -> u32 {
        match self.source.tracing {
            Tracing::Live { instructions, .. } => instructions,
            Tracing::NotYet | Tracing::Off(_) => 0,
        }
    }

    /// Takes a kill; true if nobody has told of it before.
    pub fn accept_traced(&mut self, traced: TracedKill, samples: &[&Snapshot]) -> bool {
        let traced = Arc::new(traced);
        if self.learn_more(&traced, samples) || self.join_report(&traced) {
            self.shed();
            self.relist();
            return false;
        }
        self.counter.trace(traced.at, traced.counted);
        let (kill, remembered) = row_of(&traced, samples);
        self.counting(|log| {
            log.push(Entry::Traced {
                kill,
                traced,
                remembered,
            });
        });
        self.shed();
        self.relist();
        true
    }

    /// Takes a SIGKILL that is not the OOM killer's. It gets a row if its target was large; true if it has one.
    pub fn accept_sigkill(&mut self, sigkill: Sigkill, sample: &Snapshot) -> bool {
        let total = sample.memory.total;
        let is_large = sigkill
            .charged
            .is_some_and(|charged| total > 0 && charged >= total / LARGE);
        let is_shown = sample.processes.iter().any(|p| p.id == sigkill.target);
        // Such a program tells of its kills itself, if somebody hears it.
        let is_told = self.source.unheard.is_empty() && is_killer(&sigkill.by);
        let has_row = is_large && is_shown && !is_told;
        if has_row {
            self.counting(|log| log.push(Entry::Sigkill(Arc::new(sigkill))));
            self.shed();
            self.relist();
        }
        has_row
    }

    /// True if tracepoints have told of every kill and every SIGKILL since then.
    #[must_use]
    pub fn is_traced_since(&self, since: Monotonic) -> bool {
        self.source.is_traced() && self.whole_since.is_some_and(|whole| whole <= since)
    }

    /// More about a kill that has a row; false if none has it.
    fn learn_more(&mut self, traced: &Arc<TracedKill>, samples: &[&Snapshot]) -> bool {
        for kept in self.entries.iter_mut().rev() {
            match &mut kept.entry {
                Entry::Traced {
                    kill,
                    traced: known,
                    remembered,
                } if known.number == traced.number => {
                    let more = traced.counted.saturating_sub(known.counted);
                    self.counter.trace(traced.at, more);
                    let (newer, recalled) = row_of(traced, samples);
                    *kill = newer;
                    if remembered.is_none() {
                        *remembered = recalled;
                    }
                    *known = Arc::clone(traced);
                    return true;
                }
                Entry::Report { traced: all, .. } => {
                    let same =
                        |(_, known): &&mut (_, Arc<TracedKill>)| known.number == traced.number;
                    if let Some((_, known)) = all.iter_mut().find(same) {
                        *known = Arc::clone(traced);
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// The log was first: adds the facts to its row; false if no line names the pid.
    fn join_report(&mut self, traced: &Arc<TracedKill>) -> bool {
        for kept in self.entries.iter_mut().rev() {
            let Entry::Report {
                report,
                traced: all,
                boot: 0,
                ..
            } = &mut kept.entry
            else {
                continue;
            };
            let is_new = |pid| all.iter().all(|(known, _)| *known != pid);
            let same = |kill: &&Kill| is_same(kill, report.at, traced) && is_new(kill.pid);
            if let Some(kill) = report.kills.iter().find(same) {
                let pid = kill.pid;
                all.push((pid, Arc::clone(traced)));
                return true;
            }
        }
        false
    }

    /// The report of the entry `number` tells of these kills now. Rows that tracepoints made for them go, and what they
    /// told joins the report. Returns the kills that had no row.
    pub(super) fn take_over_traced(&mut self, number: u64, fresh: Vec<Kill>) -> Vec<Kill> {
        if !self
            .entries()
            .any(|entry| matches!(entry, Entry::Traced { .. }))
        {
            return fresh;
        }
        let mut news = Vec::new();
        for kill in fresh {
            match self.remove_traced(&kill) {
                None => news.push(kill),
                Some((old, traced)) => self.add_to_report(number, &kill, old, traced),
            }
        }
        news
    }

    /// Removes the oldest row of a tracepoint that is about this kill.
    fn remove_traced(&mut self, kill: &Kill) -> Option<(u64, Arc<TracedKill>)> {
        let same = |entry: &Entry| match entry {
            Entry::Traced { traced, .. } => is_same(kill, None, traced),
            _ => false,
        };
        let index = self.entries.iter().position(|kept| same(&kept.entry))?;
        let kept = self.entries.remove(index)?;
        match kept.entry {
            Entry::Traced { traced, .. } => Some((kept.number, traced)),
            _ => None,
        }
    }

    fn add_to_report(&mut self, number: u64, kill: &Kill, old: u64, told: Arc<TracedKill>) {
        self.counter.untrace(told.at, told.counted);
        let mut entries = self.entries.iter_mut().rev();
        let kept = entries.find(|kept| kept.number == number);
        let Some(Entry::Report { report, traced, .. }) = kept.map(|kept| &mut kept.entry) else {
            return;
        };
        let place = report.kills.iter().position(|own| own.pid == kill.pid);
        traced.push((kill.pid, told));
        let was = EventId {
            entry: old,
            kill: 0,
        };
        let is = EventId {
            entry: number,
            kill: place.unwrap_or(0),
        };
        self.list.hand_over(was, is);
    }
}

/// True if a program that kills before the kernel does sent it.
fn is_killer(by: &Sender) -> bool {
    let Sender::Process { comm, .. } = by else {
        return false;
    };
    let mut names = Killer::ALL.iter().filter(|killer| killer.is_program());
    names.any(|killer| comm.as_bytes() == killer.name().as_bytes())
}

/// True if a line of the log and a tracepoint tell of the same death. `began`: stamp of the report.
fn is_same(kill: &Kill, began: Option<Monotonic>, traced: &TracedKill) -> bool {
    let threads = [Some(kill.pid), kill.thread];
    let named = threads.contains(&Some(traced.pid))
        || traced.thread.is_some() && threads.contains(&traced.thread);
    let near = kill.at.or(began).is_none_or(|at| {
        let apart = at.since(traced.at).max(traced.at.since(at));
        apart <= SAME
    });
    named && near
}

/// A traced kill in the words of the log, and what the last samples knew of the victim.
fn row_of(traced: &TracedKill, samples: &[&Snapshot]) -> (Kill, Option<Box<Remembered>>) {
    let memory = traced.memory.as_ref();
    let kb = |pages: u64| pages.saturating_mul(traced.page_size) / 1024;
    let kill = Kill {
        pid: traced.pid,
        thread: traced.thread,
        comm: traced.comm.text().into_owned(),
        at: Some(traced.at),
        uid: traced.uid,
        anon_rss_kb: memory.map(|memory| kb(memory.anon)),
        file_rss_kb: memory.map(|memory| kb(memory.file)),
        shmem_rss_kb: memory.map(|memory| kb(memory.shmem)),
        pgtables_kb: memory.map(|memory| kb(memory.page_tables)),
        adj: traced.adj.map(OomScoreAdj::get),
        lines: u32::try_from(traced.counted).unwrap_or(u32::MAX),
        ..Kill::default()
    };
    let mut remembered = recall_process(|id| traced.is(id), traced.at, samples);
    if let Some(known) = &mut remembered
        && let Some(id) = traced.cgroup_id
        && samples.iter().any(|sample| has_ids(sample))
    {
        // It may have moved since the sample, but the id is that of the moment.
        known.cgroup = samples.iter().find_map(|sample| group_of(id, sample));
    }
    (kill, remembered.map(Box::new))
}

/// True if the back end of the sample reports the ids of groups.
fn has_ids(sample: &Snapshot) -> bool {
    let mut processes = sample.processes.iter();
    processes.any(|process| process.cgroup_id.is_some())
}

/// The group with this kernfs id, if some process of the sample was in it.
fn group_of(id: u64, sample: &Snapshot) -> Option<CgroupPath> {
    let mut processes = sample.processes.iter();
    let inside = processes.find(|process| process.cgroup_id == Some(id))?;
    Some(sample.cgroup(inside.cgroup?)?.path.clone())
}
