//! [`GoneOnes`]: processes that a dialog shows, until they end and after, and how they ended as far as oomtop saw it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::app::view::events::{Entry, EventLog};
use crate::model::process::ProcessId;
use crate::model::sigkills::Sigkills;
use crate::model::snapshot::Snapshot;
use crate::model::time::{BootTime, Monotonic, Now};
use crate::model::traced::{self, Sigkill, TracedKill};
use crate::oomlog::OomEvent;
use crate::oomlog::analysis::death::{Cause, Death, Doubt, Question, Seen, deaths};
use crate::oomlog::witness::{Fact, Says, Sender, Shortage, Source, facts_of, service_of, unit_of};
use crate::text::traced::sender;

/// Most that are kept; the oldest go first.
const KEPT: usize = 16;
/// systemd stops a unit so soon after a kill in it (`TimeoutStopSec=` is 90 s unless set).
const STOPS_WITHIN: i64 = 100_000_000;
/// Microseconds by which stamps of logs and samples differ.
const EXACT: i64 = 1_000_000;
/// Clock ticks of a second (`USER_HZ` is 100 everywhere but on Alpha).
const TICKS: u64 = 100;

/// A process that a dialog shows or has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Identity.
    pub id: ProcessId,
    /// Short name.
    pub comm: String,
    /// Its group.
    pub cgroup: Option<String>,
    /// systemd stops its unit once the kernel has killed in it.
    pub stops_along: bool,
    /// The last sample that had it.
    pub seen: Monotonic,
    /// The first without it; `None` while it lives.
    pub missed: Option<Monotonic>,
}

/// The last ones.
#[derive(Debug, Clone, Default)]
pub struct GoneOnes(VecDeque<Gone>);

impl GoneOnes {
    /// Compares two samples for the processes that dialogs show.
    pub fn note(
        &mut self,
        shown: impl Iterator<Item = ProcessId>,
        before: &Snapshot,
        after: &Snapshot,
    ) {
        for id in shown {
            let Some(process) = before.process(id) else {
                continue;
            };
            let group = process.cgroup.and_then(|key| before.cgroup(key));
            let cgroup = group.map(|group| group.path.to_string());
            let stops_along = before.stopped_with(id).is_some();
            let missed = after.process(id).is_none().then_some(after.taken.monotonic);
            let seen = before.taken.monotonic;
            if let Some(known) = self.0.iter_mut().find(|known| known.id == id) {
                // Who is dying has left its group, and is no candidate any more.
                known.cgroup = cgroup.or(known.cgroup.take());
                known.stops_along |= stops_along;
                known.seen = seen;
                known.missed = missed;
                continue;
            }
            if self.0.len() == KEPT {
                self.0.pop_front();
            }
            self.0.push_back(Gone {
                id,
                comm: process.comm.text().into_owned(),
                cgroup,
                stops_along,
                seen,
                missed,
            });
        }
    }

    /// What is known of it.
    #[must_use]
    pub fn of(&self, id: ProcessId) -> Option<&Gone> {
        self.0.iter().find(|gone| gone.id == id)
    }
}

/// All that tells how a process ended.
#[derive(Debug, Clone, Copy)]
pub struct Aftermath<'a> {
    /// Who ended.
    pub gone: &'a GoneOnes,
    /// The kills.
    pub events: &'a EventLog,
    /// Who sent SIGKILL.
    pub sigkills: &'a Sigkills,
    /// Both clocks.
    pub now: Now,
}

impl Aftermath<'_> {
    /// How it ended; `None` if no sample had it.
    #[must_use]
    pub fn death(&self, id: ProcessId) -> Option<Death> {
        let gone = self.gone.of(id)?;
        let missed = gone.missed?;
        let wall = |at| self.now.wall_of(at).unix_micros;
        let facts = self.facts(id);
        let started = self.started(id);
        let seen = Seen::default();
        let mut found = deaths(&Question::Pid(id.pid), &facts, &seen).into_iter();
        // The number may have been another's before, and may be another's since.
        let ended = wall(missed);
        let in_its_life = |at: i64| (started - EXACT..=ended + EXACT).contains(&at);
        let mut death = match found.find(|death| in_its_life(death.at)) {
            Some(death) => death,
            None => self.unnamed(gone, missed, &facts),
        };
        death.comm = death.comm.or_else(|| Some(gone.comm.clone()));
        death.cgroup = death.cgroup.or_else(|| gone.cgroup.clone());
        death.unit = death.unit.or_else(|| {
            let unit = unit_of(gone.cgroup.as_deref()?);
            unit.map(str::to_owned)
        });
        Some(death)
    }

    /// When the process started, in microseconds since 1970.
    fn started(&self, id: ProcessId) -> i64 {
        let started = BootTime::from_ticks(id.start_ticks, TICKS);
        self.now.wall_of_boot(started).unix_micros
    }

    /// Nothing names the process: its unit was stopped after a kill in it, or it was not killed.
    fn unnamed(&self, gone: &Gone, missed: Monotonic, facts: &[Fact]) -> Death {
        let first_without = self.now.wall_of(missed);
        let missed = first_without.unix_micros;
        let of_host = gone.cgroup.as_deref().and_then(service_of);
        let (unit, manager) = (of_host.map(|unit| unit.name), of_host.and_then(|u| u.user));
        let started = self.started(gone.id);
        let kill = facts.iter().rfind(|fact| {
            matches!(fact.says, Says::KernelKill { .. })
                && fact.of_unit() == unit
                // The user's manager and the system's may each have a unit of this name.
                && fact.manager().is_none_or(|own| own == manager)
                && (0..STOPS_WITHIN).contains(&(missed - fact.at))
                && fact.at >= started - EXACT
        });
        let (cause, doubts) = match kill.filter(|_| gone.stops_along && unit.is_some()) {
            Some(fact) => (
                Cause::OomPolicy {
                    victim: fact.pid,
                    comm: fact.comm.clone(),
                },
                Vec::new(),
            ),
            None if self.events.is_traced_since(gone.seen) && self.sigkills.reach_to(gone.seen) => {
                (Cause::Unknown, vec![Doubt::NotKilled])
            }
            None => (Cause::Unknown, vec![Doubt::NotTraced]),
        };
        let words = format!(
            "{} {} was in the sample of {} and not in that of {}",
            gone.id.pid,
            gone.comm,
            self.now.wall_of(gone.seen),
            first_without
        );
        let kill = kill.filter(|_| cause.is_known()).cloned();
        let vanished = Fact::new(missed, Source::Proc, &words, Says::Count);
        Death {
            at: missed,
            pid: Some(gone.id.pid),
            comm: None,
            unit: None,
            cgroup: None,
            result: None,
            cause,
            evidence: kill.into_iter().chain([vanished]).collect(),
            doubts,
        }
    }

    /// What logs and tracepoints told of this boot.
    fn facts(&self, id: ProcessId) -> Vec<Fact> {
        let wall = |at| self.now.wall_of(at).unix_micros;
        let mut facts = Vec::new();
        for entry in self.events.entries() {
            match entry {
                Entry::Report {
                    report, boot: 0, ..
                } => facts.extend(facts_of(&OomEvent::Report(Arc::clone(report)), wall)),
                Entry::Userspace(kill) => {
                    facts.extend(facts_of(&OomEvent::Userspace(Arc::clone(kill)), wall));
                }
                // One that was ending already was not killed.
                Entry::Traced { traced, .. } if traced.how != traced::HowTaken::Ending => {
                    facts.push(traced_kill(traced, wall(traced.at)));
                }
                Entry::Traced { .. }
                | Entry::Report { .. }
                | Entry::Sigkill(_)
                | Entry::Unlogged { .. }
                | Entry::Gap { .. } => {}
            }
        }
        facts.extend(
            self.sigkills
                .of(id)
                .map(|sent| sigkill(sent, wall(sent.at))),
        );
        facts
    }
}

/// A kill that only a tracepoint has told: what ran out it does not tell.
fn traced_kill(kill: &TracedKill, at: i64) -> Fact {
    let says = Says::KernelKill {
        shortage: Shortage::Unknown,
        along: matches!(kill.how, traced::HowTaken::SharesMemory(_)),
    };
    let words = format!(
        "oom:mark_victim: the OOM killer took {} {}",
        kill.pid, kill.comm
    );
    Fact {
        pid: Some(kill.pid),
        comm: Some(kill.comm.text().into_owned()),
        cgroup: kill.cgroup.as_ref().map(ToString::to_string),
        ..Fact::new(at, Source::Tracepoint, &words, says)
    }
}

fn sigkill(sent: &Sigkill, at: i64) -> Fact {
    let by = match sent.by {
        traced::Sender::Process { pid, uid, comm } => Sender {
            pid,
            uid,
            comm: comm.text().into_owned(),
        },
        traced::Sender::Kernel => Sender {
            pid: 0,
            uid: 0,
            comm: "kernel".to_owned(),
        },
    };
    let words = format!("signal:signal_generate: SIGKILL from {}", sender(&sent.by));
    Fact {
        pid: Some(sent.target.pid),
        comm: Some(sent.comm.text().into_owned()),
        ..Fact::new(at, Source::Tracepoint, &words, Says::Sigkill { by })
    }
}
