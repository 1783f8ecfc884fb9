//! [`Audit`]: the audit log of `--audit FILE`, and `Audited`, the executor that keeps it.
//!
//! What is about to be written is on disk before it is written, so a crash loses none: at worst a write stands in the
//! log that was not made. A write whose beginning cannot be logged is not made.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::app::msg::WriteId;
use crate::model::actor::Actor;
use crate::model::plan::Plan;
use crate::model::plan::execute::Executor;
use crate::model::plan::receipt::{Failure, PlanReceipt, Reading, StepReceipt};
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
        let run = format!("{} {}", clock::utc(), actor.pid);
        let actor = Actor { run, ..actor };
        let audit = Self { path, actor };
        audit.file().map_err(|error| audit.unwritable(&error))?;
        Ok(audit)
    }

    /// Opened for each write: whoever rotates the log renames it.
    fn file(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        // A pipe that nobody reads must not hold up the write, and no link leads root's lines elsewhere.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW);
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
    pub(in crate::runtime) fn begin<'a, E: Executor>(
        &'a self,
        inner: &'a mut E,
        (write, undo): (WriteId, bool),
        plans: &[Plan],
        comm: impl Fn(ProcessId) -> Option<String>,
    ) -> Result<Audited<'a, E>, String> {
        let begin = |file: &mut File| {
            let time = clock::utc();
            let stamp = stamp(&time, write, undo);
            end_torn_line(file)?;
            file.write_all(words::begin(stamp, &self.actor, plans, comm).as_bytes())?;
            file.sync_data()
        };
        let file = self
            .file()
            .and_then(|mut file| begin(&mut file).map(|()| file));
        let file = file.map_err(|error| {
            format!(
                "Nothing was written, because {}. Make it writable again, or start oomtop without --audit.",
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

/// A full disk may have cut the last line: the next one must not be glued to it.
fn end_torn_line(file: &mut File) -> io::Result<()> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else {
        return Ok(());
    };
    let mut byte = [b'\n'];
    file.read_exact_at(&mut byte, last)?;
    if byte == [b'\n'] {
        Ok(())
    } else {
        file.write_all(b"\n")
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
pub(in crate::runtime) struct Audited<'a, E> {
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
        let torn = self.lost.is_some().then(|| end_torn_line(&mut self.file));
        if let Some(Err(_)) = torn {
            return;
        }
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.lost.get_or_insert(error);
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
                self.log(|stamp, actor| words::step(stamp, actor, receipt));
            }
        }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Audit;
    use crate::app::msg::WriteId;
    use crate::model::actor::Actor;
    use crate::model::plan::Plan;
    use crate::model::plan::execute::{self, Executor};
    use crate::model::plan::receipt::{Failure, FailureKind, Reading, StepReceipt};
    use crate::model::plan::step::Step;
    use crate::model::process::ProcessId;

    /// A kernel in which every process has ended.
    struct Gone;

    impl Executor for Gone {
        fn look(&mut self, _: &Step) -> Result<Reading, Failure> {
            Err(Failure {
                kind: FailureKind::Gone,
                sentence: "It has ended.".to_owned(),
            })
        }

        fn step(&mut self, step: &Step) -> StepReceipt {
            let outcome = self.look(step);
            StepReceipt {
                step: step.clone(),
                before: Reading::Nothing,
                outcome,
            }
        }
    }

    #[test]
    fn a_torn_line_is_ended_and_a_refused_write_has_its_reason() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit");
        fs::write(&path, "{\"event\":\"be").expect("written");
        let audit = Audit::open(&path, Actor::default()).expect("opened");
        let step = Step::Reap {
            target: ProcessId::default(),
        };
        let plan = Plan {
            steps: vec![step.clone(), step],
        };
        let plans = [plan];
        let mut kernel = Gone;
        let mut executor = audit
            .begin(&mut kernel, (WriteId(1), false), &plans, |_| None)
            .expect("logged");
        // Looks before it writes, and writes nothing.
        let receipts = execute::run_all(&mut executor, &plans);
        executor.end(&receipts).expect("logged");
        let log = fs::read_to_string(&path).expect("read");
        let mut lines = log.lines();
        assert_eq!(lines.next(), Some("{\"event\":\"be"));
        let events: Vec<_> = lines
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
            .collect();
        let kinds: Vec<_> = events.iter().map(|line| line["event"].clone()).collect();
        assert_eq!(kinds, ["begin", "step", "end"]);
        assert_eq!(events[1]["failure"], "It has ended.");
        assert_eq!(
            (&events[2]["done"], &events[2]["failed"]),
            (&0.into(), &1.into())
        );
        assert!(events.iter().all(
            |line| line["run"] == events[2]["run"] || line["actor"]["run"] == events[2]["run"]
        ));
        std::os::unix::fs::symlink(&path, dir.path().join("link")).expect("linked");
        assert!(Audit::open(&dir.path().join("link"), Actor::default()).is_err());
    }
}
