//! [`Audit`]: the audit log of `--audit FILE`, and `Audited`, the executor that keeps it.
//!
//! What is about to be written is on disk before it is written, so a crash loses none: at worst a write stands in the
//! log that was not made. A write whose beginning cannot be logged is not made, and once a line is lost no further step
//! is done. The way back of a failed plan stands in its beginning: it is gone all the same.

mod desk;

use std::path::{Path, PathBuf};

use crate::app::msg::WriteId;
use crate::model::actor::Actor;
use crate::model::cgroup::GroupId;
use crate::model::plan::Plan;
use crate::model::plan::execute::Executor;
use crate::model::plan::receipt::{Failure, FailureKind, PlanReceipt, Reading, StepReceipt};
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::output::audit::{self as words, Stamp};
use crate::runtime::clock;
use crate::runtime::effects::desk::Desk;
use desk::{Job, Log, LogFile};

/// Where writes are logged, and for whom.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    actor: Actor,
    desk: Desk<Job>,
}

/// Which write is logged.
#[derive(Debug, Clone, Copy)]
pub(in crate::runtime) struct Which {
    pub(in crate::runtime) id: WriteId,
    /// The write that it takes back.
    pub(in crate::runtime) undo_of: Option<WriteId>,
}

impl Which {
    fn stamp(self, time: &str) -> Stamp<'_> {
        Stamp {
            time,
            write: self.id.0,
            undo_of: self.undo_of.map(|of| of.0),
        }
    }
}

impl Audit {
    /// An audit log in this file. Creates it, readable by its owner alone.
    ///
    /// # Errors
    /// A sentence, if nothing can be appended to it.
    pub(in crate::runtime) fn open(path: &Path, actor: Actor) -> Result<Self, String> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let log = LogFile::new(path.clone());
        Self::keep(path, actor, log)
    }

    fn keep(path: PathBuf, actor: Actor, log: impl Log) -> Result<Self, String> {
        let run = format!("{} {}", clock::utc(), actor.pid);
        let actor = Actor { run, ..actor };
        let desk = desk::start(log);
        let desk = desk.and_then(|desk| desk.ask(Job::Probe).map(|()| desk));
        match desk {
            Ok(desk) => Ok(Self { path, actor, desk }),
            Err(error) => Err(unwritable(&path, &error)),
        }
    }

    /// Logs that these plans are about to be carried out, and gives the executor that logs their steps.
    ///
    /// # Errors
    /// A sentence; nothing may be written then.
    pub(in crate::runtime) fn begin<'a, E: Executor>(
        &'a self,
        inner: &'a mut E,
        which: Which,
        plans: &[Plan],
        comm: impl Fn(ProcessId) -> Option<String>,
    ) -> Result<Audited<'a, E>, String> {
        let time = clock::utc();
        let line = words::begin(which.stamp(&time), &self.actor, plans, comm);
        self.desk.ask(Job::Begin(line)).map_err(|error| {
            format!(
                "Nothing was written, because {}. Make it writable again, or start oomtop without --audit.",
                unwritable(&self.path, &error)
            )
        })?;
        Ok(Audited {
            inner,
            audit: self,
            which,
            lost: None,
            done: 0,
            failed: 0,
        })
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> String {
    format!(
        "the audit log {} cannot be written: {error}",
        path.display()
    )
}

/// Carries out steps and logs each.
#[derive(Debug)]
pub(in crate::runtime) struct Audited<'a, E> {
    inner: &'a mut E,
    audit: &'a Audit,
    which: Which,
    /// Why a line could not be logged.
    lost: Option<String>,
    done: usize,
    failed: usize,
}

impl<E> Audited<'_, E> {
    fn log(
        &mut self,
        job: impl FnOnce(String) -> Job,
        line: impl FnOnce(Stamp<'_>, &Actor) -> String,
    ) {
        let time = clock::utc();
        let line = line(self.which.stamp(&time), &self.audit.actor);
        if let Err(error) = self.audit.desk.ask(job(line)) {
            let why = unwritable(&self.audit.path, &error);
            self.lost.get_or_insert(why);
        }
    }

    /// Logs the end of the write, and why it was not begun if no step of it was tried.
    ///
    /// # Errors
    /// A sentence, if the log lacks a line. What was written stays.
    pub(in crate::runtime) fn end(mut self, receipts: &[PlanReceipt]) -> Result<(), String> {
        if self.done + self.failed == 0 {
            let steps = receipts.iter().flat_map(|plan| &plan.steps);
            for receipt in steps.filter(|receipt| receipt.failure().is_some()) {
                self.failed += 1;
                self.log(Job::Add, |stamp, actor| {
                    words::step(stamp, actor, receipt, words::Seen::default())
                });
            }
        }
        let (done, failed) = (self.done, self.failed);
        self.log(Job::End, |stamp, actor| {
            words::end(stamp, actor, done, failed)
        });
        match self.lost {
            Some(why) => Err(format!("{why}: the result of the last write is not in it")),
            None => Ok(()),
        }
    }
}

impl<E: Executor> Audited<'_, E> {
    fn record(&mut self, receipt: StepReceipt, takes_back: bool) -> StepReceipt {
        let failure = receipt.failure().map(|failure| failure.kind);
        let now = failure
            .is_some_and(FailureKind::may_have_written)
            .then(|| self.inner.look(&receipt.step).ok())
            .flatten();
        if receipt.failure().is_some() {
            self.failed += 1;
        } else {
            self.done += 1;
        }
        let seen = words::Seen {
            now: now.as_ref(),
            takes_back,
        };
        self.log(Job::Add, |stamp, actor| {
            words::step(stamp, actor, &receipt, seen)
        });
        receipt
    }
}

impl<E: Executor> Executor for Audited<'_, E> {
    fn look(&mut self, step: &Step) -> Result<Reading, Failure> {
        self.inner.look(step)
    }

    fn bind(&mut self, groups: &[GroupId]) {
        self.inner.bind(groups);
    }

    fn release(&mut self) -> Vec<GroupId> {
        self.inner.release()
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        if let Some(why) = &self.lost {
            self.failed += 1;
            return StepReceipt {
                step: step.clone(),
                before: Reading::Nothing,
                outcome: Err(Failure {
                    kind: FailureKind::Other,
                    sentence: format!("Not written, because {why}."),
                }),
            };
        }
        let receipt = self.inner.step(step);
        self.record(receipt, false)
    }

    fn take_back(&mut self, step: &Step) -> StepReceipt {
        let receipt = self.inner.take_back(step);
        self.record(receipt, true)
    }
}

#[cfg(test)]
mod tests;
