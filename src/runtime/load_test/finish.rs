//! [`Finish`]: from the end of the command to its report and status.

use std::io::Write as _;
use std::process::Child;

use super::LoadTest;
use super::deaths::Deaths;
use super::destination::Destination;
use super::job::Job;
use super::monitor::Seen;
use super::output::Tail;
use crate::linux::runs::group::RunGroup;
use crate::model::run::course::{LONG, SHORT};
use crate::model::run::place::LeftUnit;
use crate::model::run::report::{Left, RunReport};
use crate::model::time::{Monotonic, Now};
use crate::output::run::{json, text};
use crate::runtime::{RunError, complain};

/// The exit status that tells of an OOM.
const HIT: u8 = 86;

/// The command has ended; it is not reaped yet.
#[derive(Debug)]
pub(super) struct Finish<'a> {
    pub(super) test: &'a LoadTest,
    pub(super) group: &'a RunGroup,
    pub(super) left_unit: Option<&'a LeftUnit>,
    pub(super) deaths: &'a Deaths,
    pub(super) began: Now,
    pub(super) ended: Monotonic,
}

impl Finish<'_> {
    /// Reports. Returns the exit status.
    pub(super) fn report(
        &self,
        mut child: Child,
        job: &Job,
        seen: Option<Seen>,
        output: Option<Tail>,
        to: Destination,
    ) -> Result<u8, RunError> {
        let ended = job.reap(&mut child).map_err(RunError::Thread)?;
        let is_open = output.as_ref().is_some_and(|output| output.is_open);
        if let Some(output) = output.map(Tail::text) {
            // A command that somebody looks at: nobody can be told where standard output is closed.
            let _ = std::io::stdout().write_all(output.as_bytes());
        }
        let Some(mut seen) = seen else {
            return Err(RunError::LoadTest(
                "the watch of the command has failed".to_owned(),
            ));
        };
        let left = self.left(&mut seen);
        let left_killed = self.test.task.kill_left && !left.is_empty() && self.kill_left();
        let kills = seen.counters.kills;
        let (victims, log_missing) = self.deaths.settled(kills.unwrap_or(0));
        // v1: a group below that was removed has taken its counter along.
        let named = victims.iter().map(|victim| victim.counted).sum();
        seen.counters.kills = kills.map(|kills| kills.max(named));
        let command = self.test.task.command.iter();
        let report = RunReport {
            command: command
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            group: self.group.path().clone(),
            left_unit: self.left_unit.cloned(),
            limit: self.group.limit,
            swap: self.group.swap,
            began_unix_micros: self.began.wall.unix_micros,
            took: self.ended.since(self.began.monotonic),
            ended,
            course: seen.course,
            pauses: (SHORT, LONG),
            counters: seen.counters,
            victims,
            log_missing,
            waited: seen.waited,
            growth: seen.growth,
            left_unread: is_open && !left.is_empty() && !left_killed,
            left,
            left_killed,
        };
        let words = if self.test.task.json {
            json(&report).map_err(RunError::Output)?
        } else {
            text(&report)
        };
        let status = match report.hit() {
            Some(true) if self.test.task.fail_on_oom => HIT,
            None if self.test.task.fail_on_oom => {
                complain(
                    "the kernel has killed, and whether the limit ran out is unknown: the log does not tell",
                );
                report.ended.status()
            }
            _ => report.ended.status(),
        };
        if let Err(sentence) = to.write(&words) {
            complain(&sentence);
            // What was learned is not lost with the file.
            let _ = std::io::stderr().write_all(words.as_bytes());
        }
        Ok(status)
    }

    /// Who is still in the group.
    fn left(&self, seen: &mut Seen) -> Vec<Left> {
        let living = self.group.settled_members();
        let sizes = seen.watcher.sizes();
        let of = |pid: &u32| {
            let size = sizes.iter().find(|size| size.id.pid == *pid);
            Left {
                pid: *pid,
                name: size.map_or_else(String::new, |size| size.name.clone()),
                bytes: size.map_or(0, |size| size.bytes),
            }
        };
        living.iter().map(of).collect()
    }

    fn kill_left(&self) -> bool {
        let killed = self.group.kill();
        if let Err(sentence) = &killed {
            complain(sentence);
        }
        killed.is_ok()
    }
}
