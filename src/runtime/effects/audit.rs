//! [`Audit`]: the audit log of `--audit FILE`, and `Audited`, the executor that keeps it.
//!
//! What is about to be written is on disk before it is written, so a crash loses none: at worst a write stands in the
//! log that was not made. A write that cannot be logged is not made.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::app::msg::WriteId;
use crate::model::actor::Actor;
use crate::model::plan::Plan;
use crate::model::plan::execute::Executor;
use crate::model::plan::receipt::{Failure, Reading, StepReceipt};
use crate::model::plan::step::Step;
use crate::model::process::ProcessId;
use crate::output::audit::{self as words, Stamp};
use crate::runtime::clock;

/// Where writes are logged, and for whom.
#[derive(Debug, Clone)]
pub struct Audit {
    path: PathBuf,
    actor: Actor,
}

impl Audit {
    /// An audit log in this file. Creates it, readable by its owner alone.
    ///
    /// # Errors
    /// A sentence, if nothing can be appended to it.
    pub(in crate::runtime) fn open(path: &Path, actor: Actor) -> Result<Self, String> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let audit = Self { path, actor };
        audit.file().map_err(|error| audit.unwritable(&error))?;
        Ok(audit)
    }

    /// Opened for each write: whoever rotates the log renames it.
    fn file(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        // A pipe that nobody reads must not hold up the write.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.open(&self.path)?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::other("it is not a regular file"))
        }
    }

    fn unwritable(&self, error: &io::Error) -> String {
        let path = self.path.display();
        format!("the audit log {path} cannot be written: {error}")
    }

    /// Logs that these plans are about to be carried out, and gives the executor that logs their steps.
    ///
    /// # Errors
    /// A sentence; nothing may be written then.
    pub(super) fn begin<'a, E: Executor>(
        &'a self,
        inner: &'a mut E,
        (write, undo): (WriteId, bool),
        plans: &[Plan],
        comm: impl Fn(ProcessId) -> Option<String>,
    ) -> Result<Audited<'a, E>, String> {
        let begin = |file: &mut File| {
            let time = clock::utc();
            let stamp = stamp(&time, write, undo);
            file.write_all(words::begin(stamp, &self.actor, plans, comm).as_bytes())?;
            file.sync_data()
        };
        let file = self
            .file()
            .and_then(|mut file| begin(&mut file).map(|()| file));
        let file = file.map_err(|error| {
            format!(
                "Nothing was written, because {}. Make room for it, or start oomtop without --audit.",
                self.unwritable(&error)
            )
        })?;
        Ok(Audited {
            inner,
            audit: self,
            file,
            write,
            undo,
            lost: None,
            done: 0,
            failed: 0,
        })
    }
}

fn stamp(time: &str, write: WriteId, undo: bool) -> Stamp<'_> {
    Stamp {
        time,
        write: write.0,
        undo,
    }
}

/// Carries out steps and logs each.
#[derive(Debug)]
pub(super) struct Audited<'a, E> {
    inner: &'a mut E,
    audit: &'a Audit,
    file: File,
    write: WriteId,
    undo: bool,
    /// Why a line could not be logged.
    lost: Option<io::Error>,
    done: usize,
    failed: usize,
}

impl<E> Audited<'_, E> {
    fn log(&mut self, line: impl FnOnce(Stamp<'_>, &Actor) -> String) {
        let time = clock::utc();
        let line = line(stamp(&time, self.write, self.undo), &self.audit.actor);
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.lost.get_or_insert(error);
        }
    }

    /// Logs the end of the write.
    ///
    /// # Errors
    /// A sentence, if the log lacks a line. What was written stays.
    pub(super) fn end(mut self) -> Result<(), String> {
        let (done, failed) = (self.done, self.failed);
        self.log(|stamp, actor| words::end(stamp, actor, done, failed));
        let synced = self.file.sync_data();
        match self.lost.or(synced.err()) {
            Some(error) => Err(format!(
                "{}: the result of the last write is not in it",
                self.audit.unwritable(&error)
            )),
            None => Ok(()),
        }
    }
}

impl<E: Executor> Executor for Audited<'_, E> {
    fn look(&mut self, step: &Step) -> Result<Reading, Failure> {
        self.inner.look(step)
    }

    fn step(&mut self, step: &Step) -> StepReceipt {
        let receipt = self.inner.step(step);
        if receipt.failure().is_some() {
            self.failed += 1;
        } else {
            self.done += 1;
        }
        self.log(|stamp, actor| words::step(stamp, actor, &receipt));
        receipt
    }
}
