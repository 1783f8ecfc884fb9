//! [`Story`]: from the records of the two tracepoints to who was taken by the OOM killer, and who sent SIGKILL.
//!
//! The OOM killer sends SIGKILL with `SEND_SIG_PRIV` and marks the victim at once, in the thread that asked for
//! memory; then it sends the same signal to each process that shares the memory, without a mark (mm/oom_kill.c
//! `__oom_kill_process`). A group kill does so for every member, the chosen one included. A mark without a signal
//! is a process that was ending already.

use std::collections::VecDeque;
use std::time::Duration;

use super::record::{MARK, Record, SIGNAL};
use crate::model::process::ProcessId;
use crate::model::process::score::OomScoreAdj;
use crate::model::time::Monotonic;
use crate::model::traced::{FactSource, HowTaken, Sender, Sigkill, Traced, TracedKill};

/// `SEND_SIG_NOINFO` and `SEND_SIG_PRIV` (include/linux/sched/signal.h).
const NO_INFO: u64 = 0;
const FROM_KERNEL: u64 = 1;

/// A mark follows its signal within one function; a longer pause is another matter.
const APART: Duration = Duration::from_millis(200);
/// The victims of one OOM are killed within one function, too, but a group can be large.
const ONE_OOM: Duration = Duration::from_secs(2);
/// More about a victim does not come later: its pid may be another's.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Most victims remembered.
const KEPT: usize = 1024;
/// Most signals whose mark may still come: one for each thread in the OOM killer.
const HELD: usize = 256;

/// Units for converting a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub(super) page_size: u64,
    /// Nanoseconds in a tick of `start_ticks`.
    pub(super) tick_nanos: u64,
}

/// A victim that was told.
#[derive(Debug)]
struct Known {
    kill: TracedKill,
    mm: u64,
    /// The thread in whose name the kernel took it.
    thread: u32,
}

/// What the records have told so far.
#[derive(Debug)]
pub(super) struct Story {
    units: Units,
    /// Signals of the kernel whose mark may follow.
    held: VecDeque<Record>,
    known: VecDeque<Known>,
    next: u64,
}

impl Story {
    pub(super) fn new(units: Units) -> Self {
        Self {
            units,
            held: VecDeque::new(),
            known: VecDeque::new(),
            next: 0,
        }
    }

    /// True if a signal waits for its mark: call [`Self::settle`] soon.
    pub(super) fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes a record.
    pub(super) fn take(&mut self, record: &Record, out: &mut Vec<Traced>) {
        self.settle(record.at, out);
        match record.kind {
            MARK => self.mark(record, out),
            SIGNAL if record.info == FROM_KERNEL => self.of_kernel(record, out),
            SIGNAL => out.extend(self.sigkill(record)),
            _ => {}
        }
    }

    /// Tells of signals whose mark did not follow until `now`, in nanoseconds: they were not the OOM killer's.
    pub(super) fn settle(&mut self, now: u64, out: &mut Vec<Traced>) {
        while let Some(first) = self.held.front()
            && (apart(first.at, now) > APART || self.held.len() > HELD)
        {
            out.extend(self.sigkill(first));
            self.held.pop_front();
        }
        while let Some(first) = self.known.front()
            && (self.known.len() > KEPT || since(&first.kill, now) > REMEMBERED)
        {
            self.known.pop_front();
        }
    }

    /// Takes over what was learnt of a victim elsewhere: its process is known then.
    pub(super) fn learn(&mut self, whole: &TracedKill) {
        let known = &mut self.known;
        if let Some(known) = known
            .iter_mut()
            .rev()
            .find(|known| known.kill.number == whole.number)
        {
            let (how, counted) = (known.kill.how, known.kill.counted);
            known.kill = TracedKill {
                how,
                counted,
                ..whole.clone()
            };
        }
    }

    fn mark(&mut self, record: &Record, out: &mut Vec<Traced>) {
        let is_its = |held: &Record| held.by_pid == record.by_pid && held.pid == record.pid;
        if let Some(signal) = self.held.iter().rposition(is_its) {
            let signal = self.held.remove(signal).unwrap_or(*record);
            self.tell(&signal, record, HowTaken::Killed, 1, out);
            return;
        }
        let known = self
            .known
            .iter_mut()
            .rev()
            .find(|known| is_of(&known.kill, record, self.units));
        match known {
            // It was to die with another victim, and is one itself.
            Some(known) if matches!(known.kill.how, HowTaken::SharesMemory(_)) => {
                known.kill.how = HowTaken::Killed;
                known.kill.counted += 1;
                out.push(Traced::Kill(Box::new(known.kill.clone())));
            }
            // Another of its threads, which wants memory to end.
            Some(_) => {}
            None => self.tell(record, record, HowTaken::Ending, 0, out),
        }
    }

    /// A signal in the kernel's own name.
    fn of_kernel(&mut self, record: &Record, out: &mut Vec<Traced>) {
        let units = self.units;
        let same_oom = |known: &&mut Known| {
            known.thread == record.by_pid && since(&known.kill, record.at) < ONE_OOM
        };
        let mut around = self.known.iter_mut().rev().filter(same_oom);
        let mut sharer = None;
        let again = around.find_map(|known| {
            if is_of(&known.kill, record, units) {
                return Some(known);
            }
            let is_victim = known.kill.how == HowTaken::Killed;
            if is_victim && known.mm == record.mm && record.mm != 0 && sharer.is_none() {
                sharer = Some(known.kill.pid);
            }
            None
        });
        match (again, sharer) {
            // A group kill comes to its first victim once more, and counts it once more.
            (Some(known), None) if known.kill.how == HowTaken::Killed => {
                known.kill.counted += 1;
                out.push(Traced::Kill(Box::new(known.kill.clone())));
            }
            (Some(_), _) => {}
            (None, Some(victim)) => {
                self.tell(record, record, HowTaken::SharesMemory(victim), 0, out);
            }
            (None, None) => self.held.push_back(*record),
        }
    }

    /// Tells of a new victim with the facts of one record and the time and the thread of another.
    fn tell(
        &mut self,
        facts: &Record,
        mark: &Record,
        how: HowTaken,
        counted: u64,
        out: &mut Vec<Traced>,
    ) {
        let is_known = facts.tgid != 0;
        let process = if is_known { facts.tgid } else { facts.pid };
        self.next += 1;
        let kill = TracedKill {
            number: self.next,
            pid: process,
            thread: (facts.pid != process).then_some(facts.pid),
            start_ticks: is_known.then(|| self.ticks(facts)),
            comm: facts.comm(),
            at: Monotonic(mark.at / 1000),
            how,
            counted,
            uid: is_known.then_some(facts.uid),
            adj: OomScoreAdj::new(i64::from(facts.adj)).filter(|_| is_known),
            memory: facts.memory(self.units.page_size),
            page_size: self.units.page_size,
            cgroup_id: (facts.group != 0).then_some(facts.group),
            cgroup: None,
            asked_by: Some((mark.by_tgid, mark.by_comm())),
            facts: if is_known {
                FactSource::Tracepoint
            } else {
                FactSource::Nobody
            },
        };
        out.push(Traced::Kill(Box::new(kill.clone())));
        self.known.push_back(Known {
            kill,
            mm: facts.mm,
            thread: mark.by_pid,
        });
    }

    fn ticks(&self, record: &Record) -> u64 {
        record.start / self.units.tick_nanos.max(1)
    }

    /// A signal that was delivered to a process and is not the OOM killer's.
    fn sigkill(&self, record: &Record) -> Option<Traced> {
        let is_from_process =
            record.info == NO_INFO || record.info != FROM_KERNEL && record.code <= 0;
        let by = if is_from_process {
            Sender::Process {
                pid: record.by_tgid,
                uid: record.by_uid,
                comm: record.by_comm(),
            }
        } else {
            Sender::Kernel
        };
        let memory = record.memory(self.units.page_size);
        let charged = memory.map(|memory| {
            (memory.rss.saturating_add(memory.swap)).saturating_mul(self.units.page_size)
        });
        (record.result == 0 && record.tgid != 0).then(|| {
            Traced::Sigkill(Box::new(Sigkill {
                at: Monotonic(record.at / 1000),
                target: ProcessId {
                    pid: record.tgid,
                    start_ticks: self.ticks(record),
                },
                comm: record.comm(),
                by,
                charged,
            }))
        })
    }
}

/// True if the record is about this victim: by the process, or where that is not known by the thread.
fn is_of(kill: &TracedKill, record: &Record, units: Units) -> bool {
    let threads = [Some(kill.pid), kill.thread];
    if record.tgid == 0 || kill.start_ticks.is_none() {
        return threads.contains(&Some(record.pid)) || kill.pid == record.tgid;
    }
    let id = ProcessId {
        pid: record.tgid,
        start_ticks: record.start / units.tick_nanos.max(1),
    };
    kill.is(id)
}

fn apart(before: u64, now: u64) -> Duration {
    Duration::from_nanos(now.saturating_sub(before))
}

fn since(kill: &TracedKill, now: u64) -> Duration {
    Duration::from_micros((now / 1000).saturating_sub(kill.at.0))
}

#[cfg(test)]
mod tests;
