//! [`Guard`]: looks at processes and writes what their rules give.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::move_tries::MoveTries;
use super::rule_writer::RuleWriter;
use crate::linux::ReadError;
use crate::linux::subjects::{Glimpse, SubjectReader};
use crate::model::plan::receipt::{Failure, FailureKind};
use crate::model::process::Pid;
use crate::model::rules::Rules;
use crate::model::rules::census::Census;
use crate::model::rules::change::{Change, change_of, held};
use crate::model::rules::rule_group::RuleGroup;
use crate::model::rules::start::Start;
use crate::model::rules::struggle::{Act, Struggles};
use crate::output::protect::Outcome;

/// The census may hold twice the processes of the last sweep and this many more. A larger one holds mostly processes that
/// have ended: the next sweep forgets them.
const SPARE: usize = 4096;

/// Most processes that are held at once: each takes a descriptor.
const HELD: usize = 64;

/// A write can change what descendants get. They are looked at in the same call, so many generations deep.
const DEPTH: usize = 4;

/// The processes, and how to write to them.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) census: Census,
    struggles: Struggles,
    pub(super) reader: SubjectReader,
    pub(super) writer: RuleWriter,
    begun: Instant,
    /// How many processes the last look at all of them found.
    found: usize,
    /// How many starts were told since then.
    told: usize,
    glimpsed: HashMap<Pid, Glimpse>,
    pub(super) tries: MoveTries,
    /// Groups that are ready, or could not be made so.
    pub(super) ready: Vec<(RuleGroup, Result<(), String>)>,
}

impl Guard {
    pub(super) fn new(rules: Rules, reader: SubjectReader, writer: RuleWriter) -> Self {
        Self {
            census: Census::new(rules),
            struggles: Struggles::default(),
            reader,
            writer,
            begun: Instant::now(),
            found: 0,
            told: 0,
            glimpsed: HashMap::new(),
            tries: MoveTries::default(),
            ready: Vec::new(),
        }
    }

    pub(super) fn rules(&self) -> &Rules {
        self.census.rules()
    }

    /// How many processes a rule gives a value.
    pub(super) fn held(&self) -> usize {
        held(&self.census)
    }

    /// Other rules from here on. [`Self::sweep`] applies them.
    pub(super) fn change_rules(&mut self, rules: Rules) {
        self.reader.want(&rules);
        self.census.change_rules(rules);
        self.tries.clear();
        self.ready.clear();
    }

    /// Looks at all processes.
    ///
    /// # Errors
    /// If the process table cannot be listed.
    pub(super) fn sweep(&mut self) -> Result<Outcome, ReadError> {
        let subjects = self.reader.all()?;
        self.found = subjects.len();
        self.told = 0;
        self.census.replace(subjects);
        let census = &self.census;
        self.struggles.keep(|id| {
            census
                .subject(id.pid)
                .is_some_and(|subject| subject.id == id)
        });
        self.tries.keep(|id| {
            let subject = census.subject(id.pid);
            subject.is_some_and(|subject| subject.id == id)
        });
        let pids = census.subjects().map(|subject| subject.id.pid).collect();
        Ok(self.apply(&pids))
    }

    /// So many starts were told that all processes should be looked at, to forget those that have ended.
    pub(super) fn is_crowded(&self) -> bool {
        self.told > 2 * self.found + SPARE
    }

    /// Takes what the kernel told.
    pub(super) fn take(&mut self, starts: &[Start]) -> Outcome {
        let mut look = BTreeSet::new();
        for start in starts {
            look.insert(match *start {
                Start::Forked { parent, child } => {
                    self.census.forked(parent, child);
                    child
                }
                Start::Changed(pid) => pid,
            });
        }
        self.told += starts.len();
        let touched = self.look(look);
        self.apply(&touched)
    }

    /// Looks at those processes that are new or look different, where the kernel tells of none.
    ///
    /// # Errors
    /// As [`Self::sweep`].
    pub(super) fn glimpse(&mut self) -> Result<Outcome, ReadError> {
        let now = self.reader.glimpse()?;
        let now: HashMap<Pid, Glimpse> = now.into_iter().map(|one| (one.id.pid, one)).collect();
        let gone = self.glimpsed.keys().filter(|pid| !now.contains_key(pid));
        for pid in gone {
            self.census.forget(*pid);
        }
        let is_other = |one: &&Glimpse| self.glimpsed.get(&one.id.pid) != Some(*one);
        let look = now
            .values()
            .filter(is_other)
            .map(|one| one.id.pid)
            .collect();
        let touched = self.look(look);
        self.glimpsed = now;
        Ok(self.apply(&touched))
    }

    /// Reads these processes. Returns those that another rule may hold now.
    fn look(&mut self, pids: BTreeSet<Pid>) -> BTreeSet<Pid> {
        let mut touched = BTreeSet::new();
        for pid in pids {
            match self.reader.read(pid) {
                Some(subject) => touched.extend(self.census.take(subject)),
                None => self.census.ended(pid),
            }
        }
        touched
    }

    /// Writes what these processes lack, and what others lack that descend from one of those.
    fn apply(&mut self, pids: &BTreeSet<Pid>) -> Outcome {
        let at = self.begun.elapsed();
        let mut outcome = Outcome::default();
        let mut open = pids.clone();
        let mut all = pids.clone();
        for _ in 0..DEPTH {
            let mut writes: Vec<Change> = Vec::new();
            for change in open.iter().filter_map(|pid| change_of(&self.census, *pid)) {
                match self.struggles.act(change.id, change.from, change.to, at) {
                    Act::Nothing => {}
                    Act::Write => writes.push(change),
                    Act::GiveUp => outcome.given_up.push(change),
                }
            }
            open.clear();
            for some in writes.chunks(HELD) {
                let sure = self.still_right(some, &mut open);
                let is_dropped = |change: &&Change| sure.iter().all(|one| one.id != change.id);
                for change in some.iter().filter(is_dropped) {
                    self.struggles.unwritten(change.id);
                }
                outcome.add(self.write(&sure));
            }
            if open.is_empty() {
                break;
            }
            all.extend(&open);
        }
        self.move_all(&all, &mut outcome);
        self.writer.hold(&[]);
        outcome
    }

    /// Holds the processes of these changes and looks at them again: a pid and a start time, which counts in ticks of
    /// 10 ms, may be another process's by now. While a process is held and lives, what is read under its pid is its own.
    /// Processes that another rule holds by now are added to `others`.
    fn still_right(&mut self, changes: &[Change], others: &mut BTreeSet<Pid>) -> Vec<Change> {
        let ids: Vec<_> = changes.iter().map(|change| change.id).collect();
        self.writer.hold(&ids);
        let mut sure = Vec::with_capacity(changes.len());
        for change in changes {
            let pid = change.id.pid;
            let Some(subject) = self.reader.read(pid) else {
                self.census.ended(pid);
                continue;
            };
            let touched = self.census.take(subject);
            others.extend(touched.into_iter().filter(|touched| *touched != pid));
            match change_of(&self.census, pid) {
                Some(now) if (now.id, now.to) == (change.id, change.to) => sure.push(now),
                Some(_) => {
                    others.insert(pid);
                }
                None => {}
            }
        }
        sure
    }

    fn write(&mut self, writes: &[Change]) -> Outcome {
        let mut outcome = Outcome::default();
        if writes.is_empty() {
            return outcome;
        }
        let receipts = match self.writer.write(writes) {
            Ok((receipts, lost)) => {
                outcome.refused = lost;
                receipts
            }
            Err(why) => {
                for change in writes {
                    self.struggles.forget(change.id);
                }
                outcome.refused = Some(why);
                return outcome;
            }
        };
        for (change, receipt) in writes.iter().zip(receipts) {
            match receipt.failure() {
                None => {
                    self.census.wrote(change.id, change.to);
                    outcome.done.push(*change);
                }
                Some(failure) => self.failed(*change, failure, &mut outcome),
            }
        }
        outcome
    }

    fn failed(&mut self, change: Change, failure: &Failure, outcome: &mut Outcome) {
        match failure.kind {
            // It has ended meanwhile.
            FailureKind::Gone | FailureKind::Reused => self.struggles.unwritten(change.id),
            // Somebody else was faster: the next look decides.
            FailureKind::NotKept => {}
            FailureKind::Denied
            | FailureKind::NoRule
            | FailureKind::NoGroup
            | FailureKind::NoFile
            | FailureKind::Unchecked
            | FailureKind::Elsewhere
            | FailureKind::Changed
            | FailureKind::Withdrawn
            | FailureKind::Other => {
                self.struggles.refused(change.id);
                outcome.failed.push((change, failure.clone()));
            }
        }
    }
}
